"""What the guideline commands share: which data, which version, whose facts, and how a refusal is told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.commands.acting import REFUSED

if TYPE_CHECKING:
    from services.pathway.knowledge.library import Library

OfGuideline = Annotated[str, typer.Option("--guideline", metavar="NAME", help="The guideline.")]
OfVersion = Annotated[
    str, typer.Option("--version", metavar="VERSION", help="Its version, such as 2026-06-30; else the newest.")
]
GuidelineDir = Annotated[
    str, typer.Option("--guideline-dir", metavar="DIR", help="Guideline data to read instead of the house's own.")
]
FactsFile = Annotated[
    str, typer.Option("--facts", metavar="FILE", help="The person's facts, YAML or JSON; - reads standard input.")
]
At = Annotated[str, typer.Option("--at", metavar="DATE", help="As of this date or time; else now.")]


@contextmanager
def refusing() -> Iterator[None]:
    """Tell what is wrong with data, facts or names in one sentence on stderr, exit code 2."""
    try:
        yield
    except (ValueError, OSError) as error:
        said = str(error) if isinstance(error, ValueError) else f"{error.filename}: {error.strerror}"
        print(f"handrail: {said}", file=sys.stderr)
        raise typer.Exit(REFUSED) from None


def directory_of(stated: str) -> Path:
    """The folder with the guideline data."""
    from services.runtime.settings import REPOSITORY

    chosen = Path(stated or os.environ.get("HANDRAIL_GUIDELINE_DIR", "") or REPOSITORY / "guidelines")
    if not chosen.is_dir():
        raise ValueError(f"{chosen} is no folder; --guideline-dir names one like the house's own guidelines folder.")
    return chosen


def library_of(guideline_dir: str, guideline: str, version: str) -> Library:
    """One version with its urgent rules and appraisals. Raises ValueError."""
    from services.pathway.knowledge.library import open_library

    directory, name = directory_of(guideline_dir), guideline.lower()
    newest = max((path.stem for path in (directory / name).glob("*.yaml")), default="")
    return open_library(directory, name, version or newest)


def instant(at: str) -> datetime:
    """The instant asked about; a date means its end, in London. Raises ValueError."""
    from services.pathway.knowledge.factfile import moment

    return moment(at, end=True) if at else datetime.now(UTC)


def facts_in(file: str) -> object:
    """What a facts file holds: a mapping, or a list of them. Raises ValueError, OSError."""
    from services.pathway.yaml_lines import read_text

    path = Path(file)
    text = sys.stdin.read() if file == "-" else path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}:{error.lineno}: {error.msg}; correct the JSON here.") from None
    return read_text(text.replace("\t", " ") if path.suffix == ".json" else text, path)

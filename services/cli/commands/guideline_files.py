"""What the guideline commands share: which data, which version, whose facts, and how a refusal is told."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
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
Number = Annotated[
    str,
    typer.Argument(
        metavar="NUMBER",
        help="A recommendation such as 1.7.16, or an urgent rule such as U-NS; `show` takes sections too.",
    ),
]
At = Annotated[str, typer.Option("--at", metavar="DATE", help="As of this date or time; else now.")]

_NOBODY_READS = 128 + signal.SIGPIPE
"""As of any other command whose output nobody reads any more; 0 and 1 would say something of a guard."""


@contextmanager
def refusing() -> Iterator[None]:
    """Tell what is wrong with data, facts or names in one sentence on stderr, exit code 2.

    That holds for what nobody foresaw too: exit code 1 has a meaning of its own (a guard is broken, a finding).
    """
    try:
        yield
        sys.stdout.flush()
    except typer.Exit:
        raise
    except BrokenPipeError:
        # Whoever read on has read enough. What is left in the buffer must not fail again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(_NOBODY_READS) from None
    except Exception as error:
        if os.environ.get("HANDRAIL_DEBUG") == "1":
            raise
        print(f"handrail: {_said(error)}", file=sys.stderr)
        raise typer.Exit(REFUSED) from None


def _said(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'the output'}: {error.strerror}; check the name of the file."
    if isinstance(error, ValueError):
        return str(error)
    return f"this could not be worked out ({type(error).__name__}); HANDRAIL_DEBUG=1 shows where."


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

    directory = directory_of(guideline_dir)
    known: dict[str, list[str]] = {}
    for path in sorted(directory.glob("*/*.yaml")):
        known.setdefault(path.parent.name, []).append(path.stem)
    name = _existing(guideline.lower(), list(known), "guideline")
    versions = known[name]
    wanted = version.lower().removeprefix(f"{name}@")
    return open_library(directory, name, _existing(wanted or max(versions), versions, f"version of {name}"))


def _existing(name: str, known: list[str], kind: str) -> str:
    """A name that there is. Raises ValueError that lists them, the nearest first."""
    from services.pathway.saying import quoted

    if name in known:
        return name
    near = get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    found = ", ".join(known) or "none"
    raise ValueError(
        f"There is no {kind} called {quoted(name)}.{hint} {kind.partition(' ')[0].capitalize()}s found: {found}."
    )


def instant(at: str) -> datetime:
    """The instant asked about; a date means its end, in London. Raises ValueError."""
    from services.pathway.knowledge.factfile import moment

    try:
        return moment(at, end=True) if at else datetime.now(UTC)
    except ValueError as error:
        raise ValueError(f"--at: {error}") from None

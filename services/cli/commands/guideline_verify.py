"""`guideline verify`: whether the data of a version hold together; no running system is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.commands.acting import AsJson
from services.cli.commands.guideline_files import (
    GuidelineDir,
    OfGuideline,
    OfVersion,
    directory_of,
    library_of,
    refusing,
)
from services.cli.commands.lines import Line, heading, show, table, wrapped
from services.cli.commands.shapes import to_json
from services.cli.commands.telephones import teams_named
from services.cli.commands.words import guideline as named

if TYPE_CHECKING:
    from services.pathway.knowledge.verify import Verification

FOUND = 1
"""The exit code when something is left unexplained."""
Plant = Annotated[
    str,
    typer.Option(
        "--plant", metavar="FAULT", help="Plant gap, overlap, dead or nonmonotone in memory: it must be found."
    ),
]
Report = Annotated[str, typer.Option("--report", metavar="FILE", help="Write the verification as a page, in Markdown.")]


def register(app: typer.Typer) -> None:
    """Add `verify` to the guideline commands."""
    app.command("verify")(verify)


def verify(
    guideline: OfGuideline = "cg81",
    version: OfVersion = "",
    guideline_dir: GuidelineDir = "",
    plant: Plant = "",
    report: Report = "",
    as_json: AsJson = False,
) -> None:
    """Verify a version: complete, without contradictions, nothing dead; exit 1 if something is left unexplained."""
    from services.pathway.knowledge.folder import read_folder
    from services.pathway.knowledge.verify import verify as verified
    from services.pathway.knowledge.verify_plant import planted
    from services.pathway.knowledge.verify_report import page, plain
    from services.pathway.knowledge.verify_subject import Subject, load_explanations

    fault = ""
    with refusing():
        if plant and report:
            raise ValueError("--report writes what the data say, and --plant spoils them; use one of the two.")
        library = library_of(guideline_dir, guideline, version)
        read_folder(directory_of(guideline_dir), teams_named())
        subject = Subject(library, load_explanations(directory_of(guideline_dir), library.guideline))
        if plant:
            subject, fault = planted(subject, plant)
        seen = verified(subject)
        if report:
            Path(report).write_text(page(seen), encoding="utf-8")
        if as_json:
            print(to_json({**plain(seen), **({"planted": {"kind": plant, "said": fault}} if plant else {})}))
        else:
            show(_lines(seen, fault))
    if not seen.passed:
        raise typer.Exit(FOUND)


def _lines(seen: Verification, fault: str) -> list[Line]:
    from services.pathway.knowledge.verify_report import FIGURES

    guideline = seen.subject.guideline
    lines = [Line(f"Verification of {named(f'{guideline.guideline_id}@{guideline.version}')}", "title")]
    if fault:
        lines += wrapped(f"Planted: {fault}", style="warn")
    figures = [(f"{count:,}", FIGURES[key].replace("*", "")) for key, count in seen.counts().items() if key in FIGURES]
    lines += table(figures, 2)
    if seen.people and seen.people.silent:
        lines += heading("Gaps in the guidance: no option is named, and none is added")
        for gap, count in seen.people.silent.items():
            lines += wrapped(f"{gap} ({count:,} kinds of people)", 2, hang=2)
    for one in seen.silences:
        text = f"{one.situation.name}: no appraisal leaves a drug in {one.nothing} of {one.variants} variants"
        lines += wrapped(text, 2, hang=2)
    if seen.passed:
        return [*lines, *heading("Nothing is left unexplained.")]
    lines += heading(f"Findings ({len(seen.findings)})")
    return [
        *lines,
        *(line for one in seen.findings for line in wrapped(f"{one.kind}: {one.text}", 2, hang=2, style="warn")),
    ]

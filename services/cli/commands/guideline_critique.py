"""`guideline critique`: what a version has against a proposed scan or regimen. Nothing is kept."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.commands.acting import AsJson
from services.cli.commands.facts_files import read_facts
from services.cli.commands.guideline_ask import left_out, notes
from services.cli.commands.guideline_files import (
    At,
    FactsFile,
    GuidelineDir,
    OfGuideline,
    OfVersion,
    instant,
    library_of,
    refusing,
)
from services.cli.commands.lines import Line, heading, show, wrapped
from services.cli.commands.shapes import to_json

if TYPE_CHECKING:
    from services.pathway.knowledge.library import Library

_OBJECTION = 1
"""The exit code when a guard is broken, and of nothing else."""
Code = Annotated[str, typer.Option("--propose", metavar="CODE", help="An imaging modality, or a code of a regimen.")]
Purpose = Annotated[
    str, typer.Option("--purpose", metavar="PURPOSE", help="Of imaging: diagnosis, characterisation or monitoring.")
]


def register(app: typer.Typer) -> None:
    """Add `critique` to the guideline commands."""
    app.command("critique")(critique)


def critique(
    facts: FactsFile,
    propose: Code,
    purpose: Purpose = "",
    guideline: OfGuideline = "cg81",
    version: OfVersion = "",
    at: At = "",
    as_json: AsJson = False,
    guideline_dir: GuidelineDir = "",
) -> None:
    """Say what the guideline has against a proposed scan or regimen; exit code 1 with the number if it objects."""
    from services.pathway.knowledge.critique import critique as judged

    with refusing():
        library, when = library_of(guideline_dir, guideline, version), instant(at)
        found = judged(library, read_facts(facts).only(library, when), propose, purpose)
        plain = found.plain()
        if not found.proposal.known and not found.proposal.part_of:
            print(f"handrail: {found.note}", file=sys.stderr)
        if as_json:
            print(to_json(plain))
        else:
            show(_objections(plain, library))
    if found.broken:
        raise typer.Exit(_OBJECTION)


def _objections(plain: dict[str, Any], library: Library) -> list[Line]:
    label = library.label
    lines = left_out(plain["left_out"], label) + notes(plain["notes"])
    if plain["known"] or plain["part_of"] or any("part" in one for one in (*plain["broken"], *plain["undecided"])):
        lines += wrapped(plain["note"]) if plain["note"] else []
    for one in plain["broken"]:
        doubt = "" if one["verified"] else " (unverified)"
        lines += wrapped(f"{one['number']}{doubt} advises against it. {one['title']}. {one['because']}", style="warn")
    for one in plain["undecided"]:
        needs = ", ".join(library.named(name) for name in one["missing"])
        lines += wrapped(f"{one['number']} cannot be decided; it needs {needs}.", style="warn")
    if plain["broken"]:
        return lines + _instead(plain["instead"])
    if plain["undecided"]:
        said = "cannot be decided until that is known. Nothing here says that it may be given."
    else:
        said = f"{plain['said']}. Silence is not permission."
    return lines + wrapped(f"For this proposal: {said}")


def _instead(instead: list[dict[str, Any]]) -> list[Line]:
    lines = heading("What the guideline offers instead")
    if not instead:
        return lines + wrapped("The guideline names nothing else that applies to this person now.", 2)
    for rule in instead:
        options = f": {'; '.join(rule['options'])}" if rule["options"] else ""
        lines += wrapped(f"{rule['number']} {rule['title']}{options}", 2, hang=4)
    return lines

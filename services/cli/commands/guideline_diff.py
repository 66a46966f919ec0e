"""`guideline diff`: what became of each recommendation between two versions; no running system is needed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.commands.acting import AsJson
from services.cli.commands.guideline_files import GuidelineDir, OfGuideline, directory_of, refusing
from services.cli.commands.lines import BLANK, Line, heading, show, wrapped
from services.cli.commands.telephones import teams_named
from services.cli.commands.words import guideline as named

if TYPE_CHECKING:
    from services.pathway.guideline import Guideline
    from services.pathway.knowledge.changes import Relation
    from services.pathway.knowledge.differences import Differences

_HEADINGS = {
    "reversed": "Reversed: the newer version says the opposite",
    "stood_down": "Stood down: no number stands in its place",
    "replaced_by_xref": "Replaced by another source",
    "replaced": "Replaced",
    "split": "Split",
    "merged": "Merged into others",
    "amended": "Amended",
    "reworded": "Reworded: the same in other words",
    "new": "New",
    "same": "The same",
}
_WORDS = {"stood_down": "stood down", "replaced_by_xref": "replaced by another source", "merged": "merged into others"}
Older = Annotated[str, typer.Argument(metavar="OLD", help="The older version, such as 2017-08-16.")]
Newer = Annotated[str, typer.Argument(metavar="NEW", help="The newer version, such as 2026-06-30.")]


def register(app: typer.Typer) -> None:
    """Add `diff` to the guideline commands."""
    app.command("diff")(diff)


def diff(
    old: Older, new: Newer, guideline: OfGuideline = "cg81", as_json: AsJson = False, guideline_dir: GuidelineDir = ""
) -> None:
    """Say what became of each recommendation from one version to another."""
    from services.pathway.knowledge.changes import load_changes
    from services.pathway.knowledge.differences import between
    from services.pathway.knowledge.folder import read_folder

    with refusing():
        directory = directory_of(guideline_dir)
        versions = read_folder(directory, teams_named()).versions
        found = between(versions, load_changes(directory, versions), guideline.lower(), old, new)
        if as_json:
            print(json.dumps(_plain(found), indent=2, ensure_ascii=False))
        else:
            show(_lines(found))


def _plain(found: Differences) -> dict[str, Any]:
    """Return `{guideline, old, new, verified, counts, recommendations: [{relation, from, to, title, ...}]}`."""
    return {
        "guideline": found.old.guideline_id,
        "old": found.old.version,
        "new": found.new.version,
        "verified": found.verified,
        "notes": list(found.notes),
        "counts": dict(found.counts()),
        "recommendations": [_plain_relation(found, relation) for relation in found.relations],
    }


def _plain_relation(found: Differences, relation: Relation) -> dict[str, Any]:
    return {
        "relation": relation.relation,
        "from": list(relation.old),
        "to": list(relation.new),
        "from_titles": _titles(found, relation, old=True),
        "to_titles": _titles(found, relation, old=False),
        "see": list(relation.see),
        "note": relation.note,
        "verified": not _unread(found, relation),
    }


def _titles(found: Differences, relation: Relation, *, old: bool) -> list[str]:
    side, numbers = (found.old, relation.old) if old else (found.new, relation.new)
    rules = [side.by_number(number) for number in numbers]
    return [rule.title for rule in rules if rule]


def _unread(found: Differences, relation: Relation) -> bool:
    """Whether a side of this relation is content that nobody has read at the source."""
    return not {*relation.old}.isdisjoint(found.old.unverified) or not {*relation.new}.isdisjoint(found.new.unverified)


def _lines(found: Differences) -> list[Line]:
    pins = [named(f"{side.guideline_id}@{side.version}") for side in (found.old, found.new)]
    lines = [Line(f"From {pins[0]} to {pins[1]}", "title")]
    counts = found.counts()
    lines += wrapped(", ".join(f"{counts[name]} {_WORDS.get(name, name)}" for name in counts) + ".")
    for note in found.notes:
        lines += wrapped(note, style="quiet")
    for name, title in _HEADINGS.items():
        chosen = [relation for relation in found.relations if relation.relation == name]
        if chosen:
            lines += heading(f"{title} ({len(chosen)})")
            lines += _same(chosen) if name == "same" else [line for one in chosen for line in _told(found, one)]
    if any(_unread(found, relation) for relation in found.relations):
        lines += [
            BLANK,
            *wrapped("* Written from memory: nobody has read this number at the source.", style="warn"),
        ]
    return lines


def _marked(numbers: tuple[str, ...], side: Guideline) -> str:
    """Return the numbers, with a star at those that nobody has read at the source."""
    return ", ".join(f"{number}*" if number in side.unverified else number for number in numbers)


def _same(relations: list[Relation]) -> list[Line]:
    moved = [f"{one.old[0]} → {one.new[0]}" if one.old != one.new else one.old[0] for one in relations]
    return wrapped(", ".join(moved), 2)


def _told(found: Differences, relation: Relation) -> list[Line]:
    numbers = " → ".join(filter(None, (_marked(relation.old, found.old), _marked(relation.new, found.new))))
    titles = [_titles(found, relation, old=old) for old in (True, False)]
    lines = wrapped(f"{numbers}  {'; '.join(titles[0] or titles[1])}", 2, hang=4)
    if relation.relation not in {"reworded", "amended"} and titles[0] and titles[1]:
        lines += wrapped(f"Now: {'; '.join(titles[1])}", 6, hang=2)
    if relation.note:
        lines += wrapped(relation.note, 6, hang=2)
    if relation.see:
        lines += wrapped(f"See {', '.join(relation.see)}.", 6, hang=2)
    return lines

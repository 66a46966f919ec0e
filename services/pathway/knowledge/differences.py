"""What is different between two versions of a guideline, over as many steps as lie between them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from services.pathway.guideline import Guideline
from services.pathway.knowledge.changes import Change, Relation, RelationName, Versions

WEIGHT: tuple[RelationName, ...] = (
    "same",
    "reworded",
    "amended",
    "merged",
    "split",
    "replaced",
    "replaced_by_xref",
    "reversed",
    "stood_down",
    "new",
)
"""Over two steps the later word in this row is the one to say."""


class UnknownVersionError(ValueError):
    """A version that is not there, or two between which nothing is told; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Differences:
    """The way from `old` to `new`: every number of both stands in `relations`. `verified`: both sides were read."""

    old: Guideline
    new: Guideline
    relations: tuple[Relation, ...]
    verified: bool
    notes: tuple[str, ...]

    def counts(self) -> dict[RelationName, int]:
        """How many relations there are of each kind, in the order of WEIGHT."""
        found = [relation.relation for relation in self.relations]
        return {name: found.count(name) for name in WEIGHT if name in found}


def between(versions: Versions, changes: Sequence[Change], guideline_id: str, old: str, new: str) -> Differences:
    """Return what is different.

    Raises:
        UnknownVersionError: a version is not here, or the steps between them are not told.
    """
    first, last = (find_version(versions, guideline_id, name) for name in (old, new))
    if first.version > last.version:
        message = f"{first.version} is newer than {last.version}; name the older version first."
        raise UnknownVersionError(message)
    steps = _steps(changes, guideline_id, first.version, last.version)
    relations = tuple(Relation("same", (rule.number,), (rule.number,)) for rule in first.rules)
    for step in steps:
        relations = _followed(relations, step.relations)
    return Differences(
        first,
        last,
        tuple(sorted(relations, key=_in_order)),
        all(step.verified for step in steps),
        tuple(step.note for step in steps if step.note),
    )


def find_version(versions: Versions, guideline_id: str, name: str) -> Guideline:
    """Return a version by its name (`2017-08-16` or `cg81@2017-08-16`).

    Raises:
        UnknownVersionError: it is not here; the sentence names the nearest that is.
    """
    guidelines = dict.fromkeys(guideline for guideline, _ in versions)
    if guideline_id not in guidelines:
        raise UnknownVersionError(_unknown("guideline", guideline_id, list(guidelines)))
    wanted = name.lower().removeprefix(f"{guideline_id}@")
    known = [version for guideline, version in versions if guideline == guideline_id]
    if wanted not in known:
        raise UnknownVersionError(_unknown(f"version of {guideline_id}", name, known, wanted))
    return versions[guideline_id, wanted]


def _unknown(kind: str, name: str, known: Sequence[str], wanted: str = "") -> str:
    near = [text for text in known if text.startswith((wanted or name).removeprefix("v"))]
    near = near or get_close_matches(wanted or name, known, n=1, cutoff=0.4)
    hint = f" Did you mean '{near[-1]}'?" if near else ""
    return f"There is no {kind} called '{name}'.{hint} Known: {', '.join(sorted(known))}."


def _steps(changes: Sequence[Change], guideline_id: str, old: str, new: str) -> list[Change]:
    steps: list[Change] = []
    at = old
    by_old = {change.old: change for change in changes if change.guideline == guideline_id}
    while at != new:
        step = by_old.get(at)
        if step is None or not at < step.new <= new:
            message = (
                f"changes.yaml does not tell how {guideline_id}@{at} became {guideline_id}@{new}; add that change."
            )
            raise UnknownVersionError(message)
        steps.append(step)
        at = step.new
    return steps


def _followed(first: Sequence[Relation], second: Sequence[Relation]) -> tuple[Relation, ...]:
    """Two steps as one. What came and went between the two is left out: neither side has it."""
    found = [relation for relation in first if not relation.new]
    for after in second:
        if not after.old:
            found.append(after)
            continue
        origins = [before for before in first if before.old and set(before.new) & set(after.old)]
        old = tuple(dict.fromkeys(number for before in origins for number in before.old))
        if old:
            name = max((after.relation, *(before.relation for before in origins)), key=WEIGHT.index)
            notes = " ".join(dict.fromkeys(part.note for part in (*origins, after) if part.note))
            found.append(replace(after, relation=name if after.new else "stood_down", old=old, note=notes))
        elif after.new:
            found.append(replace(after, relation="new", old=()))
    return tuple(found)


def _in_order(relation: Relation) -> tuple[bool, list[int]]:
    """Old numbers first, in their order; then what is new."""
    number = (relation.old or relation.new)[0]
    return not relation.old, [int(part) for part in number.split(".") if part.isdigit()]

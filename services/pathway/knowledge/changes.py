"""How each version of a guideline came from the one before: `guidelines/changes.yaml`, read and checked. Pure.

Every number of both versions stands in the file, so that nobody who is moved is left without a word on their tasks.
A rule that stays the same, reworded or amended keeps its permanent rule_id; any other rule gets a new one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from services.pathway.dictionary import NO_OTHER_FIELDS
from services.pathway.guideline import Guideline
from services.pathway.yaml_lines import GuidelineError, Mapped, read, refused, validated

RelationName = Literal[
    "same",
    "reworded",
    "amended",
    "split",
    "merged",
    "replaced",
    "replaced_by_xref",
    "reversed",
    "stood_down",
    "new",
]
KEPT: frozenset[RelationName] = frozenset({"same", "reworded", "amended"})
"""One rule remains one rule: its rule_id stays."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What became of the numbers `old`, and where the numbers `new` come from; `see`: where the matter is now."""

    __pydantic_config__ = NO_OTHER_FIELDS
    relation: RelationName
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    see: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """The step from one version to the next. `verified`: somebody has read both sides at the source."""

    __pydantic_config__ = NO_OTHER_FIELDS
    guideline: str
    old: str
    new: str
    relations: tuple[Relation, ...]
    verified: bool = True
    note: str = ""


FILE = "changes.yaml"
_CHANGE = TypeAdapter(Change)
Versions = Mapping[tuple[str, str], Guideline]


def load_changes(directory: Path, versions: Versions) -> tuple[Change, ...]:
    """Read every step between versions.

    Raises:
        GuidelineError: file, line, and what to do; also if a number of either version is left out.
    """
    path = directory / FILE
    written = _read_changes(path)
    for one in written:
        _hold_against(one, path, versions)
    return tuple(change for change, *_ in written)


def doubt_about_changes(directory: Path, versions: Versions) -> str:
    """What would be refused of the steps between versions because a version was edited; empty if nothing.

    Somebody who adds a rule of their own has to tell `diff` of it, and nothing else.

    Raises:
        GuidelineError: the file is wrong in itself.
    """
    path = directory / FILE
    written = _read_changes(path)
    try:
        for one in written:
            _hold_against(one, path, versions)
    except GuidelineError as error:
        return str(error)
    return ""


_Written = tuple[Change, int, list[int]]
"""A step, the line on which it stands, and those of its relations."""


def _read_changes(path: Path) -> list[_Written]:
    raw = read(path)
    entries = raw.get("changes")
    if not isinstance(entries, list) or len(raw) != 1:
        raise refused(path, raw.line, "one list `changes:` is expected; see guidelines/README.md.")
    return [_change(entry, path) for entry in entries]


def _change(raw: object, path: Path) -> _Written:
    if not isinstance(raw, Mapped):
        raise refused(path, 1, "a change is a mapping with guideline, old, new and relations.")
    lines = []
    for entry in raw.get("relations") or ():
        if not isinstance(entry, Mapped):
            raise refused(
                path, raw.line, "a relation is a mapping such as {from: ['1.1.7'], to: ['1.5.3'], relation: same}."
            )
        lines.append(entry.line)
        for written, name in (("from", "old"), ("to", "new")):
            if written in entry:
                entry[name] = entry.pop(written)
    return validated(_CHANGE, raw, path), raw.line, lines


def _hold_against(written: _Written, path: Path, versions: Versions) -> None:
    change, line, lines = written
    old, new = (_version(change.guideline, version, path, line, versions) for version in (change.old, change.new))
    for relation, where in zip(change.relations, lines, strict=True):
        if problem := _problem_with(relation, old, new):
            raise refused(path, where, problem)
    if problem := _left_out(change, old, new):
        raise refused(path, line, problem)


def _version(guideline_id: str, version: str, path: Path, line: int, versions: Versions) -> Guideline:
    found = versions.get((guideline_id, version))
    if found is None:
        known = [name for guideline, name in versions if guideline == guideline_id]
        message = f"there is no {guideline_id}@{version} here.{_nearest(version, known)}"
        raise refused(path, line, f"{message} Put the file back, or take this change out.")
    return found


def _nearest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


def _problem_with(relation: Relation, old: Guideline, new: Guideline) -> str:
    """What is wrong with one relation, and what to do."""
    for numbers, side in ((relation.old, old), (relation.new, new)):
        known = [rule.number for rule in side.rules]
        for number in numbers:
            if number not in known:
                return (
                    f"{side.guideline_id}@{side.version} has no {number}.{_nearest(number, known)} Correct the number."
                )
    name, sides = relation.relation, (len(relation.old), len(relation.new))
    if (name == "new") is not (sides[0] == 0) or (name == "stood_down") is not (sides[1] == 0):
        return f"{name}: only `new` has no `from`, and only `stood_down` no `to`; correct the relation or its numbers."
    if name in KEPT and sides != (1, 1):
        return f"{name} joins one number with one; use split or merged for more."
    if name == "split" and sides[1] == 1:
        return "split leads to two numbers or more; use reworded, amended or replaced for one."
    if name in KEPT:
        before, after = old.by_number(relation.old[0]), new.by_number(relation.new[0])
        if before and after and before.rule_id != after.rule_id:
            return (
                f"{name} joins {before.rule_id} with {after.rule_id}: a rule that stays keeps its rule_id. "
                "Give both the same one, or call it replaced."
            )
    return ""


def _left_out(change: Change, old: Guideline, new: Guideline) -> str:
    """The first number that no relation names, that two name in ways that exclude each other, or whose id is lost."""
    for side, named in (
        (old, [number for relation in change.relations for number in relation.old]),
        (new, [number for relation in change.relations for number in relation.new]),
    ):
        missing = [rule.number for rule in side.rules if rule.number not in named]
        if missing:
            numbers = ", ".join(missing)
            return f"no relation names {numbers} of {side.guideline_id}@{side.version}; add what became of it."
    twice = _told_twice(change.relations)
    if twice:
        return f"two relations tell different stories of {twice}; keep one."
    kept = {(relation.old[0], relation.new[0]) for relation in change.relations if relation.relation in KEPT}
    for rule in new.rules:
        before = old.rule(rule.rule_id)
        if before and (before.number, rule.number) not in kept:
            return (
                f"{rule.rule_id} is {before.number} in {old.version} and {rule.number} in {new.version}, but no "
                "relation says same, reworded or amended; add it, or give the newer rule an id of its own."
            )
    return ""


def _told_twice(relations: Sequence[Relation]) -> str:
    """An old number that stands in two relations, or a number that is new and comes from somewhere as well."""
    olds = Counter(number for relation in relations for number in relation.old)
    fresh = {number for relation in relations if relation.relation == "new" for number in relation.new}
    derived = {number for relation in relations if relation.relation != "new" for number in relation.new}
    repeated = [number for number, count in olds.items() if count > 1]
    return next(iter([*repeated, *sorted(fresh & derived)]), "")

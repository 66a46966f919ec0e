"""Guidelines as data: read, checked, pinned by a content hash.

A directory holds `dictionary.yaml`, `events.yaml` and one folder a guideline with one file a version
(`guidelines/README.md` documents the format). Whatever is wrong is a GuidelineError: file, line, what to do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from services.pathway.checks import (
    problem_with_contradiction,
    problem_with_date,
    problem_with_fact,
    problem_with_rule,
)
from services.pathway.conditions import Condition, ConditionError, facts_of, parse
from services.pathway.dictionary import NO_OTHER_FIELDS, Dictionary, EventDef, Scalar
from services.pathway.rule_types import (
    CONDITION_FIELDS,
    AfterAccept,
    Due,
    LocalDue,
    Occurrence,
    Option,
    Parsed,
    Rule,
    Update,
)
from services.pathway.satisfiable import never_true
from services.pathway.vocabulary import problem_with_vocabulary, slip_in_regimens
from services.pathway.yaml_lines import GuidelineError, Mapped, canonical, line_at, read, refused, validated

__all__ = [
    "AfterAccept",
    "Delegation",
    "Due",
    "Guideline",
    "GuidelineError",
    "LocalDue",
    "Occurrence",
    "Option",
    "Rule",
    "Shared",
    "Update",
    "load_all",
    "load_guideline",
    "load_shared",
    "load_version",
    "parse_conditions",
]


@dataclass(frozen=True, slots=True)
class Delegation:
    """Another guideline's version whose recommendations are followed beside this one (CG81 leaves some to NG101)."""

    __pydantic_config__ = NO_OTHER_FIELDS
    guideline: str
    version: str


@dataclass(frozen=True, slots=True, eq=False)
class Guideline:
    """One version of one guideline with the dictionary and events it was read with. Compared by identity."""

    guideline_id: str
    version: str
    title: str
    source: str
    checked_on: str
    status: str
    local_due: LocalDue
    rules: tuple[Rule, ...]
    dictionary: Dictionary
    events: Mapping[str, EventDef]
    content_hash: str
    updates: tuple[Update, ...] = ()
    delegates_to: tuple[Delegation, ...] = ()

    @property
    def unverified(self) -> tuple[str, ...]:
        """The numbers whose content nobody has read at the source; with any, nobody new is put on this version."""
        return tuple(rule.number for rule in self.rules if not rule.verified)

    def rule(self, rule_id: str) -> Rule | None:
        """The rule with this permanent id, if this version has it."""
        return next((rule for rule in self.rules if rule.rule_id == rule_id), None)

    def by_number(self, number: str) -> Rule | None:
        """The rule with this number in this version."""
        return next((rule for rule in self.rules if rule.number == number), None)


@dataclass(frozen=True, slots=True)
class _File:
    """A version file as written, after the conditions were parsed."""

    __pydantic_config__ = NO_OTHER_FIELDS
    guideline: str
    version: str
    title: str
    source: str
    checked_on: str
    rules: tuple[Rule, ...]
    status: Literal["current", "superseded", "local"] = "current"
    updates: tuple[Update, ...] = ()
    delegates_to: tuple[Delegation, ...] = ()
    local_due: LocalDue = field(default_factory=LocalDue)
    define: Mapping[str, Parsed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all versions of a directory share; `written` is the dictionary as written, for the content hash."""

    dictionary: Dictionary
    events: Mapping[str, EventDef]
    written: Mapping[str, Any]


_DICTIONARY = TypeAdapter(Dictionary)
_JUDGES_NOTHING = {"facts", "also_called", "black_triangle", "only_alone", "beside", "contradictions"}
"""Of facts, what the rules read is added by itself."""
_EVENT = TypeAdapter(EventDef)
_FILE = TypeAdapter(_File)


def load_all(directory: Path) -> dict[tuple[str, str], Guideline]:
    """Every guideline version under a directory, by (guideline id, version). Raises GuidelineError."""
    shared = load_shared(directory)
    found: dict[tuple[str, str], Guideline] = {}
    for path in sorted(directory.glob("*/*.yaml")):
        guideline = _load_named(path, shared)
        found[guideline.guideline_id, guideline.version] = guideline
    return found


def load_guideline(directory: Path, guideline_id: str, version: str, shared: Shared | None = None) -> Guideline:
    """One guideline version. Raises GuidelineError if it is missing or cannot be used."""
    path = directory / guideline_id / f"{version}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(f"{p.parent.name}@{p.stem}" for p in directory.glob("*/*.yaml"))) or "none"
        message = f"{path}: there is no {guideline_id}@{version} here; versions found: {known}."
        raise GuidelineError(message)
    return _load_named(path, shared or load_shared(directory))


def load_shared(directory: Path) -> Shared:
    """The data dictionary and the events of a directory. Raises GuidelineError."""
    path = directory / "dictionary.yaml"
    raw = read(path)
    written = json.loads(canonical(raw))
    for name, entry in _entries(raw, "facts", path):
        entry["name"] = name
    dictionary = validated(_DICTIONARY, raw, path)
    place, problem = problem_with_vocabulary(dictionary)
    if problem:
        raise refused(path, line_at(raw, place), problem)
    for name, fact in dictionary.facts.items():
        if problem := problem_with_fact(fact, dictionary):
            raise refused(path, line_at(raw, ("facts", name)), f"{name}: {problem}.")
    for number, together in enumerate(dictionary.contradictions):
        if problem := problem_with_contradiction(together, dictionary):
            raise refused(path, line_at(raw, ("contradictions", number)), f"contradictions: {problem}")
    events_path = directory / "events.yaml"
    raw_events = read(events_path)
    events: dict[str, EventDef] = {}
    for name, entry in _entries(raw_events, "events", events_path):
        entry["name"] = name
        events[name] = event = validated(_EVENT, entry, events_path)
        carried = () if event.carries == "any" else event.carries
        named: list[tuple[str, Scalar]] = [(fact_name, "unknown") for fact_name in carried]
        named += [*event.implies.items(), *_implied_sometimes(event)]
        for fact_name, value in named:
            if problem := dictionary.problem_with(fact_name, value):
                raise refused(events_path, entry.line, f"{name}: {problem}")
    return Shared(dictionary, events, written)


def _implied_sometimes(event: EventDef) -> list[tuple[str, Scalar]]:
    values = [implied for by_value in event.implies_when.values() for implied in by_value.values()]
    return [pair for implied in values for pair in implied.items()]


def _entries(raw: Mapped, key: str, path: Path) -> list[tuple[str, Mapped]]:
    entries = raw.get(key)
    if not isinstance(entries, Mapped):
        raise refused(path, raw.line, f"`{key}:` with a mapping of names is missing.")
    for name, entry in entries.items():
        if not isinstance(name, str) or not isinstance(entry, Mapped):
            raise refused(path, int(getattr(entry, "line", entries.line)), f"{key}.{name} is not a name with fields.")
    return list(entries.items())


def _load_named(path: Path, shared: Shared) -> Guideline:
    guideline = load_version(path, shared)
    if (guideline.guideline_id, guideline.version) != (path.parent.name, path.stem):
        named = f"{guideline.guideline_id}@{guideline.version}"
        raise refused(path, 1, f"this file says {named}; name the file after what it holds.")
    return guideline


def load_version(path: Path, shared: Shared) -> Guideline:
    """One file in the format of a guideline version, wherever it stands. Raises GuidelineError."""
    dictionary = shared.dictionary
    raw = read(path)
    content = canonical(raw)
    lines = [int(getattr(entry, "line", 0)) for entry in raw.get("rules") or ()]
    parse_conditions(raw, "rules", dictionary, path)
    file = validated(_FILE, raw, path)
    if problem := problem_with_date(file.checked_on):
        raise refused(path, 1, f"checked_on: {problem}.")
    for rule, line in zip(file.rules, lines, strict=True):
        problem = problem_with_rule(rule, file.rules, dictionary, shared.events) or slip_in_regimens(rule, dictionary)
        if not problem and rule.condition is not None and (clash := never_true(rule.condition, dictionary)):
            problem = f"gate and when can never hold together ({clash}); correct one of them"
        if problem:
            raise refused(path, line, f"{rule.number} ({rule.rule_id}): {problem}.")
    return Guideline(
        guideline_id=file.guideline,
        version=file.version,
        title=file.title,
        source=file.source,
        checked_on=file.checked_on,
        status=file.status,
        local_due=file.local_due,
        rules=file.rules,
        dictionary=dictionary,
        events=shared.events,
        content_hash=_content_hash(content, file.rules, shared),
        updates=file.updates,
        delegates_to=file.delegates_to,
    )


def _content_hash(content: str, rules: Sequence[Rule], shared: Shared) -> str:
    """Hash what its judgements depend on: the version's own file, and the dictionary entries that its rules read.

    A fact or an event that is new to the house leaves the versions alone that pathways are pinned to.
    """
    names: set[str] = set()
    for rule in rules:
        for condition in (getattr(rule, key) for key in CONDITION_FIELDS):
            names.update(facts_of(condition) if condition is not None else ())
        names.update(rule.considers)
        names.update((rule.occurrence.fact,) if rule.occurrence else ())
    read_facts = [*names]
    for name in read_facts:
        derived = shared.dictionary.facts[name].derived
        fresh = [name for name in (derived.inputs if derived else ()) if name not in names]
        names.update(fresh)
        read_facts += fresh
    entries = {name: shared.written["facts"][name] for name in sorted(names)}
    vocabulary = {key: value for key, value in shared.written.items() if key not in _JUDGES_NOTHING}
    return hashlib.sha256(canonical([content, entries, vocabulary]).encode()).hexdigest()


def parse_conditions(
    raw: Mapped, key: str, dictionary: Dictionary, path: Path, fields: Sequence[str] = CONDITION_FIELDS
) -> None:
    """Replace the conditions under `define` and in each entry of the list `key` by parsed ones."""
    predicates: dict[str, Condition] = {}
    try:
        for name, content in (raw.get("define") or {}).items():
            predicates[name] = parse(content, dictionary, predicates)
        raw["define"] = predicates
        for entry in raw.get(key) or ():
            for name in fields if isinstance(entry, Mapped) else ():
                if name in entry:
                    entry[name] = parse(entry[name], dictionary, predicates)
    except ConditionError as error:
        raise refused(path, error.line, str(error)) from None

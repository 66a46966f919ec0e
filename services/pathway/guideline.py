"""Guidelines as data: read, checked, pinned by a content hash. The only pure module with yaml and pydantic.

A directory holds `dictionary.yaml`, `events.yaml` and one folder a guideline with one file a version
(`guidelines/README.md` documents the format). Whatever is wrong is a GuidelineError: file, line, what to do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import SkipValidation, TypeAdapter, ValidationError
from yaml.constructor import SafeConstructor

from services.pathway.conditions import Condition, ConditionError, facts_of, parse
from services.pathway.dictionary import NO_OTHER_FIELDS, Dictionary, EventDef, FactDef, Role

_CONDITION_FIELDS = ("gate", "when", "forbids", "done_when")
_T = TypeVar("_T")
Parsed = Annotated[Condition, SkipValidation]


class GuidelineError(ValueError):
    """Guideline data that cannot be used. The text reads `file:line: what is wrong; what to do`."""


@dataclass(frozen=True, slots=True)
class Due:
    """Working days from when it was recorded, or hours from when it happened; `local`: not NICE's."""

    __pydantic_config__ = NO_OTHER_FIELDS
    working_days: int | None = None
    hours: int | None = None
    local: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """One choice under a rule."""

    __pydantic_config__ = NO_OTHER_FIELDS
    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What tells one occurrence of a rule from the next: a report of the fact, or a run of one value."""

    __pydantic_config__ = NO_OTHER_FIELDS
    fact: str
    by: Literal["report", "run"]


@dataclass(frozen=True, slots=True)
class AfterAccept:
    """The item that follows when the recommendation is accepted."""

    __pydantic_config__ = NO_OTHER_FIELDS
    title: str
    owner: Role
    due: Due


@dataclass(frozen=True, slots=True)
class LocalDue:
    """Due times of the planner's own items; local choices."""

    __pydantic_config__ = NO_OTHER_FIELDS
    chase: Due = Due(working_days=2, local=True)
    review: Due = Due(working_days=2, local=True)
    next_contact: Due = Due(working_days=5, local=True)


@dataclass(frozen=True, slots=True)
class Rule:
    """One numbered recommendation. It applies when `gate` and `when` hold; README.md explains each field."""

    __pydantic_config__ = NO_OTHER_FIELDS
    rule_id: str
    number: str
    strength: Literal["strong", "weak", "option", "xref", "guard"]
    tag: str
    section: Literal[
        "diagnosis", "systemic_therapy", "supportive_care", "complications", "palliative_care", "information"
    ]
    title: str
    action: str
    when: Parsed
    owner: Role
    decided_by: Role
    gate: Parsed | None = None
    forbids: Parsed | None = None
    done_when: Parsed | None = None
    due: Due | None = None
    closes_with: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    option_for: str = ""
    holds_for_options: bool = False
    occurrence: Occurrence | None = None
    chase: bool = False
    considers: tuple[str, ...] = ()
    urgency: Literal["routine", "urgent", "emergency"] = "routine"
    refer_to: str = ""
    after_accept: AfterAccept | None = None
    source: str = ""
    verified: bool = True
    note: str = ""


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
    status: str = ""
    local_due: LocalDue = LocalDue()
    define: Mapping[str, Parsed] = field(default_factory=dict)


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DICTIONARY = TypeAdapter(Dictionary)
_EVENT = TypeAdapter(EventDef)
_FILE = TypeAdapter(_File)


class _Mapping(dict[Any, Any]):
    line = 0


class _Sequence(list[Any]):
    line = 0


def _construct(node: yaml.Node, scalars: SafeConstructor) -> object:
    """Plain data from a YAML node: mappings and lists remember their line, and no key may stand twice."""
    if isinstance(node, yaml.SequenceNode):
        items = _Sequence(_construct(part, scalars) for part in node.value)
        items.line = node.start_mark.line + 1
        return items
    if not isinstance(node, yaml.MappingNode):
        return scalars.construct_object(node, deep=True)
    found = _Mapping()
    found.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = _construct(key_node, scalars)
        if not isinstance(key, Hashable) or key in found:
            raise yaml.MarkedYAMLError(problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark)
        found[key] = _construct(value_node, scalars)
    return found


def load_all(directory: Path) -> dict[tuple[str, str], Guideline]:
    """Every guideline version under a directory, by (guideline id, version). Raises GuidelineError."""
    dictionary, events, parts = _load_shared(directory)
    found: dict[tuple[str, str], Guideline] = {}
    for path in sorted(directory.glob("*/*.yaml")):
        guideline = _load_version(path, dictionary, events, parts)
        found[guideline.guideline_id, guideline.version] = guideline
    return found


def load_guideline(directory: Path, guideline_id: str, version: str) -> Guideline:
    """One guideline version. Raises GuidelineError if it is missing or cannot be used."""
    path = directory / guideline_id / f"{version}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(f"{p.parent.name}@{p.stem}" for p in directory.glob("*/*.yaml"))) or "none"
        message = f"{path}: there is no {guideline_id}@{version} here; versions found: {known}."
        raise GuidelineError(message)
    return _load_version(path, *_load_shared(directory))


def _read(path: Path) -> _Mapping:
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
        raw = _construct(root, SafeConstructor()) if root else None
    except FileNotFoundError:
        message = f"{path}: this file is missing; every guideline directory needs it."
        raise GuidelineError(message) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _refused(path, line, f"{error.problem}; correct the YAML here.") from None
    if not isinstance(raw, _Mapping):
        raise _refused(path, 1, "this is not a mapping of names; see guidelines/README.md.")
    return raw


def _refused(path: Path, line: int, message: str) -> GuidelineError:
    return GuidelineError(f"{path}:{line}: {message}")


def _line_at(raw: object, location: Sequence[int | str]) -> int:
    """The line of the innermost mapping or list on the way to a location."""
    line = 1
    for step in location:
        line = int(getattr(raw, "line", line))
        if isinstance(raw, _Mapping):
            raw = raw.get(step)
        elif isinstance(raw, _Sequence) and isinstance(step, int) and step < len(raw):
            raw = raw[step]
    return int(getattr(raw, "line", line))


def _validated(adapter: TypeAdapter[_T], raw: _Mapping, path: Path) -> _T:
    try:
        return adapter.validate_python(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        hint = " (write it in quotes)" if first["type"] == "string_type" else ""
        if first["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
            hint = " (an unknown field: correct its name or take it out)"
        message = f"{where}: {first['msg']}{hint}; see guidelines/README.md."
        raise _refused(path, _line_at(raw, first["loc"]), message) from None


def _load_shared(directory: Path) -> tuple[Dictionary, dict[str, EventDef], dict[str, Any]]:
    path = directory / "dictionary.yaml"
    raw = _read(path)
    written = json.loads(_canonical(raw))
    for name, entry in _entries(raw, "facts", path):
        entry["name"] = name
    dictionary = _validated(_DICTIONARY, raw, path)
    for name, fact in dictionary.facts.items():
        _check_fact(fact, dictionary, path, _line_at(raw, ("facts", name)))
    events_path = directory / "events.yaml"
    raw_events = _read(events_path)
    events: dict[str, EventDef] = {}
    for name, entry in _entries(raw_events, "events", events_path):
        entry["name"] = name
        events[name] = event = _validated(_EVENT, entry, events_path)
        carried = () if event.carries == "any" else event.carries
        for fact_name in (*carried, *event.implies):
            value = event.implies.get(fact_name, "unknown")
            if problem := dictionary.problem_with(fact_name, value):
                raise _refused(events_path, entry.line, f"{name}: {problem}")
    return dictionary, events, written


def _entries(raw: _Mapping, key: str, path: Path) -> list[tuple[str, _Mapping]]:
    entries = raw.get(key)
    if not isinstance(entries, _Mapping):
        raise _refused(path, raw.line, f"`{key}:` with a mapping of names is missing.")
    for name, entry in entries.items():
        if not isinstance(name, str) or not isinstance(entry, _Mapping):
            raise _refused(path, int(getattr(entry, "line", entries.line)), f"{key}.{name} is not a name with fields.")
    return list(entries.items())


def _check_fact(fact: FactDef, dictionary: Dictionary, path: Path, line: int) -> None:
    problem = ""
    if fact.type == "code" and not fact.values:
        problem = "a code needs `values`"
    elif missing := set(fact.undecided_values).difference(fact.values):
        problem = f"undecided_values has {missing.pop()!r}, which is not one of its values"
    elif fact.derived:
        kinds = [bool(fact.derived.table), fact.derived.count is not None, fact.derived.had is not None]
        if kinds.count(True) != 1:
            problem = "derived needs exactly one of table, count, had"
        for row in fact.derived.table:
            pairs = [*row.when.items(), (fact.name, row.value)]
            problem = problem or next((p for n, v in pairs if (p := dictionary.problem_with(n, v))), "")
        lines = fact.derived.count or fact.derived.had
        known = {*dictionary.classes, *dictionary.class_groups}
        if lines and (wrong := {*lines.classes_any, *lines.classes_all} - known):
            problem = f"{wrong.pop()!r} is no class of treatment; add it to `classes` or correct it"
    if problem:
        raise _refused(path, line, f"{fact.name}: {problem}.")


def _load_version(
    path: Path, dictionary: Dictionary, events: Mapping[str, EventDef], written: Mapping[str, Any]
) -> Guideline:
    raw = _read(path)
    content = _canonical(raw)
    lines = [int(getattr(entry, "line", 0)) for entry in raw.get("rules") or ()]
    _parse_conditions(raw, dictionary, path)
    file = _validated(_FILE, raw, path)
    if (file.guideline, file.version) != (path.parent.name, path.stem):
        raise _refused(path, 1, f"this file says {file.guideline}@{file.version}; name the file after what it holds.")
    for rule, line in zip(file.rules, lines, strict=True):
        if problem := _problem_with_rule(rule, file.rules, dictionary, events):
            raise _refused(path, line, f"{rule.number} ({rule.rule_id}): {problem}.")
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
        events=events,
        content_hash=_content_hash(content, file.rules, dictionary, written),
    )


def _content_hash(content: str, rules: Sequence[Rule], dictionary: Dictionary, written: Mapping[str, Any]) -> str:
    """Hash what its judgements depend on: the version's own file, and the dictionary entries that its rules read.

    A fact or an event that is new to the house leaves the versions alone that pathways are pinned to.
    """
    names: set[str] = set()
    for rule in rules:
        for condition in (rule.when, rule.gate, rule.forbids, rule.done_when):
            names.update(facts_of(condition) if condition is not None else ())
        names.update(rule.considers)
        names.update((rule.occurrence.fact,) if rule.occurrence else ())
    read = [*names]
    for name in read:
        derived = dictionary.facts[name].derived
        fresh = [name for name in (derived.inputs if derived else ()) if name not in names]
        names.update(fresh)
        read += fresh
    entries = {name: written["facts"][name] for name in sorted(names)}
    vocabulary = {key: value for key, value in written.items() if key != "facts"}
    return hashlib.sha256(_canonical([content, entries, vocabulary]).encode()).hexdigest()


def _parse_conditions(raw: _Mapping, dictionary: Dictionary, path: Path) -> None:
    predicates: dict[str, Condition] = {}
    try:
        for name, content in (raw.get("define") or {}).items():
            predicates[name] = parse(content, dictionary, predicates)
        raw["define"] = predicates
        for entry in raw.get("rules") or ():
            for key in _CONDITION_FIELDS if isinstance(entry, _Mapping) else ():
                if key in entry:
                    entry[key] = parse(entry[key], dictionary, predicates)
    except ConditionError as error:
        raise _refused(path, error.line, str(error)) from None


def _problem_with_rule(
    rule: Rule, rules: Sequence[Rule], dictionary: Dictionary, events: Mapping[str, EventDef]
) -> str:
    ids = [other.rule_id for other in rules]
    near = get_close_matches(rule.option_for, ids, cutoff=0.9) if rule.option_for not in {"", *ids} else []
    occurrence = (rule.occurrence.fact,) if rule.occurrence else ()
    unknown = [name for name in (*rule.considers, *occurrence) if name not in dictionary.facts]
    no_event = [name for name in rule.closes_with if name not in events]
    dues = [due for due in (rule.due, rule.after_accept.due if rule.after_accept else None) if due]
    opens_items = rule.strength != "guard" and not rule.option_for
    checks = [
        (ids.count(rule.rule_id) > 1, "this rule_id stands twice; a rule_id is permanent and unique"),
        ([r.number for r in rules].count(rule.number) > 1, "this number stands twice in one version"),
        (near, f"option_for names {rule.option_for!r}, which is nearly but not quite {''.join(near)!r}"),
        (unknown, f"the data dictionary does not have {', '.join(unknown)}{dictionary.nearest(''.join(unknown[:1]))}"),
        (no_event, f"closes_with names {', '.join(no_event)}, which events.yaml does not have"),
        (any((d.working_days is None) is (d.hours is None) for d in dues), "a due time has one of working_days, hours"),
        (opens_items and not rule.due, "`due` is missing: what opens an item needs one"),
        (occurrence and not opens_items, "a guard or option takes no `occurrence`: an option has its parent's"),
    ]
    return next((problem for wrong, problem in checks if wrong), "")


def _canonical(raw: object) -> str:
    return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)

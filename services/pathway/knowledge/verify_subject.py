"""What is verified, against what: a guideline version, and our explanations of what is found in it. Pure.

`guidelines/verification.yaml` holds the explanations: which numbers there are, which decision the options belong to,
where the guidance itself is silent, which options may apply together and why. Nothing there changes a judgement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from services.pathway.conditions import Check, Condition, compile_condition, parse
from services.pathway.dictionary import NO_OTHER_FIELDS, Value
from services.pathway.guideline import Guideline, GuidelineError, Rule
from services.pathway.knowledge.library import Library
from services.pathway.rule_types import Parsed
from services.pathway.yaml_lines import Mapped, read, refused, validated

FILE = "verification.yaml"
Kind = Literal[
    "gap",
    "missing",
    "overlap",
    "contradiction",
    "dead",
    "nonmonotone",
    "order",
    "truth",
    "example",
    "question",
    "stale",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the data does not explain; a version with one does not pass."""

    kind: Kind
    numbers: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Silence:
    """People for whom the guidance has no option; they end at the decision itself, and the report says so."""

    __pydantic_config__ = NO_OTHER_FIELDS
    gap: str
    when: Parsed
    why: str


@dataclass(frozen=True, slots=True)
class Together:
    """Options that may apply together: any two of `among`, or one of each list of `between`."""

    __pydantic_config__ = NO_OTHER_FIELDS
    why: str
    among: tuple[str, ...] = ()
    between: tuple[tuple[str, ...], ...] = ()

    def covers(self, one: str, other: str) -> bool:
        """Whether this explains that both numbers apply."""
        if one in self.among and other in self.among:
            return True
        lists = [(place, numbers) for place, numbers in enumerate(self.between)]
        return any(one in left and other in right for i, left in lists for j, right in lists if i != j)


@dataclass(frozen=True, slots=True)
class Barred:
    """A guard and a recommendation that name the same thing, and why they do not contradict each other."""

    __pydantic_config__ = NO_OTHER_FIELDS
    guard: str
    codes: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Situation:
    """A history for which the options are looked at through the appraisals as well; `like` another, unless stated."""

    __pydantic_config__ = NO_OTHER_FIELDS
    name: str
    facts: Mapping[str, Any]
    vary: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    why: str = ""
    like: str = ""


@dataclass(frozen=True, slots=True)
class Explanations:
    """All that is written about one version."""

    __pydantic_config__ = NO_OTHER_FIELDS
    guideline: str
    version: str
    numbers: Mapping[str, int] = field(default_factory=dict)
    decision: str = ""
    otherwise: str = ""
    gaps: tuple[Silence, ...] = ()
    together: tuple[Together, ...] = ()
    barred: tuple[Barred, ...] = ()
    situations: tuple[Situation, ...] = ()

    @property
    def written(self) -> bool:
        """Whether anything is written about the version."""
        return bool(self.numbers or self.decision)


_ONE = TypeAdapter(Explanations)


def load_explanations(directory: Path, guideline: Guideline) -> Explanations:
    """What is written about a version; nothing if the file or the version is not there. Raises GuidelineError."""
    path = directory / FILE
    empty = Explanations(guideline.guideline_id, guideline.version)
    if not path.is_file():
        return empty
    for entry in read(path).get("versions") or ():
        if not isinstance(entry, Mapped):
            raise refused(path, 1, "`versions:` is a list of mappings; see guidelines/README.md.")
        if (entry.get("guideline"), entry.get("version")) == (guideline.guideline_id, guideline.version):
            return _read_one(entry, guideline, path)
    return empty


def load_all_explanations(directory: Path, versions: Iterable[Guideline]) -> tuple[Explanations, ...]:
    """What is written about every version; a version that was taken out is left out. Raises GuidelineError."""
    path = directory / FILE
    if not path.is_file():
        return ()
    raw = read(path)
    if not isinstance(raw.get("versions"), list) or len(raw) != 1:
        raise refused(path, raw.line, "one list `versions:` is expected; see guidelines/README.md.")
    return tuple(load_explanations(directory, guideline) for guideline in versions)


def _read_one(entry: Mapped, guideline: Guideline, path: Path) -> Explanations:
    dictionary = guideline.dictionary
    predicates: dict[str, Condition] = {}
    try:
        for name, content in (entry.pop("define", None) or {}).items():
            predicates[name] = parse(content, dictionary, predicates)
        for gap in entry.get("gaps") or ():
            gap["when"] = parse(gap.get("when"), dictionary, predicates)
    except (ValueError, TypeError) as error:
        raise refused(path, int(getattr(error, "line", 0)) or entry.line, str(error)) from None
    found = validated(_ONE, entry, path)
    if found.decision and guideline.rule(found.decision) is None:
        raise GuidelineError(f"{path}:{entry.line}: decision: there is no '{found.decision}'; correct the rule_id.")
    return found


@dataclass(frozen=True)
class Subject:
    """One version under verification. `replaced` are checks that a planted fault puts in place of the real ones."""

    library: Library
    explanations: Explanations
    replaced: Mapping[str, Check] = field(default_factory=dict)

    @property
    def guideline(self) -> Guideline:
        """The version."""
        return self.library.guideline

    @cached_property
    def rules(self) -> dict[str, tuple[Rule, Condition]]:
        """The rules that are judged, by number, with their conditions."""
        return {rule.number: (rule, rule.condition) for rule in self.guideline.rules if rule.condition is not None}

    @cached_property
    def checks(self) -> dict[str, Check]:
        """What judges each number."""
        dictionary = self.guideline.dictionary
        return {
            number: self.replaced.get(rule.rule_id) or compile_condition(condition, dictionary)
            for number, (rule, condition) in self.rules.items()
        }

    @cached_property
    def decision(self) -> Rule | None:
        """The decision whose options must leave nobody without an answer."""
        return self.guideline.rule(self.explanations.decision) if self.explanations.decision else None

    @cached_property
    def options(self) -> tuple[str, ...]:
        """The numbers of the options of that decision."""
        decision = self.decision
        chosen = [
            number for number, (rule, _) in self.rules.items() if decision and rule.option_for == decision.rule_id
        ]
        return tuple(chosen)


def told(values: Mapping[str, Value] | None) -> str:
    """Facts in a row."""
    return ", ".join(f"{name}: {_shown(value)}" for name, value in (values or {}).items())


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, int | float) else str(value)

"""The data dictionary as plain data: what a fact is, what an event implies, which values are allowed.

Stdlib only. The files themselves are read, with line numbers, by `guideline.py`. A value that is not allowed
is answered with a sentence that says what is wrong and what to do; nothing here raises for bad clinical
input.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

from services.pathway.saying import did_you_mean, problem_with_scalar, quoted

Scalar = bool | int | float | str
FactType = Literal["bool", "integer", "number", "code", "text", "therapy"]
Role = Literal["pathology", "radiology", "oncology", "key_worker", "breast_mdt", "palliative_care", "coordination"]

NO_OTHER_FIELDS: Any = {"extra": "forbid"}
"""For `__pydantic_config__` (a plain mapping, no import): a misspelt field in a data file is refused."""
UNKNOWN_CODES = frozenset({"unknown", "not_tested", "not_done"})
"""Codes that all say that nobody knows; stored as reported, treated as absent."""


@dataclass(frozen=True, slots=True)
class Therapy:
    """One planned course of systemic treatment (CG81.md section 9); the value of a `prior_therapy` fact.

    `line` counts from 1 for advanced disease and is 0 otherwise; `months` is its length in months. A line that was
    `begun_here` says nothing of what was given before; any other is part of a history that somebody took.
    """

    setting: str
    line: int = 0
    agents: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    months: float | None = None
    stop_reason: str = ""
    started_on: date | None = None
    ended_on: date | None = None
    last_dose_on: date | None = None
    response: str = ""
    begun_here: bool = False

    @property
    def stopped_on(self) -> date | None:
        """The last day of the line: when it ended, else its last dose."""
        return self.ended_on or self.last_dose_on


Value = Scalar | Therapy


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a derivation table: if every named fact has the value, the derived fact has `value`."""

    __pydantic_config__ = NO_OTHER_FIELDS
    when: Mapping[str, Scalar]
    value: Scalar


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Which lines of treatment count; an empty field does not filter. Classes may name a class group.

    `but_not` leaves lines out again, each of its filters whole. A line whose length is not known may or may not pass
    a limit of `months`: then nobody knows the count either.
    """

    __pydantic_config__ = NO_OTHER_FIELDS
    settings: tuple[str, ...] = ()
    classes_any: tuple[str, ...] = ()
    classes_all: tuple[str, ...] = ()
    agents_any: tuple[str, ...] = ()
    stop_reasons: tuple[str, ...] = ()
    months_at_most: float | None = None
    months_at_least: float | None = None
    but_not: tuple[LineFilter, ...] = ()


@dataclass(frozen=True, slots=True)
class DoseFilter:
    """Treatment of these classes, or with one of these agents, given at most so many days ago.

    `days` is the fact that says how long ago the last treatment was, whatever it was.
    """

    __pydantic_config__ = NO_OTHER_FIELDS
    days: str
    at_most: int
    classes_any: tuple[str, ...]
    agents_any: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a fact follows from others, in exactly one way.

    `table`: from the values of others. Of the lines of treatment that pass a filter: `count` them, whether one was
    `had`, the months that the `longest` lasted, the months of the `interval` from the end of the last to the relapse.
    From when they were last given (`doses.py`): the days since the `last_dose`, or whether one was given `within` some
    days. `findings`: any of these findings implies it, and without them it may be stated all the same.
    """

    __pydantic_config__ = NO_OTHER_FIELDS
    table: tuple[TableRow, ...] = ()
    count: LineFilter | None = None
    had: LineFilter | None = None
    longest: LineFilter | None = None
    interval: LineFilter | None = None
    last_dose: bool = False
    within: DoseFilter | None = None
    findings: tuple[str, ...] = ()

    @property
    def lines(self) -> LineFilter | None:
        """The filter of lines of treatment that it reads, if it reads them."""
        if self.within is not None:
            return LineFilter(classes_any=self.within.classes_any)
        filters = (self.count, self.had, self.longest, self.interval, LineFilter() if self.last_dose else None)
        return next((wanted for wanted in filters if wanted is not None), None)

    @property
    def kinds(self) -> list[str]:
        """The ways that are given; a usable derivation has one."""
        names = ("table", "count", "had", "longest", "interval", "last_dose", "within", "findings")
        return [name for name in names if getattr(self, name) not in (None, (), False)]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The base facts it reads, in the order in which they are asked for."""
        if self.table:
            return tuple(dict.fromkeys(name for row in self.table for name in row.when))
        return self.findings or ("prior_therapy", *((self.within.days,) if self.within else ()))


@dataclass(frozen=True, slots=True)
class FactDef:
    """One entry of the dictionary. `unit`, `minimum`, `maximum` belong to numbers, `values` to codes.

    `undecided_values` are recorded and shown, but leave every question about the fact open (a suspected
    extent). `chased_by` is the role that must get a missing value from `supplied_by`; the key worker unless
    stated. `presumed` is the value that everybody has unless another is stated. `codes`: by terminology; none
    was checked in a terminology server yet.
    """

    __pydantic_config__ = NO_OTHER_FIELDS
    name: str
    type: FactType
    label: str
    supplied_by: Role
    values: tuple[str, ...] = ()
    open_values: bool = False
    undecided_values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    chased_by: Role = "key_worker"
    stale_after_days: int | None = None
    per_specimen: bool = False
    judgement: bool = False
    red_flag: bool = False  # true is an emergency until somebody has looked
    presumed: Scalar | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    derived: Derivation | None = None
    # A complication, watched until one of these is reported; the first is what "resolved" says.
    settles: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class EventDef:
    """One kind of event: its label, the facts it may carry (`any` or names) and those it implies."""

    __pydantic_config__ = NO_OTHER_FIELDS
    name: str
    label: str
    carries: Literal["any"] | tuple[str, ...] = ()
    implies: Mapping[str, Scalar] = field(default_factory=dict)
    # By a field of the event, by its value: what follows from that, before what follows anyhow.
    implies_when: Mapping[str, Mapping[str, Mapping[str, Scalar]]] = field(default_factory=dict)

    def may_carry(self, fact: str) -> bool:
        """Whether a report of this kind may bring this fact."""
        return self.carries == "any" or fact in self.carries or fact in self.implies

    def implied(self, carried: Collection[str], said: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Scalar]:
        """The facts that follow from the event and what it says, except those that the report carries."""
        implied = dict(self.implies)
        for name, by_value in self.implies_when.items():
            implied |= by_value.get(str(said.get(name, "")), {})
        return {name: value for name, value in implied.items() if name not in carried}


@dataclass(frozen=True, slots=True, eq=False)
class Dictionary:
    """Every fact that may be held, and the vocabulary of therapy lines (CG81.md sections 7, 9, 10)."""

    __pydantic_config__ = NO_OTHER_FIELDS
    facts: Mapping[str, FactDef]
    classes: tuple[str, ...]
    settings: tuple[str, ...]
    stop_reasons: tuple[str, ...]
    class_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    implied_classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    agents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    also_called: Mapping[str, str] = field(default_factory=dict)
    black_triangle: tuple[str, ...] = ()  # agents of which every suspected reaction is reported
    only_alone: tuple[str, ...] = ()  # proposed regimens that are another regimen with another drug beside them
    beside: tuple[str, ...] = ()  # classes that make no other regimen of what they are given with
    contradictions: tuple[Mapping[str, Scalar], ...] = ()

    def nearest(self, name: str) -> str:
        """A hint for a name that does not exist: " Did you mean 'er_status'?" or nothing."""
        return did_you_mean(name, list(self.facts))

    def problem_with(self, name: str, value: object) -> str:
        """What is wrong with a reported value and what to do about it; the empty string if it is allowed."""
        fact = self.facts.get(name)
        if fact is None:
            return f"{quoted(name)} is not in the data dictionary.{self.nearest(name)}"
        if isinstance(value, str) and value in UNKNOWN_CODES:
            return ""
        if isinstance(value, Therapy):
            return (
                self._problem_with_therapy(value) if fact.type == "therapy" else f"{name} is not a line of treatment."
            )
        return problem_with_scalar(fact, value)

    def classes_of(self, therapy: Therapy) -> frozenset[str]:
        """All classes of a line: recorded, following from its agents, implied by those, and groups."""
        stated = {*therapy.classes, *(name for agent in therapy.agents for name in self._classes_of_agent(agent))}
        return self._with_implied(stated)

    def agent(self, name: str) -> str:
        """The dictionary's name of a drug: as written there, or as it is also called; else the name itself."""
        plain = _plain(name)
        return _agents_by_name(self).get(_plain(self.also_called.get(plain, plain)), name)

    def carries_black_triangle(self, medicine: str) -> bool:
        """Say whether a medicine is on the list of additional monitoring: by name, by brand, or in a longer text."""
        said = _plain(medicine)
        named = {_plain(self.agent(word)) for word in (said, *said.split("_"))}
        return any(_plain(agent) in named or f"_{_plain(agent)}_" in f"_{said}_" for agent in self.black_triangle)

    def _classes_of_agent(self, agent: str) -> tuple[str, ...]:
        return tuple(self.agents.get(self.agent(agent), ()))

    def _with_implied(self, classes: Collection[str]) -> frozenset[str]:
        found = set(classes)
        for name in tuple(found):
            found.update(self.implied_classes.get(name, ()))
        found.update(group for group, members in self.class_groups.items() if found.intersection(members))
        return frozenset(found)

    def knows_classes_of(self, therapy: Therapy) -> bool:
        """Whether a line's classes are all known: each agent is in the dictionary, or its classes were recorded.

        A class that follows from a drug that is known says nothing of one that is not.
        """
        unlisted = [agent for agent in therapy.agents if self.agent(agent) not in self.agents]
        if not unlisted:
            return bool(therapy.agents or therapy.classes)
        listed = {name for agent in therapy.agents for name in self._classes_of_agent(agent)}
        return len(set(therapy.classes) - self._with_implied(listed)) >= len(unlisted)

    def _problem_with_therapy(self, therapy: Therapy) -> str:
        words = [("setting", therapy.setting, self.settings)]
        words += [("stop reason", therapy.stop_reason, self.stop_reasons)] if therapy.stop_reason else []
        words += [("class", name, self.classes) for name in therapy.classes]
        for what, word, known in words:
            if word not in known:
                return f"The {what} {quoted(word)} is not one of {', '.join(known)}.{did_you_mean(word, known)}"
        return self._contradiction(therapy)

    def _contradiction(self, therapy: Therapy) -> str:
        """A recorded class that no agent of the line can have, said only where every agent is known."""
        if not therapy.agents or not all(agent in self.agents for agent in therapy.agents):
            return ""
        possible = self.classes_of(Therapy(therapy.setting, agents=therapy.agents))
        wrong = [name for name in therapy.classes if name not in possible]
        if not wrong:
            return ""
        agents = ", ".join(therapy.agents)
        return f"The class '{wrong[0]}' fits none of {agents}: correct the agents or the class."


@lru_cache(maxsize=16)
def _agents_by_name(dictionary: Dictionary) -> dict[str, str]:
    return {_plain(agent): agent for agent in dictionary.agents}


def _plain(name: str) -> str:
    """A drug's name in one spelling: case, spaces and joiners set aside."""
    return re.sub(r"[\s_+-]+", "_", name.strip().lower())

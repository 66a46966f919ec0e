"""Judging a guideline on a person's facts: three-valued truth, what it rests on, what is missing, and why.

Pure. `evaluate` costs tens of microseconds; the sentence `Judgement.because` is rendered only when it is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Literal

from services.pathway.conditions import (
    COMPARISONS,
    Among,
    Check,
    Compare,
    Condition,
    Every,
    Negated,
    Some,
    compile_condition,
    facts_of,
)
from services.pathway.dictionary import Dictionary, Scalar, Value
from services.pathway.due_dates import london_date
from services.pathway.facts import Fact, Gap, Picture, current, value_text
from services.pathway.guideline import Guideline, Rule

Truth = Literal["applies", "does_not_apply", "cannot_be_decided"]
_TRUTHS: Mapping[bool | None, Truth] = {True: "applies", False: "does_not_apply", None: "cannot_be_decided"}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One rule on one person at one instant.

    `missing` names base dictionary facts that could still settle it (`gaps` says why each is unknown); `used` are
    the fact ids it rests on, `basis` a hash of those names and values, to which a decision is bound. `occurrence`
    is the fact id that starts this occurrence and `occurred_at` its time. `stale` has (name, when it went stale);
    `fresh_until` is the next instant at which a fact of this rule goes stale. `gate_open` and `done` are the
    rule's `gate` and `done_when`. `known` names everything known of the person.
    """

    rule_id: str
    number: str
    truth: Truth
    missing: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    used: tuple[str, ...] = ()
    basis: str = ""
    occurrence: str = ""
    occurred_at: datetime | None = None
    stale: tuple[tuple[str, datetime], ...] = ()
    fresh_until: datetime | None = None
    gate_open: bool = True
    done: bool = False
    known: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    _explanation: _Explanation | None = field(default=None, repr=False, compare=False)

    @property
    def because(self) -> str:
        """A plain English sentence: the facts it rests on, what would have to be different, or what is missing."""
        return self._explanation.text(self) if self._explanation else ""


@dataclass(frozen=True, slots=True)
class _CompiledRule:
    rule: Rule
    condition: Condition
    check: Check
    gate: Check | None
    done: Check | None
    forbids: Check | None
    names: tuple[str, ...]


def evaluate(guideline: Guideline, facts: Iterable[Fact], as_of: datetime) -> list[Judgement]:
    """Judge every rule, in the guideline's order, on all non-superseded facts of one person."""
    return judge(guideline, current(facts, guideline.dictionary, as_of))


def judge(guideline: Guideline, picture: Picture) -> list[Judgement]:
    """Judge every rule on facts that are already settled."""
    occurrences: dict[tuple[str, str], Fact | None] = {}
    return [_judge(compiled, picture, guideline, occurrences) for compiled in _compiled(guideline)]


def guards_broken(
    guideline: Guideline,
    facts: Iterable[Fact],
    proposal: Mapping[str, Scalar],
    as_of: datetime,
    *,
    undecided: bool = False,
) -> list[Judgement]:
    """The guards that a proposal breaks, with reason; `undecided` adds those that a missing fact leaves open.

    `proposal` maps dictionary names to values: `{"proposed_regimen": "eribulin"}`, or `{"proposed_modality":
    "bone_scintigraphy", "imaging_purpose": "monitoring"}`. An empty answer means no guidance found, never safe.
    Raises ValueError, with what to do, for a name or value that the dictionary does not have.
    """
    for name, value in proposal.items():
        if problem := guideline.dictionary.problem_with(name, value):
            raise ValueError(problem)
    picture = current(facts, guideline.dictionary, as_of)
    picture = replace(picture, values={**picture.values, **proposal})
    wanted = {"applies", "cannot_be_decided"} if undecided else {"applies"}
    broken = []
    for compiled in _compiled(guideline):
        if compiled.rule.strength == "guard":
            asked = compiled
            if compiled.forbids and compiled.rule.forbids:
                asked = replace(compiled, condition=compiled.rule.forbids, check=compiled.forbids)
            broken.append(_judge(asked, picture, guideline, {}))
    return [judgement for judgement in broken if judgement.truth in wanted]


def reevaluate_at(guideline: Guideline, facts: Iterable[Fact], as_of: datetime) -> datetime | None:
    """The next instant at which a fact that this guideline reads goes stale; None if none will."""
    instants = [judgement.fresh_until for judgement in evaluate(guideline, facts, as_of)]
    return min((instant for instant in instants if instant is not None), default=None)


@lru_cache(maxsize=16)
def _compiled(guideline: Guideline) -> tuple[_CompiledRule, ...]:
    return tuple(_compile_rule(rule, guideline.dictionary) for rule in guideline.rules)


def _compile_rule(rule: Rule, dictionary: Dictionary) -> _CompiledRule:
    condition: Condition = Every((rule.gate, rule.when)) if rule.gate else rule.when
    names = dict.fromkeys([*facts_of(condition), *rule.considers])
    for name in tuple(names):
        derived = dictionary.facts[name].derived
        names.update(dict.fromkeys(derived.inputs if derived else ()))
    return _CompiledRule(
        rule=rule,
        condition=condition,
        check=compile_condition(condition, dictionary),
        gate=compile_condition(rule.gate, dictionary) if rule.gate else None,
        done=compile_condition(rule.done_when, dictionary) if rule.done_when else None,
        forbids=compile_condition(rule.forbids, dictionary) if rule.forbids else None,
        names=tuple(names),
    )


def _judge(
    compiled: _CompiledRule,
    picture: Picture,
    guideline: Guideline,
    occurrences: dict[tuple[str, str], Fact | None],
) -> Judgement:
    rule, values, held = compiled.rule, picture.values, picture.held
    truth, known, missing = compiled.check(values)
    known = tuple(dict.fromkeys(known))
    gaps = tuple(dict.fromkeys(gap for name in dict.fromkeys(missing) for gap in picture.gaps(name))) if missing else ()
    first = _occurrence(rule, guideline, picture, occurrences)
    text = ";".join([f"{name}={values[name]}" for name in known])
    clocks = [(name, entry.stale_at) for name in compiled.names if (entry := held.get(name)) and entry.stale_at]
    return Judgement(
        rule_id=rule.rule_id,
        number=rule.number,
        truth=_TRUTHS[truth],
        missing=tuple(dict.fromkeys([gap.name for gap in gaps])),
        gaps=gaps,
        used=tuple(dict.fromkeys([i for name in known if (entry := held.get(name)) for i in entry.fact_ids])),
        basis=hashlib.sha256(text.encode()).hexdigest()[:16],
        occurrence=first.fact_id if first else "",
        occurred_at=first.occurred_at if first else None,
        stale=tuple((name, at) for name, at in clocks if at <= picture.as_of) if clocks else (),
        fresh_until=min((at for _, at in clocks if at > picture.as_of), default=None) if clocks else None,
        gate_open=compiled.gate is None or compiled.gate(values)[0] is True,
        done=compiled.done is not None and compiled.done(values)[0] is True,
        known=picture.known,
        _explanation=_Explanation(compiled.condition, picture, guideline.dictionary),
    )


def _occurrence(
    rule: Rule, guideline: Guideline, picture: Picture, found: dict[tuple[str, str], Fact | None]
) -> Fact | None:
    """The fact that starts this occurrence: the latest report, or the first report of the current run of a value."""
    wanted = rule.occurrence
    if wanted is None and rule.option_for:
        parent = guideline.rule(rule.option_for)
        wanted = parent.occurrence if parent else None
    if wanted is None:
        return None
    key = (wanted.fact, wanted.by)
    if key not in found:
        found[key] = _first_of_run(picture, wanted.fact) if wanted.by == "run" else _latest(picture, wanted.fact)
    return found[key]


def _latest(picture: Picture, name: str) -> Fact | None:
    reports = picture.history.get(name)
    return reports[-1] if reports else None


def _first_of_run(picture: Picture, name: str) -> Fact | None:
    first = None
    for fact in reversed(picture.history.get(name, ())):
        if first is not None and fact.value != first.value:
            break
        first = fact
    return first


@dataclass(frozen=True, slots=True)
class _Explanation:
    """Renders why a judgement came out as it did."""

    condition: Condition
    picture: Picture
    dictionary: Dictionary

    def text(self, judgement: Judgement) -> str:
        """One or two sentences for a judgement on this condition."""
        if judgement.truth == "cannot_be_decided":
            return self._open_text(judgement.gaps)
        truth = judgement.truth == "applies"
        names = dict.fromkeys(self._decisive(self.condition, truth=truth))
        now = "; ".join(self._now(name) for name in names)
        return f"{now}." if truth else f"{now}. It would apply with: {self._needed(self.condition, wish=True)}."

    def _open_text(self, gaps: tuple[Gap, ...]) -> str:
        parts = [f"{self._label(gap.name)}{f' ({gap.note})' if gap.note else ''}" for gap in gaps]
        return f"Not known: {'; '.join(parts)}."

    def _decisive(self, condition: Condition, *, truth: bool) -> list[str]:
        """The facts that make the condition come out as `truth`."""
        if isinstance(condition, Negated):
            return self._decisive(condition.part, truth=not truth)
        if isinstance(condition, Every | Some):
            parts = [part for part in condition.parts if self._truth(part) is truth]
            one_is_enough = isinstance(condition, Some) and truth
            return [name for part in parts[: 1 if one_is_enough else None] for name in self._decisive(part, truth=truth)]
        return [condition.fact]

    def _needed(self, condition: Condition, *, wish: bool) -> str:
        """What would have to be different for the condition to come out as wished; empty if nothing."""
        if self._truth(condition) is wish:
            return ""
        if isinstance(condition, Negated):
            return self._needed(condition.part, wish=not wish)
        if isinstance(condition, Every | Some):
            parts = [needed for part in condition.parts if (needed := self._needed(part, wish=wish))]
            joined = (" and " if isinstance(condition, Every) is wish else " or ").join(dict.fromkeys(parts))
            return f"({joined})" if len(parts) > 1 else joined
        return self._wanted(condition, holds=wish)

    def _truth(self, condition: Condition) -> bool | None:
        return compile_condition(condition, self.dictionary)(self.picture.values)[0]

    def _label(self, name: str) -> str:
        return self.dictionary.facts[name].label

    def _now(self, name: str) -> str:
        value = self.picture.values.get(name)
        if value is None:
            return f"{self._label(name)} is not known"
        entry = self.picture.held.get(name)
        source = entry.note if entry else "as proposed"
        if not source and entry and entry.last:
            source = f"{london_date(entry.last.occurred_at):%-d %B %Y}"
        return f"{self._phrase(name, value)}{f' ({source})' if source else ''}"

    def _phrase(self, name: str, value: Value) -> str:
        unit = self.dictionary.facts[name].unit
        joint = ": " if isinstance(value, bool) else " is "
        return f"{self._label(name)}{joint}{value_text(value)}{f' {unit}' if unit else ''}"

    def _wanted(self, test: Among | Compare, *, holds: bool) -> str:
        label = self._label(test.fact)
        other = "" if holds else "not "
        if isinstance(test, Compare):
            return f"{label} {other}{COMPARISONS[test.comparison][1]} {test.limit:g}"
        return f"{label} {other}{' or '.join(value_text(value) for value in test.values)}"

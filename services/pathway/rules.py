"""Judging a guideline on a person's facts: three-valued truth, what it rests on, what is missing, and why.

Pure. The conditions of a version are judged by one generated function (ADR 0011); the sentence
`Judgement.because` is rendered only when it is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
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
    Outcome,
    Some,
    compile_condition,
    facts_of,
)
from services.pathway.dictionary import Dictionary, Scalar, Value
from services.pathway.due_dates import london_date
from services.pathway.facts import Fact, Gap, Picture, current, is_unknown, value_text
from services.pathway.generated import CheckAll, compile_all
from services.pathway.guideline import Guideline, Occurrence, Rule

Truth = Literal["applies", "does_not_apply", "cannot_be_decided"]
_TRUTHS: Mapping[bool | None, Truth] = {True: "applies", False: "does_not_apply", None: "cannot_be_decided"}


@dataclass(slots=True, eq=False)  # frozen would cost more than the judging; nobody changes one
class Judgement:
    """One rule on one person at one instant.

    `number` is the rule's in this version, `rests_on` names the known facts that decide it, and `missing` the base
    facts that could still settle it, if it cannot be decided. All else is worked out when it is read, so that a full
    evaluation stays cheap.
    """

    number: str
    truth: Truth
    rests_on: tuple[str, ...]
    missing: tuple[str, ...]
    _picture: Picture = field(repr=False)
    _asked: _CompiledRule = field(repr=False)
    # The names that are left open, where fewer are asked for than the whole condition leaves open.
    _open: tuple[str, ...] | None = field(default=None, repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Judgement) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash((self.rule_id, self.truth))

    def _said(self) -> tuple[str, Truth, tuple[str, ...], tuple[Gap, ...]]:
        return self.rule_id, self.truth, self.rests_on, self.gaps

    @property
    def rule_id(self) -> str:
        """The permanent id of the rule."""
        return self._asked.rule.rule_id

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """The base facts that could still settle it, and why each is unknown; empty unless it cannot be decided."""
        if self.truth != "cannot_be_decided":
            return ()
        left = self._asked.check(self._picture.values)[2] if self._open is None else self._open
        names = dict.fromkeys(left)
        return tuple(dict.fromkeys([gap for name in names for gap in self._picture.gaps(name)]))

    def asking(self, known: Iterable[str], left_open: Iterable[str]) -> Judgement:
        """The same judgement, undecided, standing on these names and asking for what these left-open ones lack."""
        names = tuple(dict.fromkeys(left_open))
        stands_on = tuple(dict.fromkeys(known))
        return replace(
            self,
            truth="cannot_be_decided",
            rests_on=stands_on,
            missing=_bases(names, self._picture),
            _open=names,
        )

    @property
    def title(self) -> str:
        """What the rule is about."""
        return self._asked.rule.title

    @property
    def occurrence(self) -> str:
        """The id of the fact that starts this occurrence; empty if the rule has one occurrence only."""
        first = _first_fact(self._asked.occurrence, self._picture)
        return first.fact_id if first else ""

    @property
    def occurred_at(self) -> datetime | None:
        """When this occurrence began; an emergency counts from here."""
        first = _first_fact(self._asked.occurrence, self._picture)
        return first.occurred_at if first else None

    @property
    def stale(self) -> tuple[tuple[str, datetime], ...]:
        """The facts of this rule that are stale, and since when."""
        return tuple((name, at) for name, at in self._clocks() if at <= self._picture.as_of)

    @property
    def fresh_until(self) -> datetime | None:
        """The next instant at which a fact of this rule goes stale."""
        return min((at for _, at in self._clocks() if at > self._picture.as_of), default=None)

    @property
    def gate_open(self) -> bool:
        """Whether the rule's `gate` holds, or it has none: only then is a missing fact worth asking for."""
        return self._asked.gate is None or self._asked.gate(self._picture.values)[0] is True

    @property
    def done(self) -> bool:
        """Whether the rule's `done_when` holds: what it asks for has happened."""
        return self._asked.done is not None and self._asked.done(self._picture.values)[0] is True

    @property
    def done_this_time(self) -> bool:
        """Whether what it asks for has happened for this occurrence, and not for one before it."""
        if not self.done or self._asked.rule.done_when is None:
            return False
        began = _first_fact(self._asked.occurrence, self._picture)
        held = [self._picture.held.get(name) for name in facts_of(self._asked.rule.done_when)]
        shown = [entry.last for entry in held if entry is not None and entry.last is not None]
        if began is None or not shown:
            return True
        return max((fact.occurred_at, fact.seq) for fact in shown) >= (began.occurred_at, began.seq)

    @property
    def used(self) -> tuple[str, ...]:
        """The ids of the facts it rests on."""
        held = self._picture.held
        ids = (fact_id for name in self.rests_on if name in held for fact_id in held[name].fact_ids)
        return tuple(dict.fromkeys(ids))

    @property
    def basis(self) -> str:
        """A hash of the names and values that it rests on; a decision binds to it."""
        text = ";".join(f"{name}={self._picture.known_of(name)}" for name in self.rests_on)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def known(self) -> frozenset[str]:
        """The names of everything that is known of the person."""
        return self._picture.known

    @property
    def because(self) -> str:
        """Why, in plain English: the facts, what would have to be different, or what is missing."""
        return _Explanation(self._asked.condition, self._picture, self._asked.dictionary).text(self)

    def _clocks(self) -> list[tuple[str, datetime]]:
        held = [self._picture.held[name] for name in self._asked.ageing if name in self._picture.held]
        return [(entry.name, entry.stale_at) for entry in held if entry.stale_at is not None]


@dataclass(frozen=True, slots=True)
class _CompiledRule:
    rule: Rule
    condition: Condition
    check: Check
    gate: Check | None
    done: Check | None
    ageing: tuple[str, ...]
    occurrence: Occurrence | None
    dictionary: Dictionary
    number: str
    repeats: bool  # whether the condition names a fact twice


def evaluate(guideline: Guideline, facts: Iterable[Fact], as_of: datetime) -> list[Judgement]:
    """Judge every rule, in the guideline's order, on all non-superseded facts of one person."""
    return judge(guideline, current(facts, guideline.dictionary, as_of))


def judge(guideline: Guideline, picture: Picture) -> list[Judgement]:
    """Judge every rule on facts that are already settled."""
    return _judged(_compiled(guideline), _compiled_together(guideline)(picture.values), picture)


def judge_rule(guideline: Guideline, rule_id: str, picture: Picture) -> Judgement:
    """Judge one rule that has a condition, on facts that are already settled."""
    asked = next(compiled for compiled in _compiled(guideline) if compiled.rule.rule_id == rule_id)
    return _judged([asked], [asked.check(picture.values)], picture)[0]


def guards_broken_in(
    guideline: Guideline, picture: Picture, proposal: Mapping[str, Scalar], *, undecided: bool = False
) -> list[Judgement]:
    """The guards that a proposal breaks, with reason; `undecided` adds those that a missing fact leaves open.

    `proposal` maps dictionary names to values: `{"proposed_regimen": "eribulin"}`, or `{"proposed_modality":
    "bone_scintigraphy", "imaging_purpose": "monitoring"}`; only guards that read one of them are asked. An empty
    answer means no guidance found, never safe.
    """
    picture = replace(picture, values={**picture.values, **proposal})
    wanted = {"applies", "cannot_be_decided"} if undecided else {"applies"}
    asked = [_as_asked(compiled) for compiled in _compiled(guideline) if compiled.rule.strength == "guard"]
    concerned = [guard for guard in asked if not proposal.keys().isdisjoint(facts_of(guard.condition))]
    judgements = _judged(concerned, [guard.check(picture.values) for guard in concerned], picture)
    return [judgement for judgement in judgements if judgement.truth in wanted]


def _as_asked(guard: _CompiledRule) -> _CompiledRule:
    """A guard that says what it `forbids` is asked that of a proposal, instead of its `when`."""
    forbids, dictionary = guard.rule.forbids, guard.dictionary
    if forbids is None:
        return guard
    check, repeats = compile_condition(forbids, dictionary), _repeats(forbids)
    return replace(guard, condition=forbids, check=check, repeats=repeats)


@lru_cache(maxsize=16)
def _compiled(guideline: Guideline) -> tuple[_CompiledRule, ...]:
    return tuple(_compile_rule(rule, rule.condition, guideline) for rule in guideline.rules if rule.condition)


@lru_cache(maxsize=16)
def _compiled_together(guideline: Guideline) -> CheckAll:
    return compile_all([compiled.condition for compiled in _compiled(guideline)], guideline.dictionary)


def _compile_rule(rule: Rule, condition: Condition, guideline: Guideline) -> _CompiledRule:
    dictionary = guideline.dictionary
    parent = guideline.rule(rule.option_for) if rule.option_for else None
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
        ageing=tuple(name for name in names if dictionary.facts[name].stale_after_days is not None),
        occurrence=parent.occurrence if parent else rule.occurrence,
        dictionary=dictionary,
        number=rule.number,
        repeats=_repeats(condition),
    )


def _repeats(condition: Condition) -> bool:
    names = [*facts_of(condition)]
    return len(set(names)) < len(names)


def _judged(asked: Iterable[_CompiledRule], outcomes: Iterable[Outcome], picture: Picture) -> list[Judgement]:
    return [
        Judgement(
            rule.number,
            _TRUTHS[truth],
            tuple(dict.fromkeys(known)) if rule.repeats else known,
            _bases(missing, picture) if missing else missing,
            picture,
            rule,
        )
        for rule, (truth, known, missing) in zip(asked, outcomes, strict=True)
    ]


def _bases(names: Iterable[str], picture: Picture) -> tuple[str, ...]:
    """The base facts that would have to be stated for these names to be known."""
    return tuple(dict.fromkeys([base for name in names for base in picture.bases(name)]))


def _first_fact(occurrence: Occurrence | None, picture: Picture) -> Fact | None:
    """The fact that starts this occurrence: the latest report, or the first of the run of one value.

    Unknown is not "no": saying that it is not known any more neither ends an occurrence nor starts one.
    """
    if occurrence is None:
        return None
    held = picture.held.get(occurrence.fact)
    name = held.last.name if held and held.last else occurrence.fact  # a suspicion begins with its newest finding
    reports = [fact for fact in picture.history.get(name, ()) if not is_unknown(fact.value)]
    if occurrence.by == "run":
        return _first_of_run(reports)
    return reports[-1] if reports else None


def _first_of_run(reports: Sequence[Fact]) -> Fact | None:
    first = None
    for fact in reversed(reports):
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
            return [
                name for part in parts[: 1 if one_is_enough else None] for name in self._decisive(part, truth=truth)
            ]
        return [condition.fact]

    def _needed(self, condition: Condition, *, wish: bool, within: str = "") -> str:
        """What would have to be different for the condition to come out as wished; empty if nothing.

        Brackets stand only around parts that are joined in another way than what they are `within`.
        """
        if self._truth(condition) is wish:
            return ""
        if isinstance(condition, Negated):
            return self._needed(condition.part, wish=not wish, within=within)
        if isinstance(condition, Every | Some):
            joint = " and " if isinstance(condition, Every) is wish else " or "
            found = (self._needed(part, wish=wish, within=joint) for part in condition.parts)
            parts = dict.fromkeys(filter(None, found))
            return f"({joint.join(parts)})" if len(parts) > 1 and within not in {"", joint} else joint.join(parts)
        return self._wanted(condition, holds=wish)

    def _truth(self, condition: Condition) -> bool | None:
        return compile_condition(condition, self.dictionary)(self.picture.values)[0]

    def _label(self, name: str) -> str:
        return self.dictionary.facts[name].label

    def _now(self, name: str) -> str:
        value = self.picture.known_of(name)
        if value is None:
            return f"{self._label(name)} is not known"
        entry = self.picture.held.get(name)
        presumed = self.dictionary.facts[name].presumed is not None
        source = entry.note if entry else "as for everybody here" if presumed else "as proposed"
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
        joint = ": " if isinstance(test.values[0], bool) else " "
        return f"{label}{joint}{other}{' or '.join(value_text(value) for value in test.values)}"

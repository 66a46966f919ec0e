"""Options that apply together, and guards that bar what a recommendation names. Pure.

Every pair is to be explained in `guidelines/verification.yaml`; what nobody explained is a finding, and so is an
explanation of something that does not happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from services.pathway.conditions import Among, Compare, Condition, Every, Negated, Some, compile_condition
from services.pathway.dictionary import Scalar, Value
from services.pathway.guideline import Rule
from services.pathway.knowledge.verify_logic import possible_together
from services.pathway.knowledge.verify_options import Pair
from services.pathway.knowledge.verify_space import assignments, tests_in
from services.pathway.knowledge.verify_subject import Barred, Finding, Subject, Together, told

_PROPOSED = "proposed_"


@dataclass(frozen=True, slots=True)
class Overlap:
    """Options that apply together, and the explanation, if there is one."""

    pair: Pair
    explained: Together | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A recommendation that names what a guard bars; `example` has facts with which both hold, if any do."""

    guard: str
    number: str
    barred: str
    offered: str
    example: Mapping[str, Value] | None
    explained: Barred | None


def overlaps(subject: Subject, pairs: Iterable[Pair]) -> tuple[list[Overlap], list[Finding]]:
    """All pairs, those beside the great decision among them, each with its explanation or a finding."""
    stated = subject.explanations.together
    found = [
        Overlap(pair, next((one for one in stated if one.covers(pair.one, pair.other)), None))
        for pair in [*pairs, *_other_pairs(subject)]
    ]
    findings = [
        Finding(
            "overlap",
            (one.pair.one, one.pair.other),
            f"{one.pair.one} and {one.pair.other} both apply, and nothing explains it, for example with "
            f"{told(one.pair.example)}.",
        )
        for one in found
        if one.explained is None
    ]
    used = [one.explained for one in found if one.explained]
    for one in stated:
        if one not in used:
            numbers = (*one.among, *(number for numbers in one.between for number in numbers))
            findings.append(Finding("stale", numbers, f"explained, but never together: {', '.join(numbers)}."))
    return found, findings


def _other_pairs(subject: Subject) -> Iterator[Pair]:
    """Pairs among the options of other recommendations, and of an option with a recommendation it stands beside."""
    by_parent: dict[str, list[str]] = {}
    for number, (rule, _) in subject.rules.items():
        if rule.option_for and number not in subject.options:
            by_parent.setdefault(rule.option_for, []).append(number)
    for parent_id, numbers in by_parent.items():
        parent = subject.guideline.rule(parent_id)
        beside = [parent.number] if parent and parent.number in subject.rules else []
        for one, other in combinations([*beside, *numbers], 2):
            both = Every((subject.rules[one][1], subject.rules[other][1]))
            example = _first(subject, both)
            if example is not None:
                yield Pair(one, other, example)


def conflicts(subject: Subject) -> tuple[list[Conflict], list[Finding]]:
    """Every recommendation that names what a guard bars, alone or within a combination."""
    found = [
        conflict
        for number, (guard, condition) in subject.rules.items()
        if guard.strength == "guard"
        for conflict in _of_guard(subject, number, guard.forbids or condition)
    ]
    stated = subject.explanations.barred
    findings = [
        Finding(
            "contradiction",
            (one.number, one.guard),
            f"{one.number} offers {one.offered} while {one.guard} bars {one.barred}, and nothing explains it, for "
            f"example with {told(one.example)}.",
        )
        for one in found
        if one.explained is None and one.example is not None
    ]
    used = [one.explained for one in found if one.explained]
    for explained in stated:
        if explained not in used:
            text = f"explained, but {explained.guard} and {', '.join(explained.codes)} never meet."
            findings.append(Finding("stale", (explained.guard,), text))
    return found, findings


def _of_guard(subject: Subject, guard: str, condition: Condition) -> Iterator[Conflict]:
    for fact, code in _barred_codes(condition):
        for number, (rule, when) in subject.rules.items():
            for offered in _offering(rule, code):
                supposed = _supposing(condition, {fact: code})
                example = _first(subject, Every((when, supposed)))
                stated = subject.explanations.barred
                why = next((one for one in stated if one.guard == guard and offered in one.codes), None)
                yield Conflict(guard, number, code, offered, example, why)


def _barred_codes(condition: Condition) -> list[tuple[str, str]]:
    tests = [test for test in tests_in(condition) if isinstance(test, Among) and test.fact.startswith(_PROPOSED)]
    codes = [(test.fact, value) for test in tests for value in test.values if isinstance(value, str)]
    return list(dict.fromkeys(codes))


def _offering(rule: Rule, code: str) -> Sequence[str]:
    """The options of a rule that are the code, or a combination that has it in it."""
    words = set(code.split("_"))
    return [option.code for option in rule.options if words <= set(option.code.split("_"))]


def _supposing(condition: Condition, given: Mapping[str, Scalar]) -> Condition:
    """The condition with the tests of given facts taken out: those that hold, or the branches that cannot."""
    left = _left(condition, given)
    return left if not isinstance(left, bool) else Every(()) if left else Some(())


def _left(condition: Condition, given: Mapping[str, Scalar]) -> Condition | bool:
    if isinstance(condition, Among | Compare):
        if condition.fact not in given:
            return condition
        return isinstance(condition, Among) and given[condition.fact] in condition.values
    if isinstance(condition, Negated):
        inner = _left(condition.part, given)
        return not inner if isinstance(inner, bool) else Negated(inner)
    decisive = isinstance(condition, Some)
    parts = [_left(part, given) for part in condition.parts]
    if decisive in [part for part in parts if isinstance(part, bool)]:
        return decisive
    open_ = tuple(part for part in parts if not isinstance(part, bool))
    if not open_:
        return not decisive
    return Some(open_) if decisive else Every(open_)


def _first(subject: Subject, condition: Condition) -> Mapping[str, Value] | None:
    """Facts that somebody could have with which a condition holds; None if there are none."""
    dictionary = subject.guideline.dictionary
    space, possible = possible_together([condition], dictionary)
    check = compile_condition(condition, dictionary)
    for values in assignments(space, list(space), unknown=False):
        if check(values)[0] is True and possible.allows(values):
            return values
    return None

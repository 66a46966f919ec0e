"""Conditions that can never hold, found when the data is read: no person could ever have these facts together.

Each way in which a condition could hold is one choice of a test from every `any`; a way is impossible if some
fact would need two values at once. Derived facts are taken as independent, so nothing possible is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from services.pathway.conditions import Among, Compare, Condition, Every, Negated
from services.pathway.dictionary import UNKNOWN_CODES, Dictionary, FactDef, Scalar

Test = tuple[Among | Compare, bool]
"""A test of one fact, and whether it has to hold or to fail."""
_MOST_WAYS = 20_000
_WIDE = 1e9  # wider than any clinical number


def never_true(condition: Condition, dictionary: Dictionary) -> str:
    """The label of a fact that would need two values at once, if the condition or a group within it can never hold."""
    for group in _groups(condition):
        if clash := _never(group, dictionary):
            return clash
    return ""


def _groups(condition: Condition) -> Iterator[Condition]:
    """The condition, and every `all` within it, innermost first."""
    parts = (condition.part,) if isinstance(condition, Negated) else getattr(condition, "parts", ())
    for part in parts:
        yield from _groups(part)
    if isinstance(condition, Every):
        yield condition


def _never(condition: Condition, dictionary: Dictionary) -> str:
    clash = ""
    for count, way in enumerate(_ways(condition, holds=True)):
        clash = _clash(way, dictionary)
        if not clash or count > _MOST_WAYS:
            return ""
    return clash


def _ways(condition: Condition, *, holds: bool) -> Iterator[tuple[Test, ...]]:
    """Every combination of tests that together make the condition come out as asked."""
    if isinstance(condition, Negated):
        yield from _ways(condition.part, holds=not holds)
    elif isinstance(condition, Among | Compare):
        yield ((condition, holds),)
    elif isinstance(condition, Every) is holds:
        yield from _products(condition.parts, holds=holds)
    else:
        for part in condition.parts:
            yield from _ways(part, holds=holds)


def _products(parts: tuple[Condition, ...], *, holds: bool) -> Iterator[tuple[Test, ...]]:
    if not parts:
        yield ()
        return
    for first in _ways(parts[0], holds=holds):
        for rest in _products(parts[1:], holds=holds):
            yield first + rest


def _clash(way: tuple[Test, ...], dictionary: Dictionary) -> str:
    by_fact: dict[str, list[Test]] = {}
    for test in way:
        by_fact.setdefault(test[0].fact, []).append(test)
    for name, tests in by_fact.items():
        if not _possible(dictionary.facts[name], tests):
            return dictionary.facts[name].label
    return ""


def _possible(fact: FactDef, tests: list[Test]) -> bool:
    """Whether one value of the fact passes all tests."""
    if fact.type in {"integer", "number"}:
        return _number_possible(fact, tests)
    left: set[Scalar] | None = {True, False} if fact.type == "bool" else None
    if fact.type == "code" and not fact.open_values:
        left = set(fact.values)
    for test, holds in tests:
        if not isinstance(test, Among):
            return False
        if holds:
            left = set(test.values) if left is None else left.intersection(test.values)
    barred = {value for test, holds in tests if isinstance(test, Among) and not holds for value in test.values}
    return left is None or bool(left - barred)


def _number_possible(fact: FactDef, tests: list[Test]) -> bool:
    """Whether a number within the fact's bounds passes all tests: tried at, between and beside the limits."""
    edges = {fact.minimum if fact.minimum is not None else -_WIDE, fact.maximum if fact.maximum is not None else _WIDE}
    for test, _ in tests:
        edges.update([test.limit] if isinstance(test, Compare) else [v for v in test.values if not isinstance(v, str)])
    marks = sorted(edges)
    step = 1.0 if fact.type == "integer" else 0.0
    tried = [*marks, *(low + step if step else (low + high) / 2 for low, high in pairwise(marks))]
    if step:
        tried += [mark - step for mark in marks]
    return any(
        marks[0] <= value <= marks[-1] and all(holds_for(test, value) is holds for test, holds in tests)
        for value in tried
    )


def holds_for(test: Among | Compare, value: Scalar) -> bool:
    """Whether a known value passes a test."""
    if isinstance(test, Among):
        return value in test.values
    return not isinstance(value, str) and test.holds(value)


def passing_values(fact: FactDef, tests: list[Test], context: Condition) -> list[Scalar]:
    """Values of a fact that pass all tests, tried at and beside every limit that a condition has for it."""
    if fact.type == "bool":
        tried: list[Scalar] = [True, False]
    elif fact.type in {"integer", "number"}:
        tried = list(
            _numbers(fact, [limit for test, _ in tests for limit in _limits(test)] + _limits_in(context, fact))
        )
    else:
        named = [value for test, _ in tests if isinstance(test, Among) for value in test.values]
        tried = [*fact.values, *named]
    allowed = [value for value in tried if value not in {*fact.undecided_values, *UNKNOWN_CODES}]
    return [value for value in dict.fromkeys(allowed) if all(holds_for(test, value) is holds for test, holds in tests)]


def _numbers(fact: FactDef, limits: list[float]) -> Iterator[float]:
    step = 1 if fact.type == "integer" else 0.1
    low = -_WIDE if fact.minimum is None else fact.minimum
    high = _WIDE if fact.maximum is None else fact.maximum
    for limit in dict.fromkeys(limits):
        for value in (limit, limit + step, limit - step):
            if low <= value <= high:
                yield int(value) if fact.type == "integer" else round(value, 3)


def _limits(test: Among | Compare) -> list[float]:
    return [test.limit] if isinstance(test, Compare) else [value for value in test.values if not isinstance(value, str)]


def _limits_in(condition: Condition, fact: FactDef) -> list[float]:
    """Every limit that a condition has for a fact."""
    if isinstance(condition, Among | Compare):
        return _limits(condition) if condition.fact == fact.name else []
    parts = (condition.part,) if isinstance(condition, Negated) else condition.parts
    return [limit for part in parts for limit in _limits_in(part, fact)]

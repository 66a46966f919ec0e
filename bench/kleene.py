"""Conditions as plain Kleene closures that say true, false or unknown and nothing else: the limit of row 5."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

from services.pathway.conditions import COMPARISONS, Among, Compare, Condition, Every, Negated
from services.pathway.dictionary import Value

Kleene = Callable[[Mapping[str, Value]], bool | None]


def closure(condition: Condition) -> Kleene:
    """Return a condition as a closure that says true, false or unknown, and nothing else."""
    if isinstance(condition, Among):
        name, wanted = condition.fact, frozenset(condition.values)
        return lambda values: None if (value := values.get(name)) is None else value in wanted
    if isinstance(condition, Compare):
        return _comparison(condition)
    if isinstance(condition, Negated):
        inner = closure(condition.part)
        return lambda values: None if (truth := inner(values)) is None else not truth
    parts = tuple(closure(part) for part in condition.parts)
    return _group(parts, decisive=not isinstance(condition, Every))


def _comparison(condition: Compare) -> Kleene:
    name, limit, compare = condition.fact, condition.limit, COMPARISONS[condition.comparison][0]

    def check(values: Mapping[str, Value]) -> bool | None:
        value = values.get(name)
        return compare(value, limit) if isinstance(value, int | float) else None

    return check


def _group(parts: tuple[Kleene, ...], *, decisive: bool) -> Kleene:
    def check(values: Mapping[str, Value]) -> bool | None:
        truth: bool | None = not decisive
        for part in parts:
            found = part(values)
            if found is decisive:
                return decisive
            if found is None:
                truth = None
        return truth

    return check


def leaves(condition: Condition) -> int:
    """Count the tests in a condition."""
    if isinstance(condition, Among | Compare):
        return 1
    parts = (condition.part,) if isinstance(condition, Negated) else condition.parts
    return reduce(lambda total, part: total + leaves(part), parts, 0)

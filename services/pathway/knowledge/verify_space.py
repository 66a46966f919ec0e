"""The values that matter: of each fact one for every way in which any test could tell it, and unknown. Pure.

Two values that pass and fail the same tests everywhere are one value here, so that few values stand for all. What
counts lines of treatment is taken together: `histories` are all counts that some real history could give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from services.pathway.conditions import Among, Compare, Condition, Negated, Some, compile_condition
from services.pathway.dictionary import UNKNOWN_CODES, Dictionary, FactDef, Scalar, Therapy, Value
from services.pathway.lines import Line, derive
from services.pathway.satisfiable import holds_for

Space = Mapping[str, tuple[Value | None, ...]]
"""For each fact the values to try; None, the last, is unknown."""
_ATOMS_IN_A_LINE = 3


def tests_in(condition: Condition) -> Iterator[Among | Compare]:
    """Every test within a condition."""
    if isinstance(condition, Among | Compare):
        yield condition
        return
    for part in (condition.part,) if isinstance(condition, Negated) else condition.parts:
        yield from tests_in(part)


def space_of(conditions: Iterable[Condition], dictionary: Dictionary) -> Space:
    """The values to try of every fact that these conditions test."""
    tests: dict[str, list[Among | Compare]] = {}
    for condition in conditions:
        for test in tests_in(condition):
            tests.setdefault(test.fact, []).append(test)
    return {name: (*_told_apart(dictionary.facts[name], found), None) for name, found in tests.items()}


def _told_apart(fact: FactDef, tests: Sequence[Among | Compare]) -> list[Value]:
    """One value for every set of tests that a value can pass, the smallest first."""
    found: dict[tuple[bool, ...], Value] = {}
    for value in _candidates(fact, tests):
        if value not in fact.undecided_values and value not in UNKNOWN_CODES:
            found.setdefault(tuple(holds_for(test, value) for test in tests), value)
    undecided: list[Value] = list(fact.undecided_values[:1])
    return [*found.values(), *undecided]


def _candidates(fact: FactDef, tests: Sequence[Among | Compare]) -> list[Scalar]:
    if fact.type == "bool":
        return [True, False]
    named = [value for test in tests if isinstance(test, Among) for value in test.values]
    if fact.type not in {"integer", "number"}:
        other = ["other"] if fact.open_values else []
        return list(dict.fromkeys([*fact.values, *named, *other]))
    limits = [test.limit for test in tests if isinstance(test, Compare)] + [v for v in named if not isinstance(v, str)]
    step = 1 if fact.type == "integer" else 0.5
    low = fact.minimum if fact.minimum is not None else min(limits) - step
    high = fact.maximum if fact.maximum is not None else max(limits) + step
    near = {limit + offset for limit in limits for offset in (-step, 0, step)} | {low, high}
    return [int(v) if fact.type == "integer" else v for v in sorted(near) if low <= v <= high]


def assignments(space: Space, names: Sequence[str], *, unknown: bool = True) -> Iterator[dict[str, Value]]:
    """Every combination of values of these facts; an unknown one is left out."""
    values = [space[name] if unknown else tuple(v for v in space[name] if v is not None) for name in names]
    for chosen in product(*values):
        yield {name: value for name, value in zip(names, chosen, strict=True) if value is not None}


def size(space: Space, names: Iterable[str], *, unknown: bool = True) -> int:
    """How many combinations `assignments` gives."""
    total = 1
    for name in names:
        total *= len(space[name]) - (0 if unknown else 1)
    return total


@dataclass(frozen=True, slots=True)
class Histories:
    """All that the lines of treatment can say of some facts at once, in values of a space."""

    names: tuple[str, ...]
    values: tuple[tuple[Value, ...], ...]

    def of(self, names: Iterable[str]) -> list[dict[str, Value]]:
        """What real histories can say of some of the facts."""
        wanted = [name for name in self.names if name in set(names)]
        places = [self.names.index(name) for name in wanted]
        told = dict.fromkeys(tuple(values[place] for place in places) for values in self.values)
        return [dict(zip(wanted, values, strict=True)) for values in told]


def histories(space: Space, dictionary: Dictionary) -> Histories:
    """Every combination of counts in a space that some list of lines of treatment gives."""
    names = [name for name in space if _adds_up(dictionary.facts[name])]
    tops = [_top(space[name]) for name in names]
    lines = dict.fromkeys(_effect(line, names, tops, dictionary) for line in _lines(names, dictionary))
    found = {tuple(0 for _ in names)}
    fresh = set(found)
    while fresh:
        sums = {_sum(told, line, tops) for told in fresh for line in lines}
        fresh = sums - found
        found |= fresh
    written = [tuple(_as_value(space[n], count) for n, count in zip(names, counts, strict=True)) for counts in found]
    return Histories(tuple(names), tuple(sorted(dict.fromkeys(written), key=str)))


def _adds_up(fact: FactDef) -> bool:
    how = fact.derived
    return how is not None and (how.count is not None or how.had is not None)


def _top(values: Sequence[Value | None]) -> int:
    return max(int(value) for value in values if isinstance(value, int))


def _sum(told: tuple[int, ...], line: tuple[int, ...], tops: Sequence[int]) -> tuple[int, ...]:
    return tuple(min(a + b, top) for a, b, top in zip(told, line, tops, strict=True))


def _as_value(values: Sequence[Value | None], count: int) -> Value:
    """The value of the space that stands for a count: the largest that is not above it."""
    if isinstance(values[0], bool):
        return count > 0
    return max(value for value in values if isinstance(value, int) and value <= count)


def _effect(line: Therapy, names: Sequence[str], tops: Sequence[int], dictionary: Dictionary) -> tuple[int, ...]:
    one = (Line.read(line, dictionary),)
    told = []
    for name, top in zip(names, tops, strict=True):
        how = dictionary.facts[name].derived
        value = derive(how, one).value if how else None
        told.append(min(int(value) if isinstance(value, int | float) else 0, top))
    return tuple(told)


def _lines(names: Iterable[str], dictionary: Dictionary) -> Iterator[Therapy]:
    """Lines of every kind that some filter could tell from another."""
    filters = [how.lines for name in names if (how := dictionary.facts[name].derived) and how.lines]
    atoms: dict[tuple[str, ...], None] = {(): None}
    for wanted in filters:
        for name in wanted.classes_any:
            atoms.update({(member,): None for member in dictionary.class_groups.get(name, (name,))[-1:]})
        if wanted.classes_all:
            atoms[wanted.classes_all] = None
    reasons = dict.fromkeys(["completed", *(reason for wanted in filters for reason in wanted.stop_reasons)])
    for count in range(1, _ATOMS_IN_A_LINE + 1):
        for chosen in combinations(atoms, count):
            classes = tuple(dict.fromkeys(name for atom in chosen for name in atom))
            for setting, reason in product(dictionary.settings, reasons):
                yield Therapy(setting, classes=classes, stop_reason=reason)


Open = bool | None | frozenset[str]
"""What is left of a condition: its truth, or the free facts on which that still depends."""


def leftover(
    condition: Condition, dictionary: Dictionary, free: frozenset[str]
) -> Callable[[Mapping[str, Value]], Open]:
    """A function from the values of the facts that are not free to what is left of the condition."""
    if isinstance(condition, Among | Compare):
        check, still = compile_condition(condition, dictionary), frozenset({condition.fact})
        return (lambda _: still) if condition.fact in free else (lambda values: check(values)[0])
    if isinstance(condition, Negated):
        inner = leftover(condition.part, dictionary, free)
        return lambda values: not found if isinstance(found := inner(values), bool) else found
    parts = tuple(leftover(part, dictionary, free) for part in condition.parts)
    return _group(parts, decisive=isinstance(condition, Some))


def _group(parts: Sequence[Callable[[Mapping[str, Value]], Open]], *, decisive: bool) -> Callable[..., Open]:
    def left(values: Mapping[str, Value]) -> Open:
        still: frozenset[str] = frozenset()
        undecided = False
        for part in parts:
            found = part(values)
            if found is decisive:
                return decisive
            if isinstance(found, frozenset):
                still |= found
            undecided = undecided or found is None
        if still:
            return still
        return None if undecided else not decisive

    return left


def joined(groups: Mapping[str, frozenset[str]]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Numbers with the facts each depends on, as (numbers, facts) groups that share no fact."""
    found: list[tuple[tuple[str, ...], frozenset[str]]] = []
    for number, facts in groups.items():
        touching = [group for group in found if not group[1].isdisjoint(facts)]
        found = [group for group in found if group not in touching]
        numbers = tuple(name for group in touching for name in group[0])
        found.append(((*numbers, number), facts.union(*(group[1] for group in touching))))
    return [(numbers, tuple(sorted(facts))) for numbers, facts in found]

"""Conditions over facts in three-valued (Kleene) logic: parsed from data, compiled to closures. Stdlib only.

The language, as nested mappings: `{all: [...]}`, `{any: [...]}`, `{not: ...}`, `{fact: name, is: value}`,
`{fact: name, in: [...]}`, `{fact: name, at_least|at_most|more_than|less_than: number}`, `{predicate: name}`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from services.pathway.dictionary import UNKNOWN_CODES, Dictionary, FactDef, Scalar, Value
from services.pathway.saying import quoted

COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "at_least": (operator.ge, "at least"),
    "at_most": (operator.le, "at most"),
    "more_than": (operator.gt, "more than"),
    "less_than": (operator.lt, "less than"),
}


def at_least(name: str) -> str:
    """The name under which values have the least that an unknown number can be."""
    return f"{name} is at least"


def at_most(name: str) -> str:
    """The name under which values have the most that an unknown number can be."""
    return f"{name} is at most"


class ConditionError(ValueError):
    """A condition that cannot be used; `line` is where it stands in the file (0 if not known)."""

    def __init__(self, message: str, node: object) -> None:
        """Take the message and the offending node, whose `line` attribute is kept."""
        super().__init__(message)
        self.line = int(getattr(node, "line", 0))


@dataclass(frozen=True, slots=True)
class Among:
    """The fact has one of these values."""

    fact: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """The number stands so to the limit; `comparison` is a key of COMPARISONS."""

    fact: str
    comparison: str
    limit: float

    def holds(self, value: float) -> bool:
        """Whether a known number passes."""
        return COMPARISONS[self.comparison][0](value, self.limit)


@dataclass(frozen=True, slots=True)
class Every:
    """All parts hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """The part does not hold."""

    part: Condition


Condition = Among | Compare | Every | Some | Negated
Outcome = tuple[bool | None, tuple[str, ...], tuple[str, ...]]
"""Truth (None: cannot be decided), the known facts that it rests on, the unknown facts that still matter."""
Check = Callable[[Mapping[str, Value]], Outcome]
TruthOf = Callable[[Mapping[str, Value]], bool | None]


def parse(raw: object, dictionary: Dictionary, predicates: Mapping[str, Condition]) -> Condition:
    """Read one condition. Raises ConditionError on an unknown word, fact, value or predicate."""
    if not isinstance(raw, dict) or not raw:
        message = f"A condition is a mapping such as {{fact: er_status, is: positive}}, not {quoted(raw)}."
        raise ConditionError(message, raw)
    if "fact" in raw:
        return _parse_test(raw, dictionary)
    if len(raw) != 1:
        found = ", ".join(map(str, raw))
        message = f"A condition has one of all, any, not, predicate or fact; this one has {found}."
        raise ConditionError(message, raw)
    (word, content), *_ = raw.items()
    if word in {"all", "any"}:
        if not isinstance(content, list) or not content:
            raise ConditionError(f"`{word}` needs a list of at least one condition.", raw)
        parts = tuple(parse(part, dictionary, predicates) for part in content)
        return Every(parts) if word == "all" else Some(parts)
    if word == "not":
        return Negated(parse(content, dictionary, predicates))
    if word == "predicate":
        if content not in predicates:
            known = ", ".join(predicates) or "none"
            raise ConditionError(f"The predicate {quoted(content)} is not defined above (defined: {known}).", raw)
        return predicates[content]
    raise ConditionError(f"Unknown word {quoted(word)} in a condition; use all, any, not, predicate or fact.", raw)


def _parse_test(raw: Mapping[object, object], dictionary: Dictionary) -> Condition:
    name = raw["fact"]
    fact = dictionary.facts.get(name) if isinstance(name, str) else None
    if fact is None:
        hint = dictionary.nearest(str(name)) or " Add it to dictionary.yaml or correct the name."
        raise ConditionError(f"The fact {quoted(name)} is not in the data dictionary.{hint}", raw)
    words = [word for word in raw if word != "fact"]
    if len(words) != 1:
        raise ConditionError(f"The test of {fact.name} needs exactly one of is, in, {', '.join(COMPARISONS)}.", raw)
    word, content = words[0], raw[words[0]]
    if word == "is":
        return Among(fact.name, (_allowed(fact, content, dictionary, raw),))
    if word == "in":
        if not isinstance(content, list) or not content:
            raise ConditionError(f"`in` needs a list of values of {fact.name}.", raw)
        return Among(fact.name, tuple(_allowed(fact, value, dictionary, raw) for value in content))
    if word not in COMPARISONS:
        raise ConditionError(f"Unknown test {quoted(word)}; use is, in, {', '.join(COMPARISONS)}.", raw)
    if fact.type not in {"integer", "number"} or isinstance(content, bool) or not isinstance(content, int | float):
        raise ConditionError(
            f"`{word}` compares a number; {fact.name} is {fact.type}, the limit {quoted(content)}.", raw
        )
    low, high = fact.minimum, fact.maximum
    if (low is not None and content < low) or (high is not None and content > high):
        raise ConditionError(
            f"{fact.name} lies between {low:g} and {high:g} {fact.unit}".rstrip()
            + f"; a comparison with {content:g} settles nothing.",
            raw,
        )
    return Compare(fact.name, str(word), content)


def _allowed(fact: FactDef, value: object, dictionary: Dictionary, node: object) -> Scalar:
    if isinstance(value, str) and value in UNKNOWN_CODES:
        raise ConditionError(
            f"A condition cannot ask whether {fact.name} is {quoted(value)}: unknown is never a value.", node
        )
    problem = dictionary.problem_with(fact.name, value)
    if problem or not isinstance(value, bool | int | float | str):
        raise ConditionError(problem or f"{fact.name} cannot be compared.", node)
    return value


def facts_of(condition: Condition) -> Iterator[str]:
    """The facts that a condition names, in order, with repeats."""
    if isinstance(condition, Among | Compare):
        yield condition.fact
    elif isinstance(condition, Negated):
        yield from facts_of(condition.part)
    else:
        for part in condition.parts:
            yield from facts_of(part)


def compile_condition(condition: Condition, dictionary: Dictionary) -> Check:
    """Turn a condition into a closure over the known values by name; an absent name is unknown."""
    if isinstance(condition, Among):
        return _compile_among(condition, dictionary.facts[condition.fact].undecided_values)
    if isinstance(condition, Compare):
        return _compile_compare(condition)
    if isinstance(condition, Negated):
        return _compile_negated(compile_condition(condition.part, dictionary))
    checks = tuple(compile_condition(part, dictionary) for part in _flat(condition))
    return _compile_group(checks, decisive=isinstance(condition, Some))


def compile_truth(condition: Condition, dictionary: Dictionary) -> TruthOf:
    """Turn a condition into a closure that says its truth and nothing else."""
    check = compile_condition(condition, dictionary)
    return lambda values: check(values)[0]


def _flat(group: Every | Some) -> Iterator[Condition]:
    """The parts of a group, with those of inner groups of the same kind: fewer calls."""
    for part in group.parts:
        if isinstance(part, Every | Some) and isinstance(part, Every) is isinstance(group, Every):
            yield from _flat(part)
        else:
            yield part


def leaf(name: str, *, holds: bool = True) -> tuple[Outcome, Outcome, Outcome]:
    """What a test of one fact answers if the value passes, if it does not, and if it is unknown."""
    return (holds, (name,), ()), (not holds, (name,), ()), (None, (), (name,))


def _compile_among(test: Among, undecided: tuple[str, ...]) -> Check:
    name, wanted = test.fact, frozenset(test.values)
    holds, fails, unknown = leaf(name)
    left_open = frozenset(undecided) - wanted
    if left_open:
        return lambda values: (
            holds
            if (value := values.get(name)) in wanted
            else unknown
            if value is None or value in left_open
            else fails
        )
    if len(wanted) == 1:
        (only,) = wanted
        return lambda values: unknown if (value := values.get(name)) is None else holds if value == only else fails
    return lambda values: unknown if (value := values.get(name)) is None else holds if value in wanted else fails


def _compile_compare(test: Compare) -> Check:
    name, limit = test.fact, test.limit
    compare = COMPARISONS[test.comparison][0]
    holds, fails, _ = outcomes = leaf(name)
    least, most = at_least(name), at_most(name)

    def check(values: Mapping[str, Value]) -> Outcome:
        value = values.get(name)
        if not isinstance(value, int | float):
            return by_span(values.get(least), values.get(most), compare, limit, outcomes)
        return holds if compare(value, limit) else fails

    return check


def by_span(
    least: Value | None,
    most: Value | None,
    compare: Callable[[float, float], bool],
    limit: float,
    outcomes: tuple[Outcome, Outcome, Outcome],
) -> Outcome:
    """What a comparison answers for a number that is known in part: settled if both ends of its span say the same."""
    holds, fails, unknown = outcomes
    if not isinstance(least, int | float) or not isinstance(most, int | float):
        return unknown
    low = compare(least, limit)
    return unknown if low is not compare(most, limit) else holds if low else fails


def _compile_negated(inner: Check) -> Check:
    def check(values: Mapping[str, Value]) -> Outcome:
        truth, known, missing = inner(values)
        return (None if truth is None else not truth), known, missing

    return check


def _compile_group(checks: tuple[Check, ...], *, decisive: bool) -> Check:
    """`all` (decisive False) and `any` (decisive True): the first decisive part settles it alone."""
    settled: bool = not decisive
    first, *rest = checks

    def check(values: Mapping[str, Value]) -> Outcome:
        truth, known, missing = outcome = first(values)
        if truth is decisive:
            return outcome
        for part in rest:
            outcome = part(values)
            truth = outcome[0]
            if truth is decisive:
                return outcome
            known += outcome[1]
            if truth is None:
                missing += outcome[2]
        return (None if missing else settled), known, missing

    return check

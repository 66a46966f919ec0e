"""Many conditions judged at once: one Python function, written from them and compiled once (ADR 0014). Stdlib only.

It answers what `compile_condition` answers for each of them, and looks every fact up, and works every shared part out,
once. Opposites are pushed down to the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.pathway.conditions import (
    COMPARISONS,
    Among,
    Compare,
    Condition,
    Every,
    Negated,
    Outcome,
    Some,
    at_least,
    at_most,
    by_span,
    leaf,
)
from services.pathway.dictionary import Dictionary, Value

CheckAll = Callable[[Mapping[str, Value]], tuple[Outcome, ...]]


def compile_all(conditions: Sequence[Condition], dictionary: Dictionary) -> CheckAll:
    """Turn conditions into one function over the known values by name; it answers them in their order."""
    source = _Source(dictionary)
    answers = [source.add(condition) for condition in conditions]
    body = [f"{name} = {expression}" for expression, name in source.names.items()]
    lines = [
        "def check_all(values):",
        "get = values.get",
        *body,
        f"return ({''.join(f'{name}, ' for name in answers)})",
    ]
    found: dict[str, Any] = {f"c{place}": value for place, value in enumerate(source.constants)}
    found |= {"numbers": (int, float), "by_span": by_span}
    # No word of a guideline file is in this source: it has numbered names and fixed words only.
    exec("\n ".join(lines), found)  # noqa: S102 - a call for each test takes two and a half times as long
    check_all: CheckAll = found["check_all"]
    return check_all


class _Source:
    """The lines of the function: each expression once, with the name of its result."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.dictionary = dictionary
        self.names: dict[str, str] = {}
        self.constants: list[object] = []
        self._tests: dict[tuple[Among | Compare, bool], str] = {}
        self._values: dict[str, str] = {}

    def add(self, condition: Condition, *, holds: bool = True) -> str:
        """Write what answers the condition, or its opposite; returns the name of the answer."""
        if isinstance(condition, Negated):
            return self.add(condition.part, holds=not holds)
        if isinstance(condition, Every | Some):
            parts = [self.add(part, holds=holds) for part in condition.parts]
            return self._group(parts, decisive=isinstance(condition, Some) is holds)
        if (condition, holds) not in self._tests:
            self._tests[condition, holds] = self._test(condition, holds=holds)
        return self._tests[condition, holds]

    def _line(self, expression: str) -> str:
        return self.names.setdefault(expression, f"v{len(self.names)}")

    def _constant(self, value: object) -> str:
        self.constants.append(value)
        return f"c{len(self.constants) - 1}"

    def _group(self, parts: Sequence[str], *, decisive: bool) -> str:
        """The first decisive part settles it alone; else all parts count, and what they lack is missing."""
        first = " else ".join(f"{part} if {part}[0] is {decisive}" for part in parts)
        known, missing = (" + ".join(f"{part}[{place}]" for part in parts) for place in (1, 2))
        return self._line(f"{first} else (None if (m := {missing}) else {not decisive}, {known}, m)")

    def _test(self, test: Among | Compare, *, holds: bool) -> str:
        if test.fact not in self._values:
            self._values[test.fact] = self._line(f"get({self._constant(test.fact)})")
        value = self._values[test.fact]
        passes, fails, unknown = leaf(test.fact, holds=holds)
        if isinstance(test, Among):
            left_open = dict.fromkeys((None, *self.dictionary.facts[test.fact].undecided_values), unknown)
            by_value = left_open | dict.fromkeys(test.values, passes)
            return self._line(f"{self._constant(by_value.get)}({value}, {self._constant(fails)})")
        compare, limit = self._constant(COMPARISONS[test.comparison][0]), self._constant(test.limit)
        compared = f"{self._constant(passes)} if {compare}({value}, {limit}) else {self._constant(fails)}"
        unsettled = self._constant(unknown)
        if self._counted(test.fact):
            ends = ", ".join(f"get({self._constant(end(test.fact))})" for end in (at_least, at_most))
            outcomes = self._constant((passes, fails, unknown))
            unsettled = f"by_span({ends}, {compare}, {limit}, {outcomes})"
        return self._line(f"{unsettled} if not isinstance({value}, numbers) else {compared}")

    def _counted(self, name: str) -> bool:
        """Whether the number may be known in part: it follows from lines of treatment."""
        derived = self.dictionary.facts[name].derived
        return derived is not None and derived.lines is not None

"""A small temporal logic over finished traces: what must hold at each step, of the steps before and after it. Pure.

A formula takes the steps of a trace and says for each whether it holds there, so `always` and the rest are one pass
over a list. A trace is finished: what was to come and did not come is broken (the LTLf of De Giacomo and Vardi, with
past operators and bounds of time). No library fits: those that are kept judge sets of propositional symbols, and here
steps carry ids and instants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol


class Timed(Protocol):
    """What a step of a trace must have: the instant from which bounds of time count."""

    @property
    def ran(self) -> datetime:
        """The instant."""


Formula = Callable[[Sequence[Any]], list[bool]]


def that(holds: Callable[[Any], object]) -> Formula:
    """What holds of a step by itself."""
    return lambda steps: [bool(holds(step)) for step in steps]


def no(formula: Formula) -> Formula:
    """It does not hold here."""
    return lambda steps: [not held for held in formula(steps)]


def both(*formulas: Formula) -> Formula:
    """All of them hold here."""
    return lambda steps: [all(held) for held in zip(*(formula(steps) for formula in formulas), strict=True)]


def either(*formulas: Formula) -> Formula:
    """At least one of them holds here."""
    return lambda steps: [any(held) for held in zip(*(formula(steps) for formula in formulas), strict=True)]


def when(condition: Formula, formula: Formula) -> Formula:
    """Where the condition holds, the formula does."""
    return either(no(condition), formula)


def eventually(formula: Formula, within: timedelta = timedelta.max) -> Formula:
    """It holds here or at a later step, not later than `within`."""
    return lambda steps: _nearest(formula(steps), steps, reversed(range(len(steps))), within)


def once(formula: Formula, within: timedelta = timedelta.max) -> Formula:
    """It holds here or held at an earlier step, not longer ago than `within`."""
    return lambda steps: _nearest(formula(steps), steps, range(len(steps)), within)


def always(formula: Formula) -> Formula:
    """It holds here and at every later step."""
    return no(eventually(no(formula)))


def before(formula: Formula) -> Formula:
    """It held at the step before this one; at the first step nothing did."""
    return lambda steps: ([False, *formula(steps)])[: len(steps)]


def since(formula: Formula, start: Formula) -> Formula:
    """The start came, and at every step since then the formula holds (at the start itself it need not)."""

    def judged(steps: Sequence[Any]) -> list[bool]:
        made: list[bool] = []
        for held, begins in zip(formula(steps), start(steps), strict=True):
            made.append(begins or (held and bool(made) and made[-1]))
        return made

    return judged


def rising(number: Callable[[Any], int]) -> Formula:
    """The number of this step is greater than that of every earlier one."""

    def judged(steps: Sequence[Any]) -> list[bool]:
        made, highest = [], None
        for value in map(number, steps):
            made.append(highest is None or value > highest)
            highest = value if highest is None else max(highest, value)
        return made

    return judged


def first_failure(formula: Formula, steps: Sequence[Any]) -> int | None:
    """The first step at which what must always hold does not; None when it always does."""
    return next((place for place, held in enumerate(formula(steps)) if not held), None)


def _nearest(held: Sequence[bool], steps: Sequence[Timed], places: Iterable[int], within: timedelta) -> list[bool]:
    made, last = [False] * len(steps), -1
    for place in places:
        last = place if held[place] else last
        made[place] = last >= 0 and abs(steps[last].ran - steps[place].ran) <= within
    return made

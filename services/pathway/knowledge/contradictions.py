"""Facts that cannot all be true at one time: those that the dictionary lists, and those that counting forbids. Pure.

A line of treatment that passes a filter passes every wider one. So a part is never greater than its whole: somebody
with a line of chemotherapy for advanced disease has a line for advanced disease, and has had a line at all. Nothing is
said of facts whose dates could explain them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from math import inf

from services.pathway.dictionary import Derivation, Dictionary, LineFilter, Scalar, Value
from services.pathway.facts import Held, Picture, value_text


def contradiction_in(picture: Picture, dictionary: Dictionary) -> str:
    """The first contradiction between a person's facts, naming them; empty if there is none."""
    for together in dictionary.contradictions:
        if all(picture.values.get(name) == value for name, value in together.items()) and _at_once(picture, together):
            return _told(picture, tuple(together))
    some, few = _counts(picture, dictionary)
    for part in some:
        for whole in _wider(dictionary).get(part, ()):
            if whole in few and some[part] > few[whole] and _when(picture, part) <= _when(picture, whole):
                return _told(picture, (part, whole))
    return ""


def _counts(picture: Picture, dictionary: Dictionary) -> tuple[dict[str, float], dict[str, float]]:
    """How many lines of each kind there must be, where there must be any; and how many there can be at most.

    A line that was counted before may have been followed by others: the caller looks at the dates.
    """
    some: dict[str, float] = {}
    few: dict[str, float] = {}
    for name, how in _counted(dictionary).items():
        value = picture.values.get(name)
        if value is None or not isinstance(value, bool | int | float):
            continue
        if value > 0:
            some[name] = value if how.count is not None else 1
        if how.count is not None:
            few[name] = value
        elif how.had is not None and value is False:  # that the latest line is no such line says nothing of others
            few[name] = 0
    return some, few


def _told(picture: Picture, names: tuple[str, ...]) -> str:
    stated = " and ".join(f"{name} is {_text(picture.values[name])}" for name in names)
    return f"{stated}: that cannot be. Correct one of them."


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else value_text(value)


def _at_once(picture: Picture, names: Mapping[str, Scalar]) -> bool:
    return len({_when(picture, name) for name in names}) == 1


def _when(picture: Picture, name: str) -> datetime:
    """When a fact was so; one that follows from others is as of now."""
    last = picture.held.get(name, Held(name)).last
    return last.occurred_at if last else picture.as_of


@lru_cache(maxsize=16)
def _counted(dictionary: Dictionary) -> dict[str, Derivation]:
    """The facts that follow from counting lines of treatment, and how."""
    derived = {name: fact.derived for name, fact in dictionary.facts.items() if fact.derived}
    return {name: how for name, how in derived.items() if how.lines is not None}


@lru_cache(maxsize=16)
def _wider(dictionary: Dictionary) -> dict[str, tuple[str, ...]]:
    """For each counted fact the others whose filter every line passes that passes its own."""
    counted = {name: how.lines or LineFilter() for name, how in _counted(dictionary).items()}
    return {
        name: tuple(other for other, wide in counted.items() if other != name and _within(own, wide, dictionary))
        for name, own in counted.items()
    }


def _within(own: LineFilter, wide: LineFilter, dictionary: Dictionary) -> bool:
    return (
        _listed(own.settings, wide.settings)
        and _listed(own.stop_reasons, wide.stop_reasons)
        and _listed(own.agents_any, wide.agents_any)
        and _classed(own, wide, dictionary)
        and _short(own.months_at_most, wide.months_at_most)
        and _short(wide.months_at_least, own.months_at_least, none=0)
        and set(wide.but_not) <= set(own.but_not)
    )


def _short(few: float | None, many: float | None, *, none: float = inf) -> bool:
    return (none if few is None else few) <= (none if many is None else many)


def _listed(own: Collection[str], wide: Collection[str]) -> bool:
    return not wide or (bool(own) and set(own) <= set(wide))


def _classed(own: LineFilter, wide: LineFilter, dictionary: Dictionary) -> bool:
    """Whether the classes that a line must have for one filter are enough for the other."""
    sure = [_implied(name, dictionary) for name in own.classes_all]
    one_of = [_implied(name, dictionary) for name in own.classes_any]
    has = frozenset[str]().union(*sure)
    every = set(wide.classes_all) <= has
    some = not wide.classes_any or not has.isdisjoint(wide.classes_any)
    return every and (some or (bool(one_of) and all(not each.isdisjoint(wide.classes_any) for each in one_of)))


def _implied(name: str, dictionary: Dictionary) -> frozenset[str]:
    """A class with those that a line of it has as well."""
    found = {name, *dictionary.implied_classes.get(name, ())}
    return frozenset(found | {group for group, members in dictionary.class_groups.items() if found & set(members)})

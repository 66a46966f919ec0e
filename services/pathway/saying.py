"""Somebody's data in a sentence, and what is wrong with a value: in plain English, never in words of Python. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from math import isfinite, isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.pathway.dictionary import FactDef

_LONGEST = 80  # characters of somebody's data in a sentence
_DIGITS = 30
_NEAR = 0.6
_SAID_BY_THE_NAME = {"score", "grade"}
_UNITS = {"Cel": "°C"}
_YES_NO: Mapping[bool, str] = {True: "yes (true)", False: "no (false)"}
_INSTEAD_OF_YES = ("yes", "no", "true", "false", "y", "n")


def quoted(value: object) -> str:
    """Somebody's data in a sentence, as their file has it: never longer than a line, never in words of Python."""
    match value:
        case str():
            said = f"'{_shortened(_visible(value))}'" if value.strip() else "an empty text"
        case None:
            said = "nothing"
        case bool():
            said = _YES_NO[value]
        case int() | float():
            said = _number(value)
        case datetime():
            said = f"the time {value.isoformat()}"
        case date():
            said = f"the date {value.isoformat()}"
        case bytes():
            said = "data that are no text"
        case Mapping():
            named = ", ".join(_plainly(name) for name in value)
            said = f"a map with the names {_shortened(_visible(named))}" if value else "an empty map"
        case Collection():
            said = _list(value)
        case _:
            said = "something that is no fact"
    return said


def _number(value: float) -> str:
    if isinstance(value, float):
        return "NaN (no number)" if isnan(value) else f"{value:g}" if isfinite(value) else "infinity"
    return str(value) if abs(value) < 10**_DIGITS else "a number of too many digits"


def _list(value: Collection[object]) -> str:
    if not value:
        return "an empty list"
    first = next(iter(value))
    if len(value) == 1:
        return f"a list with {quoted(first)} in it"
    return f"a list of {len(value)} things"


def _plainly(name: object) -> str:
    return name if isinstance(name, str) else quoted(name)


def shown(text: str) -> str:
    """Somebody's word for a thing, as it may stand in a sentence without quotes."""
    return _shortened(_visible(text))


def _visible(text: str) -> str:
    """The text without what a screen would act on, or hide."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def did_you_mean(name: object, known: Collection[str]) -> str:
    """A hint for a name that does not exist: " Did you mean 'er_status'?" or nothing; other case is nearest."""
    text = str(name)[:_LONGEST]
    if not any(letter.isalpha() for letter in text):
        return ""
    near = nearest(text, known)
    return f" Did you mean '{near}'?" if near else ""


def nearest(text: str, known: Collection[str], cutoff: float = _NEAR) -> str:
    """The known name that is nearest to a text; empty if none is near. Case, spaces and joiners are set aside."""
    folded = {_folded(one): one for one in known}
    wanted = _folded(text[:_LONGEST])
    near = [wanted] if wanted in folded else get_close_matches(wanted, list(folded), n=1, cutoff=cutoff)
    return folded[near[0]] if near else ""


def _folded(text: str) -> str:
    return "_".join(text.casefold().replace("-", " ").replace("_", " ").split())


def either(names: Collection[str]) -> str:
    """Names to choose from: `a, b or c`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def unit_of(fact: FactDef) -> str:
    """The unit as it stands behind a number: ` years`, `%`, ` °C`, or nothing where the name says it."""
    if fact.unit in _SAID_BY_THE_NAME:
        return ""
    return fact.unit if fact.unit == "%" else f" {_UNITS.get(fact.unit, fact.unit)}".rstrip()


def problem_with_scalar(fact: FactDef, value: object) -> str:
    """What is wrong with the value of a fact, and what to write; empty if nothing is.

    The sentence has the fact's name as a file has it, and its label, which people know.
    """
    named = f"{fact.name} ({fact.label})"
    if fact.type == "bool":
        wrong = _not_yes_or_no(value)
        return f"{named} is yes or no: {wrong}." if wrong else ""
    if fact.type in {"integer", "number"}:
        return _problem_with_number(fact, named, value)
    if fact.type == "therapy":
        return f"{fact.name} is a line of treatment (setting, agents, classes, stop_reason), not {quoted(value)}."
    if fact.type == "code":
        return _problem_with_code(fact, named, value)
    return "" if isinstance(value, str) and value else f"{named} is text, not {quoted(value)}; write it in quotes."


def _not_yes_or_no(value: object) -> str:
    if isinstance(value, bool):
        return ""
    if isinstance(value, str) and value.strip().casefold() in _INSTEAD_OF_YES:
        return f"write true or false without quotes, not {quoted(value)}"
    return f"write true or false, or leave it out if nobody knows; not {quoted(value)}"


def _problem_with_code(fact: FactDef, named: str, value: object) -> str:
    if isinstance(value, str) and value and (fact.open_values or value in fact.values):
        return ""
    hint = nearest(str(value), fact.values) if isinstance(value, str | int | float) and str(value) else ""
    meant = f" Did you mean '{hint}'?" if hint and not isinstance(value, bool) else ""
    more = ", or another code" if fact.open_values else ""
    return f"{named} is one of {', '.join(fact.values)}{more}, not {quoted(value)}.{meant}"


def _problem_with_number(fact: FactDef, named: str, value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", value, re.ASCII):
        return f"{named} is a number: write {float(value):g} without quotes."
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return f"{named} is a number, not {quoted(value)}."
    if fact.type == "integer" and value != int(value):
        return f"{named} is a whole number, not {quoted(value)}."
    low, high = fact.minimum, fact.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return f"{named} lies between {low:g} and {high:g}{unit_of(fact)}, not {quoted(value)}."
    return ""

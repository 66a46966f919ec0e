"""Lines of treatment as a facts file has them: checked one by one, and seen from the day that is asked about. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from itertools import pairwise
from math import inf
from typing import Any

from services.pathway.dictionary import UNKNOWN_CODES, Therapy
from services.pathway.knowledge.instants import day_of
from services.pathway.saying import did_you_mean, quoted

LINES = "prior_therapies"
"""The name under which all lines of treatment stand; live, each line is a fact `prior_therapy`."""
_FIELDS = tuple(field.name for field in fields(Therapy))
_SAME = {"start": "started_on", "end": "ended_on"}
_DATES = ("started_on", "last_dose_on", "ended_on")
_EXAMPLES = {"agents": "letrozole, ribociclib", "classes": "aromatase_inhibitor, cdk46"}
_ONGOING = "ongoing"
_EARLIEST = date(1900, 1, 1)
_MOST_LINES, _MOST_MONTHS = 60, 1200


class LineError(ValueError):
    """A line of treatment that cannot be: which one, what is wrong, and what to write. `line`: of the file, else 0."""

    line = 0


@dataclass(frozen=True, slots=True)
class StatedLines:
    """The lines that had begun by a day, each with its number in the file; `later` says what came after that day."""

    lines: tuple[tuple[int, Therapy], ...]
    later: tuple[str, ...] = ()


def read_lines(value: object) -> list[Therapy]:
    """Every line of a list; an empty list says that there were none. Raises LineError."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        message = f"{LINES} is a list of lines of treatment, each with a dash before it ([]: there were none)"
        raise LineError(f"{message}, not {quoted(value)}.")
    return [_placed(line, number) for number, line in enumerate(value, 1)]


def _placed(line: object, number: int) -> Therapy:
    try:
        return _line(line, f"{LINES}, line {number}")
    except LineError as error:
        error.line = int(getattr(line, "line", 0))
        raise


def as_of(lines: Sequence[Therapy], on: date) -> StatedLines:
    """The lines as they stood on a day: one that began later had not, and one that ended later was going on."""
    kept, later = [], []
    for number, line in enumerate(lines, 1):
        if line.started_on is not None and line.started_on > on:
            later.append(f"{LINES}, line {number}")
            continue
        then = line
        if line.ended_on is not None and line.ended_on > on:
            later.append(f"{LINES}, line {number}, its end")
            then = replace(then, ended_on=None, stop_reason=_ONGOING, months=None, response="")
        if line.last_dose_on is not None and line.last_dose_on > on:
            later.append(f"{LINES}, line {number}, its last dose")
            then = replace(then, last_dose_on=None)
        kept.append((number, then))
    return StatedLines(tuple(kept), tuple(later))


def _line(line: object, place: str) -> Therapy:
    if not isinstance(line, Mapping):
        raise LineError(
            f"{place}: write a line such as {{setting: advanced, agents: [letrozole]}}, not {quoted(line)}."
        )
    stated = {_SAME.get(str(key), str(key)): content for key, content in line.items() if content is not None}
    for key in stated:
        if key not in _FIELDS:
            raise LineError(f"{place}: {quoted(key)} is no part of a line.{did_you_mean(key, _FIELDS)}")
    if "setting" not in stated:
        raise LineError(f"{place}: `setting` is missing; it is neoadjuvant, adjuvant or advanced.")
    _check_words(stated, place)
    for key in (key for key in _DATES if key in stated):
        stated[key] = _date(stated[key], f"{place}: {key}")
    _check_numbers(stated, place)
    therapy = Therapy(**stated)
    if problem := _impossible(therapy):
        raise LineError(f"{place}: {problem}")
    return therapy


def _check_words(stated: dict[str, Any], place: str) -> None:
    for key in ("setting", "stop_reason", "response"):
        if not isinstance(stated.get(key, ""), str):
            raise LineError(f"{place}: {key} is one word, not {quoted(stated[key])}.")
    if stated.get("stop_reason") in UNKNOWN_CODES:
        del stated["stop_reason"]
    for key in ("agents", "classes"):
        names = stated.get(key, ())
        if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(n, str) for n in names):
            raise LineError(f"{place}: {key} is a list of names, such as [{_EXAMPLES[key]}], not {quoted(names)}.")
        stated[key] = tuple(name.strip().lower() for name in names)


def _date(stated: object, place: str) -> date:
    day = day_of(stated)
    if day is None:
        raise LineError(f"{place}: {quoted(stated)} is not a date or time; write 2026-06-30 or 2026-06-30T14:00.")
    if day < _EARLIEST:
        raise LineError(f"{place}: {day.isoformat()} lies before 1900; check the year.")
    return day


def _check_numbers(stated: Mapping[str, object], place: str) -> None:
    months = stated.get("months", 0)
    if isinstance(months, bool) or not isinstance(months, int | float) or not 0 <= months < inf:
        raise LineError(f"{place}: months is a number of months, not {quoted(months)}.")
    if months > _MOST_MONTHS:
        raise LineError(f"{place}: {months:g} months is longer than anybody lives; correct it.")
    number = stated.get("line", 0)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _MOST_LINES:
        message = f"line is a whole number from 0 to {_MOST_LINES}, the place among the lines for advanced disease"
        raise LineError(f"{place}: {message}; not {quoted(number)}.")


def _impossible(line: Therapy) -> str:
    """What cannot be of one line, by its own dates."""
    if line.ended_on is not None and line.stop_reason == _ONGOING:
        return "a line that is ongoing has no `ended_on`; leave out the one that is wrong."
    known = [(name, day) for name in _DATES if (day := getattr(line, name)) is not None]
    for (first, one), (then, other) in pairwise(known):
        if other < one:
            return f"{then} ({other.isoformat()}) lies before {first} ({one.isoformat()}); correct one of them."
    return ""

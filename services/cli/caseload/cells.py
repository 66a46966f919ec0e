"""What one cell says: a date, a result, lines of treatment, an appointment. Pure.

A problem never repeats what stands in the cell: the wrong column may hold a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from difflib import get_close_matches

from services.cli.commands.words import LONDON, listed
from services.pathway.dictionary import UNKNOWN_CODES, Dictionary, FactDef, Therapy

ONGOING = "ongoing"
NO_LINES = "none"
_FIRST_YEAR, _FIRST_BIRTH_YEAR = 1900, 1890
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_UK = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_SHORT = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}")
_MIDNIGHT = re.compile(r"[ T]0{1,2}:00(:00)?$")
_FLAGS = {"true": True, "yes": True, "y": True, "false": False, "no": False, "n": False}
_NOT_KNOWN = {"not_known": "unknown", "n/k": "unknown"} | {code: code for code in UNKNOWN_CODES}
_LINE = re.compile(
    r"(?P<setting>[a-z]+)\s*:\s*(?P<agents>.+?)\s+(?P<start>[\d/.-]*\d|\?)\s*\.\.\s*(?P<end>[\d/.-]*\d|\?|ongoing)"
    r"(?:\s+(?P<reason>[a-z][a-z _]*))?",
    re.IGNORECASE,
)
_NO_DATE = "this is not a date of the calendar; write it as 2024-03-01 or 01/03/2024, the day before the month"
_SHAPE = "write a line of treatment as `advanced: letrozole+ribociclib 2024-03-01..2025-06-30 progression`"
_WEEKS = 52
_ALMOST = 0.85


class BadCellError(Exception):
    """What is wrong with a cell, and what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of treatment; a date that is not known is empty."""

    setting: str
    number: int
    agents: tuple[str, ...]
    stop_reason: str
    started_on: str
    ended_on: str


def day(text: str) -> date:
    """Return the date that a cell names: ISO, or as it is written in the UK, day first.

    Raises:
        BadCellError: it names none.
    """
    bare = _MIDNIGHT.sub("", text)
    if found := _ISO.fullmatch(bare):
        year, month, on = found.groups()
    elif found := _UK.fullmatch(bare):
        on, month, year = found.groups()
    else:
        raise BadCellError(_no_date(bare))
    try:
        return date(int(year), int(month), int(on))
    except ValueError:
        raise BadCellError(_NO_DATE) from None


def _no_date(text: str) -> str:
    if _SHORT.fullmatch(text):
        return "write the year with four digits"
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return "this is a number that a spreadsheet made of a date; format the column as a date and save again"
    return _NO_DATE


def past_day(text: str, today: date) -> date:
    """Return a date up to today. Raises BadCellError."""
    found = day(text)
    if found > today:
        raise BadCellError("this lies in the future; check the year")
    if found.year < _FIRST_YEAR:
        raise BadCellError(f"this lies before {_FIRST_YEAR}; check the year")
    return found


def birth_day(text: str, today: date) -> date:
    """Return a birth date. Raises BadCellError."""
    found = day(text)
    if found > today or found.year < _FIRST_BIRTH_YEAR:
        raise BadCellError("this cannot be a birth date; check the year")
    return found


def start_of(on: date) -> datetime:
    """Return the instant at which a day begins in London."""
    return datetime.combine(on, time(), LONDON).astimezone(UTC)


def moment(text: str) -> datetime:
    """Return the instant of an appointment, a London date with a time of day. Raises BadCellError."""
    found = re.fullmatch(r"(\S+)[ T]+(\d{1,2}):(\d{2})(:00)?", text)
    if not found:
        raise BadCellError("write the date and the time, as 2026-12-01 10:30 or 01/12/2026 10:30")
    try:
        at = time(int(found[2]), int(found[3]))
    except ValueError:
        raise BadCellError("there is no such time of day; write it as 10:30") from None
    return datetime.combine(day(found[1]), at, LONDON).astimezone(UTC)


def weeks(text: str) -> int:
    """Return the weeks between two response checks. Raises BadCellError."""
    if not text.isdecimal() or not 1 <= int(text) <= _WEEKS:
        raise BadCellError(f"give whole weeks, from 1 to {_WEEKS}")
    return int(text)


def sex(text: str) -> str:
    """Return how the record writes it. Raises BadCellError."""
    known = {"f": "female", "m": "male"} | {word: word for word in ("female", "male", "other", "unknown")}
    if text.lower() not in known:
        raise BadCellError("write female, male, other or unknown")
    return known[text.lower()]


def result(fact: FactDef, text: str, dictionary: Dictionary, *, decimal_comma: bool = False) -> bool | float | str:
    """Return the value of a fact, as the dictionary allows it. Raises BadCellError."""
    word = re.sub(r"[\s-]+", "_", text.lower())
    if word in _NOT_KNOWN and word not in fact.values:
        return _NOT_KNOWN[word]
    if fact.type == "bool":
        if word not in _FLAGS:
            raise BadCellError("write yes or no, or leave it empty if it is not known")
        return _FLAGS[word]
    if fact.type in {"integer", "number"}:
        return _number(fact, text.replace(",", ".") if decimal_comma else text, dictionary)
    if fact.type == "code":
        return _code(fact, text, word)
    return text


def _number(fact: FactDef, text: str, dictionary: Dictionary) -> float:
    try:
        number = float(text)
    except ValueError:
        raise BadCellError("write a number, or leave it empty if it is not known") from None
    if problem := dictionary.problem_with(fact.name, number):
        raise BadCellError(problem.rsplit(", not ", 1)[0].removeprefix(f"{fact.name} ").rstrip("."))
    return number


def _code(fact: FactDef, text: str, word: str) -> str:
    if fact.open_values:
        return text
    for code in fact.values:
        if code.lower() in {text.lower(), word}:
            return code
    near = get_close_matches(word, [code.lower() for code in fact.values], n=1)
    meant = next((f"; did you mean {code}?" for code in fact.values if near == [code.lower()]), "")
    raise BadCellError(f"write one of {', '.join(fact.values)}, or leave it empty if it is not known{meant}")


def lines(text: str, dictionary: Dictionary, today: date) -> list[Line]:
    """Return the lines of treatment that a cell tells, as they are written. Raises BadCellError."""
    found: list[Line] = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        found.append(_line(part, len(found) + 1, found, dictionary, today))
    return found


def _line(part: str, place: int, before: list[Line], dictionary: Dictionary, today: date) -> Line:
    read = _LINE.fullmatch(part)
    if read is None:
        raise BadCellError(f"line {place} cannot be read; {_SHAPE}, and one that goes on as `…..ongoing`")
    said: Mapping[str, str] = {name: (held or "").strip().lower() for name, held in read.groupdict().items()}
    ongoing = said["end"] == ONGOING
    reason = re.sub(r"[ _]+", "_", said["reason"]) or (ONGOING if ongoing else "")
    if not reason:
        raise BadCellError(f"line {place} {_unended(dictionary)}")
    if ongoing is not (reason == ONGOING):
        raise BadCellError(f"line {place} says that it goes on and that it ended")
    try:
        started = past_day(said["start"], today) if said["start"] != "?" else None
        ended = past_day(said["end"], today) if not ongoing and said["end"] != "?" else None
    except BadCellError as error:
        raise BadCellError(f"line {place}: {error}") from None
    if started and ended and ended < started:
        raise BadCellError(f"line {place} ends before it starts")
    number = 1 + sum(line.setting == "advanced" for line in before) if said["setting"] == "advanced" else 0
    made = Line(
        setting=said["setting"],
        number=number,
        agents=tuple(agent.strip() for agent in said["agents"].split("+")),
        stop_reason=reason,
        started_on=started.isoformat() if started else "",
        ended_on=ended.isoformat() if ended else "",
    )
    if problem := _problem_with(made, dictionary):
        raise BadCellError(f"line {place}: {problem}")
    return made


def _unended(dictionary: Dictionary) -> str:
    reasons = [reason for reason in dictionary.stop_reasons if reason != ONGOING]
    return f"has an end and no reason for it; write one of {', '.join(reasons)} after the dates"


def _problem_with(line: Line, dictionary: Dictionary) -> str:
    if line.setting not in dictionary.settings:
        return f"begin with one of {listed(list(dictionary.settings))}"
    if line.stop_reason not in dictionary.stop_reasons:
        return f"the reason is one of {', '.join(dictionary.stop_reasons)}"
    for agent in line.agents:
        near = get_close_matches(agent, dictionary.agents, n=1, cutoff=_ALMOST)
        if not agent or (near and agent not in dictionary.agents):
            return f"an agent is mistyped; did you mean {near[0]}?" if near else "an agent is missing beside a plus"
    return dictionary.problem_with("prior_therapy", Therapy(line.setting, line.number, line.agents))

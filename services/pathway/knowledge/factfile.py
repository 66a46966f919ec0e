"""A person's facts as a flat mapping of dictionary names, as facts files and tests hold them. Pure.

A fact is a value, or `{value, occurred_at}`. Absent, null and the codes `unknown`, `not_tested` and `not_done` are
one: nobody knows. `prior_therapies` is the list of all lines of treatment; an empty list says that there were none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from functools import lru_cache
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

from services.pathway.dictionary import UNKNOWN_CODES, Dictionary, Therapy, Value, did_you_mean, quoted
from services.pathway.facts import Fact, Picture, current
from services.pathway.knowledge.contradictions import contradiction_in
from services.pathway.knowledge.specimens import SPECIMENS, SpecimenError, discordant, unfolded

LINES = "prior_therapies"
"""The name under which all lines of treatment stand; live, each line is a fact `prior_therapy`."""
SOURCE = "facts file"
_LONG_NAME = 60
_SCALARS = {bool, int, float, str, type(None)}
_LONDON = ZoneInfo("Europe/London")
_THERAPY_FIELDS = tuple(field.name for field in fields(Therapy))
_SAME = {"start": "started_on", "end": "ended_on"}
_DATES = ("started_on", "ended_on", "last_dose_on")


class FactFileError(ValueError):
    """Facts that cannot be used: what is wrong, and the nearest right name if a name is wrong.

    `name` is the fact that it is about, as the file has it, if it is about one.
    """

    name: object = None


@dataclass(frozen=True, slots=True)
class Person:
    """One person's facts: as written, and settled at the instant that was asked about.

    `later` names the facts that were left out because they happened after that instant.
    """

    written: Mapping[str, Any]
    picture: Picture
    later: tuple[str, ...]


def read_person(written: object, dictionary: Dictionary, at: datetime) -> Person:
    """Settle one flat mapping of facts. Raises FactFileError."""
    if not isinstance(written, Mapping):
        raise FactFileError(f"facts are a mapping such as {{er_status: positive}}, not {quoted(written)}.")
    facts: list[Fact] = []
    later: list[str] = []
    for name, specimen, entry in _entries(written, dictionary):
        try:
            read = _facts_of(name, entry, dictionary, at)
        except FactFileError as error:
            error.name = name
            raise
        if read is None:
            later.append(SPECIMENS if specimen else str(name))
            continue
        for fact_name, line, checked, when in read:
            subject = specimen or line
            seq = len(facts) + 1
            facts.append(
                Fact(f"{fact_name}{subject}", fact_name, checked, subject, when, when, "", SOURCE, SOURCE, seq)
            )
    picture = current(facts, dictionary, at)
    _refuse_disagreement(picture)
    if problem := contradiction_in(picture, dictionary):
        raise FactFileError(problem)
    return Person(dict(written), picture, tuple(dict.fromkeys(later)))


def _entries(written: Mapping[Any, Any], dictionary: Dictionary) -> list[tuple[object, str, object]]:
    try:
        return list(unfolded(written, dictionary))
    except SpecimenError as error:
        raise FactFileError(str(error)) from None


def _facts_of(
    name: object, entry: object, dictionary: Dictionary, at: datetime
) -> list[tuple[str, str, Value, datetime]] | None:
    """What one entry of a file says and since when, all of it allowed; None if it happened later than asked about."""
    value, when = (entry, at) if type(entry) in _SCALARS else _unfold(name, entry, at)
    often = type(value) in _SCALARS and isinstance(name, str)
    checked = _allowed_once(name, value, dictionary) if often else _allowed(name, value, dictionary)
    return None if when > at else [(fact_name, subject, one, when) for fact_name, subject, one in checked]


def _allowed(name: object, value: object, dictionary: Dictionary) -> list[tuple[str, str, Value]]:
    checked = _checked(name, value, dictionary)
    for fact_name, _, one in checked:
        if problem := dictionary.problem_with(fact_name, one):
            raise FactFileError(_with_lines(problem))
    return checked


_allowed_once = lru_cache(maxsize=4096, typed=True)(_allowed)
"""Of many people many say the same; callers must not change the list."""


def moment(stated: object, *, end: bool = False) -> datetime:
    """An instant from a date or time as YAML or JSON give it; a day is London's. Raises FactFileError."""
    if isinstance(stated, str):
        stated = _read(stated)
    try:
        if isinstance(stated, datetime):
            return (stated if stated.tzinfo else stated.replace(tzinfo=_LONDON)).astimezone(UTC)
        if isinstance(stated, date):
            return datetime.combine(stated, time.max if end else time.min, tzinfo=_LONDON).astimezone(UTC)
    except OverflowError:
        raise _no_date(stated) from None
    raise _no_date(stated)


def _read(text: str) -> date:
    """A date in any of its ISO spellings (20260630 too), else a time; the date alone is a whole day."""
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    raise _no_date(text)


def _no_date(stated: object) -> FactFileError:
    return FactFileError(f"{quoted(stated)} is not a date or time; write 2026-06-30 or 2026-06-30T14:00.")


def shown_name(name: str) -> str:
    """The name of a fact as a facts file has it."""
    return LINES if name in {"prior_therapy", "prior_therapies_none"} else name


def lines_of(written: Mapping[str, Any]) -> list[Therapy] | None:
    """The lines of treatment in a person's facts; None if nobody knows. Raises FactFileError."""
    entry = written.get(LINES)
    value = entry.get("value") if isinstance(entry, Mapping) else entry
    if value is None or (isinstance(value, str) and value in UNKNOWN_CODES):
        return None
    return [therapy for _, _, therapy in _lines(value) if isinstance(therapy, Therapy)]


def _unfold(name: object, entry: object, at: datetime) -> tuple[object, datetime]:
    """The value, and when it was so; one that does not say is taken to be so at the instant asked about."""
    if not isinstance(entry, Mapping):
        return entry, at
    extra = set(entry) - {"value", "occurred_at"}
    if extra or "value" not in entry:
        raise FactFileError(
            f"{_named(name)}: a fact is a value, or {{value, occurred_at}}; this one is {quoted(entry)}."
        )
    when = entry.get("occurred_at")
    return entry["value"], at if when is None else moment(when)


def _checked(name: object, value: object, dictionary: Dictionary) -> list[tuple[str, str, Value]]:
    """The facts, each with its subject, that one entry stands for; none if nobody knows."""
    if value is None or (isinstance(value, str) and value in UNKNOWN_CODES):
        if name != LINES and name not in dictionary.facts:
            raise FactFileError(_unknown_name(name, dictionary))
        return []
    if name == LINES:
        return _lines(value)
    definition = dictionary.facts.get(name) if isinstance(name, str) else None
    if definition is None or definition.type == "therapy":
        raise FactFileError(_unknown_name(name, dictionary))
    if definition.type == "code" and not isinstance(value, str | bool) and str(value) in definition.values:
        value = str(value)  # YAML reads an unquoted 0 of HER2 IHC as a number
    if definition.type == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, bool | int | float | str):
        raise FactFileError(dictionary.problem_with(definition.name, value))
    return [(definition.name, "", value)]


def _unknown_name(name: object, dictionary: Dictionary) -> str:
    if not isinstance(name, str):
        return f"A fact has a name, and this one is {_named(name)}: write a name of the dictionary, in quotes."
    known = [LINES, SPECIMENS, *(known for known in dictionary.facts if known != "prior_therapy")]
    return f"{quoted(name)} is not in the data dictionary.{did_you_mean(name, known)}"


def _named(name: object) -> str:
    """A name as the file has it; YAML takes an unquoted yes, on or no for an answer."""
    if isinstance(name, bool):
        return "an unquoted yes, on or true" if name else "an unquoted no, off or false"
    return name if isinstance(name, str) and len(name) <= _LONG_NAME else quoted(name)


def _with_lines(problem: str) -> str:
    return problem.replace("'prior_therapy'", repr(LINES))


def _lines(value: object) -> list[tuple[str, str, Value]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise FactFileError(
            f"{LINES} is a list of lines of treatment (an empty list: there were none), not {quoted(value)}."
        )
    if not value:
        return [("prior_therapies_none", "", True)]
    return [("prior_therapy", f"#{number}", _therapy(line, number)) for number, line in enumerate(value, 1)]


def _therapy(line: object, number: int) -> Therapy:
    place = f"{LINES}, line {number}"
    if not isinstance(line, Mapping):
        raise FactFileError(
            f"{place}: write a mapping such as {{setting: advanced, agents: [letrozole]}}, not {quoted(line)}."
        )
    stated = {_SAME.get(str(key), str(key)): content for key, content in line.items() if content is not None}
    for key in stated:
        if key not in _THERAPY_FIELDS:
            raise FactFileError(f"{place}: {quoted(key)} is no part of a line.{did_you_mean(key, _THERAPY_FIELDS)}")
    if "setting" not in stated:
        raise FactFileError(f"{place}: `setting` is missing; it is neoadjuvant, adjuvant or advanced.")
    for key in ("agents", "classes"):
        names = stated.get(key, ())
        if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(n, str) for n in names):
            raise FactFileError(f"{place}: {key} is a list of names, not {quoted(names)}.")
        stated[key] = tuple(name.strip().lower() for name in names)
    for key in (key for key in _DATES if key in stated):
        stated[key] = moment(stated[key]).astimezone(_LONDON).date()
    months = stated.get("months", 0)
    if isinstance(months, bool) or not isinstance(months, int | float) or not 0 <= months < inf:
        raise FactFileError(f"{place}: months is a number of months, not {quoted(months)}.")
    if stated.get("stop_reason") in UNKNOWN_CODES:
        del stated["stop_reason"]
    return Therapy(**stated)


def _refuse_disagreement(picture: Picture) -> None:
    """Stated and derived that disagree are refused: one of the two is wrong, and nobody here can say which."""
    for entry in picture.held.values():
        for gap in entry.gaps:
            if gap.why == "disagree" and not discordant(gap):
                raise FactFileError(f"{entry.name}: {gap.note}. Correct one of them.")

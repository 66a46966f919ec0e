"""How long ago treatment was last given, as the dates of its lines and a stated number of days tell it together.

Pure. A line counts by its last dose, else by the day on which it ended. One without dates may have been given until
now: it is ruled out only by a line that is known to have come after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from math import inf

from services.pathway.dictionary import Derivation, Dictionary, DoseFilter, LineFilter, Therapy
from services.pathway.due_dates import london_date
from services.pathway.held import Gap, Held
from services.pathway.lines import DAYS_PER_MONTH, Line, latest

_EARLY = frozenset({"neoadjuvant", "adjuvant"})
_LACKING = "what was given in these weeks, or when a line was last given, is not recorded"
_UNDATED = (Gap("prior_therapy", "never_recorded"),), (Gap("prior_therapy", "left_open", _LACKING),)
_NOTE = "counted from the lines of treatment"


@dataclass(frozen=True, slots=True)
class Treatment:
    """All lines of a person, the day on which each was stated, and the facts that they rest on."""

    lines: tuple[Line, ...]
    stated_on: tuple[date, ...]
    fact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Dose:
    """A line, and between how many and how many days ago it was last given."""

    line: Line
    fewest: float
    most: float


def by_doses(how: Derivation) -> bool:
    """Whether a derivation reads when lines were last given."""
    return how.last_dose or how.within is not None


def from_doses(
    dictionary: Dictionary, treatment: Treatment | None, held: Mapping[str, Held], as_of: datetime
) -> tuple[dict[str, Held], dict[str, Held]]:
    """The days since the last treatment as they stand, stated or counted, and what follows from when lines were given.

    `treatment` is None if nobody knows what was given.
    """
    settled: dict[str, Held] = {}
    found: dict[str, Held] = {}
    on = london_date(as_of)
    ids = treatment.fact_ids if treatment else ()
    for name, followers in _facts(dictionary):
        settled[name], days, doses = _days(name, held.get(name), treatment, on)
        for fact, wanted in followers:
            value, lacking = _given_within(wanted, doses, days)
            if value is None:
                why = {name: settled[name].gaps, "prior_therapy": _UNDATED[bool(ids)]}
                found[fact] = Held(fact, gaps=tuple(gap for base in lacking for gap in why[base]))
            else:
                found[fact] = Held(fact, value, (*ids, *settled[name].fact_ids), note=_NOTE)
    return settled, found


def _days(
    name: str, stated: Held | None, treatment: Treatment | None, on: date
) -> tuple[Held, float | None, tuple[_Dose, ...] | None]:
    """The days since the last treatment as they stand, the same as a number today, and what is known of each line."""
    entry = stated or Held(name, gaps=(Gap(name, "never_recorded"),))
    days = _today(entry, on)
    if treatment is None:
        return entry, days, None
    doses = _doses(treatment.lines, treatment.stated_on, on)
    fewest, most = min((d.fewest for d in doses), default=inf), min((d.most for d in doses), default=inf)
    if days is None:
        if fewest != most or fewest == inf:
            return entry, None, doses
        return Held(name, int(fewest), treatment.fact_ids, note=_NOTE), fewest, doses
    if fewest <= days <= most:
        return entry, days, doses
    told = "that there was none" if not doses else f"{'at least ' if days < fewest else ''}{min(fewest, most):g} days"
    note = f"the last treatment was stated as {days:g} days ago, but the lines of treatment say {told}"
    return Held(name, gaps=(Gap(name, "disagree", note),), last=entry.last), None, None


def _today(entry: Held, on: date) -> float | None:
    """A stated number of days, and those that have passed since it was stated."""
    if entry.last is None or isinstance(entry.value, bool) or not isinstance(entry.value, int | float):
        return None
    return entry.value + (on - london_date(entry.last.occurred_at)).days


@lru_cache(maxsize=1024)
def _given_within(
    wanted: DoseFilter, doses: tuple[_Dose, ...] | None, days: float | None
) -> tuple[bool | None, tuple[str, ...]]:
    """Whether such treatment was given recently enough, or the base facts that could still settle it."""
    if days is not None and days > wanted.at_most:
        return False, ()
    if doses is None:
        return None, ("prior_therapy",) if days is not None else (wanted.days, "prior_therapy")
    value = _settled(wanted, doses, None if days is None else (days, days))
    if value is not None or days is not None:
        return value, ("prior_therapy",) if value is None else ()
    if_recent = _settled(wanted, doses, (0, wanted.at_most))
    surely_recent = any(dose.most <= wanted.at_most for dose in doses)
    number = () if surely_recent and if_recent is None else (wanted.days,)
    return None, (*number, *(("prior_therapy",) if if_recent is None else ()))


def _settled(wanted: DoseFilter, doses: tuple[_Dose, ...], days: tuple[float, float] | None) -> bool | None:
    """Whether a line was such treatment in time, if the last treatment of all lies in this range of days.

    A stated number of days is that of the line that goes on, else of the last: rather sent once too often than not.
    """
    if any(_passes(wanted, dose.line) and dose.most <= wanted.at_most for dose in doses):
        return True
    if days is not None:
        newest = latest(tuple(dose.line for dose in doses))
        counted = [dose for dose in doses if dose.line in newest and dose.fewest <= days[1] and days[0] <= dose.most]
        if any(_passes(wanted, dose.line) for dose in counted):
            return True
    in_time = [dose for dose in doses if dose.fewest <= wanted.at_most]
    return None if any(_passes(wanted, dose.line) is not False for dose in in_time) else False


def _passes(wanted: DoseFilter, line: Line) -> bool | None:
    if not line.agents.isdisjoint(wanted.agents_any):
        return True
    return line.passes(LineFilter(classes_any=wanted.classes_any))


@lru_cache(maxsize=1024)
def _doses(lines: tuple[Line, ...], stated_on: tuple[date, ...], on: date) -> tuple[_Dose, ...]:
    """When each line was last given, by its own dates and by the lines that came after it."""
    own = [_by_its_dates(line, stated, on) for line, stated in zip(lines, stated_on, strict=True)]
    found = []
    for dose in own:
        since = (_days_since_start(later, on) for later in own if _precedes(dose.line, later.line))
        found.append(_Dose(dose.line, max([dose.fewest, *since]), dose.most))
    return tuple(found)


def _by_its_dates(line: Line, stated_on: date, on: date) -> _Dose:
    """A date that is still to come says nothing of today; what goes on may have been given since it was stated."""
    therapy = line.therapy
    goes_on = _may_go_on(therapy)
    last, ended, start = (_days_since(day, on) for day in (therapy.last_dose_on, therapy.ended_on, therapy.started_on))
    if last is not None:
        return _Dose(line, 0 if goes_on and stated_on < on else last, last)
    fewest: float = ended or 0
    if ended is None and start is not None and therapy.months is not None and not goes_on:
        fewest = max(0.0, start - (therapy.months + 1) * DAYS_PER_MONTH)
    return _Dose(line, fewest, inf if start is None else start)


def _may_go_on(therapy: Therapy) -> bool:
    """Whether a line may have been given since it was stated; one that has a day on which it ended has ended."""
    return therapy.stop_reason == "ongoing" or (not therapy.stop_reason and therapy.ended_on is None)


def _days_since(day: date | None, on: date) -> int | None:
    return (on - day).days if day is not None and day <= on else None


def _days_since_start(dose: _Dose, on: date) -> float:
    """How many days ago a line had begun at the latest; stated months may be rounded up."""
    therapy = dose.line.therapy
    start = _days_since(therapy.started_on, on)
    if start is not None:
        return start
    return dose.fewest + max(0.0, (therapy.months or 0) - 1) * DAYS_PER_MONTH


def _precedes(line: Line, other: Line) -> bool:
    """Whether one line is known to have ended before another began: early disease first, then by number of line."""
    one, two = line.therapy, other.therapy
    if _may_go_on(one):
        return False
    if one.setting != two.setting:
        return one.setting in _EARLY and (two.setting not in _EARLY or one.setting == "neoadjuvant")
    return 0 < one.line < two.line


@lru_cache(maxsize=16)
def _facts(dictionary: Dictionary) -> tuple[tuple[str, tuple[tuple[str, DoseFilter], ...]], ...]:
    """Each fact that counts days, with those that follow from it."""
    derived = [(fact.name, fact.derived) for fact in dictionary.facts.values() if fact.derived]
    within = [(name, how.within) for name, how in derived if how.within is not None]
    return tuple(
        (name, tuple((fact, wanted) for fact, wanted in within if wanted.days == name))
        for name, how in derived
        if how.last_dose
    )

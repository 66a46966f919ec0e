"""Due times: working days in England and exact hours, on London's clock (DESIGN section 5, "Due").

The only pure module that knows `holidays` and time zones. All instants are aware; naive ones raise
ValueError.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from zoneinfo import ZoneInfo

import holidays

LONDON = ZoneInfo("Europe/London")
END_OF_WORKING_DAY = time(17, 0)
"""A report made later than this, London time, counts as made on the next working day."""
CALENDAR_VERSION = f"holidays {version('holidays')}, England"
"""Whose bank holidays count: those that were proclaimed when this version was made, and the yearly ones."""
CALENDAR_ENDS = 2100
"""The last year whose bank holidays the calendar knows."""
_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class DueTime:
    """When something is due: a London date, its end (or exact minute) as a UTC instant, and whose calendar said so."""

    due_on: date
    due_at: datetime
    calendar_version: str = CALENDAR_VERSION


def calendar_for(day: date) -> str:
    """Return which calendar decided a due date: its data, and what it does not know of that year."""
    if day.year <= CALENDAR_ENDS:
        return CALENDAR_VERSION
    return f"{CALENDAR_VERSION}; bank holidays known to {CALENDAR_ENDS} only, weekends after"


@cache
def bank_holidays(year: int) -> frozenset[date]:
    """The bank holidays of England in a year; none after `CALENDAR_ENDS`, which `calendar_for` then says."""
    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def london_date(instant: datetime) -> date:
    """The date in London at an instant. Raises ValueError if the instant has no time zone."""
    return _aware(instant).astimezone(LONDON).date()


def start_of(day: date) -> datetime:
    """The instant, in UTC, at which a London date begins."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The instant, in UTC, at which a London date ends (24:00, the next midnight)."""
    return start_of(day + _ONE_DAY)


def is_working_day(day: date) -> bool:
    """Whether a date is Monday to Friday and no bank holiday of England."""
    return day.weekday() < _SATURDAY and day not in bank_holidays(day.year)


def due_after_working_days(recorded_at: datetime, working_days: int) -> DueTime:
    """The end of the Nth working day after a report was recorded.

    A report after 17:00 London, or on a day that is not a working day, counts as made on the next working
    day. Raises ValueError for a negative count or an instant without a time zone.
    """
    if working_days < 0:
        message = f"A due time needs 0 working days or more, not {working_days}."
        raise ValueError(message)
    local = _aware(recorded_at).astimezone(LONDON)
    day = local.date()
    if local.time() > END_OF_WORKING_DAY:
        day += _ONE_DAY
    day = _working_day_from(day)
    for _ in range(working_days):
        day = _working_day_from(day + _ONE_DAY)
    return DueTime(day, end_of(day), calendar_for(day))


def due_after_hours(occurred_at: datetime, hours: int) -> DueTime:
    """The exact minute, N hours after something was first noticed, whatever the day. Seconds are dropped.

    Raises ValueError for a negative count or an instant without a time zone.
    """
    if hours < 0:
        message = f"A due time needs 0 hours or more, not {hours}."
        raise ValueError(message)
    due_at = _aware(occurred_at).astimezone(UTC).replace(second=0, microsecond=0) + timedelta(hours=hours)
    due_on = london_date(due_at)
    return DueTime(due_on, due_at, calendar_for(due_on))


def _working_day_from(day: date) -> date:
    """The first working day on or after a date."""
    while not is_working_day(day):
        day += _ONE_DAY
    return day


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        message = f"{instant.isoformat()} has no time zone; give an instant such as 2026-11-22T09:00:00Z."
        raise ValueError(message)
    return instant

"""Days and instants as YAML and JSON files state them; a day is London's. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

_LONDON = ZoneInfo("Europe/London")


def instant_of(stated: object, *, end: bool = False) -> datetime | None:
    """An instant from a date or a time, a date being its beginning or its `end`; None if it is neither."""
    if isinstance(stated, str):
        stated = _read(stated)
    try:
        if isinstance(stated, datetime):
            return (stated if stated.tzinfo else stated.replace(tzinfo=_LONDON)).astimezone(UTC)
        if isinstance(stated, date):
            return datetime.combine(stated, time.max if end else time.min, tzinfo=_LONDON).astimezone(UTC)
    except OverflowError:
        return None
    return None


def _read(text: str) -> date | None:
    """A date in any of its ISO spellings (20260630 too), else a time; the date alone is a whole day."""
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    return None


def day_of(stated: object) -> date | None:
    """London's day of a date or a time; None if it is neither."""
    instant = instant_of(stated)
    return instant.astimezone(_LONDON).date() if instant else None

"""Due times on London's clock: clock changes, Easter, Christmas, late reports, exact hours."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from services.pathway.due_dates import (
    CALENDAR_VERSION,
    bank_holidays,
    due_after_hours,
    due_after_working_days,
    end_of,
    london_date,
    start_of,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("recorded_at", "days", "due_on", "due_at"),
    [
        ("2026-11-23T10:00", 2, "2026-11-25", "2026-11-26T00:00"),
        ("2026-11-23T17:00", 1, "2026-11-24", "2026-11-25T00:00"),
        ("2026-11-23T17:00:01", 1, "2026-11-25", "2026-11-26T00:00"),
        ("2026-11-23T10:00", 0, "2026-11-23", "2026-11-24T00:00"),
        # Friday after hours, Saturday and Sunday all count as Monday
        ("2026-11-20T18:00", 1, "2026-11-24", "2026-11-25T00:00"),
        ("2026-11-21T09:00", 1, "2026-11-24", "2026-11-25T00:00"),
        ("2026-11-22T09:00", 1, "2026-11-24", "2026-11-25T00:00"),
        # Summer time: 16:30 UTC is 17:30 in London; midnight in London is 23:00 UTC
        ("2026-07-01T16:30", 1, "2026-07-03", "2026-07-03T23:00"),
        ("2026-07-01T15:30", 1, "2026-07-02", "2026-07-02T23:00"),
        # Across the change to summer time (29 March 2026) and back (25 October 2026)
        ("2026-03-27T10:00", 1, "2026-03-30", "2026-03-30T23:00"),
        ("2026-10-23T10:00", 1, "2026-10-26", "2026-10-27T00:00"),
        # Easter 2026: Good Friday 3 April, Easter Monday 6 April
        ("2026-04-02T10:00", 1, "2026-04-07", "2026-04-07T23:00"),
        # Christmas 2026: Friday 25, Boxing Day observed on Monday 28; New Year's Day is a Friday
        ("2026-12-24T10:00", 1, "2026-12-29", "2026-12-30T00:00"),
        ("2026-12-31T10:00", 1, "2027-01-04", "2027-01-05T00:00"),
    ],
)
def test_working_days(recorded_at: str, days: int, due_on: str, due_at: str) -> None:
    due = due_after_working_days(at(recorded_at), days)
    assert (due.due_on, due.due_at) == (date.fromisoformat(due_on), at(due_at))
    assert due.calendar_version == CALENDAR_VERSION


@pytest.mark.parametrize(
    ("occurred_at", "hours", "due_on", "due_at"),
    [
        ("2026-12-25T22:10:40", 4, "2026-12-26", "2026-12-26T02:10"),
        ("2026-03-29T00:30", 24, "2026-03-30", "2026-03-30T00:30"),
        ("2026-10-25T00:30", 24, "2026-10-26", "2026-10-26T00:30"),
        ("2026-07-01T22:30", 1, "2026-07-02", "2026-07-01T23:30"),
    ],
)
def test_hours_are_exact_minutes_on_any_day(occurred_at: str, hours: int, due_on: str, due_at: str) -> None:
    due = due_after_hours(at(occurred_at), hours)
    assert (due.due_on, due.due_at) == (date.fromisoformat(due_on), at(due_at))


def test_days_of_the_clock_changes_have_23_and_25_hours() -> None:
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    assert (end_of(spring) - start_of(spring)).total_seconds() == 23 * 3600
    assert (end_of(autumn) - start_of(autumn)).total_seconds() == 25 * 3600
    assert london_date(at("2026-07-01T23:30")) == date(2026, 7, 2)


def test_england_not_scotland() -> None:
    assert date(2027, 1, 4) not in bank_holidays(2027)
    assert date(2026, 8, 31) in bank_holidays(2026)


def test_bad_input_is_refused() -> None:
    naive = datetime(2026, 11, 23, 10)  # noqa: DTZ001  # the point of the test
    with pytest.raises(ValueError, match="time zone"):
        due_after_working_days(naive, 1)
    with pytest.raises(ValueError, match="0 working days or more"):
        due_after_working_days(at("2026-11-23T10:00"), -1)
    with pytest.raises(ValueError, match="0 hours or more"):
        due_after_hours(at("2026-11-23T10:00"), -1)

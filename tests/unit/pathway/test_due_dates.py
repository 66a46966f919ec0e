"""Due times on London's clock: clock changes, Easter, Christmas, late reports, exact hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from services.pathway.due_dates import (
    CALENDAR_ENDS,
    CALENDAR_VERSION,
    bank_holidays,
    calendar_for,
    due_after_hours,
    due_after_working_days,
    end_of,
    is_working_day,
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


# The days on which England did not work besides weekends, as gov.uk published them; Easter moves, Christmas is moved.
PUBLISHED = """
2024-01-01 2024-03-29 2024-04-01 2024-05-06 2024-05-27 2024-08-26 2024-12-25 2024-12-26
2025-01-01 2025-04-18 2025-04-21 2025-05-05 2025-05-26 2025-08-25 2025-12-25 2025-12-26
2026-01-01 2026-04-03 2026-04-06 2026-05-04 2026-05-25 2026-08-31 2026-12-25 2026-12-28
2027-01-01 2027-03-26 2027-03-29 2027-05-03 2027-05-31 2027-08-30 2027-12-27 2027-12-28
2028-01-03 2028-04-14 2028-04-17 2028-05-01 2028-05-29 2028-08-28 2028-12-25 2028-12-26
"""


def test_five_years_of_working_days_are_those_that_were_published() -> None:
    published = {date.fromisoformat(day) for day in PUBLISHED.split()}
    for year in range(2024, 2029):
        days = [date(year, 1, 1) + timedelta(days=number) for number in range(365 + (year % 4 == 0))]
        off = {day for day in days if day.weekday() < 5 and not is_working_day(day)}
        assert off == {day for day in published if day.year == year}


# Who reports at ten on the last working day before Christmas, before Easter, or before a clock changes, is answered
# by the end of the next one or of the fifth; the end of a day is midnight in London, in summer at 23:00 UTC.
@pytest.mark.parametrize(
    ("recorded_at", "next_one", "fifth", "ends"),
    [
        ("2024-12-24T10:00", "2024-12-27", "2025-01-03", "2024-12-28T00:00"),
        ("2025-12-24T10:00", "2025-12-29", "2026-01-05", "2025-12-30T00:00"),
        ("2026-12-24T10:00", "2026-12-29", "2027-01-05", "2026-12-30T00:00"),
        ("2027-12-24T10:00", "2027-12-29", "2028-01-05", "2027-12-30T00:00"),
        ("2028-12-22T10:00", "2028-12-27", "2029-01-03", "2028-12-28T00:00"),
        ("2024-03-28T10:00", "2024-04-02", "2024-04-08", "2024-04-02T23:00"),
        ("2025-04-17T10:00", "2025-04-22", "2025-04-28", "2025-04-22T23:00"),
        ("2026-04-02T10:00", "2026-04-07", "2026-04-13", "2026-04-07T23:00"),
        ("2027-03-25T10:00", "2027-03-30", "2027-04-05", "2027-03-30T23:00"),
        ("2028-04-13T10:00", "2028-04-18", "2028-04-24", "2028-04-18T23:00"),
        *[(f"{friday}T10:00", monday, week, f"{monday}T23:00") for friday, monday, week in (
            ("2025-03-28", "2025-03-31", "2025-04-04"),
            ("2026-03-27", "2026-03-30", "2026-04-07"),
            ("2028-03-24", "2028-03-27", "2028-03-31"),
        )],
        ("2024-10-25T10:00", "2024-10-28", "2024-11-01", "2024-10-29T00:00"),
        ("2025-10-24T10:00", "2025-10-27", "2025-10-31", "2025-10-28T00:00"),
        ("2026-10-23T10:00", "2026-10-26", "2026-10-30", "2026-10-27T00:00"),
        ("2027-10-29T10:00", "2027-11-01", "2027-11-05", "2027-11-02T00:00"),
        ("2028-10-27T10:00", "2028-10-30", "2028-11-03", "2028-10-31T00:00"),
    ],
)  # fmt: skip
def test_christmas_easter_and_both_clock_changes_of_five_years(
    recorded_at: str, next_one: str, fifth: str, ends: str
) -> None:
    soon, later = (due_after_working_days(at(recorded_at), days) for days in (1, 5))
    assert (soon.due_on.isoformat(), soon.due_at) == (next_one, at(ends))
    assert later.due_on.isoformat() == fifth


def test_a_due_time_says_whose_calendar_decided_it_and_where_that_calendar_ends() -> None:
    assert due_after_working_days(at("2026-11-23T10:00"), 1).calendar_version.endswith(", England")
    # the last Christmas that is known, and the first that is not: then only weekends count, and it says so
    known = due_after_working_days(at("2100-12-24T10:00"), 1)
    assert (known.due_on.isoformat(), known.calendar_version) == ("2100-12-29", CALENDAR_VERSION)
    assert not bank_holidays(CALENDAR_ENDS + 1)
    beyond = due_after_working_days(at("2101-12-23T10:00"), 1)
    assert beyond.due_on.isoformat() == "2101-12-26"
    assert beyond.calendar_version == f"{CALENDAR_VERSION}; bank holidays known to 2100 only, weekends after"
    assert calendar_for(date(2101, 1, 3)) == due_after_hours(at("2101-01-03T10:00"), 1).calendar_version


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

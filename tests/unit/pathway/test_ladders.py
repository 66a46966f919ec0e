"""The ladder of a task that nobody did: which rung comes, whom it reaches, and what an edited file may not say."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.pathway.guideline import GuidelineError
from services.pathway.ladders import FILE, Ladders, Team, is_staffed, load_ladders, next_step
from tests.house import REPOSITORY

GUIDELINES = REPOSITORY / "guidelines"
MONDAY_TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
SATURDAY_NIGHT = datetime(2026, 3, 7, 23, tzinfo=UTC)
WHOLE = Team()


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    shutil.copy(GUIDELINES / FILE, tmp_path / FILE)
    return tmp_path


def change(directory: Path, old: str, new: str) -> None:
    path = directory / FILE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_routine_task_climbs_from_its_team_to_a_telephone_and_stays_there() -> None:
    book = load_ladders(GUIDELINES)
    told = [next_step(book, "follow_up", "routine", rung, WHOLE, MONDAY_TEN) for rung in range(6)]
    assert [(step.tell, step.phone, step.rung) for step in told] == [
        (("team",), "", 0),
        (("deputy",), "", 1),
        (("lead",), "", 2),
        ((), "breast_care_nurses", 3),
        ((), "breast_care_nurses", 3),
        ((), "breast_care_nurses", 3),
    ]
    assert told[0].next_at > MONDAY_TEN + timedelta(days=1)


def test_at_night_the_telephone_that_is_answered_rings() -> None:
    book = load_ladders(GUIDELINES)
    assert next_step(book, "follow_up", "routine", 3, WHOLE, SATURDAY_NIGHT).phone == "duty_desk"
    assert is_staffed("Mon-Fri 09:00-17:00", datetime(2026, 7, 6, 8, 30, tzinfo=UTC))  # 09:30 in summer London
    assert not is_staffed("Mon-Fri 09:00-17:00", datetime(2026, 7, 6, 16, 30, tzinfo=UTC))


def test_every_ladder_reaches_a_staffed_telephone_at_every_hour_of_the_week() -> None:
    book = load_ladders(GUIDELINES)
    for urgency in ("routine", "urgent", "emergency"):
        for team in (WHOLE, Team(has_deputy=False, has_lead=False, people=1), Team(has_deputy=False)):
            for hour in range(168):
                moment = MONDAY_TEN + timedelta(hours=hour)
                rungs = [next_step(book, "any", urgency, rung, team, moment) for rung in range(6)]
                assert any(step.phone for step in rungs)
                assert all(step.tell or step.phone for step in rungs)
                assert all(step.next_at > moment for step in rungs)


def test_a_rung_that_reaches_nobody_is_skipped() -> None:
    book = load_ladders(GUIDELINES)
    no_deputy = next_step(book, "follow_up", "routine", 1, Team(has_deputy=False), MONDAY_TEN)
    assert (no_deputy.tell, no_deputy.rung) == (("lead",), 2)


def test_an_emergency_has_two_ways_at_once_and_a_quarter_of_an_hour() -> None:
    step = next_step(load_ladders(GUIDELINES), "emergency", "emergency", 0, WHOLE, SATURDAY_NIGHT)
    assert (step.tell, step.phone, step.next_at) == (("team",), "duty_desk", SATURDAY_NIGHT + timedelta(minutes=15))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{staffed: always}", '{staffed: "Mon-Fri 09:00-17:00"}', "no staffed telephone at 128 of the 168 hours"),
        ("{staffed: always}", "{staffed: usually}", "neither `always` nor days and hours"),
        ("wait: {minutes: 15}", "wait: {minutes: 15, hours: 1}", "one of minutes, hours, working_days"),
        ("{tell: [team], wait", "{wait", "reaches nobody"),
        ("phone: [duty_desk], wait", "phone: [night_desk], wait", "there is no telephone night_desk"),
        ("  urgent:\n", "  urgently:\n", "the ladder `urgent` is missing"),
        ("report_not_filed: urgent", "report_not_filed: fast", "there is no ladder `fast`"),
        ("tell: [team]", "tell: [everybody]", "see guidelines/README.md"),
    ],
)
def test_a_ladder_that_could_leave_somebody_unheard_is_refused(edited: Path, old: str, new: str, said: str) -> None:
    change(edited, old, new)
    with pytest.raises(GuidelineError, match=rf"{FILE}:\d+: .*{said}"):
        load_ladders(edited)


def test_an_edit_counts_without_a_restart_and_a_broken_one_leaves_the_last_good_one(edited: Path) -> None:
    ladders = Ladders(edited)
    change(edited, "{tell: [team], wait: {working_days: 1}}", "{tell: [lead], wait: {hours: 2}}")
    assert next_step(ladders.now(), "any", "routine", 0, WHOLE, MONDAY_TEN).tell == ("lead",)
    change(edited, "wait: {hours: 2}", "wait: {}")
    assert next_step(ladders.now(), "any", "routine", 0, WHOLE, MONDAY_TEN).tell == ("lead",)
    assert "one of minutes" in ladders.problem

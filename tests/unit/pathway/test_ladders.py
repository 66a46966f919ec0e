"""The ladder of a task that nobody did: which rung comes, whom it reaches, and what an edited file may not say."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.pathway.guideline import GuidelineError
from services.pathway.ladders import FILE, Ladders, Team, is_staffed, load_ladders, next_step
from services.runtime.teams_file import members, read_entries
from tests.house import REPOSITORY

GUIDELINES = REPOSITORY / "guidelines"
MONDAY_TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
SATURDAY_NIGHT = datetime(2026, 3, 7, 23, tzinfo=UTC)
WHOLE = Team()
TEAMS = {
    str(team["team_id"]): [str(member["person_id"]) for member in members(team)]
    for team in read_entries(REPOSITORY / "deploy" / "teams.yaml")
}
NURSES = Team(True, True, 2, "breast_care_nurses", "dipa.nurse", "carys.nurse")


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


def away(directory: Path, *who: str) -> None:
    entries = ", ".join(f"{{who: {one}, first_day: 2026-03-02, last_day: 2026-03-06}}" for one in who)
    change(directory, "away: []", f"away: [{entries}]")


def test_a_team_that_is_away_is_passed_over_and_its_deputy_hears_at_once(edited: Path) -> None:
    away(edited, "breast_care_nurses")
    book = load_ladders(edited, TEAMS)
    routine = next_step(book, "follow_up", "routine", 0, NURSES, MONDAY_TEN)
    assert (routine.tell, routine.phone, routine.rung) == (("deputy",), "", 1)
    urgent = next_step(book, "any", "urgent", 0, NURSES, MONDAY_TEN)
    assert (urgent.tell, urgent.rung) == (("deputy",), 0)
    emergency = next_step(book, "emergency", "emergency", 0, NURSES, MONDAY_TEN)
    assert (emergency.tell, emergency.phone, emergency.rung) == (("deputy",), "duty_desk", 0)
    # and its telephone is not rung while another one is answered
    assert next_step(book, "follow_up", "routine", 3, NURSES, MONDAY_TEN).phone == "duty_desk"
    # back on the day after the last one, on London's clock
    back = datetime(2026, 3, 7, 0, 1, tzinfo=UTC)
    assert next_step(book, "follow_up", "routine", 0, NURSES, back).tell == ("team",)


def test_a_deputy_or_a_lead_who_is_away_is_passed_over_and_a_team_of_whom_all_are_is_away(edited: Path) -> None:
    away(edited, "dipa.nurse")
    book = load_ladders(edited, TEAMS)
    assert next_step(book, "follow_up", "routine", 1, NURSES, MONDAY_TEN).tell == ("lead",)
    change(edited, "away: [", "away: [{who: carys.nurse, first_day: 2026-03-02, last_day: 2026-03-02}, ")
    book = load_ladders(edited, TEAMS)
    step = next_step(book, "follow_up", "routine", 0, NURSES, MONDAY_TEN)
    assert (step.tell, step.phone, step.rung) == ((), "duty_desk", 3)
    # whoever is away, an emergency reaches a telephone
    step = next_step(book, "emergency", "emergency", 0, NURSES, MONDAY_TEN)
    assert (step.tell, step.phone) == ((), "duty_desk")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("away: []", "away: [{who: nobody, first_day: 2026-03-02, last_day: 2026-03-06}]", "no team or person nobody"),
        ("away: []", "away: [{who: duty_desk, first_day: 2026-03-06, last_day: 2026-03-02}]", "back before they go"),
        ("  duty_desk: {staffed", "  night_desk: {staffed: always}\n  duty_desk: {staffed", "has no such team"),
        ("alerts_a_day: 20", "alerts_a_day: -1", "greater than or equal to 0"),
    ],
)
def test_a_desk_or_an_absence_that_the_teams_file_does_not_know_is_refused(
    edited: Path, old: str, new: str, said: str
) -> None:
    change(edited, old, new)
    with pytest.raises(GuidelineError, match=rf"{FILE}:\d+: .*{said}"):
        load_ladders(edited, TEAMS)


def test_the_houses_own_ladders_fit_its_own_teams_file() -> None:
    assert load_ladders(GUIDELINES, TEAMS).alerts_a_day > 0


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

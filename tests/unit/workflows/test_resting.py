"""What a death and a transfer set aside, alone and one upon the other, and what is given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from workflows import endings, planning, resting
from workflows.effects import take_back, take_effect
from workflows.messages import (
    Actor,
    Applied,
    Closing,
    Entry,
    GuidelinePin,
    OpenItem,
    PathwayState,
    Plan,
    PlannedItem,
    Report,
    TrackItem,
)

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
NURSE = Actor("nurse", "key_worker", "breast_care_nurses")
DIED = {"identity_checked": "nhs_number_and_name", "confirmed_with": "the ward", "died_on": "2026-03-01"}
MISTAKE = {"mistake": "namesake", "reason": "another person"}
OFFER = {"transfer_id": "t1", "to_organisation": "Anytown", "reason": "moved", "accepted_by": "Dr A"}


def a_state(*keys: str) -> PathwayState:
    state = PathwayState("p1", GuidelinePin("cg81", "2026-06-30", "0" * 64), opened=True)
    for key in keys:
        kind = key.split("|")[1] if key.startswith("track|") else "recommendation"
        state.items[key] = OpenItem(key, key, kind, f"Task {key}", "oncology", "2026-03-05", NOW)
    return state


def reported(kind: str, event: dict[str, Any] | None = None, **more: Any) -> Report:
    return Report(f"key-{kind}", "a" * 64, kind, event or {}, [], NURSE, NOW, **more)


def filed(state: PathwayState, kind: str, event: dict[str, Any] | None = None, **more: Any) -> list[str]:
    """Accept and file one report as the pathway does; return the keys that stand again or open."""
    report = reported(kind, event, **more)
    state.seq += 1
    take_effect(state, report)
    return settled(state, report, [], [])


def settled(state: PathwayState, report: Report, moved: list[TrackItem], closed: list[Closing]) -> list[str]:
    opening, closing = endings.moves(state, report, moved, closed)
    entry = Entry(state.seq, NOW, f"e{state.seq}", report)
    due = NOW + timedelta(days=2)
    planned = [
        PlannedItem(t.key, t.kind, t.title, t.reason, t.owner_role, t.owner_team, "2026-03-03", due, t.urgency)
        for t in opening
    ]
    by_rule = PlannedItem("cg81|new", "recommendation", "By a rule", "", "oncology", "", "2026-03-03", due)
    changed = planning.changes(state, entry, Plan("ev", [*planned, by_rule], []), closing)
    return [item.key for item in planning.take_over(state, entry, changed, Applied({}))]


def test_after_a_verified_death_only_what_it_asks_for_is_open() -> None:
    state = a_state("cg81|1", "track|appointment|a", "track|yellow_card|y", "track|result_to_read|r")
    filed(state, "death_reported", {"reported_by": "gp"})
    filed(state, "death_verified", DIED)
    open_keys = {"track|yellow_card|y", "track|result_to_read|r", "track|death|family", "track|death|arrangements"}
    assert set(state.items) & {"cg81|1", "track|appointment|a"} == set()
    assert {item.key for item in state.items.values()} == open_keys
    # a mistake gives everything back as it stood, and takes the family's path away
    back = filed(state, "death_withdrawn", MISTAKE)
    assert set(back) >= {"cg81|1", "track|appointment|a"}
    assert state.items["cg81|1"].due_at == NOW
    assert not [key for key in state.items if "death" in key]
    assert (state.resting, state.held, state.suppressed) == ({}, [], [])


def test_a_transfer_sets_only_the_guidelines_tasks_aside() -> None:
    state = a_state("cg81|1", "track|appointment|a")
    filed(state, "transfer_offered", OFFER)
    assert "cg81|1" in state.items
    filed(state, "transfer_accepted", OFFER)
    assert {item.key for item in state.items.values()} == {"track|appointment|a"}
    filed(state, "transfer_declined", OFFER)
    assert {"cg81|1", "track|appointment|a"} <= set(state.items)


def test_a_death_upon_a_transfer_gives_back_only_what_it_took() -> None:
    state = a_state("cg81|1", "track|appointment|a")
    filed(state, "transfer_offered", OFFER)
    filed(state, "transfer_accepted", OFFER)
    filed(state, "death_reported", {"reported_by": "gp"})
    filed(state, "death_verified", DIED)
    # when the transfer falls through meanwhile, its tasks still rest
    filed(state, "transfer_declined", OFFER)
    assert "cg81|1" not in state.items
    filed(state, "death_withdrawn", MISTAKE)
    assert {"cg81|1", "track|appointment|a"} <= set(state.items)
    assert "track|transfer|t1|next" in {item.key for item in state.items.values()}


def test_what_was_dealt_with_meanwhile_does_not_stand_again_and_what_came_does() -> None:
    state = a_state("cg81|1", "track|follow_up|f")
    filed(state, "death_reported", {"reported_by": "gp"})
    filed(state, "death_verified", DIED)
    report = reported("referral_accepted", {"referral_id": "r"})
    late = TrackItem("track|contact", "referral", "Make first contact", "accepted", promise="x")
    settled(state, report, [late], [Closing("track|follow_up|f", "done", "booked")])
    assert [item.key for item in state.held] == ["track|contact"]
    filed(state, "death_withdrawn", MISTAKE)
    assert {item.key for item in state.items.values()} >= {"cg81|1", "track|contact"}
    assert "track|follow_up|f" not in state.items


def test_an_emergency_opens_although_a_death_is_verified() -> None:
    state = a_state()
    filed(state, "death_reported", {"reported_by": "gp"})
    filed(state, "death_verified", DIED)
    alarm = TrackItem("track|red-flag|x", "red_flag", "See her now", "", promise="red_flag", urgency="emergency")
    assert "track|red-flag|x" in settled(state, reported("symptom_reported"), [alarm], [])


def test_a_death_within_thirty_days_of_treatment_is_reviewed_and_an_unknown_end_is_looked_up() -> None:
    for ended, asked in (("2026-02-10", True), ("2026-01-01", False), ("", True)):
        state = a_state()
        state.lines = {"l1": "ended"}
        state.line_ends = {"l1": ended} if ended else {}
        filed(state, "death_reported", {"reported_by": "gp"})
        filed(state, "death_verified", DIED)
        reviews = [item for item in state.items.values() if item.kind == "treatment_death_review"]
        assert bool(reviews) is asked, ended


def test_the_last_task_of_a_pathway_at_rest_is_to_close_it() -> None:
    state = a_state("cg81|1")
    filed(state, "transfer_offered", OFFER)
    assert filed(state, "transfer_accepted", OFFER) == ["track|close"]
    assert filed(state, "symptom_reported") == [], "it is asked once"


def test_a_death_that_could_not_be_filed_stays_silent_and_can_be_reported_again() -> None:
    state = a_state()
    report = reported("death_reported", {"reported_by": "gp"})
    take_effect(state, report)
    take_back(state, report)
    assert (state.death.status, state.suppressed) == ("", [resting.DEATH])
    # of the others each is undone
    state.lines = {"l1": "started"}
    filed(state, "death_reported", {"reported_by": "gp"})
    verified = reported("death_verified", DIED)
    take_effect(state, verified)
    assert state.lines == {"l1": "ended"}
    take_back(state, verified)
    assert (state.lines, state.death.status) == ({"l1": "started"}, "reported")
    withdrawn = reported("death_withdrawn", MISTAKE)
    take_effect(state, withdrawn)
    take_back(state, withdrawn)
    assert (state.death.status, state.suppressed) == ("reported", [resting.DEATH])
    out = reported("opted_out", {"scope": "messages", "words": "no"})
    take_effect(state, out)
    take_back(state, out)
    assert state.suppressed == [resting.DEATH]


def test_an_emergency_of_the_guideline_opens_although_the_pathway_rests() -> None:
    state = a_state()
    filed(state, "death_reported", {"reported_by": "family"})
    filed(state, "death_verified", DIED)
    due = NOW + timedelta(hours=24)
    fresh = [
        PlannedItem("urgent|cord", "emergency", "Ring now", "", "oncology", "", "2026-03-02", due, "emergency"),
        PlannedItem("cg81|new", "recommendation", "By a rule", "", "oncology", "", "2026-03-03", due),
    ]
    assert [item.key for item in resting.wanted(state, None, fresh)] == ["urgent|cord"]


def test_what_is_said_of_the_living_after_a_recorded_death_puts_it_in_doubt() -> None:
    state = a_state()
    filed(state, "death_reported", {"reported_by": "family"})
    filed(state, "death_verified", DIED)
    # what happened on the day of the death or before puts nothing in doubt
    before = reported("symptom_reported")
    assert resting.in_doubt(state, before) == []
    after = replace(before, occurred_at=NOW + timedelta(days=1))
    assert [item.kind for item in resting.in_doubt(state, after)] == ["death_in_doubt"]
    state.seq += 1
    assert resting.DOUBT in settled(state, after, [], [])
    assert resting.DOUBT in {item.key for item in state.items.values()}
    # when the death is withdrawn, the question is answered
    filed(state, "death_withdrawn", MISTAKE)
    assert resting.DOUBT not in {item.key for item in state.items.values()}

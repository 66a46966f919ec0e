"""Comparing a plan with what is open, and who is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from workflows import imports, planning, telling, tracks
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
    ReferralRef,
    Report,
)

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
NURSE = Actor("nurse", "key_worker", "breast_care_nurses")


def a_state(*items: OpenItem) -> PathwayState:
    state = PathwayState("p1", GuidelinePin("cg81", "2026-06-30", "0" * 64), opened=True)
    state.items = {item.item_id: item for item in items}
    return state


def an_item(item_id: str = "i1", key: str = "k1") -> OpenItem:
    return OpenItem(item_id, key, "recommendation", "Assess needs", "breast_care_nurses", "2026-03-05", NOW)


def planned(key: str) -> PlannedItem:
    due = NOW + timedelta(days=9)
    return PlannedItem(key, "recommendation", "Assess needs", "because", "key_worker", "", "2026-03-10", due)


def an_entry(kind: str, **event: object) -> Entry:
    return Entry(7, NOW, "e7", Report("key", "a" * 64, kind, dict(event), [], NURSE, NOW))


def test_what_stays_wanted_keeps_its_clock() -> None:
    state = a_state(an_item())
    changed = planning.changes(state, an_entry("symptom_reported"), Plan("ev", [planned("k1")], []), [])
    assert (changed.open, changed.close, changed.move) == ([], {}, {})


def test_a_task_that_is_closed_and_wanted_again_is_a_new_one() -> None:
    state = a_state(an_item())
    entry = an_entry("appointment_moved")
    closing = [Closing("k1", "replaced", "moved")]
    changed = planning.changes(state, entry, Plan("ev", [planned("k1")], []), closing)
    opened = planning.take_over(state, entry, changed, Applied({}))
    assert list(changed.close) == ["i1"]
    assert [item.key for item in opened] == ["k1"]
    assert "i1" not in state.items


def test_a_task_that_was_put_off_keeps_its_identity_and_gets_the_new_date() -> None:
    state = a_state(an_item())
    entry = an_entry("item_deferred", item_id="i1", until="2026-03-10", reason="on holiday")
    changed = planning.changes(state, entry, Plan("ev", [planned("k1")], []), [])
    planning.take_over(state, entry, changed, Applied({}))
    assert state.items["i1"].due_on == "2026-03-10"


def test_one_closing_for_each_task_the_first_reason_counts() -> None:
    state = a_state(an_item())
    closing = [Closing("k1", "done", "by a person")]
    plan = Plan("ev", [], [Closing("k1", "withdrawn", "by the planner")])
    changed = planning.changes(state, an_entry("item_completed"), plan, closing)
    assert [c.reason for c in changed.close.values()] == ["by a person"]


def test_closing_a_pathway_withdraws_all_and_opens_nothing_more() -> None:
    state = a_state(an_item())
    entry = an_entry("pathway_closed", reason="moved")
    changed = planning.changes(state, entry, Plan("ev", [planned("k2")], []), [])
    planning.take_over(state, entry, changed, Applied({}))
    assert not state.items
    late = planning.changes(state, an_entry("referral_closed"), Plan("ev", [planned("k3")], []), [])
    assert late.open == []


def test_each_team_with_something_new_gets_one_notice_with_an_id_that_never_changes() -> None:
    entry = an_entry("progression_reported")
    opened = [an_item("i1", "k1"), an_item("i2", "k2")]
    first = telling.notices("p1", entry, Plan("ev", [planned("k1")], []), opened, ["f1"])
    again = telling.notices("p1", entry, Plan("ev", [planned("k1")], []), opened, ["f1"])
    assert first == again
    assert [(n.team, n.template, len(n.lines)) for n in first] == [("breast_care_nurses", "progression_reported", 2)]


def test_news_is_told_to_the_key_worker_even_without_a_task() -> None:
    told = telling.notices("p1", an_entry("referral_acknowledged", taken_by="Dr P"), Plan("ev", [], []), [], [])
    assert [(n.team, n.values.get("taken_by")) for n in told] == [("breast_care_nurses", "Dr P")]


def test_a_referral_is_never_between_two_chairs() -> None:
    event = {"referral_id": "r1", "to_team": "palliative_care", "taken_by": "Dr P", "reason": "full", "outcome": "x"}
    for kind in ("drafted", "agreed", "sent", "acknowledged", "accepted", "declined"):
        report = Report("key", "a" * 64, f"referral_{kind}", event, [], NURSE, NOW)
        opened, _ = tracks.moves(report, ReferralRef(kind, "breast_care_nurses", "palliative_care"))
        assert opened, kind
        assert all(item.owner_team or item.owner_role for item in opened), kind
        assert all(item.promise for item in opened), kind


def test_an_urgent_referral_is_urgent_at_every_step() -> None:
    event = {"referral_id": "r1", "to_team": "palliative_care"}
    report = Report("key", "a" * 64, "referral_sent", event, [], NURSE, NOW)
    [item], _ = tracks.moves(report, ReferralRef("sent", "breast_care_nurses", "palliative_care", "urgent"))
    assert (item.urgency, item.promise) == ("urgent", "referral_acknowledged_urgent")


CHECK = OpenItem(
    "c1", "track|import-check", imports.CHECK, "Check this person", "breast_care_nurses", "2026-03-05", NOW
)


def importing(state: PathwayState, *items: PlannedItem) -> planning.Changes:
    check = planned("track|import-check")
    entry = an_entry(imports.KIND, imported_on="2026-03-01")
    changed = planning.changes(state, entry, Plan("ev", [*items, replace(check, kind=imports.CHECK)], []), [])
    planning.take_over(state, entry, changed, Applied({}))
    return changed


def test_an_import_opens_its_check_and_emergencies_and_holds_the_rest_back() -> None:
    state = a_state()
    emergency = replace(planned("k2"), urgency="emergency")
    changed = importing(state, planned("k1"), emergency, planned("chase|er_status+ecog||"))
    assert [item.key for item in changed.open] == ["k2", "track|import-check"]
    assert state.waiting_for_check == ["chase|er_status+ecog||", "k1"]


def test_what_happens_while_the_check_is_open_opens_and_what_was_held_back_does_not() -> None:
    state = a_state(CHECK)
    state.waiting_for_check = ["k1", "chase|er_status+ecog||"]
    asked = [planned("k1"), planned("k3"), planned("chase|ecog||"), planned("chase|ecog+bone_mets||")]
    changed = planning.changes(state, an_entry("progression_reported"), Plan("ev", asked, []), [])
    assert [item.key for item in changed.open] == ["k3", "chase|ecog+bone_mets||"]
    assert changed.held == state.waiting_for_check


def test_when_the_check_is_done_all_that_waited_opens() -> None:
    state = a_state(CHECK)
    state.waiting_for_check = ["k1"]
    done = [Closing(CHECK.key, "done", "Read.")]
    entry = an_entry("item_completed", item_id="c1", outcome="Read.")
    changed = planning.changes(state, entry, Plan("ev", [planned("k1")], []), done)
    planning.take_over(state, entry, changed, Applied({}))
    assert ([item.key for item in changed.open], state.waiting_for_check) == (["k1"], [])


def test_a_second_import_keeps_the_check_that_is_open_and_holds_back_what_it_brings() -> None:
    state = a_state(CHECK)
    state.waiting_for_check = ["k1"]
    changed = importing(state, planned("k1"), planned("k5"))
    assert (changed.open, state.waiting_for_check) == ([], ["k1", "k5"])


def test_lines_that_were_taken_over_are_checked_ahead_and_never_for_the_time_before() -> None:
    state = a_state()
    course = {"setting": "advanced", "stop_reason": "ongoing", "started_on": "2025-03-01"}
    stated = {"line_id": "l1", "course": course, "response_check_weeks": 9}
    entry = an_entry(imports.KIND, lines=[stated, {"line_id": "l2", "course": course}])
    assert entry.report is not None
    imports.take_effect(state, entry.report)
    rhythm, plain = imports.running(state, entry.report, NOW)
    assert NOW - timedelta(weeks=9) < rhythm.counted_from <= NOW < rhythm.counted_from + timedelta(weeks=9)
    assert (plain.counted_from, plain.check_weeks) == (NOW, 0)
    # when the list says later that one ended, then that one is told, and only that
    over = an_entry(imports.KIND, lines=[{**stated, "course": {**course, "stop_reason": "toxicity"}}])
    assert over.report is not None
    imports.take_effect(state, over.report)
    assert imports.ended(state, over.report) == [("l1", "toxicity")]
    imports.take_back(state, over.report)
    assert state.lines == {"l1": "started", "l2": "started"}


def test_an_import_that_cannot_be_filed_leaves_nothing_behind() -> None:
    state = a_state()
    state.opened = False
    course = {"setting": "advanced", "stop_reason": "ongoing"}
    entry = an_entry(
        imports.KIND, lines=[{"line_id": "l1", "course": course}], next_appointment={"appointment_id": "a1"}
    )
    assert entry.report is not None
    opening = replace(entry.report, guideline="cg81@2026-06-30")
    imports.take_effect(state, opening)
    assert (state.opened, state.lines, state.appointments) == (True, {"l1": "started"}, {"a1": "booked"})
    imports.take_back(state, opening)
    assert (state.opened, state.lines, state.appointments) == (False, {}, {})

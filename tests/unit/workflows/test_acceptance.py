"""What may be reported in which state; every refusal says what to do."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from workflows import names
from workflows.effects import take_effect
from workflows.messages import Actor, Entry, GuidelinePin, OpenItem, PathwayState, Receipt, Report, Seen
from workflows.rules_of_acceptance import forget_old_keys, refusal, seen_otherwise

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
REFERRAL = {"referral_id": "r1", "to_team": "palliative_care"}
APPOINTMENT = {"appointment_id": "a1"}
LINE = {"line_id": "l1"}
AGREED = {"outcome": "OUTCOME_ACCEPTED", "option": "x"}
TREATMENT = {"decision_made": "agreed"}


def a_state() -> PathwayState:
    return PathwayState("p1", GuidelinePin("cg81", "2026-06-30", "0" * 64), opened=True)


def a_report(kind: str, event: dict[str, Any] | None = None) -> Report:
    actor = Actor("nurse", "key_worker", "breast_care_nurses")
    treatment = TREATMENT.get(kind, "")
    return Report(str(uuid.uuid4()), "a" * 64, kind, event or {}, [], actor, NOW, treatment=treatment)


def after(*reports: Report) -> PathwayState:
    state = a_state()
    for report in reports:
        assert refusal(state, report) is None, report.kind
        take_effect(state, report)
    return state


@pytest.mark.parametrize(
    ("before", "report"),
    [
        ([("pathway_closed", {"reason": "moved"})], ("symptom_reported", {})),
        ([], ("pathway_opened", {})),
        ([], ("therapy_line_started", LINE)),
        ([("decision_made", AGREED), ("therapy_line_started", LINE)], ("therapy_line_started", {"line_id": "l2"})),
        ([], ("therapy_line_ended", LINE)),
        ([], ("response_assessed", LINE)),
        ([("referral_drafted", REFERRAL)], ("referral_sent", REFERRAL)),
        ([("referral_drafted", REFERRAL)], ("referral_drafted", REFERRAL)),
        ([("referral_drafted", REFERRAL), ("referral_agreed", REFERRAL)], ("referral_agreed", REFERRAL)),
        ([], ("referral_agreed", REFERRAL)),
        ([], ("appointment_moved", APPOINTMENT)),
        ([("appointment_booked", APPOINTMENT)], ("appointment_booked", APPOINTMENT)),
        (
            [("appointment_booked", APPOINTMENT), ("appointment_missed", APPOINTMENT)],
            ("appointment_attended", APPOINTMENT),
        ),
        ([], ("item_completed", {"item_id": "i1"})),
    ],
)
def test_what_cannot_be_now_is_refused_in_a_sentence(
    before: list[tuple[str, dict[str, Any]]], report: tuple[str, dict[str, Any]]
) -> None:
    state = after(*(a_report(*made) for made in before))
    refused = refusal(state, a_report(*report))
    assert refused is not None
    assert len(refused.message) > 20


def test_a_whole_referral_may_be_reported_in_order() -> None:
    steps = ("drafted", "agreed", "sent", "delivered", "acknowledged", "accepted", "first_contact")
    state = after(*(a_report(f"referral_{step}", REFERRAL) for step in steps))
    assert state.referrals["r1"].status == "first_contact"
    assert state.referrals["r1"].from_team == "breast_care_nurses"


def test_a_line_follows_a_decision_and_the_next_line_another() -> None:
    state = after(a_report("decision_made", AGREED), a_report("therapy_line_started", LINE))
    assert state.lines == {"l1": "started"}
    assert not state.treatment_agreed


@pytest.mark.parametrize("kind", ["chase", "follow_on", "decision", "review", "response_check", "referral"])
def test_tasks_that_close_by_a_report_cannot_be_ticked_off(kind: str) -> None:
    state = a_state()
    state.items["i1"] = OpenItem("i1", "k", kind, "t", "oncology", "2026-03-05", NOW)
    assert refusal(state, a_report("item_completed", {"item_id": "i1"})) is not None
    assert refusal(state, a_report("item_deferred", {"item_id": "i1"})) is None


def test_a_recommendation_can_be_done() -> None:
    state = a_state()
    state.items["i1"] = OpenItem("i1", "k", "recommendation", "t", "oncology", "2026-03-05", NOW)
    assert refusal(state, a_report("item_completed", {"item_id": "i1"})) is None


def test_an_emergency_is_not_put_off_or_booked_away_and_a_clinician_says_when_it_is_over() -> None:
    state = a_state()
    state.items["i1"] = OpenItem("i1", "k", "emergency", "t", "breast_care_nurses", "2026-03-05", NOW, "emergency")
    about = {"item_id": "i1"}
    for kind in ("item_taken", "item_handed_over", "item_escalated"):
        assert refusal(state, a_report(kind, about)) is None
    for kind in ("item_deferred", "item_attempted", "appointment_booked"):
        assert refusal(state, a_report(kind, about)) is not None
    done = a_report("item_completed", about)
    assert refusal(state, done) is None
    by_radiology = replace(done, actor=Actor("r", "radiologist", "radiology"))
    refused = refusal(state, by_radiology)
    assert refused is not None
    assert refused.code == names.NOT_ALLOWED


@pytest.mark.parametrize(("kind", "closes"), [("follow_up", True), ("next_contact", True), ("decision", False)])
def test_a_booking_closes_only_what_waits_for_one(kind: str, closes: bool) -> None:
    state = a_state()
    state.items["i1"] = OpenItem("i1", "k", kind, "t", "coordination", "2026-03-05", NOW)
    booked = a_report("appointment_booked", {"appointment_id": "a1", "item_id": "i1"})
    assert (refusal(state, booked) is None) is closes


@pytest.mark.parametrize(
    "under_way",
    [
        [("referral_drafted", REFERRAL), ("referral_agreed", REFERRAL), ("referral_sent", REFERRAL)],
        [("decision_made", AGREED), ("therapy_line_started", LINE)],
    ],
)
def test_a_pathway_is_not_closed_over_what_is_under_way(under_way: list[tuple[str, dict[str, Any]]]) -> None:
    state = after(*(a_report(*made) for made in under_way))
    refused = refusal(state, a_report("pathway_closed", {"reason": "moved"}))
    assert refused is not None
    assert "then" in refused.message


def test_a_pathway_is_not_closed_over_an_open_task_but_for_the_next_contact() -> None:
    state, closing = a_state(), a_report("pathway_closed", {"reason": "moved"})
    for number in range(5):
        state.items[f"i{number}"] = OpenItem(f"i{number}", f"k{number}", "chase", f"Task {number}", "o", "", NOW)
    state.items["e"] = OpenItem("e", "k", "red_flag", "See her now", "o", "", NOW, "emergency")
    state.items["n"] = OpenItem("n", "n", "next_contact", "Plan the next contact", "o", "", NOW)
    refused = refusal(state, closing)
    assert refused is not None
    assert "'See her now'; 'Task 0'; 'Task 1'; and 3 more" in refused.message
    state.items = {"n": state.items["n"]}
    assert refusal(state, closing) is None
    state.queue = [Entry(1, NOW, "e")]
    refused = refusal(state, closing)
    assert refused is not None
    assert refused.code == names.QUEUE_FULL


def test_a_full_queue_refuses_and_says_that_nothing_was_taken() -> None:
    state = a_state()
    state.queue = [Entry(n, NOW, str(n)) for n in range(state.settings.queue_limit)]
    refused = refusal(state, a_report("symptom_reported"))
    assert refused is not None
    assert refused.code == names.QUEUE_FULL


def test_a_task_that_may_still_be_on_its_way_is_asked_for_again_later() -> None:
    state, done = a_state(), a_report("item_completed", {"item_id": "i1", "outcome": "Rang her."})
    refused = refusal(state, done)
    assert refused is not None
    assert refused.code == "not_found"
    state.queue = [Entry(1, NOW, "e")]
    refused = refusal(state, done)
    assert refused is not None
    assert refused.code == names.QUEUE_FULL


def test_a_key_is_refused_with_another_body_only() -> None:
    state, report = a_state(), a_report("symptom_reported")
    state.seen[report.key] = Seen(report.request_hash, Receipt(1, "e", NOW))
    assert seen_otherwise(state, report) is None
    refused = seen_otherwise(state, replace(report, request_hash="b" * 64))
    assert refused is not None
    assert refused.code == names.KEY_REUSED


def test_keys_that_wait_to_be_filed_are_never_forgotten() -> None:
    state = a_state()
    waiting = a_report("symptom_reported")
    state.queue = [Entry(1, NOW, "e", waiting)]
    state.seen = {waiting.key: Seen("a" * 64, Receipt(1, "e", NOW))}
    for number in range(200):
        state.seen[str(number)] = Seen("a" * 64, Receipt(number, "e", NOW))
    state.seen = dict(sorted(state.seen.items()))  # as a new run reads them back
    forget_old_keys(state)
    assert waiting.key in state.seen
    assert "199" in state.seen
    assert "0" not in state.seen


def test_the_newest_decision_on_treatment_counts() -> None:
    state = after(a_report("decision_made", AGREED))
    take_effect(state, replace(a_report("decision_made", {"outcome": "OUTCOME_DECLINED"}), treatment="not_agreed"))
    assert refusal(state, a_report("therapy_line_started", LINE)) is not None


def test_a_decision_about_something_else_starts_no_treatment() -> None:
    state = after(replace(a_report("decision_made", AGREED), treatment=""))
    assert refusal(state, a_report("therapy_line_started", LINE)) is not None

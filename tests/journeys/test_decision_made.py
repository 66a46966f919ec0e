"""Decision made: taken up, turned down with a reason, or put off to a date; always with the person's view."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, ONCOLOGIST, Door, House, fact
from tests.journeys.stories import (
    a_day,
    accepted,
    diagnosed,
    how_closed,
    new_id,
    numbers,
    of_kind,
    refused,
    started,
    the,
    tired,
)

DECISION = events_pb2.DecisionMade


async def test_an_accepted_option_closes_the_decision_and_asks_for_the_start(door: Door) -> None:
    # given a decision on systemic treatment that is due
    patient = await diagnosed(door)
    due = the(await door.patient(patient), "1.6.1")
    assert (due.kind, due.owner_team) == ("decision", "oncology")
    # when a clinician records what was chosen, with the person's view
    state = await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    # then the decision is done, kept with what it rested on, and the next step is somebody's
    kept = state.decisions[0]
    assert (kept.outcome, kept.option, kept.departure, bool(kept.fact_ids)) == (
        "accepted",
        "ribociclib_ai",
        False,
        True,
    )
    assert kept.person_view.startswith("She wants tablets")
    assert [status for status, _ in await how_closed(door, patient, "1.6.1")] == ["done"]
    assert the(state, "1.7.16", "follow_on").title == "Start the agreed treatment"


async def test_a_recommendation_turned_down_is_a_departure_and_is_not_proposed_again(door: Door) -> None:
    # given a tired person who is offered an exercise programme
    state = await tired(door)
    patient = state.person.patient_id
    assert "1.10.3" in numbers(state)
    no = DECISION(number="1.10.3", outcome=DECISION.OUTCOME_DECLINED, person_view="No classes.")
    # when it is turned down without a reason, then the reason is asked for
    refusal = await refused(door.report(NURSE, "MakeDecision", patient, no))
    assert [v.field for v in refusal.violations] == ["decision_made.reason"]
    # when it is turned down with one
    no.reason_code, no.reason = "person_preference", "She walks every day already."
    state = await door.told(NURSE, "MakeDecision", patient, no)
    # then that is recorded as a departure, and the task is gone
    assert [(d.number, d.outcome, d.departure) for d in state.decisions] == [("1.10.3", "declined", True)]
    assert "1.10.3" not in numbers(state)
    # when something else is reported, then it is not proposed again
    news = events_pb2.ResultReceived(investigation="Blood count")
    state = await door.told(NURSE, "ReceiveResult", patient, news, facts=[fact("neutrophils", 4.1)])
    assert "1.10.3" not in numbers(state)
    assert {"1.10.1", "1.10.2"} <= numbers(state)


async def test_a_decision_that_is_put_off_says_until_when(door: Door) -> None:
    # given a recommendation that can wait
    state = await tired(door)
    patient = state.person.patient_id
    later = DECISION(
        number="1.10.3",
        outcome=DECISION.OUTCOME_DEFERRED,
        person_view="After the summer.",
        reason_code="person_preference",
        reason="She wants to see first how the tablets go.",
    )
    # when no date is given, then it is asked for
    refusal = await refused(door.report(NURSE, "MakeDecision", patient, later))
    assert [v.field for v in refusal.violations] == ["decision_made.review_on"]
    # when there is one, then the task waits for that day
    later.review_on = a_day(30)
    state = await door.told(NURSE, "MakeDecision", patient, later)
    assert [(d.outcome, d.review_on, d.departure) for d in state.decisions] == [("deferred", a_day(30), False)]
    assert "1.10.3" not in numbers(state)


async def test_only_a_clinician_decides_and_a_caution_is_nothing_to_decide_about(door: Door) -> None:
    patient = await diagnosed(door)
    refusal = await refused(door.report(COORDINATOR, "MakeDecision", patient, accepted()))
    assert refusal.category is Category.NOT_ALLOWED
    for number in ("1.5.3", "9.9.9"):  # a guard; no recommendation at all
        refusal = await refused(door.report(ONCOLOGIST, "MakeDecision", patient, accepted(number)))
        assert [v.field for v in refusal.violations] == ["decision_made.number"]


async def test_a_changed_mind_keeps_both_and_the_newer_one_holds(door: Door, house: House) -> None:
    # given a decision to treat
    patient = await diagnosed(door)
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    # when she changes her mind before it starts
    no = DECISION(number="1.7.16", outcome=DECISION.OUTCOME_DECLINED, person_view="I want to see my grandson first.")
    no.reason_code, no.reason = "person_preference", "She wants to wait until after the summer."
    state = await door.told(ONCOLOGIST, "MakeDecision", patient, no)
    # then both stand with her words, and the newer one holds: treatment does not start
    assert [(one.outcome, one.departure) for one in state.decisions] == [("accepted", False), ("declined", True)]
    assert not [item for item in of_kind(state, "follow_on") if item.title == "Start the agreed treatment"]
    refusal = await refused(door.report(ONCOLOGIST, "StartTherapyLine", patient, started(new_id())))
    assert "No decision about systemic treatment" in refusal.message
    shown = house.cli("patient", "show", patient, "--history").stdout
    assert "She wants tablets" in shown
    assert "I want to see my grandson first." in shown
    # when she changes it again, then it may start
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    state = await door.told(ONCOLOGIST, "StartTherapyLine", patient, started(new_id()))
    assert [line.status for line in state.therapy_lines] == ["ongoing"]
    assert len(state.decisions) == 3

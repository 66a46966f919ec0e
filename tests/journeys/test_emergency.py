"""Emergencies: they outrank everything, ask at once, reach two ways, and end only when a named clinician says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from handrail.clinical.v1 import events_pb2, terms_pb2
from tests.house import COORDINATOR, NURSE, ONCOLOGIST, Door, fact
from tests.journeys.stories import diagnosed, of_kind, refused

RING = "01632 960195 (Acute oncology and cord compression)"


async def reported(door: Door, patient: str, *facts: terms_pb2.ReportedFact, **values: Any) -> Any:
    event = events_pb2.SymptomReported(told_by="person")
    return await door.told(NURSE, "ReportSymptom", patient, event, facts=list(facts), **values)


async def test_weak_legs_ring_the_coordinator_now_and_count_from_when_they_were_first_noticed(door: Door) -> None:
    # given somebody whose legs have been weak since five hours ago
    patient = await diagnosed(door)
    noticed = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=5)
    # when it is typed only now
    state = await reported(door, patient, fact("new_limb_weakness", True), occurred_at=noticed)
    # then the task says whom to ring, and the day for the MRI began five hours ago
    (item,) = of_kind(state, "emergency")
    assert (item.number, item.owner_team, item.urgency) == ("U-MSCC-A", "oncology", "emergency")
    assert RING in item.title
    assert item.due_at.ToDatetime(tzinfo=UTC) == noticed + timedelta(hours=24)
    # then two ways are gone at once: the owner's mail, and a telephone task at a staffed desk
    state = await door.until(patient, lambda s: of_kind(s, "phone_task"), "somebody is to ring")
    assert [call.owner_team for call in of_kind(state, "phone_task")] == ["duty_desk"]
    await door.quiet(patient)
    told = {(message.template, message.team) for message in await door.messages(patient)}
    assert {("symptom_reported", "oncology"), ("phone_task", "duty_desk")} <= told
    # when the same is reported again, then it is the same task, with the same clock
    state = await reported(door, patient, fact("new_gait_disturbance", True))
    assert [(one.item_id, one.due_at) for one in of_kind(state, "emergency")] == [(item.item_id, item.due_at)]


async def test_no_correction_no_plan_and_no_clerk_ends_an_emergency_and_a_new_finding_opens_another(
    door: Door,
) -> None:
    # given an emergency
    patient = await diagnosed(door)
    state = await reported(door, patient, fact("new_limb_weakness", True))
    (item,) = of_kind(state, "emergency")
    # when the finding was a slip of the pen
    wrong = next(held for held in state.facts if held.name == "new_limb_weakness")
    corrected = events_pb2.FactCorrected(
        fact_id=wrong.fact_id, value=terms_pb2.FactValue(flag=False), reason="It was another person."
    )
    state = await door.told(NURSE, "CorrectFact", patient, corrected)
    # then the task stands until a clinician ends it, and a coordinator cannot
    assert [one.item_id for one in of_kind(state, "emergency")] == [item.item_id]
    over = events_pb2.ItemCompleted(item_id=item.item_id, outcome="Seen; legs are strong; another person was meant.")
    assert "A clinician" in (await refused(door.report(COORDINATOR, "CompleteItem", patient, over))).message
    await door.until(patient, lambda s: of_kind(s, "phone_task"), "somebody is to ring")
    state = await door.told(NURSE, "CompleteItem", patient, over)
    # then nobody need be rung either
    assert not of_kind(state, "emergency") + of_kind(state, "phone_task")
    # when it happens after all, then it is an emergency again
    state = await reported(door, patient, fact("new_limb_weakness", True))
    assert [one.number for one in of_kind(state, "emergency")] == ["U-MSCC-A"]


async def test_unwell_with_nothing_known_of_chemotherapy_is_asked_at_once_and_the_answer_opens_the_emergency(
    door: Door,
) -> None:
    # given somebody unwell of whom nobody knows when the last chemotherapy was
    patient = await door.opened()
    state = await reported(door, patient, fact("unwell", True))
    (question,) = of_kind(state, "emergency")
    assert (question.number, question.owner_team) == ("U-NS", "breast_care_nurses")
    assert question.title.startswith("Ask now: ")
    assert RING in question.reason
    # when a nurse takes it on and finds out that it was last week
    await door.told(NURSE, "TakeItem", patient, events_pb2.ItemTaken(item_id=question.item_id))
    course = terms_pb2.TherapyCourse(setting="advanced", agents=["capecitabine"], stop_reason="ongoing")
    known = [
        fact("days_since_sact", 7),
        terms_pb2.ReportedFact(name="prior_therapy", value=terms_pb2.FactValue(therapy=course), subject="first"),
    ]
    result = events_pb2.ResultReceived(investigation="Telephone call")
    state = await door.told(ONCOLOGIST, "ReceiveResult", patient, result, facts=known)
    # then the question gave way to the emergency itself
    (item,) = of_kind(state, "emergency")
    assert (item.number, item.owner_team) == ("U-NS", "oncology")
    assert "Ring 01632 960195" in item.title
    closed = [one for one in await door.items(patient) if one.item_id == question.item_id]
    assert [one.status for one in closed] == ["replaced"]


async def test_two_rules_that_wait_for_the_same_answers_are_one_question(door: Door) -> None:
    # given pain in the spine that suggests metastases, and nothing known of the nerves
    patient = await door.opened()
    state = await reported(door, patient, fact("spinal_pain_suggestive", True))
    assert len(of_kind(state, "emergency")) == 1
    state = await reported(door, patient, fact("fatigue", "present"))
    assert len(of_kind(state, "emergency")) == 1
    # when the nerves are affected, then it is the emergency
    state = await reported(door, patient, fact("new_limb_weakness", True))
    assert [item.number for item in of_kind(state, "emergency")] == ["U-MSCC-A"]

"""Nobody is ever without a next step: whatever closes the last task, another one is open."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from handrail.clinical.v1 import events_pb2, terms_pb2
from services.runtime.context import Actor
from tests.house import COORDINATOR, NURSE, SCHEDULER, Door, fact
from tests.journeys.stories import refused

RADIOLOGIST = Actor("radiologist.test", "radiologist", "radiology")


async def quiet_person(door: Door) -> str:
    """Somebody with a key worker and nothing to do but to plan the next contact."""
    patient = await door.opened()
    named = events_pb2.KeyWorkerAssigned(person_id="carys.nurse")
    state = await door.told(NURSE, "AssignKeyWorker", patient, named)
    assert [item.kind for item in state.open_items] == ["next_contact"]
    return patient


async def test_after_the_appointment_was_kept(door: Door) -> None:
    patient = await quiet_person(door)
    appointment = str(uuid.uuid4())
    starts_at = (datetime.now(UTC) + timedelta(days=7)).isoformat(timespec="seconds")
    booked = events_pb2.AppointmentBooked(appointment_id=appointment, purpose="clinic", starts_at=starts_at)
    await door.told(COORDINATOR, "BookAppointment", patient, booked)
    attended = events_pb2.AppointmentAttended(appointment_id=appointment)
    state = await door.told(COORDINATOR, "RecordAttendance", patient, attended)
    assert [item.kind for item in state.open_items] == ["next_contact"]


async def test_after_the_next_contact_was_planned(door: Door) -> None:
    patient = await quiet_person(door)
    [item] = (await door.patient(patient)).open_items
    done = events_pb2.ItemCompleted(item_id=item.item_id, outcome="telephoned, she is well")
    state = await door.told(NURSE, "CompleteItem", patient, done)
    assert [(i.kind, i.item_id != item.item_id) for i in state.open_items] == [("next_contact", True)]


async def test_after_a_follow_up_was_dealt_with(door: Door) -> None:
    patient = await quiet_person(door)
    triggered = events_pb2.FollowUpTriggered(purpose="six-month review", occasion="2026-11")
    state = await door.told(SCHEDULER, "TriggerFollowUp", patient, triggered)
    [item] = [i for i in state.open_items if i.kind == "follow_up"]
    done = events_pb2.ItemCompleted(item_id=item.item_id, outcome="booked by telephone")
    state = await door.told(COORDINATOR, "CompleteItem", patient, done)
    assert [i.kind for i in state.open_items] == ["next_contact"]


async def test_a_red_flag_symptom_is_an_emergency_task_at_once(door: Door) -> None:
    patient = await quiet_person(door)
    symptom = events_pb2.SymptomReported(note="legs weak since this morning", told_by="person")
    state = await door.told(NURSE, "ReportSymptom", patient, symptom, facts=[fact("new_limb_weakness", True)])
    [item] = [i for i in state.open_items if i.kind == "emergency"]
    assert (item.urgency, item.owner_team) == ("emergency", "oncology")
    # it is not put off, not booked away, and a clinician says when it is over
    later = events_pb2.ItemDeferred(item_id=item.item_id, until=f"{datetime.now(UTC):%Y-%m-%d}", reason="Busy.")
    assert "not put off" in (await refused(door.report(NURSE, "DeferItem", patient, later))).message
    starts_at = (datetime.now(UTC) + timedelta(days=7)).isoformat(timespec="seconds")
    away = events_pb2.AppointmentBooked(
        appointment_id=str(uuid.uuid4()), purpose="clinic", starts_at=starts_at, item_id=item.item_id
    )
    assert "stays open" in (await refused(door.report(SCHEDULER, "BookAppointment", patient, away))).message
    seen = events_pb2.ItemCompleted(item_id=item.item_id, outcome="MRI today: no cord compression.")
    assert "A clinician" in (await refused(door.report(RADIOLOGIST, "CompleteItem", patient, seen))).message
    state = await door.told(NURSE, "CompleteItem", patient, seen)
    assert not [i for i in state.open_items if i.kind == "emergency"]


async def test_a_red_flag_in_any_report_and_in_a_correction_is_an_emergency_task(door: Door) -> None:
    patient = await quiet_person(door)
    result = events_pb2.ResultReceived(investigation="Examination")
    state = await door.told(NURSE, "ReceiveResult", patient, result, facts=[fact("svco_signs", False)])
    assert not [i for i in state.open_items if i.kind == "emergency"]
    wrong = next(held for held in state.facts if held.name == "svco_signs")
    right = events_pb2.FactCorrected(
        fact_id=wrong.fact_id, value=terms_pb2.FactValue(flag=True), reason="Swollen face and neck after all."
    )
    state = await door.told(NURSE, "CorrectFact", patient, right)
    assert [i.urgency for i in state.open_items if i.kind == "emergency"] == ["emergency"]
    state = await door.told(NURSE, "ReceiveResult", patient, result, facts=[fact("new_limb_weakness", True)])
    assert len([i for i in state.open_items if i.kind == "emergency"]) == 2

"""An appointment: booked, moved, missed, cancelled, attended; what is booked is always somebody's to follow up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from handrail.clinical.v1 import events_pb2
from services.pathway.due_dates import due_after_working_days
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, SCHEDULER, Door, fact
from tests.journeys.stories import a_day, new_id, of_kind, refused


async def booked(door: Door, **values: str) -> tuple[str, str, Any]:
    patient, appointment = await door.opened(), new_id()
    event = events_pb2.AppointmentBooked(
        appointment_id=appointment, purpose="Staging CT", starts_at=f"{a_day(7)}T09:30:00Z", place="Room 4", **values
    )
    state = await door.told(COORDINATOR, "BookAppointment", patient, event)
    return patient, appointment, state


PLAIN = {"purpose": "Review", "starts_at": f"{a_day(8)}T10:00:00Z"}


def again(item_id: str = "") -> events_pb2.AppointmentBooked:
    return events_pb2.AppointmentBooked(**PLAIN, appointment_id=new_id(), item_id=item_id)


async def test_a_booked_appointment_waits_for_its_outcome_and_attendance_closes_it(door: Door) -> None:
    # given a booked scan, whose outcome is coordination's to record on that day
    patient, appointment, state = await booked(door)
    assert [(a.appointment_id, a.status, a.purpose) for a in state.appointments] == [
        (appointment, "booked", "Staging CT")
    ]
    assert [(i.due_on, i.owner_team) for i in of_kind(state, "appointment")] == [(a_day(7), "coordination")]
    # when it is moved, then the task moves with it
    moved = events_pb2.AppointmentMoved(
        appointment_id=appointment, starts_at=f"{a_day(9)}T14:00:00+00:00", mode="video"
    )
    state = await door.told(SCHEDULER, "MoveAppointment", patient, moved)
    assert [i.due_on for i in of_kind(state, "appointment")] == [a_day(9)]
    assert [(a.starts_at.ToDatetime().isoformat(), a.mode) for a in state.appointments] == [
        (f"{a_day(9)}T14:00:00", "video")
    ]
    # when the person came, then nothing of it waits
    came = events_pb2.AppointmentAttended(appointment_id=appointment, outcome="Scan done.")
    state = await door.told(COORDINATOR, "RecordAttendance", patient, came)
    assert [a.status for a in state.appointments] == ["attended"]
    assert not of_kind(state, "appointment")
    # when somebody then cancels it, or an appointment that never was, then they are told
    for unknown, category in ((appointment, Category.CONFLICT), (new_id(), Category.NOT_FOUND)):
        gone = events_pb2.AppointmentCancelled(appointment_id=unknown, cancelled_by="person", reason="Holiday.")
        refusal = await refused(door.report(COORDINATOR, "CancelAppointment", patient, gone))
        assert refusal.category is category


async def test_whoever_did_not_come_is_looked_up_first_and_then_telephoned_within_a_working_day(door: Door) -> None:
    # given a booked scan
    patient, appointment, _ = await booked(door)
    # when the person did not come
    missed = events_pb2.AppointmentMissed(appointment_id=appointment)
    state = await door.told(COORDINATOR, "RecordMissedAppointment", patient, missed)
    # then somebody looks up whether they were admitted or have died, and telephones within one working day
    assert [a.status for a in state.appointments] == ["missed"]
    (check,), (call,) = of_kind(state, "missed_check"), of_kind(state, "missed_appointment")
    assert check.title == "Check first: was the person admitted, or have they died?"
    soonest = due_after_working_days(datetime.now(UTC), 1).due_on.isoformat()
    assert (check.due_on <= call.due_on, call.due_on) == (True, soonest)
    assert not of_kind(state, "missed_review")
    await door.quiet(patient)
    assert "breast_care_nurses" in {m.team for m in await door.messages(patient) if m.template == "appointment_missed"}
    # when somebody would telephone, or write with another date, before that was looked up, then they are told
    for rpc, event in (
        ("CompleteItem", events_pb2.ItemCompleted(item_id=call.item_id, outcome="Left a message.")),
        ("BookAppointment", again(call.item_id)),
    ):
        refusal = await refused(door.report(COORDINATOR, rpc, patient, event))
        assert (refusal.category, "First check whether the person was admitted" in refusal.message) == (
            Category.CONFLICT,
            True,
        )
    # when it was looked up, then the call is made and another visit booked
    found = events_pb2.ItemCompleted(item_id=check.item_id, outcome="Not admitted anywhere; alive on the NHS Spine.")
    await door.told(COORDINATOR, "CompleteItem", patient, found)
    state = await door.told(COORDINATOR, "BookAppointment", patient, again(call.item_id))
    assert not of_kind(state, "missed_appointment")


async def test_two_missed_visits_are_somebodys_to_understand_and_never_end_the_care(door: Door) -> None:
    # given a visit that was missed, and another to which the person was not brought
    patient, first, _ = await booked(door)
    await door.told(COORDINATOR, "RecordMissedAppointment", patient, events_pb2.AppointmentMissed(appointment_id=first))
    second = again()
    await door.told(COORDINATOR, "BookAppointment", patient, second)
    left = events_pb2.AppointmentNotBrought(
        appointment_id=second.appointment_id, depends_on="Her son drives her", note="He works on Mondays."
    )
    state = await door.told(SCHEDULER, "RecordNotBrought", patient, left)
    # then the second is its own outcome, blames nobody, and thinks of safeguarding
    assert sorted((a.status, a.ended_by) for a in state.appointments) == [
        ("missed", ""),
        ("not_brought", "Her son drives her"),
    ]
    (task,) = of_kind(state, "not_brought")
    assert (task.owner_team, task.urgency) == ("breast_care_nurses", "urgent")
    assert "no fault of theirs" in task.reason
    assert "safeguarding" in task.reason
    await door.quiet(patient)
    told = [m for m in await door.messages(patient) if m.template == "appointment_not_brought"]
    assert "breast_care_nurses" in {m.team for m in told}
    # and a clinician or the key worker looks into the reasons: nobody else says that this is done
    (review,) = of_kind(state, "missed_review")
    assert review.title.startswith("2 visits missed in a row")
    reasons = events_pb2.ItemCompleted(item_id=review.item_id, outcome="Her son works on Mondays; Thursdays suit both.")
    refusal = await refused(door.report(COORDINATOR, "CompleteItem", patient, reasons))
    assert (refusal.category, "clinician or the key worker" in refusal.message) == (Category.NOT_ALLOWED, True)
    # and it is no reason to discharge
    for reason in ("Missed visits.", "DNA x2, discharged", "Did not attend twice", "two appointments were missed"):
        closing = events_pb2.PathwayClosed(reason=reason)
        refusal = await refused(door.report(COORDINATOR, "ClosePathway", patient, closing))
        assert "Missed visits are no reason to close a pathway" in refusal.message, reason
    state = await door.told(NURSE, "CompleteItem", patient, reasons)
    assert not of_kind(state, "missed_review")


async def test_a_visit_is_offered_as_the_person_prefers_where_that_is_equal(door: Door) -> None:
    # given somebody who would rather be telephoned
    patient = await door.opened()
    await door.told(
        NURSE,
        "ReportSymptom",
        patient,
        events_pb2.SymptomReported(note="Asked how she would like to be seen."),
        facts=[fact("visit_preference", "telephone")],
    )
    # when visits of several kinds are to be booked, then each task says how, as the data has it
    for occasion, visit in (("o-1", "bone_health"), ("o-2", "symptom_control"), ("o-3", "imaging")):
        due = events_pb2.FollowUpTriggered(purpose=visit, occasion=occasion, visit=visit)
        state = await door.told(SCHEDULER, "TriggerFollowUp", patient, due)
    said = {item.reason.split()[0]: item.reason for item in of_kind(state, "follow_up")}
    assert "Book it by telephone, as the person prefers" in said["bone_health"]
    assert "does not suit this visit: book it face to face" in said["symptom_control"]
    assert "It may be a joint visit with palliative care." in said["symptom_control"]
    assert said["imaging"] == "imaging"
    # when it is booked, then the record has how, and with whom
    joint = again()
    joint.mode, joint.with_team, joint.visit = "home_visit", "palliative_care", "symptom_control"
    state = await door.told(COORDINATOR, "BookAppointment", patient, joint)
    assert [(a.mode, a.with_team, a.visit) for a in state.appointments] == [
        ("home_visit", "palliative_care", "symptom_control")
    ]
    # and what nobody knows is refused with what there is
    for rpc, wrong in (
        ("BookAppointment", events_pb2.AppointmentBooked(**PLAIN, appointment_id=new_id(), visit="bone_helth")),
        ("BookAppointment", events_pb2.AppointmentBooked(**PLAIN, appointment_id=new_id(), with_team="surgeons")),
    ):
        refusal = await refused(door.report(COORDINATOR, rpc, patient, wrong))
        assert refusal.category is Category.INVALID
        assert "bone_health" in refusal.message or "palliative_care" in refusal.message


async def test_a_cancelled_appointment_is_booked_again_by_somebody(door: Door) -> None:
    # given a booked scan
    patient, appointment, _ = await booked(door)
    # when the department cancels it
    gone = events_pb2.AppointmentCancelled(appointment_id=appointment, cancelled_by="service", reason="Scanner broke.")
    state = await door.told(SCHEDULER, "CancelAppointment", patient, gone)
    # then booking another is a task with the reason, and the record says by whom
    task = of_kind(state, "follow_up")[0]
    assert (task.title.split(":")[0], task.reason) == (
        "Appointment cancelled",
        "Cancelled by the service: Scanner broke.",
    )
    assert [(a.status, a.ended_by, a.ended_reason) for a in state.appointments] == [
        ("cancelled", "service", "Scanner broke.")
    ]
    # when another is booked for it, then that task is done
    again = events_pb2.AppointmentBooked(
        appointment_id=new_id(), purpose="Staging CT", starts_at=f"{a_day(8)}T10:00:00Z", item_id=task.item_id
    )
    state = await door.told(COORDINATOR, "BookAppointment", patient, again)
    assert not of_kind(state, "follow_up")
    assert sorted(a.status for a in state.appointments) == ["booked", "cancelled"]

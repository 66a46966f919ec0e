"""An appointment: booked, moved, missed, cancelled, attended; what is booked is always somebody's to follow up."""

from __future__ import annotations

from typing import Any

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Category
from tests.house import COORDINATOR, SCHEDULER, Door
from tests.journeys.stories import a_day, new_id, of_kind, refused


async def booked(door: Door, **values: str) -> tuple[str, str, Any]:
    patient, appointment = await door.opened(), new_id()
    event = events_pb2.AppointmentBooked(
        appointment_id=appointment, purpose="Staging CT", starts_at=f"{a_day(7)}T09:30:00Z", place="Room 4", **values
    )
    state = await door.told(COORDINATOR, "BookAppointment", patient, event)
    return patient, appointment, state


async def test_a_booked_appointment_waits_for_its_outcome_and_attendance_closes_it(door: Door) -> None:
    # given a booked scan, whose outcome is coordination's to record on that day
    patient, appointment, state = await booked(door)
    assert [(a.appointment_id, a.status, a.purpose) for a in state.appointments] == [
        (appointment, "booked", "Staging CT")
    ]
    assert [(i.due_on, i.owner_team) for i in of_kind(state, "appointment")] == [(a_day(7), "coordination")]
    # when it is moved, then the task moves with it
    moved = events_pb2.AppointmentMoved(appointment_id=appointment, starts_at=f"{a_day(9)}T14:00:00+00:00")
    state = await door.told(SCHEDULER, "MoveAppointment", patient, moved)
    assert [i.due_on for i in of_kind(state, "appointment")] == [a_day(9)]
    assert [a.starts_at.ToDatetime().isoformat() for a in state.appointments] == [f"{a_day(9)}T14:00:00"]
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


async def test_a_missed_appointment_is_followed_up_the_next_working_day(door: Door) -> None:
    # given a booked scan
    patient, appointment, _ = await booked(door)
    # when the person did not come
    missed = events_pb2.AppointmentMissed(appointment_id=appointment)
    state = await door.told(COORDINATOR, "RecordMissedAppointment", patient, missed)
    # then somebody telephones soon, and the nurses know
    assert [a.status for a in state.appointments] == ["missed"]
    task = of_kind(state, "missed_appointment")
    assert [i.title for i in task] == ["Missed appointment: check for admission, then telephone"]
    assert task[0].due_on <= a_day(5)
    await door.quiet(patient)
    assert "breast_care_nurses" in {m.team for m in await door.messages(patient) if m.template == "appointment_missed"}


async def test_a_cancelled_appointment_is_booked_again_by_somebody(door: Door) -> None:
    # given a booked scan
    patient, appointment, _ = await booked(door)
    # when the department cancels it
    gone = events_pb2.AppointmentCancelled(appointment_id=appointment, cancelled_by="service", reason="Scanner broke.")
    state = await door.told(SCHEDULER, "CancelAppointment", patient, gone)
    # then booking another is a task with the reason
    task = of_kind(state, "follow_up")[0]
    assert (task.title.split(":")[0], task.reason) == ("Appointment cancelled", "Scanner broke.")
    # when another is booked for it, then that task is done
    again = events_pb2.AppointmentBooked(
        appointment_id=new_id(), purpose="Staging CT", starts_at=f"{a_day(8)}T10:00:00Z", item_id=task.item_id
    )
    state = await door.told(COORDINATOR, "BookAppointment", patient, again)
    assert not of_kind(state, "follow_up")
    assert sorted(a.status for a in state.appointments) == ["booked", "cancelled"]

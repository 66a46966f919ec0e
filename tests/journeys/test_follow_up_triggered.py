"""Follow-up triggered: an outside scheduler says that one is due; booking it is a task, once for each occasion."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from tests.house import SCHEDULER, Door
from tests.journeys.stories import a_day, new_id, of_kind


async def test_the_same_occasion_twice_is_one_task_and_a_booking_closes_it(door: Door) -> None:
    # given a person on a pathway
    patient = await door.opened()
    # when the scheduler tells of an occasion, and, not sure that it was heard, tells of it again
    due = events_pb2.FollowUpTriggered(purpose="Telephone clinic", occasion="clinic-2026-42", due_on=a_day(10))
    await door.told(SCHEDULER, "TriggerFollowUp", patient, due)
    state = await door.told(SCHEDULER, "TriggerFollowUp", patient, due)
    # then it is one task, intended and not yet booked
    task = of_kind(state, "follow_up")
    assert [(i.title, i.reason, i.due_on, i.owner_team) for i in task] == [
        ("Book the follow-up: intended, not booked yet", "Telephone clinic", a_day(10), "coordination")
    ]
    # when another occasion is told, then it is another task
    other = events_pb2.FollowUpTriggered(purpose="Telephone clinic", occasion="clinic-2026-43")
    state = await door.told(SCHEDULER, "TriggerFollowUp", patient, other)
    assert len(of_kind(state, "follow_up")) == 2
    # when the first is booked, then its task is done, the other's is not
    booking = events_pb2.AppointmentBooked(
        appointment_id=new_id(), purpose="Telephone clinic", starts_at=f"{a_day(9)}T11:00Z", item_id=task[0].item_id
    )
    state = await door.told(SCHEDULER, "BookAppointment", patient, booking)
    assert len(of_kind(state, "follow_up")) == 1
    # when the first occasion comes a third time, then it stays booked
    state = await door.told(SCHEDULER, "TriggerFollowUp", patient, due)
    assert len(of_kind(state, "follow_up")) == 1

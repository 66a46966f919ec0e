"""Task deferred: put off to a day, with a reason; it stays somebody's."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from handrail.records.v1 import timeline_pb2
from tests.house import NURSE, Door
from tests.journeys.stories import a_day, the, tired


async def test_a_task_that_is_put_off_keeps_its_owner_and_says_why(door: Door) -> None:
    # given a task with a date
    state = await tired(door)
    patient, task = state.person.patient_id, the(state, "1.10.3")
    # when the nurse puts it off by a month, with a reason
    later = events_pb2.ItemDeferred(item_id=task.item_id, until=a_day(30), reason="She is away until then.")
    state = await door.told(NURSE, "DeferItem", patient, later)
    # then it is the same task still, the same owner's, moved to the new date; the reason stands in the timeline
    now = the(state, "1.10.3")
    assert (now.item_id, now.due_on, now.owner_team, now.moved) == (task.item_id, a_day(30), task.owner_team, 1)
    events = await door.call(NURSE, door.timeline.ListEvents, timeline_pb2.ListEventsRequest(patient_id=patient))
    assert events.events[-1].event.item_deferred.reason == "She is away until then."
    # when the next report is planned, then the new date stands
    mild = events_pb2.SymptomReported(told_by="person", note="Sleeps badly.")
    state = await door.told(NURSE, "ReportSymptom", patient, mild)
    assert the(state, "1.10.3").due_on == a_day(30)

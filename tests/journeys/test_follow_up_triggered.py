"""Follow-up triggered: an outside scheduler says that one is due; booking it is a task, once for each occasion."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

from handrail.clinical.v1 import events_pb2
from services.runtime.context import Actor
from tests.house import SCHEDULER, Door, House
from tests.journeys.stories import a_day, new_id, of_kind

OTHER_SCHEDULER = Actor("system:other-scheduler", "scheduler", "")


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


async def test_two_machines_that_trigger_at_once_book_once(door: Door) -> None:
    # given a scheduler that repeats itself, and a second one that knows of the same follow-up
    patient, key = await door.opened(), new_id()
    due = events_pb2.FollowUpTriggered(purpose="Bone health", occasion="bone-2026-11", due_on=a_day(10))
    # when both say so at the same moment, one of them twice with its own key
    when = datetime.now(UTC) - timedelta(minutes=1)
    receipts = await asyncio.gather(
        door.report(SCHEDULER, "TriggerFollowUp", patient, due, key=key, occurred_at=when),
        door.report(OTHER_SCHEDULER, "TriggerFollowUp", patient, due),
        door.report(SCHEDULER, "TriggerFollowUp", patient, due, key=key, occurred_at=when),
    )
    # then the same key has the same answer, and there is one task, told once
    assert receipts[0] == receipts[2]
    state = await door.patient(patient, max(receipt.seq for receipt in receipts))
    assert len(of_kind(state, "follow_up")) == 1
    await door.quiet(patient)
    assert [m.template for m in await door.messages(patient)].count("follow_up_triggered") == 1


async def test_a_follow_up_is_intended_then_late_then_booked_from_the_worklist(house: House, door: Door) -> None:
    # given a follow-up that is intended: seen on its tab, with a clock, and the calendar that decided it
    patient = await door.opened()
    due = events_pb2.FollowUpTriggered(purpose="Bone health", occasion="bone-2026-12", visit="bone_health")
    state = await door.told(SCHEDULER, "TriggerFollowUp", patient, due)
    (intended,) = of_kind(state, "follow_up")
    assert await on_tab(house, "not-booked", patient) == [intended.item_id]
    assert await on_tab(house, "overdue", patient) == []
    assert intended.calendar_version.startswith("holidays ")
    # and one whose time has passed
    late = events_pb2.FollowUpTriggered(purpose="Heart scan", occasion="echo-2026-11", due_on=a_day(-1))
    await door.told(SCHEDULER, "TriggerFollowUp", patient, late)
    state = await door.until(
        patient, lambda s: [i for i in of_kind(s, "follow_up") if i.HasField("overdue_at")], "it is marked as overdue"
    )
    (overdue,) = [item for item in of_kind(state, "follow_up") if item.HasField("overdue_at")]
    assert await on_tab(house, "overdue", patient) == [overdue.item_id]
    assert await on_tab(house, "not-booked", patient) == [overdue.item_id, intended.item_id]  # by time to breach
    # when it is booked from the worklist, then it is an appointment and nobody's to book
    words = ("--purpose", "Heart scan", "--at", f"{a_day(5)}T09:30+00:00", "--mode", "face_to_face")
    done = json.loads(house.cli("task", "booked", overdue.item_id, *words, "--json").stdout)
    assert (done["before"]["status"], done["after"]["status"]) == ("open", "done")
    shown = json.loads(house.cli("patient", "show", patient, "--json").stdout)
    assert [(a["purpose"], a["status"], a["mode"]) for a in shown["appointments"]] == [
        ("Heart scan", "booked", "face_to_face")
    ]
    assert {i["calendar_version"] for i in shown["open_items"]} == {intended.calendar_version}
    assert await on_tab(house, "not-booked", patient) == [intended.item_id]


async def on_tab(house: House, tab: str, patient: str) -> list[str]:
    shown = await asyncio.to_thread(house.cli, "worklist", "--tab", tab, "--patient", patient, "--json")
    return [item["item_id"] for item in json.loads(shown.stdout)["items"]]

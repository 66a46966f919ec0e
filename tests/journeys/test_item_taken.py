"""What people do with a task besides doing it: taken on, tried without an answer, handed over, help asked for."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, Door
from tests.journeys.stories import a_day, new_id, refused, the, tired


async def test_a_task_is_taken_tried_and_handed_over_and_stays_open_throughout(door: Door) -> None:
    # given a task of the nurses
    state = await tired(door)
    patient, task = state.person.patient_id, the(state, "1.10.3")
    assert (task.taken_by, task.attempts) == ("", 0)
    # when a nurse says that it is hers, then it says who has it, and its clock stays
    taken = events_pb2.ItemTaken(item_id=task.item_id)
    now = the(await door.told(NURSE, "TakeItem", patient, taken), "1.10.3")
    assert (now.item_id, now.taken_by, now.due_on) == (task.item_id, "nurse.test", task.due_on)
    # when she telephones and nobody answers, then the next try is planned and counted; it is not put off in silence
    tried = events_pb2.ItemAttempted(item_id=task.item_id, how="telephone", note="No answer.", next_try_on=a_day(14))
    now = the(await door.told(NURSE, "AttemptItem", patient, tried), "1.10.3")
    assert (now.attempts, now.due_on, now.moved) == (1, a_day(14), 0)
    # when it goes to coordination, then they own it, and nobody of them has it in hand yet
    handed = events_pb2.ItemHandedOver(item_id=task.item_id, to_team="coordination", reason="Wants a letter instead.")
    now = the(await door.told(NURSE, "HandOverItem", patient, handed), "1.10.3")
    assert (now.owner_team, now.taken_by, now.due_on) == ("coordination", "", a_day(14))
    # when the next report is planned, then it is theirs still
    mild = events_pb2.SymptomReported(told_by="person", note="Sleeps badly.")
    assert the(await door.told(NURSE, "ReportSymptom", patient, mild), "1.10.3").owner_team == "coordination"


async def test_a_task_goes_to_a_team_that_exists_and_a_next_try_has_a_date_that_comes(door: Door) -> None:
    state = await tired(door)
    patient, task = state.person.patient_id, the(state, "1.10.3")
    nobody = events_pb2.ItemHandedOver(item_id=task.item_id, to_team="night_shift", reason="They are awake.")
    refusal = await refused(door.report(NURSE, "HandOverItem", patient, nobody))
    assert (refusal.category, "There is no team of this name" in refusal.message) == (Category.INVALID, True)
    past = events_pb2.ItemAttempted(item_id=task.item_id, how="visit", note="Not in.", next_try_on=a_day(-2))
    assert (await refused(door.report(NURSE, "AttemptItem", patient, past))).category is Category.INVALID
    gone = events_pb2.ItemTaken(item_id=new_id())
    assert (await refused(door.report(COORDINATOR, "TakeItem", patient, gone))).category is Category.NOT_FOUND


async def test_help_that_is_asked_for_comes_from_the_next_rung_at_once(door: Door) -> None:
    # given a task that is not due for days
    state = await tired(door)
    patient, task = state.person.patient_id, the(state, "1.10.3")
    # when somebody asks for help with it
    asked = events_pb2.ItemEscalated(item_id=task.item_id, reason="She is much worse than it sounds.")
    state = await door.told(NURSE, "EscalateItem", patient, asked)
    # then the task stands, and somebody else is told now
    assert the(state, "1.10.3").item_id == task.item_id
    await door.quiet(patient)
    told = [message for message in await door.messages(patient) if message.template == "item_escalated"]
    assert told

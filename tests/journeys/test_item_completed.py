"""Task completed: somebody did it and says how it ended; tasks that a report closes are not ticked off."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Category
from tests.house import NURSE, Door, fact
from tests.journeys.stories import diagnosed, how_closed, new_id, numbers, refused, the, tired


async def test_a_done_task_is_closed_with_its_outcome_and_not_asked_for_again(door: Door) -> None:
    # given a task to give written information
    state = await tired(door)
    patient, task = state.person.patient_id, the(state, "1.10.2")
    # when the nurse has given it
    done = events_pb2.ItemCompleted(item_id=task.item_id, outcome="Booklet given and talked through.")
    state = await door.told(NURSE, "CompleteItem", patient, done)
    # then it is closed with her words
    assert await how_closed(door, patient, "1.10.2") == [("done", "Booklet given and talked through.")]
    # when something else is reported, then it is not asked for again
    news = events_pb2.ResultReceived(investigation="Blood count")
    state = await door.told(NURSE, "ReceiveResult", patient, news, facts=[fact("egfr", 70)])
    assert "1.10.2" not in numbers(state)


async def test_a_decision_is_not_ticked_off_and_an_unknown_task_is_not_found(door: Door) -> None:
    patient = await diagnosed(door)
    decision = the(await door.patient(patient), "1.6.1")
    for item_id, category, words in (
        (decision.item_id, Category.CONFLICT, "when a decision is recorded"),
        (new_id(), Category.NOT_FOUND, "look at the worklist"),
    ):
        done = events_pb2.ItemCompleted(item_id=item_id, outcome="Done.")
        refusal = await refused(door.report(NURSE, "CompleteItem", patient, done))
        assert (refusal.category, words in refusal.message) == (category, True), refusal.message

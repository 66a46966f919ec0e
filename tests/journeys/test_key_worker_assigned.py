"""Key worker assigned: the person has a name to call, and the task is done."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, Door
from tests.journeys.stories import how_closed, numbers, refused, the


async def test_a_named_key_worker_closes_the_task(door: Door) -> None:
    # given a new pathway, on which a key worker is asked for
    patient = await door.opened()
    assert "1.1.2" in numbers(await door.patient(patient))
    # when coordination names one
    named = events_pb2.KeyWorkerAssigned(person_id="carys.nurse")
    state = await door.told(COORDINATOR, "AssignKeyWorker", patient, named)
    # then the record says who it is, and the task is done
    assert state.pathway.key_worker == "carys.nurse"
    assert "1.1.2" not in numbers(state)
    assert [status for status, _ in await how_closed(door, patient, "1.1.2")] == ["done"]
    # then nobody is left without a next step
    assert [(item.kind, item.owner_team) for item in state.open_items] == [("next_contact", "breast_care_nurses")]


async def test_the_task_is_not_ticked_off_without_a_name(door: Door) -> None:
    patient = await door.opened()
    task = the(await door.patient(patient), "1.1.2")
    done = events_pb2.ItemCompleted(item_id=task.item_id, outcome="Somebody will be found.")
    refusal = await refused(door.report(NURSE, "CompleteItem", patient, done))
    assert (refusal.category, "key worker assigned" in refusal.message) == (Category.CONFLICT, True), refusal.message

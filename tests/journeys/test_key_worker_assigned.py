"""Key worker assigned: the person has a name to call, and the task is done."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from tests.house import COORDINATOR, Door
from tests.journeys.stories import how_closed, numbers


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

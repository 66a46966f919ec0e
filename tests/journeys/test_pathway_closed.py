"""Pathway closed: only with a reason and nothing open, and then nothing more can be reported."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, Door, fact
from tests.journeys.stories import refused, tired

CLOSED = events_pb2.PathwayClosed(reason="She is followed elsewhere, and everything here was done.")


async def test_a_pathway_is_not_closed_over_anything_that_is_open(door: Door) -> None:
    # given a person with open tasks
    state = await tired(door)
    patient = state.person.patient_id
    # when somebody closes the pathway, then the sentence names what is open, and nothing is closed
    refusal = await refused(door.report(COORDINATOR, "ClosePathway", patient, CLOSED))
    assert refusal.category is Category.CONFLICT
    assert "only when nothing is open" in refusal.message
    assert f"and {len(state.open_items) - 3} more" in refusal.message
    assert sum(item.title in refusal.message for item in state.open_items) >= 3
    after = await door.patient(patient)
    assert {item.item_id for item in after.open_items} == {item.item_id for item in state.open_items}


async def test_a_closed_pathway_has_no_open_task_and_takes_no_report(door: Door) -> None:
    # given a person for whom only the next contact is to be planned
    patient = await door.opened()
    named = events_pb2.KeyWorkerAssigned(person_id="carys.nurse")
    state = await door.told(NURSE, "AssignKeyWorker", patient, named)
    assert [item.kind for item in state.open_items] == ["next_contact"]
    # when the pathway is closed
    state = await door.told(COORDINATOR, "ClosePathway", patient, CLOSED)
    # then nothing is open, and the task says why it was withdrawn
    assert (state.pathway.status, list(state.open_items)) == ("closed", [])
    ended = [(i.status, i.closed_reason) for i in await door.items(patient) if i.kind == "next_contact"]
    assert ended == [("withdrawn", "The pathway was closed.")]
    # then the nurses are told
    told = await _messages(door, patient)
    assert "pathway_closed" in told
    # when somebody reports on it, or opens it again, then they are told that it is closed
    symptom = events_pb2.SymptomReported(told_by="person")
    refusal = await refused(door.report(NURSE, "ReportSymptom", patient, symptom, facts=[fact("fatigue", "none")]))
    assert (refusal.category, "closed" in refusal.message) == (Category.CONFLICT, True)
    refusal = await refused(door.report(COORDINATOR, "OpenPathway", patient, events_pb2.PathwayOpened()))
    assert (refusal.category, "closed" in refusal.message) == (Category.CONFLICT, True)


async def _messages(door: Door, patient: str) -> set[str]:
    await door.quiet(patient)
    return {message.template for message in await door.messages(patient)}

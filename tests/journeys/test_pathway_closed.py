"""Pathway closed: every task is withdrawn with that reason, and nothing more can be reported."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, Door, fact
from tests.journeys.stories import refused, tired


async def test_a_closed_pathway_has_no_open_task_and_takes_no_report(door: Door) -> None:
    # given a person with open tasks
    state = await tired(door)
    patient = state.person.patient_id
    open_before = {item.item_id for item in state.open_items}
    # when the pathway is closed
    closed = events_pb2.PathwayClosed(reason="She moved to Leeds; care was handed over.")
    state = await door.told(COORDINATOR, "ClosePathway", patient, closed)
    # then nothing is open, each task was withdrawn and says why
    assert (state.pathway.status, list(state.open_items)) == ("closed", [])
    ended = {i.item_id: (i.status, i.closed_reason) for i in await door.items(patient)}
    assert {ended[item_id] for item_id in open_before} == {("withdrawn", "The pathway was closed.")}
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

"""Symptom reported: each symptom asks for what the guideline says, with an owner and a date."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from tests.house import NURSE, Door, fact
from tests.journeys.stories import diagnosed, numbers, the, tired


async def test_fatigue_asks_for_causes_information_and_exercise(door: Door) -> None:
    # given a person with advanced disease; when she says how tired she is
    state = await tired(door)
    # then three tasks are open, each somebody's, each with a date
    tasks = [the(state, number) for number in ("1.10.1", "1.10.2", "1.10.3")]
    assert [task.owner_team for task in tasks] == ["oncology", "breast_care_nurses", "breast_care_nurses"]
    assert all(task.due_on and task.reason and task.fact_ids for task in tasks)


async def test_uncontrolled_local_disease_is_urgent_and_brings_in_palliative_care(door: Door) -> None:
    # given a person with advanced disease
    patient = await diagnosed(door)
    # when the nurse sees that local disease is not controlled
    state = await door.told(
        NURSE,
        "ReportSymptom",
        patient,
        events_pb2.SymptomReported(told_by="clinician"),
        facts=[fact("uncontrolled_local_disease", True), fact("pain_score", 7)],
    )
    # then the breast team assesses and palliative care is brought in, both urgently
    assert [(the(state, n).owner_team, the(state, n).urgency) for n in ("1.12.1", "1.12.3")] == [
        ("breast_mdt", "urgent"),
        ("breast_care_nurses", "urgent"),
    ]


async def test_a_symptom_that_is_mild_asks_for_less(door: Door) -> None:
    patient = await diagnosed(door)
    mild = events_pb2.SymptomReported(told_by="carer")
    state = await door.told(NURSE, "ReportSymptom", patient, mild, facts=[fact("fatigue", "present")])
    assert {"1.10.2", "1.10.3"} <= numbers(state)
    assert "1.10.1" not in numbers(state)

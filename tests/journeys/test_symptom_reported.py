"""Symptom reported: each symptom asks for what the guideline says, with an owner and a date."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from tests.house import NURSE, Door, fact
from tests.journeys.stories import accepted, diagnosed, numbers, the, tired


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


async def test_lymphoedema_brings_in_what_cg81_leaves_to_ng101(door: Door) -> None:
    # given a person with advanced disease; when the nurse sees a swollen arm
    patient = await diagnosed(door)
    seen = events_pb2.SymptomReported(told_by="clinician")
    state = await door.told(NURSE, "ReportSymptom", patient, seen, facts=[fact("lymphoedema", "present")])
    # then the tasks of the other guideline are there, under its own name
    referral = the(state, "NG101-1.14.6")
    assert (referral.owner_team, referral.rule_id) == (
        "breast_care_nurses",
        "ng101.lymphoedema.specialist-referral",
    )
    # when the person agrees to be referred
    state = await door.told(NURSE, "MakeDecision", patient, accepted("NG101-1.14.6", ""))
    # then somebody prepares the referral
    assert the(state, "NG101-1.14.6").kind == "follow_on"

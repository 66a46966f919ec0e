"""Side effect reported: kept with its grade, and the key worker's team hears of it."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from tests.house import NURSE, Door, fact
from tests.journeys.stories import treated


async def test_a_side_effect_is_kept_and_told_to_the_breast_care_nurses(door: Door) -> None:
    # given a person on treatment
    patient, _ = await treated(door)
    # when a serious side effect is reported
    state = await door.told(
        NURSE,
        "ReportAdverseEvent",
        patient,
        events_pb2.AdverseEventReported(suspected_medicine="ribociclib", reaction="Neutropenia", serious=True),
        facts=[fact("adverse_event_grade", 3), fact("neutrophils", 0.8)],
    )
    # then the record holds it, and the nurses are told once
    assert {f.name: f.value.number for f in state.facts if f.name in {"adverse_event_grade", "neutrophils"}} == {
        "adverse_event_grade": 3,
        "neutrophils": 0.8,
    }
    await door.quiet(patient)
    told = [m for m in await door.messages(patient) if m.template == "adverse_event_reported"]
    assert [m.team for m in told] == ["breast_care_nurses"]
    # then the message names neither the medicine nor the reaction of a named person
    assert "Neutropenia" not in told[0].body

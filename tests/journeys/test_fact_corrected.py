"""Fact corrected: both values stay readable, and what stood on the wrong one is looked at again."""

from __future__ import annotations

import json

from handrail.clinical.v1 import events_pb2, terms_pb2
from tests.house import NURSE, ONCOLOGIST, Door, House
from tests.journeys.stories import accepted, diagnosed, how_closed, numbers, of_kind, tired


async def test_a_task_that_stood_on_a_wrong_fact_is_withdrawn_and_history_shows_both_values(
    door: Door, house: House
) -> None:
    # given tasks that rest on "significant fatigue"
    state = await tired(door)
    patient = state.person.patient_id
    wrong = next(f for f in state.facts if f.name == "fatigue")
    assert {"1.10.1", "1.10.2", "1.10.3"} <= numbers(state)
    # when the nurse corrects it: that was another person's form
    state = await door.told(
        NURSE,
        "CorrectFact",
        patient,
        events_pb2.FactCorrected(
            fact_id=wrong.fact_id, value=terms_pb2.FactValue(code="none"), reason="Another person's form."
        ),
    )
    # then those tasks are withdrawn, not done
    assert not {"1.10.1", "1.10.2", "1.10.3"} & numbers(state)
    assert [status for status, _ in await how_closed(door, patient, "1.10.2")] == ["withdrawn"]
    # then the record holds the right value, and its history both
    assert [f.value.code for f in state.facts if f.name == "fatigue"] == ["none"]
    shown = house.cli("patient", "show", patient, "--history").stdout
    fatigue = [line for line in shown.splitlines() if "atigue" in line]
    assert any("significant" in line for line in fatigue), shown
    assert any("none" in line for line in fatigue), shown
    json.loads(house.cli("patient", "show", patient, "--history", "--json").stdout)


async def test_a_decision_that_stood_on_a_wrong_fact_is_to_be_looked_at_again(door: Door) -> None:
    # given a decision for endocrine treatment that rests on a positive oestrogen receptor
    patient = await diagnosed(door)
    state = await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    receptor = next(f for f in state.facts if f.name == "er_status")
    assert receptor.fact_id in state.decisions[0].fact_ids
    # when pathology corrects the receptor
    state = await door.told(
        ONCOLOGIST,
        "CorrectFact",
        patient,
        events_pb2.FactCorrected(
            fact_id=receptor.fact_id, value=terms_pb2.FactValue(code="negative"), reason="Blocks were mixed up."
        ),
    )
    # then the decision still stands in the record, and somebody must look at it again urgently
    assert len(state.decisions) == 1
    assert [(item.number, item.urgency, item.owner_team) for item in of_kind(state, "review")] == [
        ("1.7.16", "urgent", "oncology")
    ]


async def test_a_fact_entered_in_error_is_no_longer_known(door: Door) -> None:
    # given a symptom on record
    state = await tired(door)
    wrong = next(f for f in state.facts if f.name == "fatigue")
    # when it is taken back without another value
    state = await door.told(
        NURSE,
        "CorrectFact",
        state.person.patient_id,
        events_pb2.FactCorrected(fact_id=wrong.fact_id, reason="Nobody said so."),
    )
    # then nobody knows it any more
    assert not [f for f in state.facts if f.name == "fatigue"]
    assert "1.10.1" not in numbers(state)

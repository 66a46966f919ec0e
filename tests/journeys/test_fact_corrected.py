"""Fact corrected: both values stay readable, and what stood on the wrong one is looked at again."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from handrail.clinical.v1 import events_pb2, terms_pb2
from services.pathway.due_dates import due_after_working_days
from services.runtime.context import Actor
from tests.house import NURSE, ONCOLOGIST, Door, House, fact
from tests.journeys.stories import accepted, diagnosed, how_closed, numbers, of_kind, tired, treated

PATHOLOGIST = Actor("pathologist.test", "pathologist", "pathology")


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


async def test_a_receptor_of_another_person_in_mid_treatment_is_the_prescribers_today_and_all_are_told_again_once(
    door: Door, house: House
) -> None:
    # given a person on treatment that was chosen by a HER2 result, of which oncology was told
    patient, _ = await treated(door)
    repeat = events_pb2.ResultReceived(investigation="HER2 on the new biopsy")
    state = await door.told(ONCOLOGIST, "ReceiveResult", patient, repeat, facts=[fact("her2_ihc", "3+", "biopsy-2")])
    wrong = next(held for held in state.facts if held.name == "her2_ihc" and held.subject == "biopsy-2")
    await door.quiet(patient)
    before = {message.message_id for message in await door.messages(patient)}
    # when pathology finds that it was another person's
    corrected = events_pb2.FactCorrected(fact_id=wrong.fact_id, reason="The block was another person's.")
    state = await door.told(PATHOLOGIST, "CorrectFact", patient, corrected)
    today = due_after_working_days(datetime.now(UTC), 0).due_on.isoformat()
    # then the prescriber decides today; the treatment itself was stopped by nobody
    (review,) = of_kind(state, "treatment_review")
    assert (review.owner_team, review.urgency, review.due_on) == ("oncology", "urgent", today)
    assert [line.status for line in state.therapy_lines] == ["ongoing"]
    # then what stood on it can be found, and whoever was told of it is told again, once
    shown = json.loads(house.cli("patient", "stood-on", patient, "--fact", wrong.fact_id, "--json").stdout)
    await door.quiet(patient)
    again = [m for m in await door.messages(patient) if m.message_id not in before and m.template == "fact_corrected"]
    told = {message["team"] for message in shown["messages"]}
    assert told <= {message.team for message in again}
    assert len(again) == len({message.team for message in again})
    assert "Tasks" in house.cli("patient", "stood-on", patient, "--fact", wrong.fact_id).stdout

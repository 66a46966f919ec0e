"""Asking "what if": judged beside what is recorded, and nothing is kept."""

from __future__ import annotations

from datetime import UTC, datetime

from handrail.clinical.v1 import events_pb2
from handrail.pathway.v1 import decisions_pb2
from tests.house import COORDINATOR, ONCOLOGIST, Door, fact, stamp
from tests.journeys.test_diagnosis_confirmed import DIAGNOSIS

APPLIES = decisions_pb2.Judgement.TRUTH_APPLIES
UNDECIDED = decisions_pb2.Judgement.TRUTH_CANNOT_BE_DECIDED


async def test_a_supposed_result_settles_the_question_and_leaves_no_trace(door: Door) -> None:
    # given a person whose HER2 status is not known yet
    patient = await door.opened()
    before = await door.told(ONCOLOGIST, "ConfirmDiagnosis", patient, events_pb2.DiagnosisConfirmed(), facts=DIAGNOSIS)
    # when somebody asks what a negative ISH would mean
    held = await door.call(COORDINATOR, door.decisions.ListGuidelines, decisions_pb2.ListGuidelinesRequest())
    supposed = decisions_pb2.WhatIfRequest(
        patient_id=patient,
        guideline=next(one for one in held.guidelines if (one.guideline, one.version) == ("cg81", "2026-06-30")),
        as_of=stamp(datetime.now(UTC)),
        facts=[fact("her2_ish", "not_amplified")],
    )
    answer = await door.call(COORDINATOR, door.decisions.WhatIf, supposed)
    # then the option would apply, and nothing was recorded
    truths = {j.number: j.truth for j in answer.judgements}
    assert truths["1.7.16"] == APPLIES
    after = await door.patient(patient)
    assert after.event_ids == before.event_ids
    assert len(after.facts) == len(before.facts)
    # and without supposing anything it cannot be decided
    supposed.facts[0].CopyFrom(fact("her2_ish", "unknown"))
    answer = await door.call(COORDINATOR, door.decisions.WhatIf, supposed)
    assert {j.number: j.truth for j in answer.judgements}["1.7.16"] == UNDECIDED

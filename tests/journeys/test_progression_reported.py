"""Progression reported: a new decision is due, with the options of the next line, and the key worker hears of it."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from handrail.records.v1 import timeline_pb2
from tests.house import COORDINATOR, ONCOLOGIST, Door
from tests.journeys.stories import numbers, the, treated


async def test_progression_asks_for_a_new_decision_among_the_next_options(door: Door) -> None:
    # given a person on a first line, whose treatment decision was taken
    patient, line = await treated(door)
    assert "1.6.1" not in numbers(await door.patient(patient))
    # when the cancer has grown
    progression = events_pb2.ProgressionReported(line_id=line, site="liver")
    state = await door.told(ONCOLOGIST, "ReportProgression", patient, progression)
    # then a decision on systemic treatment is due again, and needs are assessed at this key point
    assert the(state, "1.6.1").owner_team == "oncology"
    assert "1.1.1" in numbers(state)
    # then the options after endocrine treatment apply, and those of a first line do not
    request = timeline_pb2.GetEvaluationRequest(patient_id=patient)
    judged = await door.call(COORDINATOR, door.timeline.GetEvaluation, request)
    truths = {j.number: j.truth for j in judged.judgements}
    assert (truths["1.7.17"], truths["1.7.16"]) == ("applies", "does_not_apply")
    # then the breast care nurses are told
    await door.quiet(patient)
    told = [m.team for m in await door.messages(patient) if m.template == "progression_reported"]
    assert "breast_care_nurses" in told
    assert len(told) == len(set(told))

"""Reading the record."""

from __future__ import annotations

import asyncio
import time

import pytest
from google.protobuf import descriptor_pool

from handrail.clinical.v1 import events_pb2 as events_pb
from handrail.records.v1 import filing_pb2 as filing_pb
from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.records.permissions import PERMISSIONS
from services.records.servicers import NAMES
from services.runtime.errors import Category
from tests.services.records.house import DAWN, House, Refusal, a_judgement, an_id, at, digest


async def reply(house: House, key: str, patient_id: str = "") -> timeline_pb.GetReplyResponse:
    request = timeline_pb.GetReplyRequest(caller="carys.nurse", idempotency_key=key, patient_id=patient_id)
    return await house.caller("pathway", "pathway_service").call(house.timeline.GetReply, request)


async def test_a_read_waits_for_a_report_that_is_being_filed(house: House) -> None:
    story = await house.opened()

    async def file_later() -> None:
        await asyncio.sleep(0.3)
        await story.symptom()
        await story.apply()

    filing = asyncio.create_task(file_later())
    state = await story.state(min_seq=2)
    await filing
    assert not state.being_filed
    assert len(state.event_ids) == 2


async def test_a_read_says_so_when_a_report_is_not_filed_within_two_seconds(house: House) -> None:
    story = await house.opened()
    started = time.monotonic()
    state = await story.state(min_seq=9)
    assert 1.9 < time.monotonic() - started < 3.5
    assert state.being_filed
    assert len(state.event_ids) == 1
    request = timeline_pb.ListEventsRequest(patient_id=story.patient_id, min_seq=9)
    assert (await house.nurse.call(house.timeline.ListEvents, request)).being_filed


async def test_a_read_of_an_unknown_person_does_not_wait(house: House) -> None:
    started = time.monotonic()
    for method, request in [
        (house.timeline.GetPatient, timeline_pb.GetPatientRequest(patient_id=an_id(), min_seq=3)),
        (house.timeline.ListEvents, timeline_pb.ListEventsRequest(patient_id=an_id(), min_seq=3)),
        (house.timeline.ListFacts, timeline_pb.ListFactsRequest(patient_id=an_id())),
        (house.timeline.ListDecisions, timeline_pb.ListDecisionsRequest(patient_id=an_id())),
        (house.timeline.GetEvaluation, timeline_pb.GetEvaluationRequest(patient_id=an_id())),
    ]:
        with Refusal(Category.NOT_FOUND, "patient_id"):
            await house.nurse.call(method, request)  # type: ignore[arg-type]
    assert time.monotonic() - started < 1.5


async def test_the_reply_to_a_key_is_kept_with_whether_the_person_can_be_reported_on(house: House) -> None:
    story = await house.opened()
    request = story.report(events_pb.ClinicalEvent(symptom_reported=events_pb.SymptomReported(note="tired")))
    unknown = await reply(house, request.idempotency_key, story.patient_id)
    assert (unknown.found, unknown.person_known, unknown.pathway_status) == (False, True, "open")
    await story.file(request)
    kept = await reply(house, request.idempotency_key)
    assert (kept.found, kept.request_hash) == (True, request.request_hash)
    assert (kept.receipt.seq, kept.receipt.event_id) == (request.seq, request.event_id)
    assert kept.receipt.accepted_at == request.accepted_at

    nobody = await reply(house, an_id(), an_id())
    assert (nobody.person_known, nobody.pathway_status) == (False, "none")
    registered = (await house.register()).patient_id
    assert (await reply(house, an_id(), registered)).pathway_status == "none"
    await story.append(pathway_closed=events_pb.PathwayClosed(reason="moved away"))
    assert (await reply(house, an_id(), story.patient_id)).pathway_status == "closed"


async def test_the_newest_evaluation_is_read_back_whole_or_the_one_named(house: House) -> None:
    story = await house.opened()
    old = await story.judged(a_judgement(missing=["ecog"], supplied_by=["oncology"], truth="cannot_be_decided"))
    await story.symptom()
    new = await story.judged(a_judgement(), a_judgement(rule_id="other"))
    request = timeline_pb.GetEvaluationRequest(patient_id=story.patient_id)
    newest = await house.nurse.call(house.timeline.GetEvaluation, request)
    assert (newest.evaluation_id, newest.guideline, newest.version) == (new, "CG81", "2026-06-30")
    assert list(newest.judgements) == [a_judgement(), a_judgement(rule_id="other")]
    request.evaluation_id = old
    named = await house.nurse.call(house.timeline.GetEvaluation, request)
    assert (named.judgements[0].truth, list(named.judgements[0].missing)) == ("cannot_be_decided", ["ecog"])


async def test_filing_an_evaluation_twice_keeps_one(house: House) -> None:
    story = await house.opened()
    request = filing_pb.FileEvaluationRequest(
        idempotency_key=an_id(),
        evaluation_id=an_id(),
        patient_id=story.patient_id,
        as_of=at(DAWN),
        guideline="CG81",
        version="1",
        content_hash=digest("x"),
    )
    first = await house.worker.call(house.filing.FileEvaluation, request)
    request.evaluation_id = an_id()
    assert await house.worker.call(house.filing.FileEvaluation, request) == first


async def test_decisions_are_read_as_of_a_report(house: House) -> None:
    story = await house.opened()
    await story.decide()
    await story.decide("DECLINED")
    request = timeline_pb.ListDecisionsRequest(patient_id=story.patient_id, up_to_seq=2)
    listed = await house.nurse.call(house.timeline.ListDecisions, request)
    assert [decision.outcome for decision in listed.decisions] == ["accepted"]


async def test_teams_are_those_of_the_file(house: House) -> None:
    listed = await house.nurse.call(house.timeline.ListTeams, timeline_pb.ListTeamsRequest())
    teams = {team.team_id: team for team in listed.teams}
    assert next(iter(teams)) == "coordination"
    assert len(teams) == 11
    roles = {role for team in teams.values() for role in team.roles}
    assert {"key_worker", "oncology", "breast_mdt", "radiology", "pathology", "palliative_care"} <= roles
    for team in teams.values():
        members = {member.person_id for member in team.members}
        assert {team.lead, team.deputy} <= members
        assert team.telephone.startswith("01632 960")


@pytest.mark.parametrize("service", NAMES)
def test_every_rpc_says_who_may_call_it(service: str) -> None:
    methods = descriptor_pool.Default().FindServiceByName(service).methods_by_name
    assert set(methods) <= set(PERMISSIONS)

"""Events are filed once, with what follows from each."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from handrail.clinical.v1 import events_pb2 as events_pb
from handrail.clinical.v1 import terms_pb2 as terms_pb
from handrail.records.v1 import filing_pb2 as filing_pb
from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.runtime.errors import Category
from tests.services.records.house import (
    DAWN,
    NURSE,
    RULE,
    House,
    Refusal,
    Story,
    a_fact,
    a_judgement,
    an_id,
    an_item,
    at,
    digest,
)

SYMPTOM = events_pb.ClinicalEvent(symptom_reported=events_pb.SymptomReported(note="tired", told_by="person"))
COURSE = terms_pb.TherapyCourse(setting="advanced", line=1, agents=["letrozole"], stop_reason="ongoing")


async def test_an_event_is_filed_with_its_facts_actor_and_times(house: House) -> None:
    story = await house.opened()
    earlier = DAWN - timedelta(days=3)
    request = story.report(
        SYMPTOM,
        facts=[
            a_fact("fatigue", "significant"),
            terms_pb.ReportedFact(
                name="ecog", value=terms_pb.FactValue(number=2), subject="s1", occurred_at=at(earlier)
            ),
            terms_pb.ReportedFact(name="prior_therapy", value=terms_pb.FactValue(therapy=COURSE)),
        ],
    )
    answer = await story.file(request)
    assert (answer.seq, answer.event_id, answer.already_filed) == (2, request.event_id, False)

    listed = await house.nurse.call(
        house.timeline.ListEvents, timeline_pb.ListEventsRequest(patient_id=story.patient_id)
    )
    event = listed.events[1]
    assert (event.kind, event.seq, event.event) == ("symptom_reported", 2, SYMPTOM)
    assert (event.actor, event.source, event.correlation_id) == (NURSE, "clinic", request.correlation_id)
    assert (event.occurred_at, event.recorded_at) == (request.occurred_at, request.accepted_at)
    assert [fact.fact_id for fact in event.facts] == list(answer.fact_ids)
    fatigue, ecog, therapy = event.facts
    assert (fatigue.value.code, fatigue.occurred_at) == ("significant", request.occurred_at)
    assert (ecog.value.number, ecog.subject, ecog.occurred_at) == (2, "s1", at(earlier))
    assert therapy.value.therapy == COURSE
    assert fatigue.recorded_by == NURSE


async def test_the_same_report_again_gets_the_first_answer_and_writes_nothing(house: House) -> None:
    story = await house.opened()
    request = story.report(SYMPTOM, facts=[a_fact("fatigue", "present")])
    first = await story.file(request)
    before = [await house.count(table) for table in ("event", "fact", "reply")]

    again = filing_pb.AppendEventRequest()
    again.CopyFrom(request)
    again.seq, again.event_id = request.seq + 7, an_id()
    second = await story.file(again)

    assert second.already_filed
    assert (second.seq, second.event_id, second.fact_ids) == (first.seq, first.event_id, first.fact_ids)
    assert [await house.count(table) for table in ("event", "fact", "reply")] == before


async def test_the_same_report_at_the_same_instant_is_filed_once(house: House) -> None:
    story = await house.opened()
    request = story.report(SYMPTOM, facts=[a_fact("fatigue", "present")])
    answers = await asyncio.gather(*(story.file(request) for _ in range(12)))
    assert sorted(answer.already_filed for answer in answers) == [False] + [True] * 11
    assert len({tuple(answer.fact_ids) for answer in answers}) == 1


async def test_the_same_key_with_another_body_is_refused(house: House) -> None:
    story = await house.opened()
    request = story.report(SYMPTOM)
    await story.file(request)
    request.request_hash = digest("another body")
    with Refusal(Category.KEY_REUSED, "idempotency_key"):
        await story.file(request)


async def test_a_key_belongs_to_its_caller(house: House) -> None:
    story = await house.opened()
    first = story.report(SYMPTOM)
    second = story.report(SYMPTOM, idempotency_key=first.idempotency_key, caller="lab.feed")
    await story.file(first)
    assert not (await story.file(second)).already_filed


async def test_a_taken_place_in_the_order_is_refused(house: House) -> None:
    story = await house.opened()
    await story.symptom()
    story.seq -= 1
    with Refusal(Category.CONFLICT, "seq"):
        await story.symptom()


async def test_an_unknown_person_is_not_found(house: House) -> None:
    with Refusal(Category.NOT_FOUND, "patient_id"):
        await Story(house, an_id()).symptom()


async def test_a_pathway_that_was_never_opened_takes_no_report(house: House) -> None:
    with Refusal(Category.CONFLICT) as refused:
        await Story(house, (await house.register()).patient_id).symptom()
    assert refused.error.reason == "pathway_none"


async def test_a_pathway_is_opened_once_and_closed_with_a_reason(house: House) -> None:
    story = await house.opened()
    opened = (await story.state()).pathway
    assert (opened.status, opened.guideline, opened.filed_seq) == ("open", "CG81@2026-06-30", 1)
    with Refusal(Category.CONFLICT):
        await story.append(pathway_opened=events_pb.PathwayOpened())
    await story.append(key_worker_assigned=events_pb.KeyWorkerAssigned(person_id="carys.nurse"))
    await story.append(pathway_closed=events_pb.PathwayClosed(reason="moved to another area"))
    closed = (await story.state()).pathway
    assert (closed.status, closed.closed_reason, closed.key_worker) == (
        "closed",
        "moved to another area",
        "carys.nurse",
    )
    assert closed.HasField("closed_at")


async def test_a_decision_is_bound_to_the_judgement_it_stood_on(house: House) -> None:
    story = await house.opened()
    fact_id = (await story.symptom(facts=[a_fact("fatigue", "significant")])).fact_ids[0]
    evaluation_id = await story.judged(a_judgement([fact_id], rule_id="other"), a_judgement([fact_id]))
    await story.decide(option="refer", reason_code="not_fit", review_on="2027-01-15", decided_with="daughter")
    (decision,) = await story.decisions()
    assert (decision.rule_id, decision.number, decision.outcome) == (RULE, "1.6.10", "accepted")
    assert (decision.basis, decision.occurrence) == ("fatigue=significant", "1")
    assert (list(decision.fact_ids), decision.evaluation_id) == ([fact_id], evaluation_id)
    assert (decision.option, decision.review_on, decision.departure) == ("refer", "2027-01-15", False)
    assert decision.actor.subject == "elena.oncologist"
    assert await house.count("decision_fact") >= 1


async def test_a_departure_is_counted_when_declined_or_when_the_option_was_not_listed(house: House) -> None:
    story = await house.opened()
    await story.judged(a_judgement())
    await story.decide("DECLINED")
    await story.decide(option="homeopathy")
    await story.decide("DEFERRED")
    assert [decision.departure for decision in await story.decisions()] == [True, True, False]


@pytest.mark.parametrize("truth", ["does_not_apply", "cannot_be_decided"])
async def test_accepting_what_the_guideline_did_not_recommend_is_a_departure(house: House, truth: str) -> None:
    story = await house.opened()
    await story.judged(a_judgement(truth=truth))
    await story.decide(option="refer")
    assert [decision.departure for decision in await story.decisions()] == [True]


async def test_a_review_day_that_does_not_exist_is_refused(house: House) -> None:
    story = await house.opened()
    with Refusal(Category.INVALID, "event.decision_made.review_on"):
        await story.decide(review_on="2027-02-30")


async def test_completing_an_item_of_a_rule_leaves_the_decision_done(house: House) -> None:
    story = await house.opened()
    fact_id = (await story.symptom(facts=[a_fact("fatigue", "significant")])).fact_ids[0]
    item = an_item(f"cg81|{RULE}||3", rule_id=RULE, number="1.6.10", fact_ids=[fact_id])
    plain = an_item("plan|next_contact")
    await story.apply(open=[item, plain])
    await story.append(item_completed=events_pb.ItemCompleted(item_id=item.item_id, outcome="assessed, plan agreed"))
    await story.append(item_completed=events_pb.ItemCompleted(item_id=plain.item_id, outcome="rung"))
    (decision,) = await story.decisions()
    assert (decision.outcome, decision.rule_id, decision.number) == ("done", RULE, "1.6.10")
    assert (decision.occurrence, decision.reason) == ("3", "assessed, plan agreed")
    assert list(decision.fact_ids) == [fact_id]


async def test_an_item_of_somebody_else_cannot_be_completed(house: House) -> None:
    story, other = await house.opened(), await house.opened()
    item = an_item()
    await other.apply(open=[item])
    with Refusal(Category.NOT_FOUND, "event.item_completed.item_id"):
        await story.append(item_completed=events_pb.ItemCompleted(item_id=item.item_id, outcome="done"))


def begun_here(course: terms_pb.TherapyCourse) -> terms_pb.TherapyCourse:
    kept = terms_pb.TherapyCourse(begun_here=True)
    kept.MergeFrom(course)
    return kept


async def test_no_line_of_therapy_without_a_decision_and_it_ends_once(house: House) -> None:
    story = await house.opened()
    line_id = an_id()
    started = events_pb.TherapyLineStarted(line_id=line_id, course=COURSE, intent="control", response_check_weeks=12)
    with Refusal(Category.CONFLICT) as refused:
        await story.append(therapy_line_started=started)
    assert refused.error.reason == "no_decision"

    await story.decide("DECLINED")
    await story.decide()
    await story.append(therapy_line_started=started)
    (line,) = (await story.state()).therapy_lines
    accepted = (await story.decisions())[1]
    assert (line.line_id, line.status, line.decision_id, line.course) == (
        line_id,
        "ongoing",
        accepted.decision_id,
        begun_here(COURSE),
    )

    ended = events_pb.TherapyLineEnded(line_id=line_id, stop_reason="progression")
    await story.append(therapy_line_ended=ended)
    (line,) = (await story.state()).therapy_lines
    assert (line.status, line.course.stop_reason, line.course.ended_on) == ("ended", "progression", "2026-11-02")
    with Refusal(Category.CONFLICT):
        await story.append(therapy_line_ended=ended)
    with Refusal(Category.NOT_FOUND, "event.therapy_line_ended.line_id"):
        await (await house.opened()).append(therapy_line_ended=ended)


async def test_an_appointment_is_booked_moved_and_attended_missed_or_cancelled(house: House) -> None:
    story = await house.opened()
    item = an_item()
    await story.apply(open=[item])
    ids = [an_id() for _ in range(3)]
    for appointment_id in ids:
        booked = events_pb.AppointmentBooked(
            appointment_id=appointment_id,
            purpose="review",
            starts_at="2026-12-01T09:30:00+00:00",
            place="Clinic 4",
            item_id=item.item_id,
        )
        await story.append(appointment_booked=booked)
    moved = events_pb.AppointmentMoved(appointment_id=ids[0], starts_at="2026-06-02T10:00+01:00")
    await story.append(appointment_moved=moved)
    await story.append(appointment_attended=events_pb.AppointmentAttended(appointment_id=ids[0]))
    await story.append(appointment_missed=events_pb.AppointmentMissed(appointment_id=ids[1]))
    cancelled = events_pb.AppointmentCancelled(appointment_id=ids[2], cancelled_by="person", reason="on holiday")
    await story.append(appointment_cancelled=cancelled)

    stand = {a.appointment_id: a for a in (await story.state()).appointments}
    assert [stand[i].status for i in ids] == ["attended", "missed", "cancelled"]
    assert stand[ids[0]].starts_at.ToJsonString() == "2026-06-02T09:00:00Z"
    assert stand[ids[1]].item_id == item.item_id
    with Refusal(Category.CONFLICT, "event.appointment_moved.appointment_id"):
        await story.append(appointment_moved=moved)
    with Refusal(Category.NOT_FOUND):
        await (await house.opened()).append(appointment_moved=moved)


async def test_an_appointment_on_a_day_that_does_not_exist_is_refused(house: House) -> None:
    story = await house.opened()
    booked = events_pb.AppointmentBooked(appointment_id=an_id(), purpose="review", starts_at="2026-02-30T09:30Z")
    with Refusal(Category.INVALID, "event.appointment_booked.starts_at"):
        await story.append(appointment_booked=booked)


async def test_a_refused_report_is_kept_and_its_place_counts_as_filed(house: House) -> None:
    story = await house.opened()
    request = filing_pb.KeepRefusedReportRequest(
        idempotency_key=an_id(),
        patient_id=story.patient_id,
        seq=2,
        kind="symptom_reported",
        payload=b"\x00whole",
        reason="unknown result",
        actor=NURSE,
    )
    first = await house.worker.call(house.filing.KeepRefusedReport, request)
    second = await house.worker.call(house.filing.KeepRefusedReport, request)
    assert first == second
    assert await house.count("refused_report") == 1
    assert (await story.state()).pathway.filed_seq == 2
    request.patient_id, request.idempotency_key = an_id(), an_id()
    await house.worker.call(house.filing.KeepRefusedReport, request)


async def test_only_the_worker_files(house: House) -> None:
    story = await house.opened()
    with Refusal(Category.NOT_ALLOWED):
        await house.nurse.call(house.filing.AppendEvent, story.report(SYMPTOM))

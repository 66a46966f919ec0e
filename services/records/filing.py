"""The filing service: what the workflows append, one transaction a call."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from sqlalchemy import and_, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.records.v1 import filing_pb2 as filing_pb
from handrail.records.v1 import filing_pb2_grpc
from services.records import models
from services.records.convert import (
    actor_from_proto,
    clinical_event_from_proto,
    ids_from_proto,
    instant_from_proto,
    judgement_from_proto,
    value_from_proto,
)
from services.records.db import Base, Database, unknown_person
from services.records.plans import apply_plan, mark_overdue
from services.records.projections import project
from services.records.referrals import set_referral_status
from services.records.replies import kept_reply
from services.runtime.clock import now
from services.runtime.context import current_actor
from services.runtime.errors import Conflict
from services.runtime.logging import get_logger

log = get_logger()

AnyContext = grpc.aio.ServicerContext[Any, Any]


class FilingService(filing_pb2_grpc.FilingServiceServicer):
    """Files what the workflows accepted. Only the worker calls it, and every call may come twice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def AppendEvent(
        self, request: filing_pb.AppendEventRequest, _context: AnyContext
    ) -> filing_pb.AppendEventResponse:
        """Append one event with its facts, and the rows that follow from it."""
        key = uuid.UUID(request.idempotency_key)
        async with self._database.transaction(current_actor(), lock=request.patient_id) as session:
            kept = await kept_reply(session, request.caller, key, request.request_hash)
            if kept is not None:
                if kept.seq != request.seq:
                    await _advance(session, uuid.UUID(request.patient_id), request.seq)
                return _already_filed(kept)
            fact_ids = await _append(session, request)
            session.add(
                models.Reply(
                    caller=request.caller,
                    idempotency_key=key,
                    request_hash=request.request_hash,
                    patient_id=uuid.UUID(request.patient_id),
                    seq=request.seq,
                    event_id=uuid.UUID(request.event_id),
                    accepted_at=instant_from_proto(request.accepted_at),
                    answer={"fact_ids": fact_ids},
                )
            )
        log.info("event_appended", patient_id=request.patient_id, event_id=request.event_id, seq=request.seq)
        return filing_pb.AppendEventResponse(seq=request.seq, event_id=request.event_id, fact_ids=fact_ids)

    async def KeepRefusedReport(
        self, request: filing_pb.KeepRefusedReportRequest, _context: AnyContext
    ) -> filing_pb.KeepRefusedReportResponse:
        """Keep the payload of a report that cannot be filed; its place in the order counts as filed."""
        key = uuid.UUID(request.idempotency_key)
        report_id = uuid.uuid5(key, "refused_report")
        patient_id = uuid.UUID(request.patient_id)
        async with self._database.transaction(current_actor(), lock=request.patient_id) as session:
            await session.execute(
                insert(models.RefusedReport)
                .values(
                    refused_report_id=report_id,
                    idempotency_key=key,
                    patient_id=patient_id,
                    seq=request.seq,
                    kind=request.kind,
                    payload=request.payload,
                    reason=request.reason,
                    kept_at=now(),
                    **actor_from_proto(request.actor),
                )
                .on_conflict_do_nothing(index_elements=["idempotency_key"])
            )
            await _advance(session, patient_id, request.seq)
        log.warning("report_refused_and_kept", patient_id=request.patient_id, seq=request.seq)
        return filing_pb.KeepRefusedReportResponse(refused_report_id=str(report_id))

    async def FileEvaluation(
        self, request: filing_pb.FileEvaluationRequest, _context: AnyContext
    ) -> filing_pb.FileEvaluationResponse:
        """Keep a whole evaluation; the same key again is the evaluation that was kept."""
        kept, key = models.Evaluation, uuid.UUID(request.idempotency_key)
        row = {
            "evaluation_id": uuid.UUID(request.evaluation_id),
            "idempotency_key": key,
            "patient_id": uuid.UUID(request.patient_id),
            "seq": request.seq,
            "as_of": instant_from_proto(request.as_of),
            "guideline": request.guideline,
            "version": request.version,
            "content_hash": request.content_hash,
            "judgements": [judgement_from_proto(judgement) for judgement in request.judgements],
            "filed_at": now(),
        }
        statement = insert(kept).values(row).on_conflict_do_nothing(index_elements=["idempotency_key"])
        async with self._database.transaction(current_actor(), lock=request.patient_id) as session:
            filed = await session.scalar(statement.returning(kept.evaluation_id))
            filed = filed or await session.scalar(select(kept.evaluation_id).where(kept.idempotency_key == key))
        return filing_pb.FileEvaluationResponse(evaluation_id=str(filed))

    async def ApplyPlan(self, request: filing_pb.ApplyPlanRequest, _context: AnyContext) -> filing_pb.ApplyPlanResponse:
        """Close, move and open items in one transaction, once for each place in the order."""
        async with self._database.transaction(current_actor(), lock=request.patient_id) as session:
            answer = await apply_plan(session, request)
        log.info(
            "plan_applied",
            patient_id=request.patient_id,
            seq=request.seq,
            opened=len(request.open),
            closed=len(request.close),
            moved=len(request.move),
            already_applied=answer.already_applied,
        )
        return answer

    async def MarkOverdue(
        self, request: filing_pb.MarkOverdueRequest, _context: AnyContext
    ) -> filing_pb.MarkOverdueResponse:
        """Mark open items overdue; nothing is ever closed by it."""
        async with self._database.transaction(current_actor(), lock=request.patient_id) as session:
            marked = await mark_overdue(session, request)
        return filing_pb.MarkOverdueResponse(marked=marked)

    async def SetReferralStatus(
        self, request: filing_pb.SetReferralStatusRequest, _context: AnyContext
    ) -> filing_pb.SetReferralStatusResponse:
        """Move a referral from the status it is said to have to another, with the team that is responsible next."""
        async with self._database.transaction(current_actor(), lock=request.referral_id) as session:
            answer = await set_referral_status(session, request)
        log.info("referral_status_set", referral_id=request.referral_id, status=answer.status)
        return answer

    async def LinkMessage(
        self, request: filing_pb.LinkMessageRequest, _context: AnyContext
    ) -> filing_pb.LinkMessageResponse:
        """Link a message to the facts and items that it stood on."""
        message_id, patient_id = uuid.UUID(request.message_id), uuid.UUID(request.patient_id)
        both = {"message_id": message_id, "patient_id": patient_id}
        facts = [{**both, "fact_id": fact_id} for fact_id in ids_from_proto(request.fact_ids, "fact_ids")]
        items = [{**both, "item_id": item_id} for item_id in ids_from_proto(request.item_ids, "item_ids")]
        event_id = uuid.UUID(request.event_id) if request.event_id else None
        async with self._database.transaction(current_actor(), lock=request.patient_id) as session:
            await _link(session, models.Message, [{**both, "event_id": event_id, "linked_at": now()}])
            await _link(session, models.MessageFact, facts)
            await _link(session, models.MessageItem, items)
        return filing_pb.LinkMessageResponse()


async def _link(session: AsyncSession, model: type[Base], rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        await session.execute(insert(model).values(rows).on_conflict_do_nothing())


def _already_filed(kept: models.Reply) -> filing_pb.AppendEventResponse:
    """Return the original answer; nothing is written."""
    return filing_pb.AppendEventResponse(
        seq=kept.seq,
        event_id=str(kept.event_id) if kept.event_id else "",
        already_filed=True,
        fact_ids=kept.answer.get("fact_ids", []),
    )


async def _append(session: AsyncSession, request: filing_pb.AppendEventRequest) -> list[str]:
    patient_id = uuid.UUID(request.patient_id)
    event = models.Event(
        event_id=uuid.UUID(request.event_id),
        patient_id=patient_id,
        seq=request.seq,
        kind=request.event.WhichOneof("event") or "",
        payload=clinical_event_from_proto(request.event),
        occurred_at=instant_from_proto(request.occurred_at),
        recorded_at=instant_from_proto(request.accepted_at),
        source=request.source,
        correlation_id=request.correlation_id,
        **actor_from_proto(request.actor),
    )
    await _check_place(session, event)
    session.add(event)
    await session.flush()  # facts and what follows refer to the event
    facts = _facts(request, event)
    session.add_all(facts)
    facts += await project(session, event, request)
    await _advance(session, patient_id, request.seq)
    return [str(fact.fact_id) for fact in facts]


async def _check_place(session: AsyncSession, event: models.Event) -> None:
    """Refuse an event of nobody, one whose id or place is taken, and one for a pathway that was never opened."""
    same_place = and_(models.Event.patient_id == event.patient_id, models.Event.seq == event.seq)
    known, taken, opened = (
        await session.execute(
            select(
                exists().where(models.Person.patient_id == event.patient_id),
                exists().where(models.Event.event_id == event.event_id) | exists().where(same_place),
                exists().where(models.Pathway.patient_id == event.patient_id),
            )
        )
    ).one()
    if not known:
        raise unknown_person()
    if taken:
        message = "Another event has this id or this place in the order. Read the timeline before reporting it again."
        raise Conflict(message, field="seq", reason="place_taken")
    if not opened and event.kind not in {"pathway_opened", "pathway_imported"}:
        message = "This person's pathway was never opened. Open it first, then report the event."
        raise Conflict(message, reason="pathway_none")


def _facts(request: filing_pb.AppendEventRequest, event: models.Event) -> list[models.Fact]:
    return [
        models.Fact(
            fact_id=uuid.uuid5(event.event_id, str(index)),
            patient_id=event.patient_id,
            event_id=event.event_id,
            seq=event.seq,
            position=index,
            name=fact.name,
            subject=fact.subject,
            value=value_from_proto(fact.value),
            occurred_at=instant_from_proto(fact.occurred_at) if fact.HasField("occurred_at") else event.occurred_at,
            recorded_at=event.recorded_at,
            entered_in_error=False,
        )
        for index, fact in enumerate(request.facts)
    ]


async def _advance(session: AsyncSession, patient_id: uuid.UUID, seq: int) -> None:
    """Say how far this person's reports are filed; reads that wait for a report look here."""
    await session.flush()
    await session.execute(
        update(models.Pathway)
        .where(models.Pathway.patient_id == patient_id)
        .values(filed_seq=func.greatest(models.Pathway.filed_seq, seq))
        .execution_options(synchronize_session=False)
    )

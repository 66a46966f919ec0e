"""The timeline service: reading the record. Nothing here writes."""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import timedelta
from typing import Any

import grpc
from sqlalchemy import Row, String, Uuid, and_, bindparam, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.clinical.v1 import terms_pb2 as terms_pb
from handrail.records.v1 import timeline_pb2 as timeline_pb
from handrail.records.v1 import timeline_pb2_grpc
from services.records import models, pages, reading, worklist
from services.records.convert import (
    contact_to_proto,
    evaluation_to_proto,
    instant_to_proto,
    pathway_to_proto,
    person_to_proto,
    team_to_proto,
)
from services.records.db import Database
from services.records.departures import departures
from services.records.people import known_person
from services.records.shared_decisions import shared_decisions
from services.records.support import support
from services.records.teams import known_team
from services.records.whereabouts import whereabouts
from services.runtime.clock import now
from services.runtime.context import current_actor
from services.runtime.errors import NotFound

AnyContext = grpc.aio.ServicerContext[Any, Any]
DEFAULT_PAGE = 100
WAIT_SECONDS = 2.0
POLL_SECONDS = 0.03
# A task is marked as overdue, and told, moments after it was due; later than this, something keeps that from happening.
MARKED_WITHIN = timedelta(minutes=10)
# A referral is the receiving team's to see once it was sent, never while it waits for the person's agreement.
NOT_SENT = ("draft", "agreed")


class TimelineService(timeline_pb2_grpc.TimelineServiceServicer):
    """Reads the record for screens, for the guideline's judgement and for the sweep."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def GetPatient(
        self, request: timeline_pb.GetPatientRequest, _context: AnyContext
    ) -> timeline_pb.GetPatientResponse:
        """Return one person's whole state, all of one instant."""
        patient_id = uuid.UUID(request.patient_id)
        filed = await self._filed(patient_id, request.min_seq)
        async with self._database.snapshot(current_actor()) as session:
            return await _state(session, patient_id, being_filed=not filed)

    async def ListEvents(
        self, request: timeline_pb.ListEventsRequest, _context: AnyContext
    ) -> timeline_pb.ListEventsResponse:
        """Return events in order, with the facts each carried."""
        patient_id = uuid.UUID(request.patient_id)
        filed = await self._filed(patient_id, request.min_seq)
        async with self._database.snapshot(current_actor()) as session:
            await known_person(session, patient_id)
            events = await reading.events(session, patient_id)
        return timeline_pb.ListEventsResponse(events=events, being_filed=not filed)

    async def ListFacts(
        self, request: timeline_pb.ListFactsRequest, _context: AnyContext
    ) -> timeline_pb.ListFactsResponse:
        """Return facts as the record stood at a seq."""
        patient_id = uuid.UUID(request.patient_id)
        async with self._database.snapshot(current_actor()) as session:
            await known_person(session, patient_id)
            facts = await reading.facts(
                session,
                patient_id,
                up_to_seq=request.up_to_seq,
                include_superseded=request.include_superseded,
            )
        return timeline_pb.ListFactsResponse(facts=facts)

    async def GetBasis(
        self, request: timeline_pb.GetBasisRequest, _context: AnyContext
    ) -> timeline_pb.GetBasisResponse:
        """Return all that a judgement stands on, as the record stood at a seq, read at one instant."""
        patient_id = uuid.UUID(request.patient_id)
        async with self._database.snapshot(current_actor()) as session:
            facts = await reading.facts(session, patient_id, up_to_seq=request.up_to_seq, include_superseded=True)
            if not facts:
                await known_person(session, patient_id)
            return timeline_pb.GetBasisResponse(
                facts=facts,
                decisions=await reading.decisions(session, patient_id, request.up_to_seq),
                referrals=await reading.referrals(session, [models.Referral.patient_id == patient_id]),
            )

    async def GetStoodOn(
        self, request: timeline_pb.GetStoodOnRequest, _context: AnyContext
    ) -> timeline_pb.GetStoodOnResponse:
        """Return what stood on a fact: what a correction makes people look at again."""
        patient_id, fact_id = uuid.UUID(request.patient_id), uuid.UUID(request.fact_id)
        async with self._database.snapshot(current_actor()) as session:
            await known_person(session, patient_id)
            return await reading.stood_on(session, patient_id, fact_id)

    async def ListItems(
        self, request: timeline_pb.ListItemsRequest, _context: AnyContext
    ) -> timeline_pb.ListItemsResponse:
        """Return a page of the worklist, the most urgent first."""
        size = request.page_size or DEFAULT_PAGE
        wanted = worklist.conditions(request)
        async with self._database.snapshot(current_actor()) as session:
            await known_team(session, request.team)
            items = await reading.items(session, wanted, limit=size + 1, with_person=True)
        token = worklist.token_after(items[size - 1]) if len(items) > size else ""
        return timeline_pb.ListItemsResponse(items=items[:size], next_page_token=token)

    async def GetEvaluation(
        self, request: timeline_pb.GetEvaluationRequest, _context: AnyContext
    ) -> timeline_pb.GetEvaluationResponse:
        """Return the newest evaluation of one person, or the one named."""
        query = select(models.Evaluation).where(models.Evaluation.patient_id == uuid.UUID(request.patient_id))
        if request.evaluation_id:
            query = query.where(models.Evaluation.evaluation_id == pages.an_id(request.evaluation_id, "evaluation_id"))
        query = query.order_by(models.Evaluation.seq.desc(), models.Evaluation.filed_at.desc()).limit(1)
        async with self._database.snapshot(current_actor()) as session:
            row = await session.scalar(query)
        if row is None:
            message = "Nothing was judged for this person yet. Report to their pathway, then look again."
            raise NotFound(message, field="patient_id", reason="no_evaluation")
        return evaluation_to_proto(row)

    async def ListDecisions(
        self, request: timeline_pb.ListDecisionsRequest, _context: AnyContext
    ) -> timeline_pb.ListDecisionsResponse:
        """Return decisions in the order they were recorded."""
        patient_id = uuid.UUID(request.patient_id)
        async with self._database.snapshot(current_actor()) as session:
            await known_person(session, patient_id)
            decisions = await reading.decisions(session, patient_id, request.up_to_seq)
        return timeline_pb.ListDecisionsResponse(decisions=decisions)

    async def ListDepartures(
        self, request: timeline_pb.ListDeparturesRequest, _context: AnyContext
    ) -> timeline_pb.ListDeparturesResponse:
        """Return how often people decided otherwise than recommended, by the reason that was given."""
        async with self._database.snapshot(current_actor()) as session:
            return await departures(session, request)

    async def GetReferral(
        self, request: timeline_pb.GetReferralRequest, _context: AnyContext
    ) -> timeline_pb.GetReferralResponse:
        """Return a referral with its steps, and whom it is about."""
        async with self._database.snapshot(current_actor()) as session:
            found = await reading.referrals(session, [models.Referral.referral_id == uuid.UUID(request.referral_id)])
            if not found:
                message = "There is no such referral. Copy the id from the record."
                raise NotFound(message, field="referral_id", reason="unknown_referral")
            person = await known_person(session, uuid.UUID(found[0].patient_id))
        return timeline_pb.GetReferralResponse(referral=found[0], person=person_to_proto(person))

    async def ListReferrals(
        self, request: timeline_pb.ListReferralsRequest, _context: AnyContext
    ) -> timeline_pb.ListReferralsResponse:
        """Return referrals for which a team is responsible or that were sent to it, newest first."""
        conditions = []
        if request.team:
            sent_to_it = and_(models.Referral.to_team == request.team, models.Referral.status.not_in(NOT_SENT))
            conditions.append(or_(models.Referral.responsible_team == request.team, sent_to_it))
        if request.patient_id:
            conditions.append(models.Referral.patient_id == pages.an_id(request.patient_id, "patient_id"))
        async with self._database.snapshot(current_actor()) as session:
            await known_team(session, request.team)
            found = await reading.referrals(session, conditions, request.page_size or DEFAULT_PAGE)
        return timeline_pb.ListReferralsResponse(referrals=found)

    async def ListTeams(
        self, request: timeline_pb.ListTeamsRequest, _context: AnyContext
    ) -> timeline_pb.ListTeamsResponse:
        """Return the teams in the order of the teams file."""
        query = select(models.Team).order_by(models.Team.position).limit(request.page_size or DEFAULT_PAGE)
        async with self._database.snapshot(current_actor()) as session:
            teams = (await session.scalars(query)).all()
        return timeline_pb.ListTeamsResponse(teams=[team_to_proto(team) for team in teams])

    async def GetReply(
        self, request: timeline_pb.GetReplyRequest, _context: AnyContext
    ) -> timeline_pb.GetReplyResponse:
        """Return the reply that a key was given, and whether this person and pathway can be reported to."""
        patient_id = pages.an_id(request.patient_id, "patient_id") if request.patient_id else None
        key = uuid.UUID(request.idempotency_key)
        reply = await self._database.glance(_REPLY, {"caller": request.caller, "key": key, "patient_id": patient_id})
        answer = timeline_pb.GetReplyResponse(
            person_known=reply.person_known,
            pathway_status=(reply.pathway_status or "none") if patient_id else "",
        )
        if reply.request_hash is not None:
            answer.found, answer.request_hash = True, reply.request_hash
            answer.receipt.CopyFrom(
                terms_pb.Receipt(
                    seq=reply.seq,
                    event_id=str(reply.event_id) if reply.event_id else "",
                    accepted_at=instant_to_proto(reply.accepted_at),
                )
            )
        return answer

    async def ListPathways(
        self, request: timeline_pb.ListPathwaysRequest, _context: AnyContext
    ) -> timeline_pb.ListPathwaysResponse:
        """Return a page of the open pathways, each with how much waits."""
        size = request.page_size or DEFAULT_PAGE
        after = pages.read_id(request.page_token) if request.page_token else None
        async with self._database.snapshot(current_actor()) as session:
            rows = await _open_pathways(session, request, after, size + 1)
        pathways = [
            timeline_pb.PathwayState(
                patient_id=str(row.patient_id),
                opened_at=instant_to_proto(row.opened_at),
                open_items=row.open_items,
                items_without_owner_or_due=row.astray,
                items_overdue_untold=row.untold,
            )
            for row in rows[:size]
        ]
        token = pages.write(pathways[-1].patient_id) if len(rows) > size else ""
        return timeline_pb.ListPathwaysResponse(pathways=pathways, next_page_token=token)

    async def _filed(self, patient_id: uuid.UUID, min_seq: int) -> bool:
        """Wait up to two seconds for a report to be filed, and say whether it is."""
        if not min_seq:
            return True
        until = time.monotonic() + WAIT_SECONDS
        # A report is filed for its readers once its plan was applied: its tasks are what they came to see.
        planned = select(func.max(models.FiledCall.seq)).where(
            models.FiledCall.rpc == "ApplyPlan", models.FiledCall.patient_id == patient_id
        )
        query = select(planned.scalar_subquery().label("planned_seq")).where(models.Person.patient_id == patient_id)
        while True:
            async with self._database.snapshot(current_actor()) as session:
                row = (await session.execute(query)).first()
                if row is None:
                    await known_person(session, patient_id)
            if row is not None and (row.planned_seq or 0) >= min_seq:
                return True
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(POLL_SECONDS)


async def _state(session: AsyncSession, patient_id: uuid.UUID, *, being_filed: bool) -> timeline_pb.GetPatientResponse:
    person = await known_person(session, patient_id)
    pathway = await session.get(models.Pathway, patient_id)
    event_ids = await session.scalars(
        select(models.Event.event_id).where(models.Event.patient_id == patient_id).order_by(models.Event.seq)
    )
    return timeline_pb.GetPatientResponse(
        person=person_to_proto(person),
        pathway=pathway_to_proto(patient_id, pathway, await _planned_seq(session, patient_id)),
        facts=await reading.facts(session, patient_id),
        open_items=await reading.items(session, [models.Item.patient_id == patient_id, models.Item.status == "open"]),
        referrals=await reading.referrals(session, [models.Referral.patient_id == patient_id]),
        appointments=await reading.appointments(session, patient_id),
        therapy_lines=await reading.therapy_lines(session, patient_id),
        decisions=await reading.decisions(session, patient_id),
        event_ids=[str(event_id) for event_id in event_ids],
        being_filed=being_filed,
        whereabouts=await whereabouts(session, patient_id),
        contact=contact_to_proto(pathway.contact if pathway else None),
        support=await support(session, patient_id),
        shared_decisions=await shared_decisions(session, patient_id),
    )


async def _planned_seq(session: AsyncSession, patient_id: uuid.UUID) -> int:
    """Return the newest place in the order that was planned: a line's task or a tick has one too, and no event."""
    planned = select(func.max(models.FiledCall.seq)).where(
        models.FiledCall.rpc == "ApplyPlan", models.FiledCall.patient_id == patient_id
    )
    return await session.scalar(planned) or 0


# Every report asks this first, so it is one statement.
_REPLY = text(
    """
    SELECT reply.request_hash, reply.seq, reply.event_id, reply.accepted_at,
           EXISTS (SELECT 1 FROM person WHERE person.patient_id = :patient_id) AS person_known,
           (SELECT status FROM pathway WHERE pathway.patient_id = :patient_id) AS pathway_status
      FROM (SELECT 1) AS asked
      LEFT JOIN reply ON reply.caller = :caller AND reply.idempotency_key = :key
    """
).bindparams(bindparam("patient_id", type_=Uuid), bindparam("caller", type_=String), bindparam("key", type_=Uuid))


async def _open_pathways(
    session: AsyncSession, request: timeline_pb.ListPathwaysRequest, after: uuid.UUID | None, limit: int
) -> list[Row[Any]]:
    is_open = models.Item.status == "open"
    astray = and_(
        is_open,
        or_(models.Item.owner_team.is_(None), models.Item.owner_team == "", models.Item.due_at.is_(None)),
    )
    untold = and_(is_open, models.Item.overdue_at.is_(None), models.Item.due_at < now() - MARKED_WITHIN)
    query = (
        select(
            models.Pathway.patient_id,
            models.Pathway.opened_at,
            func.count(models.Item.item_id).label("open_items"),
            func.count(models.Item.item_id).filter(astray).label("astray"),
            func.count(models.Item.item_id).filter(untold).label("untold"),
        )
        .outerjoin(models.Item, and_(models.Item.patient_id == models.Pathway.patient_id, is_open))
        .where(models.Pathway.status == "open")
        .group_by(models.Pathway.patient_id, models.Pathway.opened_at)
        .order_by(models.Pathway.patient_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(models.Pathway.patient_id > after)
    if request.key_worker:
        query = query.where(models.Pathway.key_worker == request.key_worker)
    if request.without_next_step:
        query = query.having(func.count(models.Item.item_id) == 0)
    return list((await session.execute(query)).all())

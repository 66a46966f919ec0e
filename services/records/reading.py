"""Queries on the record: rows in, messages out; each runs in the transaction that it is given."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from handrail.clinical.v1 import terms_pb2 as terms_pb
from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.records import models
from services.records.convert import (
    appointment_to_proto,
    decision_to_proto,
    event_to_proto,
    fact_to_proto,
    item_to_proto,
    referral_to_proto,
    therapy_line_to_proto,
    therapy_step_to_proto,
)
from services.records.support import KEY_WORKER, key_workers_today
from services.records.worklist import ORDER

_SAID_BY = (
    models.Event.actor_subject,
    models.Event.actor_role,
    models.Event.actor_team,
    models.Event.actor_on_behalf_of,
    models.Event.source,
)

Links = dict[uuid.UUID, list[uuid.UUID]]


async def facts(
    session: AsyncSession, patient_id: uuid.UUID, *, up_to_seq: int = 0, include_superseded: bool = False
) -> list[terms_pb.Fact]:
    """Return facts in the order they were recorded, as the record stood at a seq (0: now).

    What was corrected later than that seq stands as it stood then.
    """
    later = aliased(models.Fact)
    corrected = [later.supersedes_fact_id == models.Fact.fact_id]
    query = (
        # columns, not objects: a long record has hundreds of facts, and every judgement reads them all
        select(*models.Fact.__table__.columns, *_SAID_BY, later.fact_id.label("superseded_by"))
        .select_from(models.Fact)
        .join(models.Event, models.Event.event_id == models.Fact.event_id)
        .where(models.Fact.patient_id == patient_id)
        .order_by(models.Fact.seq, models.Fact.position)
    )
    if up_to_seq:
        corrected.append(later.seq <= up_to_seq)
        query = query.where(models.Fact.seq <= up_to_seq)
    query = query.outerjoin(later, and_(*corrected))
    if not include_superseded:
        query = query.where(later.fact_id.is_(None), models.Fact.entered_in_error.is_(False))
    return [fact_to_proto(row) for row in await session.execute(query)]


async def events(session: AsyncSession, patient_id: uuid.UUID) -> list[timeline_pb.RecordedEvent]:
    """Return events in order, each with the facts it carried, corrected ones too."""
    carried: defaultdict[str, list[terms_pb.Fact]] = defaultdict(list)
    for fact in await facts(session, patient_id, include_superseded=True):
        carried[fact.event_id].append(fact)
    rows = await session.scalars(
        select(models.Event).where(models.Event.patient_id == patient_id).order_by(models.Event.seq)
    )
    return [event_to_proto(row, carried[str(row.event_id)]) for row in rows]


async def items(
    session: AsyncSession,
    conditions: Collection[ColumnElement[bool]],
    *,
    limit: int | None = None,
    with_person: bool = False,
) -> list[timeline_pb.Item]:
    """Return items in the order of the worklist, with the facts they stand on."""
    asked = aliased(models.Item)
    query = (
        select(models.Item, models.Person, models.Pathway.contact, asked)
        .join(models.Person, models.Person.patient_id == models.Item.patient_id)
        .outerjoin(models.Pathway, models.Pathway.patient_id == models.Item.patient_id)
        .outerjoin(asked, and_(asked.item_id == models.Item.waits_for_item_id, asked.status == "open"))
        .where(*conditions)
        .order_by(*ORDER)
        .limit(limit)
    )
    rows = (await session.execute(query)).all()
    linked = await _linked(
        session, models.ItemFact.item_id, models.ItemFact.fact_id, [item.item_id for item, *_ in rows]
    )
    theirs = {item.patient_id for item, *_ in rows if item.owner_role == KEY_WORKER and item.status == "open"}
    whose = await key_workers_today(session, theirs)
    return [
        item_to_proto(
            item,
            linked.get(item.item_id, []),
            person if with_person else None,
            contact,
            waits_for,
            whose.get(item.patient_id, "") if item.owner_role == KEY_WORKER and item.status == "open" else "",
        )
        for item, person, contact, waits_for in rows
    ]


async def decisions(session: AsyncSession, patient_id: uuid.UUID, up_to_seq: int = 0) -> list[timeline_pb.Decision]:
    """Return decisions in the order they were recorded, as the record stood at a seq (0: now)."""
    query = select(models.Decision).where(models.Decision.patient_id == patient_id).order_by(models.Decision.seq)
    if up_to_seq:
        query = query.where(models.Decision.seq <= up_to_seq)
    rows = (await session.scalars(query)).all()
    linked = await _linked(
        session,
        models.DecisionFact.decision_id,
        models.DecisionFact.fact_id,
        [row.decision_id for row in rows],
    )
    return [decision_to_proto(row, linked.get(row.decision_id, [])) for row in rows]


async def stood_on(session: AsyncSession, patient_id: uuid.UUID, fact_id: uuid.UUID) -> timeline_pb.GetStoodOnResponse:
    """Return the items and decisions that stood on a fact, and the messages that told of it or of those items."""
    item, decision, message = models.ItemFact, models.DecisionFact, models.MessageFact
    item_ids = (await session.scalars(select(item.item_id).where(item.fact_id == fact_id))).all()
    decision_ids = set(await session.scalars(select(decision.decision_id).where(decision.fact_id == fact_id)))
    told = set(await session.scalars(select(message.message_id).where(message.fact_id == fact_id)))
    about = models.MessageItem
    told |= set(await session.scalars(select(about.message_id).where(about.item_id.in_(item_ids))))
    wanted = [models.Item.patient_id == patient_id, models.Item.item_id.in_(item_ids)]
    made = await decisions(session, patient_id)
    return timeline_pb.GetStoodOnResponse(
        items=await items(session, wanted),
        decisions=[one for one in made if uuid.UUID(one.decision_id) in decision_ids],
        message_ids=sorted(str(message_id) for message_id in told),
    )


async def referrals(
    session: AsyncSession, conditions: Collection[ColumnElement[bool]], limit: int | None = None
) -> list[timeline_pb.Referral]:
    """Return referrals, newest first, each with its steps."""
    query = (
        select(models.Referral)
        .where(*conditions)
        .order_by(models.Referral.drafted_at.desc(), models.Referral.referral_id)
        .limit(limit)
    )
    rows = (await session.scalars(query)).all()
    steps: defaultdict[uuid.UUID, list[models.ReferralStep]] = defaultdict(list)
    if rows:
        taken = select(models.ReferralStep).where(
            models.ReferralStep.referral_id.in_([row.referral_id for row in rows])
        )
        for step in await session.scalars(taken.order_by(models.ReferralStep.position)):
            steps[step.referral_id].append(step)
    return [referral_to_proto(row, steps[row.referral_id]) for row in rows]


async def appointments(session: AsyncSession, patient_id: uuid.UUID) -> list[timeline_pb.Appointment]:
    """Return appointments by their time."""
    rows = await session.scalars(
        select(models.Appointment)
        .where(models.Appointment.patient_id == patient_id)
        .order_by(models.Appointment.starts_at, models.Appointment.appointment_id)
    )
    return [appointment_to_proto(row) for row in rows]


async def therapy_lines(session: AsyncSession, patient_id: uuid.UUID) -> list[timeline_pb.TherapyLine]:
    """Return lines of therapy in the order they were started."""
    rows = await session.scalars(
        select(models.TherapyLine)
        .where(models.TherapyLine.patient_id == patient_id)
        .order_by(models.TherapyLine.started_at, models.TherapyLine.line_id)
    )
    held = rows.all()
    steps = await _therapy_steps(session, patient_id) if held else {}
    return [therapy_line_to_proto(row, steps.get(str(row.line_id), [])) for row in held]


_STEPS = ("cycle_given", "cycle_deferred", "dose_changed", "response_assessed")


async def _therapy_steps(session: AsyncSession, patient_id: uuid.UUID) -> dict[str, list[timeline_pb.TherapyStep]]:
    """Return what happened on each line of therapy, oldest first."""
    rows = await session.scalars(
        select(models.Event)
        .where(models.Event.patient_id == patient_id, models.Event.kind.in_(_STEPS))
        .order_by(models.Event.seq)
    )
    steps: defaultdict[str, list[timeline_pb.TherapyStep]] = defaultdict(list)
    for row in rows:
        steps[str(row.payload[row.kind]["line_id"])].append(therapy_step_to_proto(row))
    return steps


async def _linked(
    session: AsyncSession,
    holder: InstrumentedAttribute[uuid.UUID],
    fact: InstrumentedAttribute[uuid.UUID],
    ids: Sequence[Any],
) -> Links:
    linked: Links = {}
    if ids:
        rows = await session.execute(select(holder, fact).where(holder.in_(ids)).order_by(holder, fact))
        for holder_id, fact_id in rows:
            linked.setdefault(holder_id, []).append(fact_id)
    return linked

"""What follows from an event: one function a kind, in the transaction that appends it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.records.v1 import filing_pb2 as filing_pb
from services.records import appointments, models
from services.records.convert import value_from_proto
from services.records.decisions import decision_made, item_completed, set_cautions_aside
from services.records.imports import pathway_imported
from services.records.referrals import referral_drafted
from services.records.therapy_lines import (
    cycle_given,
    lines_ended_by_death,
    lines_go_on,
    therapy_line_ended,
    therapy_line_started,
)
from services.runtime.errors import Conflict, NotFound

Request = filing_pb.AppendEventRequest
Projection = Callable[[AsyncSession, models.Event, Request], Awaitable[list[models.Fact]]]


async def project(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """Write the rows that follow from an event, and return the facts among them."""
    await set_cautions_aside(session, event, request)
    projection = PROJECTIONS.get(event.kind)
    return await projection(session, event, request) if projection else []


async def _pathway_opened(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    pathway = await session.get(models.Pathway, event.patient_id)
    if pathway is not None:
        message = f"This person's pathway was opened before and is {pathway.status}. Report to that one."
        raise Conflict(message, reason=f"pathway_{pathway.status}")
    session.add(
        models.Pathway(
            patient_id=event.patient_id,
            status="open",
            guideline=request.guideline,
            opened_at=event.occurred_at,
            closed_reason="",
            filed_seq=event.seq,
            key_worker="",
        )
    )
    return []


async def _pathway_closed(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    pathway = await session.get_one(models.Pathway, event.patient_id)
    if pathway.status != "open":
        message = "This pathway is closed already. Nothing more needs to be done."
        raise Conflict(message, reason="pathway_closed")
    pathway.status, pathway.closed_at = "closed", event.occurred_at
    pathway.closed_reason = request.event.pathway_closed.reason
    return []


async def _contact_agreed(session: AsyncSession, event: models.Event, _request: Request) -> list[models.Fact]:
    """The newest one holds; those before stay in their events."""
    pathway = await session.get_one(models.Pathway, event.patient_id)
    pathway.contact = event.payload["contact_agreed"]
    return []


async def _pathway_reopened(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """Why it had been closed stays in the event that closed it."""
    pathway = await session.get_one(models.Pathway, event.patient_id)
    if pathway.status == "open":
        message = "This pathway is open, so there is nothing to reopen."
        raise Conflict(message, reason="pathway_open")
    pathway.status, pathway.closed_at, pathway.closed_reason = "open", None, ""
    pathway.guideline = request.guideline
    return []


async def _key_worker_assigned(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    pathway = await session.get_one(models.Pathway, event.patient_id)
    pathway.key_worker = request.event.key_worker_assigned.person_id
    return []


async def _fact_corrected(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    corrected = request.event.fact_corrected
    old = await session.get(models.Fact, uuid.UUID(corrected.fact_id))
    if old is None or old.patient_id != event.patient_id:
        message = "This person's record has no such result. Copy the id from their timeline."
        raise NotFound(message, field="event.fact_corrected.fact_id", reason="unknown_fact")
    later = await session.scalar(select(models.Fact.fact_id).where(models.Fact.supersedes_fact_id == old.fact_id))
    if later is not None:
        message = "This result was corrected before. Correct the newest value instead; the timeline shows it."
        raise Conflict(message, field="event.fact_corrected.fact_id", reason="already_superseded")
    has_value = corrected.HasField("value")
    fact = models.Fact(
        fact_id=uuid.uuid5(event.event_id, str(len(request.facts))),
        patient_id=event.patient_id,
        event_id=event.event_id,
        seq=event.seq,
        position=len(request.facts),
        name=old.name,
        subject=old.subject,
        value=value_from_proto(corrected.value) if has_value else None,
        occurred_at=old.occurred_at,
        recorded_at=event.recorded_at,
        supersedes_fact_id=old.fact_id,
        entered_in_error=not has_value,
    )
    session.add(fact)
    return [fact]


PROJECTIONS: dict[str, Projection] = {
    "pathway_opened": _pathway_opened,
    "pathway_imported": pathway_imported,
    "pathway_closed": _pathway_closed,
    "pathway_reopened": _pathway_reopened,
    "contact_agreed": _contact_agreed,
    "key_worker_assigned": _key_worker_assigned,
    # which names nobody
    "key_worker_left": _key_worker_assigned,
    "fact_corrected": _fact_corrected,
    "decision_made": decision_made,
    "item_completed": item_completed,
    "therapy_line_started": therapy_line_started,
    "therapy_line_ended": therapy_line_ended,
    "cycle_given": cycle_given,
    "appointment_booked": appointments.appointment_booked,
    "appointment_moved": appointments.appointment_moved,
    "appointment_cancelled": appointments.appointment_cancelled,
    "appointment_attended": appointments.appointment_attended,
    "appointment_missed": appointments.appointment_missed,
    "appointment_not_brought": appointments.appointment_not_brought,
    "referral_drafted": referral_drafted,
    "death_verified": lines_ended_by_death,
    "death_withdrawn": lines_go_on,
}

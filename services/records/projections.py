"""What follows from an event: one function a kind, in the transaction that appends it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.records.v1 import filing_pb2 as filing_pb
from services.records import appointments, models
from services.records.convert import (
    course_from_proto,
    date_to_proto,
    value_from_proto,
)
from services.records.decisions import decision_made, item_completed, set_cautions_aside
from services.records.imports import pathway_imported
from services.records.referrals import referral_drafted
from services.runtime.errors import Conflict, NotFound

Request = filing_pb.AppendEventRequest
Projection = Callable[[AsyncSession, models.Event, Request], Awaitable[list[models.Fact]]]

LONDON = ZoneInfo("Europe/London")


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


async def _therapy_line_started(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    started = request.event.therapy_line_started
    decision_id = await session.scalar(
        select(models.Decision.decision_id)
        .where(models.Decision.patient_id == event.patient_id, models.Decision.outcome == "accepted")
        .order_by(models.Decision.seq.desc())
        .limit(1)
    )
    if decision_id is None:
        message = "No decision to treat is on record. Record the decision and the person's view first, then the start."
        raise Conflict(message, reason="no_decision")
    session.add(
        models.TherapyLine(
            line_id=uuid.UUID(started.line_id),
            patient_id=event.patient_id,
            event_id=event.event_id,
            decision_id=decision_id,
            course=course_from_proto(started.course),
            intent=started.intent,
            response_check_weeks=started.response_check_weeks,
            status="ongoing",
            started_at=event.occurred_at,
        )
    )
    return []


async def _therapy_line_ended(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    ended = request.event.therapy_line_ended
    line = await session.get(models.TherapyLine, uuid.UUID(ended.line_id))
    if line is None or line.patient_id != event.patient_id:
        message = "This person has no such line of treatment. Copy the id from their record."
        raise NotFound(message, field="event.therapy_line_ended.line_id", reason="unknown_line")
    if line.status == "ended":
        message = "This line of treatment has ended already. Correct the earlier report if it was wrong."
        raise Conflict(message, reason="line_ended")
    line.status, line.ended_at = "ended", event.occurred_at
    line.course = {
        **line.course,
        "stop_reason": ended.stop_reason,
        "ended_on": date_to_proto(event.occurred_at.astimezone(LONDON).date()),
    }
    # The rules count lines of treatment and why they stopped, so the line as it ended is a fact of its own.
    fact = models.Fact(
        fact_id=uuid.uuid5(event.event_id, str(len(request.facts))),
        patient_id=event.patient_id,
        event_id=event.event_id,
        seq=event.seq,
        position=len(request.facts),
        name="prior_therapy",
        subject=ended.line_id,
        value={"therapy": line.course},
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        entered_in_error=False,
    )
    session.add(fact)
    return [fact]


async def _death_verified(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """Lines of treatment ended with the person; no fact is made of it, so that a mistake leaves none behind."""
    died_on = request.event.death_verified.died_on
    rows = select(models.TherapyLine).where(
        models.TherapyLine.patient_id == event.patient_id, models.TherapyLine.status == "ongoing"
    )
    for line in await session.scalars(rows):
        line.status, line.ended_at = "ended", event.occurred_at
        line.course = {**line.course, "stop_reason": "other", "ended_on": died_on}
    return []


async def _death_withdrawn(session: AsyncSession, event: models.Event, _request: Request) -> list[models.Fact]:
    """Lines that nobody but the death ended go on, as they had been started."""
    kinds = models.Event.kind.in_(("therapy_line_started", "therapy_line_ended"))
    of_lines = select(models.Event).where(models.Event.patient_id == event.patient_id, kinds)
    courses, by_people = {}, set()
    for told in await session.scalars(of_lines):
        said = told.payload[told.kind]
        if told.kind == "therapy_line_started":
            courses[said["line_id"]] = said["course"]
        else:
            by_people.add(said["line_id"])
    rows = select(models.TherapyLine).where(
        models.TherapyLine.patient_id == event.patient_id, models.TherapyLine.status == "ended"
    )
    for line in await session.scalars(rows):
        if str(line.line_id) not in by_people:
            line.status, line.ended_at, line.course = "ongoing", None, courses[str(line.line_id)]
    return []


PROJECTIONS: dict[str, Projection] = {
    "pathway_opened": _pathway_opened,
    "pathway_imported": pathway_imported,
    "pathway_closed": _pathway_closed,
    "key_worker_assigned": _key_worker_assigned,
    "fact_corrected": _fact_corrected,
    "decision_made": decision_made,
    "item_completed": item_completed,
    "therapy_line_started": _therapy_line_started,
    "therapy_line_ended": _therapy_line_ended,
    "appointment_booked": appointments.appointment_booked,
    "appointment_moved": appointments.appointment_moved,
    "appointment_cancelled": appointments.appointment_cancelled,
    "appointment_attended": appointments.appointment_attended,
    "appointment_missed": appointments.appointment_missed,
    "appointment_not_brought": appointments.appointment_not_brought,
    "referral_drafted": referral_drafted,
    "death_verified": _death_verified,
    "death_withdrawn": _death_withdrawn,
}

"""The rows of a person who was taken over mid-pathway: the pathway, and the lines of treatment that go on."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from handrail.clinical.v1 import events_pb2 as events_pb
from handrail.records.v1 import filing_pb2 as filing_pb
from services.records import appointments, models
from services.records.convert import course_from_proto
from services.runtime.errors import Conflict

ONGOING = "ongoing"
LONDON = ZoneInfo("Europe/London")


async def pathway_imported(
    session: AsyncSession, event: models.Event, request: filing_pb.AppendEventRequest
) -> list[models.Fact]:
    """Open the pathway unless it is open, and write its lines of treatment; those that ended are facts alone."""
    imported = request.event.pathway_imported
    pathway = await session.get(models.Pathway, event.patient_id)
    if pathway is None:
        session.add(_pathway(event, request))
    elif pathway.status != "open":
        message = f"This person's pathway was opened before and is {pathway.status}. Nothing can be imported into it."
        raise Conflict(message, reason=f"pathway_{pathway.status}")
    elif imported.key_worker:
        pathway.key_worker = imported.key_worker
    begun = []
    for line in imported.lines:
        known = await session.get(models.TherapyLine, uuid.UUID(line.line_id))
        if known is not None and known.patient_id != event.patient_id:
            message = "This line of treatment is another person's. Send it under an id of its own."
            raise Conflict(message, field="event.pathway_imported.lines", reason="line_taken")
        if known is not None:
            _end(known, line)
        elif line.course.stop_reason == ONGOING:
            begun.append(line)
    await _begin(session, event, begun)
    if imported.HasField("next_appointment"):
        await _book(session, event, imported.next_appointment)
    return []


def _pathway(event: models.Event, request: filing_pb.AppendEventRequest) -> models.Pathway:
    return models.Pathway(
        patient_id=event.patient_id,
        status="open",
        guideline=request.guideline,
        opened_at=event.recorded_at,  # what it holds is older; it is kept here since the import
        closed_reason="",
        filed_seq=event.seq,
        key_worker=request.event.pathway_imported.key_worker,
    )


async def _begin(session: AsyncSession, event: models.Event, lines: Sequence[events_pb.ImportedLine]) -> None:
    """Write the lines that go on, under one decision: no line stands without one, and theirs was made elsewhere."""
    if not lines:
        return
    starts = [_start(line.course.started_on, event.occurred_at) for line in lines]
    decision = _decided_before(event, min(starts))
    session.add(decision)
    await session.flush()
    session.add_all(
        models.TherapyLine(
            line_id=uuid.UUID(line.line_id),
            patient_id=event.patient_id,
            event_id=event.event_id,
            decision_id=decision.decision_id,
            course=course_from_proto(line.course),
            intent="",
            response_check_weeks=line.response_check_weeks,
            status="ongoing",
            started_at=started_at,
        )
        for line, started_at in zip(lines, starts, strict=True)
    )


def _decided_before(event: models.Event, at: dt.datetime) -> models.Decision:
    return models.Decision(
        decision_id=uuid.uuid5(event.event_id, "decision"),
        event_id=event.event_id,
        patient_id=event.patient_id,
        seq=event.seq,
        rule_id="",
        number="",
        occurrence="",
        outcome="accepted",
        option="",
        person_view="",
        reason_code="",
        reason="Decided before the import: the treatment was under way.",
        basis="",
        decided_at=at,
        departure=False,
        actor_subject=event.actor_subject,
        actor_role=event.actor_role,
        actor_team=event.actor_team,
        actor_on_behalf_of=event.actor_on_behalf_of,
    )


async def _book(session: AsyncSession, event: models.Event, booked: events_pb.AppointmentBooked) -> None:
    """Write the next appointment, unless it stands."""
    if await session.get(models.Appointment, uuid.UUID(booked.appointment_id)) is None:
        await appointments.book(session, event, booked, "event.pathway_imported.next_appointment.starts_at")


def _end(known: models.TherapyLine, line: events_pb.ImportedLine) -> None:
    """End a line that was under way here and has ended according to the import."""
    if known.status != "ongoing" or line.course.stop_reason == ONGOING:
        return
    known.status, known.course = "ended", course_from_proto(line.course)
    known.ended_at = _start(line.course.ended_on, known.started_at)


def _start(day: str, otherwise: dt.datetime) -> dt.datetime:
    """Return the instant at which a London day begins, or another if the day is not known."""
    if not day:
        return otherwise
    return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), LONDON).astimezone(dt.UTC)

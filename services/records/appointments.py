"""What follows from an appointment's events: how it stands now, how it is held, and how it ended."""

from __future__ import annotations

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from handrail.clinical.v1 import events_pb2 as events_pb
from handrail.records.v1 import filing_pb2 as filing_pb
from services.records import models
from services.records.convert import moment_from_proto
from services.records.plans import known_item
from services.runtime.errors import Conflict, NotFound

Request = filing_pb.AppendEventRequest


async def book(session: AsyncSession, event: models.Event, booked: events_pb.AppointmentBooked, field: str) -> None:
    """Write a booked appointment; `field` is where the report says when it begins.

    Raises:
        Conflict: it was booked before.
        NotFound: this person has no such task.
    """
    if await session.get(models.Appointment, uuid.UUID(booked.appointment_id)) is not None:
        message = "This appointment was booked before. Move it instead of booking it again."
        raise Conflict(message, reason="appointment_booked")
    item_id = uuid.UUID(booked.item_id) if booked.item_id else None
    if item_id is not None:
        await known_item(session, event.patient_id, item_id, "event.appointment_booked.item_id")
    session.add(
        models.Appointment(
            appointment_id=uuid.UUID(booked.appointment_id),
            patient_id=event.patient_id,
            purpose=booked.purpose,
            starts_at=moment_from_proto(booked.starts_at, field),
            place=booked.place,
            status="booked",
            mode=booked.mode,
            with_team=booked.with_team,
            visit=booked.visit,
            ended_by="",
            ended_reason="",
            item_id=item_id,
            booked_by_event_id=event.event_id,
        )
    )


async def appointment_booked(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """A new appointment."""
    await book(session, event, request.event.appointment_booked, "event.appointment_booked.starts_at")
    return []


async def appointment_moved(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """Another time, and another way to be seen if one is said."""
    moved = request.event.appointment_moved
    appointment = await _standing(session, event, moved.appointment_id)
    appointment.starts_at = moment_from_proto(moved.starts_at, "event.appointment_moved.starts_at")
    appointment.mode = moved.mode or appointment.mode
    return []


async def appointment_cancelled(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """Cancelled: by whom, and why."""
    said = request.event.appointment_cancelled
    await _end(session, event, said.appointment_id, "cancelled", said.cancelled_by, said.reason)
    return []


async def appointment_attended(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """The person came."""
    await _end(session, event, request.event.appointment_attended.appointment_id, "attended")
    return []


async def appointment_missed(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """The person did not come."""
    said = request.event.appointment_missed
    await _end(session, event, said.appointment_id, "missed", reason=said.note)
    return []


async def appointment_not_brought(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """The person was not brought: on whom they depend to come, and what is known of it."""
    said = request.event.appointment_not_brought
    await _end(session, event, said.appointment_id, "not_brought", said.depends_on, said.note)
    return []


async def _end(
    session: AsyncSession, event: models.Event, appointment_id: str, status: str, by: str = "", reason: str = ""
) -> None:
    appointment = await _standing(session, event, appointment_id)
    appointment.status, appointment.ended_by, appointment.ended_reason = status, by, reason


async def _standing(session: AsyncSession, event: models.Event, appointment_id: str) -> models.Appointment:
    appointment = await session.get(models.Appointment, uuid.UUID(appointment_id))
    if appointment is None or appointment.patient_id != event.patient_id:
        message = "This person has no such appointment. Copy the id from their record."
        raise NotFound(message, field=f"event.{event.kind}.appointment_id", reason="unknown_appointment")
    if appointment.status != "booked":
        status = appointment.status.replace("_", " ")
        message = f"This appointment is {status} already. Book a new one if the person is to be seen."
        raise Conflict(message, field=f"event.{event.kind}.appointment_id", reason="appointment_not_booked")
    return appointment

"""Lines of treatment: started after a decision, given in cycles, ended by people, or by a death that may be undone."""

from __future__ import annotations

import uuid
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.records.v1 import filing_pb2 as filing_pb
from services.records import models
from services.records.convert import course_from_proto, date_to_proto
from services.runtime.errors import Conflict, NotFound

Request = filing_pb.AppendEventRequest

LONDON = ZoneInfo("Europe/London")


async def therapy_line_started(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """Keep a line that starts. Raises Conflict while no decision to treat is on record."""
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
            course={**course_from_proto(started.course), "begun_here": True},
            intent=started.intent,
            response_check_weeks=started.response_check_weeks,
            status="ongoing",
            started_at=event.occurred_at,
        )
    )
    return []


async def cycle_given(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """Keep the day of the last dose, which the emergency rules count from; an earlier cycle told late changes nothing.

    Raises:
        NotFound: the person has no such line.
    """
    line = await _line(session, event, request.event.cycle_given.line_id)
    given_on = _day(event)
    if given_on <= line.course.get("last_dose_on", ""):
        return []
    line.course = {**line.course, "last_dose_on": given_on}
    return [_as_fact(session, event, request, line)]


async def therapy_line_ended(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """Keep when and why a line ended. Raises NotFound without such a line, Conflict if it has ended already."""
    ended = request.event.therapy_line_ended
    line = await _line(session, event, ended.line_id)
    if line.status == "ended":
        message = "This line of treatment has ended already. Correct the earlier report if it was wrong."
        raise Conflict(message, reason="line_ended")
    line.status, line.ended_at = "ended", event.occurred_at
    line.course = {**line.course, "stop_reason": ended.stop_reason, "ended_on": _day(event)}
    return [_as_fact(session, event, request, line)]


async def lines_ended_by_death(session: AsyncSession, event: models.Event, request: Request) -> list[models.Fact]:
    """Lines of treatment ended with the person; no fact is made of it, so that a mistake leaves none behind."""
    died_on = request.event.death_verified.died_on
    rows = select(models.TherapyLine).where(
        models.TherapyLine.patient_id == event.patient_id, models.TherapyLine.status == "ongoing"
    )
    for line in await session.scalars(rows):
        line.status, line.ended_at = "ended", event.occurred_at
        line.course = {**line.course, "stop_reason": "other", "ended_on": died_on}
    return []


async def lines_go_on(session: AsyncSession, event: models.Event, _request: Request) -> list[models.Fact]:
    """Lines that nobody but the death ended go on as they were: `ongoing`, with the dose that was last given."""
    told = select(models.Event).where(
        models.Event.patient_id == event.patient_id, models.Event.kind == "therapy_line_ended"
    )
    by_people = {ended.payload[ended.kind]["line_id"] for ended in await session.scalars(told)}
    rows = select(models.TherapyLine).where(
        models.TherapyLine.patient_id == event.patient_id, models.TherapyLine.status == "ended"
    )
    for line in await session.scalars(rows):
        if str(line.line_id) not in by_people:
            kept = {name: value for name, value in line.course.items() if name != "ended_on"}
            line.status, line.ended_at, line.course = "ongoing", None, kept | {"stop_reason": "ongoing"}
    return []


async def _line(session: AsyncSession, event: models.Event, line_id: str) -> models.TherapyLine:
    line = await session.get(models.TherapyLine, uuid.UUID(line_id))
    if line is None or line.patient_id != event.patient_id:
        message = "This person has no such line of treatment. Copy the id from their record."
        raise NotFound(message, field=f"event.{event.kind}.line_id", reason="unknown_line")
    return line


def _day(event: models.Event) -> str:
    return date_to_proto(event.occurred_at.astimezone(LONDON).date())


def _as_fact(session: AsyncSession, event: models.Event, request: Request, line: models.TherapyLine) -> models.Fact:
    """The rules count lines, why they stopped and when they were last given: the line as it now is, as a fact."""
    fact = models.Fact(
        fact_id=uuid.uuid5(event.event_id, str(len(request.facts))),
        patient_id=event.patient_id,
        event_id=event.event_id,
        seq=event.seq,
        position=len(request.facts),
        name="prior_therapy",
        subject=str(line.line_id),
        value={"therapy": line.course},
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        entered_in_error=False,
    )
    session.add(fact)
    return fact

"""How often people decided otherwise than recommended, and why: counted, never blamed."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.records import models
from services.records.convert import date_from_proto

LONDON = ZoneInfo("Europe/London")


async def departures(
    session: AsyncSession, request: timeline_pb.ListDeparturesRequest
) -> timeline_pb.ListDeparturesResponse:
    """Return the departures of a time by coded reason and recommendation, the most frequent first.

    Raises:
        Invalid: a day is no day of the calendar.
    """
    within = _within(request)
    decision = models.Decision
    counted = func.count().label("departures")
    rows = await session.execute(
        select(
            decision.reason_code,
            decision.number,
            counted,
            func.count(decision.patient_id.distinct()).label("people"),
        )
        .where(decision.departure, *within)
        .group_by(decision.reason_code, decision.number)
        .order_by(counted.desc(), decision.reason_code, decision.number)
    )
    chosen = select(func.count()).select_from(decision).where(decision.outcome != "done", *within)
    everything = await session.scalar(chosen)
    return timeline_pb.ListDeparturesResponse(
        counts=[
            timeline_pb.DepartureCount(
                reason_code=row.reason_code, number=row.number, departures=row.departures, people=row.people
            )
            for row in rows
        ],
        decisions=everything or 0,
    )


def _within(request: timeline_pb.ListDeparturesRequest) -> list[ColumnElement[bool]]:
    made_at = models.Decision.decided_at
    conditions = []
    if request.since:
        conditions.append(made_at >= _begins(date_from_proto(request.since, "since")))
    if request.until:
        after = date_from_proto(request.until, "until") + dt.timedelta(days=1)
        conditions.append(made_at < _begins(after))
    return conditions


def _begins(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), LONDON)

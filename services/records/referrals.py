"""Referrals: at every instant exactly one named team is responsible for the next action."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.records.v1 import filing_pb2 as filing_pb
from services.records import models
from services.records.convert import actor_from_proto, instant_from_proto
from services.records.db import new_id
from services.records.replies import kept_reply
from services.records.teams import owners
from services.runtime.errors import Conflict, Invalid, NotFound


async def referral_drafted(
    session: AsyncSession, event: models.Event, request: filing_pb.AppendEventRequest
) -> list[models.Fact]:
    """Write a draft, for which the team that drafted it is responsible, and its first step."""
    drafted = request.event.referral_drafted
    referral_id = uuid.UUID(drafted.referral_id)
    if await session.get(models.Referral, referral_id) is not None:
        message = "This referral was drafted before. Continue with that one."
        raise Conflict(message, reason="referral_drafted")
    who = await owners(session)
    if drafted.to_team not in who.roles:
        message = "There is no such team to refer to. Choose one from the list of teams."
        raise NotFound(message, field="event.referral_drafted.to_team", reason="unknown_team")
    from_team = who.owner(event.actor_team, event.actor_role)
    session.add(
        models.Referral(
            referral_id=referral_id,
            patient_id=event.patient_id,
            event_id=event.event_id,
            from_team=from_team,
            to_team=drafted.to_team,
            urgency=drafted.urgency,
            reason=drafted.reason,
            numbers=list(drafted.numbers),
            status="draft",
            responsible_team=from_team,
            clinically_responsible_team=from_team,
            drafted_at=event.occurred_at,
        )
    )
    await session.flush()  # the step refers to the referral
    session.add(
        models.ReferralStep(
            referral_step_id=new_id(),
            referral_id=referral_id,
            patient_id=event.patient_id,
            position=1,
            status="draft",
            at=event.occurred_at,
            responsible_team=from_team,
            note="",
            event_id=event.event_id,
            **actor_from_proto(request.actor),
        )
    )
    return []


async def set_referral_status(
    session: AsyncSession, request: filing_pb.SetReferralStatusRequest
) -> filing_pb.SetReferralStatusResponse:
    """Set the status if it is still the one the caller saw; the same event again gets the first answer."""
    referral = await session.get(models.Referral, uuid.UUID(request.referral_id))
    if referral is None:
        message = "There is no such referral. Copy the id from the record."
        raise NotFound(message, field="referral_id", reason="unknown_referral")
    before = await _set_before(session, request)
    if before is not None:
        return filing_pb.SetReferralStatusResponse(
            status=before.status, responsible_team=before.responsible_team, already_set=True
        )
    if referral.status != request.from_status:
        message = (
            f"This referral is now '{referral.status.replace('_', ' ')}', so it cannot go on from "
            f"'{request.from_status.replace('_', ' ')}'. Read it again before you act."
        )
        raise Conflict(message, field="from_status", reason="referral_status")
    if request.responsible_team not in (await owners(session)).roles:
        message = "There is no such team to be responsible. Choose one from the list of teams."
        raise Invalid(message, field="responsible_team", reason="unknown_team")
    await _step_on(session, referral, request)
    return filing_pb.SetReferralStatusResponse(
        status=referral.status, responsible_team=referral.responsible_team, already_set=False
    )


async def _set_before(session: AsyncSession, request: filing_pb.SetReferralStatusRequest) -> models.ReferralStep | None:
    """Return the step that this event, or this caller's key, has already made."""
    event_id = uuid.UUID(request.event_id)
    if request.caller and request.request_hash:
        kept = await kept_reply(session, request.caller, uuid.UUID(request.idempotency_key), request.request_hash)
        event_id = kept.event_id if kept is not None and kept.event_id is not None else event_id
    step: models.ReferralStep | None = await session.scalar(
        select(models.ReferralStep).where(
            models.ReferralStep.referral_id == uuid.UUID(request.referral_id),
            models.ReferralStep.event_id == event_id,
        )
    )
    if step is not None and step.status != request.to_status and event_id == uuid.UUID(request.event_id):
        message = (
            "This event has set another status of this referral before. Report the new step as an event of its own."
        )
        raise Conflict(message, field="event_id", reason="event_used")
    return step


async def _step_on(
    session: AsyncSession, referral: models.Referral, request: filing_pb.SetReferralStatusRequest
) -> None:
    at = instant_from_proto(request.at)
    last = await session.scalar(
        select(func.max(models.ReferralStep.position)).where(models.ReferralStep.referral_id == referral.referral_id)
    )
    referral.status, referral.responsible_team = request.to_status, request.responsible_team
    referral.next_due_at = instant_from_proto(request.next_due_at) if request.HasField("next_due_at") else None
    if request.to_status == "first_contact":
        referral.clinically_responsible_team = referral.to_team
    session.add(
        models.ReferralStep(
            referral_step_id=new_id(),
            referral_id=referral.referral_id,
            patient_id=referral.patient_id,
            position=(last or 0) + 1,
            status=request.to_status,
            at=at,
            responsible_team=request.responsible_team,
            note=request.note,
            event_id=uuid.UUID(request.event_id),
            **actor_from_proto(request.actor),
        )
    )
    if request.caller and request.request_hash:
        session.add(
            models.Reply(
                caller=request.caller,
                idempotency_key=uuid.UUID(request.idempotency_key),
                request_hash=request.request_hash,
                patient_id=referral.patient_id,
                seq=0,
                event_id=uuid.UUID(request.event_id),
                accepted_at=at,
                answer={"status": request.to_status, "responsible_team": request.responsible_team},
            )
        )

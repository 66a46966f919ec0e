"""The alert budget: beyond so many alerts a day, those that are no emergency are gathered and told in one digest.

A gathered alert is a message that is kept and not sent by itself. A digest takes all that wait for one audience of one
team, names each task once, and is a message as any other: kept, sent again until it is taken, never sent twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from uuid import UUID, uuid5

from google.protobuf.json_format import MessageToDict, ParseDict
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from handrail.notify.v1 import notices_pb2 as notices_pb
from services.notify.db import transaction
from services.notify.models import Message
from services.notify.rendering import LONDON
from services.notify.sending import CONCLUDED, GATHERED, Sender
from services.runtime.clock import now
from services.runtime.errors import Unavailable

TEMPLATE = "alert_digest"
_SHORT_ID = 8


@dataclass
class Digested:
    """What one round of digests came to."""

    digests: int = 0
    alerts: int = 0
    refused_teams: list[str] = field(default_factory=list)


async def gather(session: AsyncSession, message: Message, request: notices_pb.SendNoticeRequest) -> None:
    """Let a new alert wait for a digest when its audience had its alerts of the day; emergencies never wait."""
    message.alert = request.alerts_a_day > 0 and request.urgency != "emergency"
    if not message.alert:
        return
    # Two alerts at one moment count one after the other.
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtext(f"alerts|{message.team}|{message.audience}")))
    )
    today = datetime.combine(now().astimezone(LONDON).date(), time(), LONDON)
    singly = await session.scalar(
        select(func.count())
        .select_from(Message)
        .where(Message.alert, Message.team == message.team, Message.audience == message.audience)
        .where(Message.status != GATHERED, Message.created_at >= today)
    )
    if (singly or 0) >= request.alerts_a_day:
        message.status = GATHERED
        message.tasks = [MessageToDict(item, preserving_proto_field_name=True) for item in request.items]


async def send_digests(engine: AsyncEngine, sender: Sender, key: UUID) -> Digested:
    """Send a digest of what was gathered to each audience; the same key again sends only what had not left.

    Raises:
        Unavailable: a digest could not be handed over yet; the others were.
    """
    async with transaction(engine) as session:
        await _assign(session, key)
        waiting = await _not_concluded(session)
    done, late = Digested(), 0
    for digest_id, alerts in waiting.items():
        try:
            status = (await sender.send(_request(digest_id, alerts))).status
        except Unavailable:
            late += 1
            continue
        done.digests += 1
        done.alerts += len(alerts)
        if status == "failed":
            done.refused_teams.append(alerts[0].asked_team)
    if late:
        message = f"{late} digests are kept but could not be handed over yet. Ask again with the same key."
        raise Unavailable(message)
    return done


async def _assign(session: AsyncSession, key: UUID) -> None:
    """Give what waits to a digest of this key; one that was made of it before takes nothing more."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("digests"))))
    rows = select(Message).where(Message.status == GATHERED, Message.digest_id.is_(None)).with_for_update()
    made = set(await session.scalars(select(Message.digest_id).where(Message.digest_id.is_not(None)).distinct()))
    for message in await session.scalars(rows):
        digest_id = uuid5(key, f"{message.asked_team}|{message.audience}")
        if digest_id not in made:
            message.digest_id = digest_id


async def _not_concluded(session: AsyncSession) -> dict[UUID, list[Message]]:
    """Return what each digest tells that has not left yet, in the order in which it was gathered."""
    digest = Message.__table__.alias("digest")
    rows = (
        select(Message)
        .outerjoin(digest, digest.c.message_id == Message.digest_id)
        .where(Message.digest_id.is_not(None))
        .where(or_(digest.c.message_id.is_(None), digest.c.status.not_in(CONCLUDED)))
        .order_by(Message.position)
    )
    found: dict[UUID, list[Message]] = {}
    for message in await session.scalars(rows):
        if message.digest_id is not None:
            found.setdefault(message.digest_id, []).append(message)
    return found


def _request(digest_id: UUID, alerts: Sequence[Message]) -> notices_pb.SendNoticeRequest:
    """Return the digest: each task once, as the newest alert has it."""
    tasks: dict[str, notices_pb.NoticeItem] = {}
    for alert in alerts:
        about = f"Handrail person {str(alert.patient_id)[:_SHORT_ID]}." if alert.patient_id else ""
        for kept in alert.tasks:
            item = ParseDict(kept, notices_pb.NoticeItem())
            item.reason = f"{about} {item.reason}".strip()
            which = item.item_id or f"{about}|{item.title}|{item.due_on}"
            tasks.pop(which, None)
            tasks[which] = item
    return notices_pb.SendNoticeRequest(
        idempotency_key=str(digest_id),
        template=TEMPLATE,
        team=alerts[0].asked_team,
        audience=alerts[0].audience,
        values={"alerts": str(len(alerts)), "number": str(len(tasks))},
        items=list(tasks.values()),
        urgency="urgent",
    )

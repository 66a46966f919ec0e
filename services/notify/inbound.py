"""What comes back: receipts and bounces, committed one by one so that no reader of cursors misses any."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.models import Inbound, Message
from services.runtime.clock import now
from services.runtime.context import current_actor

DELIVERED, BOUNCED, READ = "delivered", "bounced", "read"
# A cursor is drawn under this lock and the lock goes with the commit: a smaller cursor is never seen later.
_IN_ORDER = 0x4861_6E64_0103


@dataclass(frozen=True, slots=True)
class News:
    """What became of a message; `request_hash` tells apart reports made under one id."""

    inbound_id: UUID
    kind: str
    detail: str
    request_hash: str = ""


async def append_inbound(session: AsyncSession, message: Message, news: News) -> None:
    """Append what became of a message, for its owner."""
    await session.execute(select(func.pg_advisory_xact_lock(_IN_ORDER)))
    session.add(
        Inbound(
            inbound_id=news.inbound_id,
            request_hash=news.request_hash,
            kind=news.kind,
            message_id=message.message_id,
            patient_id=message.patient_id,
            owner_id=message.owner_id,
            channel=message.channel,
            detail=news.detail,
            reported_by=current_actor().subject,
            at=now(),
        )
    )
    await session.flush()

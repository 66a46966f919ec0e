"""Whom no message may reach: those who died, or who do not want any. Staff are told of them as before.

Rows are only appended. Of each cause the row with the highest place in the person's order counts, so that a call which
comes late, or twice, never silences or wakes anybody by mistake.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.notify.v1 import notices_pb2 as notices_pb
from services.notify.convert import request_hash
from services.notify.models import Suppression
from services.runtime.clock import now
from services.runtime.context import current_actor
from services.runtime.errors import KeyReused

INFORMATION = "information"

Request = notices_pb.SuppressPatientRequest | notices_pb.LiftSuppressionRequest


async def note(session: AsyncSession, request: Request, *, lifted: bool) -> bool:
    """Keep that a cause holds, or holds no longer; return whether this person is sent nothing now.

    Raises:
        KeyReused: the key came before with another request.
    """
    suppression_id, patient_id = UUID(request.idempotency_key), UUID(request.patient_id)
    asked = request_hash(request) + ("-lifted" if lifted else "")
    # Whoever claims an attempt for this person waits for us, or we for them: no claim slips in between.
    await session.execute(select(func.pg_advisory_xact_lock(_lock(patient_id))))
    known = await session.get(Suppression, suppression_id)
    if known is None:
        session.add(
            Suppression(
                suppression_id=suppression_id,
                request_hash=asked,
                patient_id=patient_id,
                cause=request.cause,
                lifted=lifted,
                seq=request.seq,
                set_by=current_actor().subject,
                at=now(),
            )
        )
        await session.flush()
    elif known.request_hash != asked:
        message = "This idempotency key was used for another request. Use a new key for a new request."
        raise KeyReused(message, field="idempotency_key")
    return await _holds(session, patient_id)


async def suppressed(session: AsyncSession, patient_id: UUID | None, topic: str = "") -> bool:
    """Say whether a message to this person is held back; asked in the transaction that claims an attempt.

    Information on a topic is held back too when the person does not want to know of it, or of anything. A message to
    nobody in particular is held back: whether that person lives cannot be known.
    """
    if patient_id is None:
        return True
    await session.execute(select(func.pg_advisory_xact_lock_shared(_lock(patient_id))))
    return await _holds(session, patient_id, topic)


async def _holds(session: AsyncSession, patient_id: UUID, topic: str = "") -> bool:
    newest = (
        select(Suppression.cause, Suppression.lifted)
        .where(Suppression.patient_id == patient_id)
        .distinct(Suppression.cause)
        .order_by(Suppression.cause, Suppression.seq.desc(), Suppression.position.desc())
    )
    unwanted = {INFORMATION, f"{INFORMATION}_{topic}"} if topic else set()
    return any(
        not row.lifted and (row.cause in unwanted or not row.cause.startswith(INFORMATION))
        for row in await session.execute(newest)
    )


def _lock(patient_id: UUID) -> int:
    return int.from_bytes(patient_id.bytes[8:], "big", signed=True)

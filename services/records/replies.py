"""The memory of answers: the same key is answered the same, for good."""

from __future__ import annotations

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from services.records import models
from services.runtime.errors import KeyReused


async def kept_reply(
    session: AsyncSession, caller: str, idempotency_key: uuid.UUID, request_hash: str
) -> models.Reply | None:
    """Return what this caller's key was answered with, if it was.

    Raises:
        KeyReused: the key came before with another request.
    """
    reply = await session.get(models.Reply, (caller, idempotency_key))
    if reply is not None and reply.request_hash != request_hash:
        message = "This key was used before for another request. Send the new request under a new key."
        raise KeyReused(message, field="idempotency_key")
    return reply


async def filed_before(session: AsyncSession, idempotency_key: uuid.UUID, rpc: str) -> models.FiledCall | None:
    """Return what the worker's key was answered with, if it was.

    Raises:
        KeyReused: the key came before with another call.
    """
    return same_call(await session.get(models.FiledCall, idempotency_key), rpc)


def same_call(call: models.FiledCall | None, rpc: str) -> models.FiledCall | None:
    """Return the call, or None if there was none.

    Raises:
        KeyReused: it was another call.
    """
    if call is not None and call.rpc != rpc:
        message = "This key was used before for another call. Send this one under a key of its own."
        raise KeyReused(message, field="idempotency_key")
    return call

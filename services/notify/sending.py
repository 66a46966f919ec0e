"""Sending one message: claim it, try once, say how it ended. Retries live in Temporal, under the same id.

The claim commits a started attempt before anything leaves. Whoever finds one without an end cannot know
whether the mail left: it goes out again under the same Message-ID, counted as another attempt.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from handrail.notify.v1 import notices_pb2 as notices_pb
from services.notify.channels import Channel, Letter, Outcome, Result
from services.notify.convert import STARTED, request_hash, uuid_from_proto
from services.notify.db import at_once, open_connection, transaction
from services.notify.inbound import BOUNCED, DELIVERED, News, append_inbound
from services.notify.models import Attempt, Message
from services.notify.rendering import PATIENT, STAFF, Item, Telling, Template, Templates, due_words
from services.notify.suppression import suppressed
from services.notify.teams import Destination, Teams
from services.runtime.clock import now
from services.runtime.context import correlation_id, current_actor
from services.runtime.errors import Conflict, Invalid, KeyReused, Unavailable
from services.runtime.logging import get_logger

log = get_logger()

GATHERED = "gathered"
CONCLUDED = frozenset({"sent", "delivered", "failed", GATHERED})


# Says of a new message whether it waits for a digest.
Budget = Callable[[AsyncSession, Message, notices_pb.SendNoticeRequest], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Sender:
    """All that sending needs; nothing in it changes."""

    engine: AsyncEngine
    teams: Teams
    templates: Templates
    channel: Channel
    budget: Budget

    async def send(self, request: notices_pb.SendNoticeRequest) -> notices_pb.SendNoticeResponse:
        """Send a message once; the same request again repeats the answer.

        Raises:
            KeyReused: the key belongs to another message.
            Unavailable: the message could not be handed over yet, or another call is handing it over.
        """
        message_id = UUID(request.idempotency_key)
        async with _sole_sender(self.engine, message_id) as connection:
            async with transaction(connection) as session:
                message, attempts = await self._claim(session, request, message_id)
                if message.status in CONCLUDED:
                    return _repeated(message, attempts)
                if await self._held_back(session, message, request.topic):
                    return _suppressed(message_id)
                number = _start_attempt(session, message, attempts)
            result = await self.channel.send(_letter(message))
            async with transaction(connection) as session:
                await _conclude(session, message_id, number, result)
        return _answered(message_id, number, result)

    async def _claim(
        self, session: AsyncSession, request: notices_pb.SendNoticeRequest, message_id: UUID
    ) -> tuple[Message, Sequence[Attempt]]:
        """Return the message, made now or by an earlier call, and its attempts so far."""
        message = await session.get(Message, message_id, with_for_update=True)
        if message is None:
            message = self._compose(request, message_id)
            _refuse_strangers(self.templates.get(message.template))
            await self.budget(session, message, request)
            session.add(message)
            await session.flush()
            return message, ()
        message.channel = self.channel.name  # a mail server may have been set, or taken away, since the last attempt
        refuse_other_request(message.request_hash, hash_of(request))
        if message.status not in CONCLUDED:
            _refuse_strangers(self.templates.get(message.template))
        rows = select(Attempt).where(Attempt.message_id == message_id).order_by(Attempt.number)
        return message, (await session.scalars(rows)).all()

    async def _held_back(self, session: AsyncSession, message: Message, topic: str) -> bool:
        """Say whether the person is to be sent nothing: asked in the transaction that claims each attempt."""
        if self.templates.get(message.template).audience != PATIENT:
            return False
        return await suppressed(session, message.patient_id, topic)

    def _destination(self, request: notices_pb.SendNoticeRequest, template: Template) -> Destination:
        """Return the team that is told, or the person at their own address, with the team they ring."""
        team = self.teams.reach(request.team, request.audience or "all")
        if template.audience != PATIENT:
            return team
        if not request.address:
            message = "A message to the person needs the address that was agreed with them. Nothing was sent."
            raise Invalid(message, field="address")
        return Destination(team.team, (request.address,))

    def _compose(self, request: notices_pb.SendNoticeRequest, message_id: UUID) -> Message:
        template = self.templates.get(request.template)
        destination = self._destination(request, template)
        telling = Telling(
            destination=destination,
            message_id=str(message_id),
            patient_id=request.patient_id,
            urgency=request.urgency,
            owner_id=request.owner_id,
            items=tuple(_item(item) for item in request.items),
        )
        subject, body = self.templates.render(template, telling, request.values)
        return Message(
            message_id=message_id,
            request_hash=hash_of(request),
            template=template.name,
            asked_team=request.team,
            team=destination.team.team_id,
            audience=request.audience or "all",
            channel=self.channel.name,
            recipients=list(destination.recipients),
            subject=subject,
            body=body,
            status="queued",
            patient_id=uuid_from_proto(request.patient_id),
            event_id=uuid_from_proto(request.event_id),
            owner_id=request.owner_id,
            urgency=request.urgency,
            correlation_id=request.correlation_id or correlation_id(),
            sent_by=current_actor().subject,
            created_at=now(),
        )


def _item(item: notices_pb.NoticeItem) -> Item:
    due_at = item.due_at.ToDatetime(tzinfo=UTC) if item.HasField("due_at") else None
    return Item(item.title, due_words(item.due_on, due_at), item.reason, item.number, item.urgency)


def hash_of(request: notices_pb.SendNoticeRequest) -> str:
    """Return what tells two messages apart: what is said to whom, not under which correlation id."""
    return request_hash(request, "correlation_id")


def refuse_other_request(known: str, given: str) -> None:
    """Let the same request pass.

    Raises:
        KeyReused: it is another request under a key that was used.
    """
    if known != given:
        message = "This idempotency key was used for another request. Use a new key for a new request."
        raise KeyReused(message, field="idempotency_key")


def _refuse_strangers(template: Template) -> None:
    """Stop what is neither for staff nor for the person: a family is told by a person."""
    if template.audience not in {STAFF, PATIENT}:
        message = "Handrail writes to staff and to the person; a family is told by a person. Nothing was sent."
        raise Conflict(message, reason="suppressed")


@asynccontextmanager
async def _sole_sender(engine: AsyncEngine, message_id: UUID) -> AsyncIterator[AsyncConnection]:
    """Hold the right to send this message, on a connection of its own; PostgreSQL gives it back if we die."""
    key = int.from_bytes(message_id.bytes[:8], "big", signed=True)
    async with open_connection(engine) as connection:
        if not await at_once(connection, select(func.pg_try_advisory_lock(key))):
            message = "This message is being sent at this very moment. Ask again shortly."
            raise Unavailable(message)
        try:
            yield connection
        finally:
            await _give_back(connection, key)


async def _give_back(connection: AsyncConnection, key: int) -> None:
    try:
        await at_once(connection, select(func.pg_advisory_unlock(key)))
    except BaseException as error:
        # Closing the connection frees the lock, whatever state it is in.
        await connection.invalidate()
        if not isinstance(error, Unavailable):
            raise


def _start_attempt(session: AsyncSession, message: Message, attempts: Sequence[Attempt]) -> int:
    number = max((step.number for step in attempts), default=0) + 1
    session.add(Attempt(message_id=message.message_id, number=number, step=STARTED, detail="", at=now()))
    message.status = Outcome.IN_DOUBT.value
    return number


def _letter(message: Message) -> Letter:
    return Letter(
        message_id=str(message.message_id),
        template=message.template,
        team=message.team,
        recipients=tuple(message.recipients),
        subject=message.subject,
        body=message.body,
        created_at=message.created_at,
    )


async def _conclude(session: AsyncSession, message_id: UUID, number: int, result: Result) -> None:
    """Append how the attempt ended, what that makes of the message, and what its owner should hear."""
    message = await session.get_one(Message, message_id, with_for_update=True)
    session.add(
        Attempt(message_id=message_id, number=number, step=result.outcome.value, detail=result.detail, at=now())
    )
    if message.status not in CONCLUDED:  # a receipt may have come in the meantime
        message.status = await _status_after(session, message_id, result.outcome)
    kind = {Outcome.ACCEPTED: DELIVERED, Outcome.REFUSED: BOUNCED}.get(result.outcome)
    if kind is not None and message.owner_id:
        news = News(uuid5(message_id, f"attempt {number}"), kind, result.detail)
        await append_inbound(session, message, news)


async def _status_after(session: AsyncSession, message_id: UUID, outcome: Outcome) -> str:
    if outcome is Outcome.ACCEPTED:
        return "sent"
    if outcome is Outcome.REFUSED:
        return "failed"
    rows = select(Attempt).where(Attempt.message_id == message_id)
    steps = (await session.scalars(rows)).all()
    ended = {step.number for step in steps if step.step not in (STARTED, Outcome.IN_DOUBT)}
    in_doubt = {step.number for step in steps} - ended
    return Outcome.IN_DOUBT.value if in_doubt else "queued"


def _repeated(message: Message, attempts: Sequence[Attempt]) -> notices_pb.SendNoticeResponse:
    """Return the answer of the call that concluded the message, whatever receipts said later."""
    if message.status == GATHERED:
        return notices_pb.SendNoticeResponse(message_id=str(message.message_id), status=GATHERED)
    accepted = message.status != "failed" or any(step.step == Outcome.ACCEPTED for step in attempts)
    status = "sent" if accepted else "failed"
    return notices_pb.SendNoticeResponse(message_id=str(message.message_id), status=status, already_sent=accepted)


def _suppressed(message_id: UUID) -> notices_pb.SendNoticeResponse:
    """Say that it is kept and not sent; it goes on its way when it is asked for again and nothing speaks against it."""
    log.info("notice_suppressed", message_id=str(message_id))
    return notices_pb.SendNoticeResponse(message_id=str(message_id), status="suppressed")


def _answered(message_id: UUID, number: int, result: Result) -> notices_pb.SendNoticeResponse:
    log.info("notice_attempted", message_id=str(message_id), attempt=number, outcome=result.outcome.value)
    if result.outcome is Outcome.ACCEPTED:
        return notices_pb.SendNoticeResponse(message_id=str(message_id), status="sent")
    if result.outcome is Outcome.REFUSED:
        return notices_pb.SendNoticeResponse(message_id=str(message_id), status="failed")
    message = "The message is kept but could not be handed over yet. Send it again with the same key."
    raise Unavailable(message, reason=f"mail_{result.outcome.value}")

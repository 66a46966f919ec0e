"""The servicer of notify: one noun, the notice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import grpc
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from handrail.notify.v1 import notices_pb2 as notices_pb
from handrail.notify.v1 import notices_pb2_grpc as notices_grpc
from services.notify import digests
from services.notify.channels import Channel
from services.notify.channels.email import Email
from services.notify.channels.log_only import LogOnly
from services.notify.convert import STARTED, inbound_to_proto, message_to_proto, request_hash
from services.notify.db import transaction
from services.notify.inbound import BOUNCED, News, append_inbound
from services.notify.models import Attempt, Inbound, Message
from services.notify.rendering import Templates
from services.notify.sending import Sender, hash_of, refuse_other_request
from services.notify.settings import NotifySettings
from services.notify.suppression import note
from services.notify.teams import Teams
from services.runtime.context import current_actor
from services.runtime.errors import NotAllowed, NotFound
from services.runtime.logging import get_logger

log = get_logger()

_READERS = frozenset(
    {
        "auditor",
        "coordinator",
        "hospice_intake",
        "key_worker",
        "nurse",
        "oncologist",
        "palliative_clinician",
        "service_lead",
        "worker",
    }
)
SWEEP, SWEEP_FOUND = "sweep", "sweep_found"
PERMISSIONS: dict[str, frozenset[str]] = {
    "SendNotice": frozenset({"worker", SWEEP}),
    "SendDigests": frozenset({"worker"}),
    "SuppressPatient": frozenset({"worker"}),
    "LiftSuppression": frozenset({"worker"}),
    "ListInbound": frozenset({"worker"}),
    "ReportReceipt": frozenset({"mail_gateway", "coordinator"}),
    "GetMessage": _READERS,
    "ListMessages": _READERS,
}
PAGE_SIZE = 100
LOOK_AGAIN_SECONDS = 1.0
# Each holds a connection while the mail server answers; as many are left for those who read.
SENDING_AT_ONCE = 10
FINISH_SECONDS = 4.0
AnyContext = grpc.aio.ServicerContext[object, object]
_Sending = asyncio.Task[notices_pb.SendNoticeResponse]


def open_channel(settings: NotifySettings) -> Channel:
    """Return the mail channel, or the log channel where no mail server is set."""
    if settings.mail_server is None:
        return LogOnly()
    return Email(settings.mail_server, settings.mail_from, settings.mail_domain)


def add_notices(server: grpc.aio.Server, notices: Notices) -> Sequence[str]:
    """Register the servicer; return the full names of the services it answers."""
    notices_grpc.add_NoticeServiceServicer_to_server(notices, server)
    return [notices_pb.DESCRIPTOR.services_by_name["NoticeService"].full_name]


class Notices(notices_grpc.NoticeServiceServicer):
    """Sends messages to staff, keeps them, and hands out what came back."""

    def __init__(self, engine: AsyncEngine, teams: Teams, templates: Templates, channel: Channel) -> None:
        self._engine = engine
        self._sender = Sender(engine, teams, templates, channel, digests.gather)
        self._sending: dict[str, tuple[str, _Sending]] = {}
        self._places = asyncio.Semaphore(SENDING_AT_ONCE)
        self._news = asyncio.Event()

    async def SendNotice(
        self, request: notices_pb.SendNoticeRequest, context: AnyContext
    ) -> notices_pb.SendNoticeResponse:
        """Send one logical message; a caller who gives up waiting does not stop it halfway."""
        _refuse_other_news(request.template)
        key, asked = request.idempotency_key.lower(), hash_of(request)
        known, task = self._sending.get(key, (asked, None))
        refuse_other_request(known, asked)
        if task is None:
            task = asyncio.create_task(self._send(request))
            self._sending[key] = (asked, task)
            task.add_done_callback(lambda done: self._sent(key, done))
        return await asyncio.shield(task)

    async def SendDigests(
        self, request: notices_pb.SendDigestsRequest, context: AnyContext
    ) -> notices_pb.SendDigestsResponse:
        """Tell each team what was gathered for it since the last digest."""
        async with self._places:
            done = await digests.send_digests(self._engine, self._sender, UUID(request.idempotency_key))
        log.info("digests_sent", digests=done.digests, alerts=done.alerts, refused=len(done.refused_teams))
        return notices_pb.SendDigestsResponse(
            digests=done.digests, alerts=done.alerts, refused_teams=done.refused_teams
        )

    async def GetMessage(
        self, request: notices_pb.GetMessageRequest, context: AnyContext
    ) -> notices_pb.GetMessageResponse:
        """Return one message with its attempts and receipts."""
        async with transaction(self._engine) as session:
            message = await _message(session, request.message_id)
            shown = await _with_history(session, [message])
        return notices_pb.GetMessageResponse(message=shown[0])

    async def ListMessages(
        self, request: notices_pb.ListMessagesRequest, context: AnyContext
    ) -> notices_pb.ListMessagesResponse:
        """Return the newest messages, of everybody or about one person, the newest last."""
        rows = select(Message).order_by(Message.position.desc()).limit(request.page_size or PAGE_SIZE)
        if request.patient_id:
            rows = rows.where(Message.patient_id == UUID(request.patient_id))
        async with transaction(self._engine) as session:
            newest = (await session.scalars(rows)).all()
            shown = await _with_history(session, newest[::-1])
        return notices_pb.ListMessagesResponse(messages=shown)

    async def ListInbound(
        self, request: notices_pb.ListInboundRequest, context: AnyContext
    ) -> notices_pb.ListInboundResponse:
        """Return what came back after a cursor; wait for the first, if asked to."""
        loop = asyncio.get_running_loop()
        until = loop.time() + request.wait_seconds
        rows = select(Inbound).where(Inbound.cursor > request.cursor, Inbound.owner_id != "").order_by(Inbound.cursor)
        while True:
            news = self._news
            async with transaction(self._engine) as session:
                found = (await session.scalars(rows.limit(request.page_size or PAGE_SIZE))).all()
            left = until - loop.time()
            if found or left <= 0:
                return notices_pb.ListInboundResponse(inbound=[inbound_to_proto(row) for row in found])
            try:
                # Another process may write too: look again now and then without being told.
                await asyncio.wait_for(news.wait(), min(left, LOOK_AGAIN_SECONDS))
            except TimeoutError:
                continue

    async def ReportReceipt(
        self, request: notices_pb.ReportReceiptRequest, context: AnyContext
    ) -> notices_pb.ReportReceiptResponse:
        """Keep what became of a message; the same report twice is one."""
        inbound_id, asked = UUID(request.idempotency_key), request_hash(request)
        async with transaction(self._engine) as session:
            message = await _message(session, request.message_id, locked=True)
            known = await session.scalar(select(Inbound.request_hash).where(Inbound.inbound_id == inbound_id))
            if known is None:
                news = News(inbound_id, request.kind, request.detail, asked)
                await append_inbound(session, message, news)
                message.status = _status_after_receipt(message.status, request.kind)
            else:
                refuse_other_request(known, asked)
        self._tell_waiting()
        log.info(
            "receipt_reported",
            message_id=str(message.message_id),
            inbound_id=str(inbound_id),
            kind=request.kind,
        )
        return notices_pb.ReportReceiptResponse(inbound_id=str(inbound_id))

    async def SuppressPatient(
        self, request: notices_pb.SuppressPatientRequest, context: AnyContext
    ) -> notices_pb.SuppressPatientResponse:
        """Hold back every message to this person, those that wait included."""
        async with transaction(self._engine) as session:
            holds = await note(session, request, lifted=False)
        log.info("patient_suppressed", patient_id=request.patient_id, cause=request.cause, seq=request.seq)
        return notices_pb.SuppressPatientResponse(suppressed=holds)

    async def LiftSuppression(
        self, request: notices_pb.LiftSuppressionRequest, context: AnyContext
    ) -> notices_pb.LiftSuppressionResponse:
        """One cause holds no longer."""
        async with transaction(self._engine) as session:
            holds = await note(session, request, lifted=True)
        log.info("suppression_lifted", patient_id=request.patient_id, cause=request.cause, seq=request.seq)
        return notices_pb.LiftSuppressionResponse(suppressed=holds)

    async def finish(self) -> None:
        """Let the messages that are under way come to their end, within a few seconds."""
        tasks = [task for _, task in self._sending.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=FINISH_SECONDS)

    async def _send(self, request: notices_pb.SendNoticeRequest) -> notices_pb.SendNoticeResponse:
        async with self._places:
            return await self._sender.send(request)

    def _sent(self, key: str, task: _Sending) -> None:
        self._sending.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever still waits has it too; it is not reported a second time
        self._tell_waiting()

    def _tell_waiting(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


def _refuse_other_news(template: str) -> None:
    """Let the sweep raise its alarm, and say nothing else to anybody."""
    if current_actor().role == SWEEP and template != SWEEP_FOUND:
        text = f"The sweep sends {SWEEP_FOUND} only. Report what it is about, and the pathway tells its teams."
        raise NotAllowed(text)


async def _message(session: AsyncSession, message_id: str, *, locked: bool = False) -> Message:
    message = await session.get(Message, UUID(message_id), with_for_update=True if locked else None)
    if message is None:
        text = "There is no message with this id. List the person's messages to find it."
        raise NotFound(text, field="message_id")
    return message


async def _with_history(session: AsyncSession, messages: Sequence[Message]) -> list[notices_pb.Message]:
    """Return messages with their attempts and receipts, in two queries however many there are."""
    ids = [message.message_id for message in messages]
    attempts: dict[UUID, list[Attempt]] = {message_id: [] for message_id in ids}
    receipts: dict[UUID, list[Inbound]] = {message_id: [] for message_id in ids}
    # The start of an attempt sorts before its end.
    in_order = (Attempt.number, (Attempt.step == STARTED).desc())
    for step in await session.scalars(select(Attempt).where(Attempt.message_id.in_(ids)).order_by(*in_order)):
        attempts[step.message_id].append(step)
    for row in await session.scalars(select(Inbound).where(Inbound.message_id.in_(ids)).order_by(Inbound.cursor)):
        receipts[row.message_id].append(row)
    return [message_to_proto(m, attempts[m.message_id], receipts[m.message_id]) for m in messages]


def _status_after_receipt(status: str, kind: str) -> str:
    if kind == BOUNCED:
        return "failed"
    return status if status == "failed" else "delivered"

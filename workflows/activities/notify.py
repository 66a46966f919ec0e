"""Telling teams through notify, and hearing what came back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from handrail.notify.v1 import notices_pb2
from handrail.records.v1 import filing_pb2, timeline_pb2
from services.runtime.errors import Category, HandrailError
from workflows import names
from workflows.activities import instant, refusals, timestamp
from workflows.messages import Digested, InboundPage, InboundReceipt, Notice, Silence

if TYPE_CHECKING:
    from handrail.notify.v1.notices_pb2_grpc import NoticeServiceAsyncStub
    from handrail.records.v1.filing_pb2_grpc import FilingServiceAsyncStub
    from handrail.records.v1.timeline_pb2_grpc import TimelineServiceAsyncStub
    from services.runtime.clients import Caller

_WAIT_SECONDS = 10
_ROUNDS = 60


class NotifyActivities:
    """Calls `NoticeService`; a notice keeps its one id on every try."""

    def __init__(
        self,
        caller: Caller,
        notices: NoticeServiceAsyncStub,
        filing: FilingServiceAsyncStub,
        timeline: TimelineServiceAsyncStub,
    ) -> None:
        self._timeline = timeline
        self._caller = caller
        self._notices = notices
        self._filing = filing

    @activity.defn
    async def send_notice(self, notice: Notice) -> str:
        """Send one notice, then link it in the record to what it stood on; return its status.

        `unlinked`: its team was told, and the record does not answer; the link is to be made later.
        """
        if notice.again_for:
            return await self._tell_again(notice)
        request = notices_pb2.SendNoticeRequest(
            idempotency_key=notice.message_id,
            template=notice.template,
            team=notice.team,
            audience=notice.audience,
            patient_id=notice.patient_id,
            event_id=notice.event_id,
            values=notice.values,
            items=[
                notices_pb2.NoticeItem(
                    title=line.title,
                    due_on=line.due_on,
                    reason=line.reason,
                    number=line.number,
                    due_at=timestamp(line.due_at) if line.due_at else None,
                    urgency=line.urgency,
                    item_id=line.item_id,
                )
                for line in notice.lines
            ],
            urgency=notice.urgency,
            owner_id=notice.owner_id,
            correlation_id=notice.correlation_id,
            alerts_a_day=notice.alerts_a_day,
            address=notice.address,
            topic=notice.topic,
        )
        with refusals():
            status = "sent"
            if not notice.told:
                status = (await self._caller.call(self._notices.SendNotice, request, timeout=8.0)).status
            if notice.fact_ids or notice.item_ids:
                try:
                    await self._link(notice)
                except HandrailError as error:
                    if notice.told or status != "sent" or error.category is not Category.UNAVAILABLE:
                        raise
                    return names.UNLINKED
        return status

    @activity.defn
    async def send_digests(self, key: str) -> Digested:
        """Have each team told what was gathered for it since the last digest."""
        with refusals():
            request = notices_pb2.SendDigestsRequest(idempotency_key=key)
            reply = await self._caller.call(self._notices.SendDigests, request, timeout=55.0)
        return Digested(reply.digests, list(reply.refused_teams))

    async def _tell_again(self, notice: Notice) -> str:
        """Tell each team that had been told of a fact that it was corrected, once."""
        asked = timeline_pb2.GetStoodOnRequest(patient_id=notice.patient_id, fact_id=notice.again_for)
        with refusals():
            stood_on = await self._caller.call(self._timeline.GetStoodOn, asked)
            teams: set[str] = set()
            for message_id in stood_on.message_ids:
                request = notices_pb2.GetMessageRequest(message_id=message_id)
                teams.add((await self._caller.call(self._notices.GetMessage, request)).message.team)
            for team in sorted(teams.difference(notice.told_now)):
                again = notices_pb2.SendNoticeRequest(
                    idempotency_key=names.derived_id("again", notice.message_id, team),
                    template=notice.template,
                    team=team,
                    patient_id=notice.patient_id,
                    event_id=notice.event_id,
                    urgency=notice.urgency,
                    correlation_id=notice.correlation_id,
                )
                await self._caller.call(self._notices.SendNotice, again, timeout=8.0)
        return "sent"

    async def _link(self, notice: Notice) -> None:
        request = filing_pb2.LinkMessageRequest(
            idempotency_key=names.derived_id("link", notice.message_id),
            message_id=notice.message_id,
            patient_id=notice.patient_id,
            event_id=notice.event_id,
            fact_ids=notice.fact_ids,
            item_ids=notice.item_ids,
        )
        await self._caller.call(self._filing.LinkMessage, request)

    @activity.defn
    async def silence(self, asked: Silence) -> bool:
        """Say that nothing may reach a person, or that one cause of it holds no longer; return whether any holds."""
        key, person, cause, seq = asked.suppression_id, asked.patient_id, asked.cause, asked.seq
        silencing = notices_pb2.SuppressPatientRequest(idempotency_key=key, patient_id=person, cause=cause, seq=seq)
        lifting = notices_pb2.LiftSuppressionRequest(idempotency_key=key, patient_id=person, cause=cause, seq=seq)
        with refusals():
            if asked.lifted:
                return bool((await self._caller.call(self._notices.LiftSuppression, lifting)).suppressed)
            return bool((await self._caller.call(self._notices.SuppressPatient, silencing)).suppressed)

    @activity.defn
    async def list_inbound(self, cursor: int) -> InboundPage:
        """Wait, up to ten minutes and heartbeating, for something to come back after `cursor`."""
        leaving = asyncio.ensure_future(activity.wait_for_worker_shutdown())
        try:
            return await self._poll(cursor, leaving)
        finally:
            leaving.cancel()

    async def _poll(self, cursor: int, leaving: asyncio.Future[None]) -> InboundPage:
        for _ in range(_ROUNDS):
            activity.heartbeat(cursor)
            request = notices_pb2.ListInboundRequest(cursor=cursor, page_size=100, wait_seconds=_WAIT_SECONDS)
            asked = asyncio.ensure_future(
                self._caller.call(self._notices.ListInbound, request, timeout=_WAIT_SECONDS + 5.0)
            )
            either: set[asyncio.Future[Any]] = {asked, leaving}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                # The worker stops: end at once, the next worker asks again from the same cursor.
                asked.cancel()
                message = "the worker is stopping"
                raise ApplicationError(message, type="unavailable")
            with refusals():
                reply = asked.result()
            if reply.inbound:
                receipts = [
                    InboundReceipt(i.inbound_id, i.kind, i.message_id, i.owner_id, i.channel, instant(i.at), i.detail)
                    for i in reply.inbound
                ]
                return InboundPage(receipts, reply.inbound[-1].cursor)
        return InboundPage([], cursor)

"""The notify service in this process, and somebody to call it."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.notify.v1 import notices_pb2 as notices_pb
from handrail.notify.v1 import notices_pb2_grpc as notices_grpc
from services.notify.db import open_engine
from services.notify.notices import PERMISSIONS, Notices, add_notices
from services.notify.rendering import TEMPLATES, Templates
from services.notify.teams import Teams
from services.runtime.clients import Caller, open_channel
from services.runtime.context import Actor
from services.runtime.server import build_server
from services.runtime.settings import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from handrail.notify.v1.notices_pb2_grpc import NoticeServiceAsyncStub
    from services.notify.channels import Channel

KEY = "a-key-for-tests-that-is-long-enough-for-hs256"
WORKER = Caller(Actor("worker", "worker"), KEY)
SWEEP = Caller(Actor("sweep", "sweep"), KEY)
COORDINATOR = Caller(Actor("ann", "coordinator", "breast_care"), KEY)
GATEWAY = Caller(Actor("gateway", "mail_gateway"), KEY)

TEAMS = """
teams:
  - team_id: duty_desk
    name: Duty desk
    telephone: "0113 496 0000"
    email: duty@trust.example
  - team_id: breast_care
    name: Care coordination
    telephone: "0113 496 0001"
    lead: lee
    deputy: dee
    members:
      - {person_id: lee, name: Lee, email: lee@trust.example}
      - {person_id: dee, name: Dee}
      - {person_id: kim, name: Kim, email: kim@trust.example}
  - team_id: palliative
    name: Supportive care team
    telephone: "0113 496 0002"
    email: support@trust.example
  - team_id: unreachable
    name: Team without an address
"""


@dataclass
class House:
    """A running notify service; `stub` speaks to it over real gRPC."""

    stub: NoticeServiceAsyncStub

    async def send(self, request: notices_pb.SendNoticeRequest) -> notices_pb.SendNoticeResponse:
        return await WORKER.call(self.stub.SendNotice, request, timeout=20)

    async def message(self, message_id: str) -> notices_pb.Message:
        request = notices_pb.GetMessageRequest(message_id=message_id)
        return (await COORDINATOR.call(self.stub.GetMessage, request)).message

    async def inbound(self, cursor: int = 0, wait: int = 0, size: int = 0) -> list[notices_pb.Inbound]:
        request = notices_pb.ListInboundRequest(cursor=cursor, wait_seconds=wait, page_size=size)
        return list((await WORKER.call(self.stub.ListInbound, request, timeout=30)).inbound)


def notice(**changes: object) -> notices_pb.SendNoticeRequest:
    """An ordinary message to a team, under a new key."""
    fields: dict[str, object] = {
        "idempotency_key": str(uuid.uuid4()),
        "template": "result_received",
        "team": "palliative",
        "patient_id": "0b0e9f1c-1111-4222-8333-444455556666",
        "values": {"investigation": "HER2 status"},
        "owner_id": "referral-1",
    }
    return notices_pb.SendNoticeRequest(**{**fields, **changes})  # type: ignore[arg-type]


@asynccontextmanager
async def running(
    database_url: str, teams_file: Path, channel: Channel, templates: Path = TEMPLATES
) -> AsyncIterator[House]:
    """Serve notify on a free port."""
    engine = open_engine(database_url)
    teams = Teams.from_file(teams_file)
    notices = Notices(engine, teams, Templates(teams, templates), channel)
    settings = ServiceSettings("notify", "127.0.0.1:0", KEY)
    server, port = await build_server(settings, lambda it: add_notices(it, notices), PERMISSIONS)
    await server.start()
    channel_to_it = open_channel(f"127.0.0.1:{port}")
    try:
        yield House(notices_grpc.NoticeServiceStub(channel_to_it))
    finally:
        await channel_to_it.close()
        await server.stop(None)
        await notices.finish()
        await engine.dispose()

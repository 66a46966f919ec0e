"""How the durability tests report: as a caller who sends the same key again until it is confirmed."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from handrail.clinical.v1 import terms_pb2
from services.runtime.context import Actor
from services.runtime.errors import Category, HandrailError
from tests.house import Door

PATIENCE = 150.0


async def insist(
    door: Door, actor: Actor, rpc: str, patient_id: str, event: Any, *, also: tuple[Category, ...] = (), **values: Any
) -> terms_pb2.Receipt:
    """Report under one key until it is confirmed; `also` are refusals that only mean "not yet"."""
    request = door.request(rpc, patient_id, event, key=values.pop("key", str(uuid.uuid4())), **values)
    stub = next(s for s in (door.intake, door.referrals, door.scheduling) if hasattr(s, rpc))
    until, pause = time.monotonic() + PATIENCE, 0.2
    while True:
        try:
            reply = await door.call(actor, getattr(stub, rpc), request)
        except HandrailError as error:
            if error.category not in {Category.UNAVAILABLE, *also} or time.monotonic() > until:
                raise
            await asyncio.sleep(pause)
            pause = min(1.0, pause * 1.5)
        else:
            return reply.receipt  # type: ignore[no-any-return]


async def at_rest(client: Client, *workflow_ids: str, patience: float = 150.0) -> None:
    """Wait until none of these workflows has anything under way but its timer."""
    calm, until = 0, time.monotonic() + patience
    while calm < 6:
        assert time.monotonic() < until, "it never came to rest"
        pending = 0
        for workflow_id in workflow_ids:
            pending += await under_way(client, workflow_id)
        calm = 0 if pending else calm + 1
        await asyncio.sleep(0.1)


async def under_way(client: Client, workflow_id: str) -> int:
    """How many activities and workflow tasks wait; one for a workflow that is still to be started, as a line is."""
    try:
        raw = (await client.get_workflow_handle(workflow_id).describe()).raw_description
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return 1
    return len(raw.pending_activities) + int(raw.HasField("pending_workflow_task"))


async def runs_of(client: Client, workflow_id: str) -> list[list[HistoryEvent]]:
    """The histories of all runs of a workflow, the first run first."""
    histories: list[list[HistoryEvent]] = []
    run_id: str | None = None
    while True:
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        histories.insert(0, list(history.events))
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run_id:
            return histories


def pending_timers(events: list[HistoryEvent]) -> int:
    """How many timers of a run were started and neither fired nor cancelled."""
    started, gone = set(), set()
    for event in events:
        if event.HasField("timer_started_event_attributes"):
            started.add(event.event_id)
        elif event.HasField("timer_fired_event_attributes"):
            gone.add(event.timer_fired_event_attributes.started_event_id)
        elif event.HasField("timer_canceled_event_attributes"):
            gone.add(event.timer_canceled_event_attributes.started_event_id)
    return len(started - gone)

"""Ten simulated years of one person: many runs of the workflow, nothing lost, and a next step at each moment."""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from drills.histories import judged
from drills.traces import Step, trace_of
from tests.durability.telling import pending_timers, runs_of
from tests.workflows.conftest import Memory, working
from tests.workflows.driving import say, settled, started
from workflows import names
from workflows.messages import PlannedItem
from workflows.patient_pathway import PatientPathway

VISITS = 10
# A visit is due after 30 days and rung up about after 75. The server moves the clock of a run that begins anew to the
# end of the jump at once, so jumps end a day or two after a visit is due; what else is due may be told at a jump's end.
JUMPS = [timedelta(days=days) for days in (29, 2, 43, 2, 290)]
LIMIT = 120
Pathway = WorkflowHandle[PatientPathway, None]


def still_open(memory: Memory) -> dict[str, PlannedItem]:
    items: dict[str, PlannedItem] = {}
    for asked in memory.applied:
        for item_id, _, _ in asked.close:
            items.pop(item_id)
        for item in asked.open:
            items[names.derived_id("item", asked.patient_id, item.key, asked.event_id)] = item
    return items


async def forward(env: WorkflowEnvironment, pathway: Pathway, ahead: timedelta) -> None:
    """Move the clock; a jump that ends with its run is not always reported, so what is left is asked for again."""
    until = await env.get_current_time(pathway) + ahead
    while (left := until - await env.get_current_time(pathway)) > timedelta(0):
        with suppress(TimeoutError, RPCError):
            async with asyncio.timeout(5):
                await env.fast_forward(pathway, left)


async def a_year(env: WorkflowEnvironment, pathway: Pathway, memory: Memory, number: int) -> None:
    """A visit is due and forgotten, climbs to the telephone, and is made up for; a symptom is told."""
    await say(pathway, "follow_up_triggered", occasion=f"visit-{number}", purpose="clinic")
    await say(pathway, "symptom_reported")
    await settled(pathway)
    for jump in JUMPS:
        await forward(env, pathway, jump)
        assert (await settled(pathway))["open_items"] >= 1
    forgotten = still_open(memory)
    assert "phone_task" in {item.kind for item in forgotten.values()}
    (item_id,) = [one for one, item in forgotten.items() if item.kind == "follow_up"]
    await say(pathway, "item_completed", item_id=item_id, outcome="Seen in clinic.")
    assert (await settled(pathway))["open_items"] >= 1


async def test_ten_years_keep_every_promise(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(due_in=timedelta(days=30), next_rung=timedelta(days=45)), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        first = await started(env, queue, history_events=LIMIT)
        pathway: Pathway = env.client.get_workflow_handle_for(PatientPathway.run, first.id)
        began = await env.get_current_time(pathway)
        # given a promise that is due in nine years
        memory.due_in = timedelta(days=9 * 365)
        await say(pathway, "investigation_ordered", order_id=str(uuid.uuid4()), modality="CECT", purpose="monitoring")
        await settled(pathway)
        memory.due_in = timedelta(days=30)
        # when ten years go by
        for number in range(VISITS):
            await a_year(env, pathway, memory, number)
        ended = await env.get_current_time(pathway)
        runs = await runs_of(env.client, pathway.id)
    assert ended - began > timedelta(days=3652)
    trace = trace_of([json.loads(WorkflowHistory(pathway.id, events).to_json()) for events in runs])
    # then everything that must hold of a finished history holds of all runs together
    assert judged(trace) == []
    reports = [step.seq for step in trace if step.what == "accepted"]
    assert reports == sorted({kept.seq for kept in memory.appended})
    assert len(reports) == 2 + 3 * VISITS
    # then every promise was kept on its day, the one of nine years ago too
    assert_told_on_their_days(trace)
    # then no run was long, what a run hands on stays small (64 keys and 100 occasions are kept), and one timer is left
    assert len(runs) > 5
    assert max(len(events) for events in runs) < LIMIT + 100
    assert max(_input_bytes(events) for events in runs) < 32 * 1024
    assert pending_timers(runs[-1]) == 1


def assert_told_on_their_days(trace: list[Step]) -> None:
    due: dict[str, Any] = {step.about: step.detail["due"] for step in trace if step.what == "opened"}
    overdue = [step for step in trace if step.what == "overdue"]
    assert len(overdue) > VISITS
    late = [step.at - datetime.fromisoformat(due[step.about]).astimezone(UTC) for step in overdue]
    assert max(late) <= max(JUMPS)
    assert sorted(late)[len(late) * 2 // 3] < timedelta(minutes=1)
    assert any("order" in step.detail["title"].lower() or "Result" in step.detail["title"] for step in overdue)


def _input_bytes(events: list[HistoryEvent]) -> int:
    return sum(len(one.data) for one in events[0].workflow_execution_started_event_attributes.input.payloads)

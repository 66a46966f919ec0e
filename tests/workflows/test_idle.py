"""A person of whom nothing is due costs nothing: days go by, and history does not grow."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from tests.durability.telling import pending_timers, runs_of
from tests.workflows.conftest import Memory, working
from tests.workflows.driving import settled, started

# What the server itself writes when a test moves a clock.
MOVING = {"workflow_execution_options_updated_event_attributes"}


async def kinds(env: WorkflowEnvironment, workflow_id: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for events in await runs_of(env.client, workflow_id):
        found.update(event.WhichOneof("attributes") or "" for event in events)
    return Counter({kind: count for kind, count in found.items() if kind not in MOVING and "time_skipping" not in kind})


async def test_forty_idle_days_add_nothing_to_history_and_keep_the_one_timer(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(due_in=timedelta(days=60)), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await settled(pathway)
        before = await kinds(env, pathway.id)
        await env.fast_forward(pathway, timedelta(days=40))
        after = await kinds(env, pathway.id)
        runs = await runs_of(env.client, pathway.id)
    assert after == before
    assert pending_timers(runs[-1]) == 1
    assert len(memory.applied) == 1

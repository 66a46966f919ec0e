"""An entry goes through its four steps in one activity while all goes well, else through each by itself."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from datetime import timedelta

from temporalio.api.history.v1 import HistoryEvent
from temporalio.testing import WorkflowEnvironment

from tests.durability.telling import pending_timers, runs_of
from tests.workflows.conftest import Memory, working
from tests.workflows.driving import eventually, say, settled, started


def activities(events: list[HistoryEvent]) -> Counter[str]:
    """How often each activity was asked for."""
    return Counter(
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in events
        if event.HasField("activity_task_scheduled_event_attributes")
    )


def timers(events: list[HistoryEvent]) -> int:
    """How many timers were set."""
    return sum(event.HasField("timer_started_event_attributes") for event in events)


async def test_a_report_is_one_activity_and_what_moves_no_due_time_sets_no_timer(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        for number in range(3):
            await settled(pathway)  # while a notice waits, others wait behind it
            await say(pathway, "progression_reported", site=f"site {number}")
        await settled(pathway)
        (events,) = await runs_of(env.client, pathway.id)
    assert activities(events) == {"file_and_tell": 4, "send_notice": 1}  # the first opened a task
    assert timers(events) <= 2  # one more when it ran before its first report came
    assert pending_timers(events) == 1
    assert [kept.seq for kept in memory.appended] == [asked.seq for asked in memory.applied] == [1, 2, 3, 4]
    told = [notice.message_id for notice in memory.notices if notice.template == "progression_reported"]
    assert len(told) == len(set(told)) == 3


async def test_a_rung_is_asked_for_and_told_in_one_activity(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(due_in=timedelta(seconds=2), next_rung=timedelta(days=30)), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await eventually(lambda: memory.climbed, "the task is late")
        await settled(pathway)
        (events,) = await runs_of(env.client, pathway.id)
    assert activities(events) == {"file_and_tell": 2, "send_notice": 1, "climb_and_tell": 1}
    assert sorted(n.audience for n in memory.notices if n.template == "item_overdue") == ["all", "lead"]
    assert pending_timers(events) == 1


async def test_what_does_not_answer_is_insisted_on_and_what_was_done_before_is_not_done_again(
    env: WorkflowEnvironment,
) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await settled(pathway)
        memory.decisions = "down"
        await say(pathway, "progression_reported", site="liver")
        await eventually(lambda: len(memory.appended) == 2, "it stands in the record")
        await asyncio.sleep(0.5)
        memory.decisions = ""
        await settled(pathway)
        (events,) = await runs_of(env.client, pathway.id)
    # recorded in one go; then asked for its decision until there was one, planned and told
    assert activities(events) == {"file_and_tell": 2, "decide_next_steps": 1, "apply_plan": 1, "send_notice": 2}
    assert [asked.seq for asked in memory.applied] == [1, 2]


async def test_mail_that_does_not_go_waits_in_the_post_and_filing_goes_on(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(undeliverable="progression_reported"), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await settled(pathway)
        for number in range(3):
            await say(pathway, "progression_reported", site=f"site {number}")
        await eventually(lambda: len(memory.applied) == 4, "all is filed")
        assert "progression_reported" not in {notice.template for notice in memory.notices}
        memory.undeliverable = ""
        await settled(pathway)
        (events,) = await runs_of(env.client, pathway.id)
    assert Counter(notice.template for notice in memory.notices)["progression_reported"] == 3
    assert activities(events)["file_and_tell"] == 4
    assert activities(events)["send_notice"] == 1 + 3

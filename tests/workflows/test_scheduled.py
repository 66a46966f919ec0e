"""The schedules are made once and brought up to date, and the weekly list is one message that fits."""

from __future__ import annotations

import uuid
from dataclasses import replace

from temporalio import activity
from temporalio.client import ScheduleOverlapPolicy, ScheduleUpdate, ScheduleUpdateInput
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.workflows.conftest import Memory
from workflows.messages import Digested, MdtWaiting
from workflows.names import DAILY_SWEEP, MDT_LIST
from workflows.scheduled import AlertDigest, MdtList, listed
from workflows.schedules import SCHEDULES, ensure_schedules
from workflows.worker import runner


async def test_a_schedule_is_made_once_stays_paused_and_takes_a_new_edition(env: WorkflowEnvironment) -> None:
    await ensure_schedules(env.client)
    handle = env.client.get_schedule_handle(MDT_LIST)
    made = await handle.describe()
    assert made.schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
    await handle.update(_paused)
    await ensure_schedules(env.client)
    known = (await handle.describe()).schedule
    assert (known.state.paused, known.state.note) == (True, made.schedule.state.note)
    # a later edition comes at another hour
    wanted = SCHEDULES[MDT_LIST]
    later = replace(wanted, spec=SCHEDULES[DAILY_SWEEP].spec, state=replace(wanted.state, note="edition 2"))
    await ensure_schedules(env.client, {MDT_LIST: later})
    known = (await handle.describe()).schedule
    assert (known.state.paused, known.state.note) == (True, "edition 2")
    assert [calendar.hour[0].start for calendar in known.spec.calendars] == [6]


def _paused(known: ScheduleUpdateInput) -> ScheduleUpdate:
    schedule = known.description.schedule
    return ScheduleUpdate(schedule=replace(schedule, state=replace(schedule.state, paused=True)))


async def test_the_weekly_list_is_one_message_with_counts_and_short_ids(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())

    @activity.defn
    async def who_waits_for_the_mdt() -> MdtWaiting:
        return MdtWaiting("breast_mdt", ["0b0e9f1c", "1c1f0a2d"], ["0b0e9f1c"])

    async with Worker(
        env.client,
        task_queue=queue,
        workflows=[MdtList],
        activities=[who_waits_for_the_mdt, memory.send_notice],
        workflow_runner=runner(),
    ):
        assert await env.client.execute_workflow(MdtList.run, id="mdt-list-2026-11-23T08:00:00Z", task_queue=queue) == 2
        assert await env.client.execute_workflow(MdtList.run, id="mdt-list-2026-11-23T08:00:00Z", task_queue=queue) == 2
    (notice,) = memory.notices
    assert (notice.template, notice.team) == ("mdt_list", "breast_mdt")
    assert notice.values == {
        "people": "2",
        "decisions": "2",
        "questions": "1",
        "decision_ids": "0b0e9f1c, 1c1f0a2d",
        "question_ids": "0b0e9f1c",
    }


async def test_a_digest_that_is_refused_for_good_is_rung_up_once(env: WorkflowEnvironment) -> None:
    memory, queue, keys = Memory(), str(uuid.uuid4()), []

    @activity.defn
    async def send_digests(key: str) -> Digested:
        keys.append(key)
        return Digested(3, ["oncology"])

    async with Worker(
        env.client,
        task_queue=queue,
        workflows=[AlertDigest],
        activities=[send_digests, memory.send_notice],
        workflow_runner=runner(),
    ):
        for hour in ("08", "08", "09"):
            run = f"alert-digest-2026-11-23T{hour}:00:00Z"
            assert await env.client.execute_workflow(AlertDigest.run, id=run, task_queue=queue) == 3
    assert (keys[0] == keys[1], keys[0] == keys[2]) == (True, False)
    assert {(notice.template, notice.team) for notice in memory.notices} == {("phone_task", "duty_desk")}
    assert len({notice.message_id for notice in memory.notices}) == 2


def test_a_list_of_thousands_still_fits() -> None:
    said = listed([f"{number:08x}" for number in range(10_000)])
    assert said.endswith(" and 9850 more")
    assert len(said) <= 2000

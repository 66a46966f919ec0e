"""Endings on a real server: silence beside everything else, what rests and stands again, and nothing planned for it."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from tests.workflows.conftest import Memory, working
from tests.workflows.driving import PALLIATIVE, a_report, by, eventually, say, settled, started, started_line
from workflows import names
from workflows.patient_pathway import PatientPathway

VERIFIED = {"identity_checked": "nhs_number_and_name", "confirmed_with": "the ward", "died_on": "2026-03-01"}
NAMESAKE = {"mistake": "namesake", "reason": "another person of that name"}


async def died(pathway: WorkflowHandle[PatientPathway, None]) -> None:
    """A death, reported and verified."""
    await say(pathway, "death_reported", reported_by="family")
    await pathway.execute_update(PatientPathway.report, by(PALLIATIVE, "death_verified", **VERIFIED))


def left(memory: Memory) -> set[str]:
    """The keys that are open in the record."""
    standing: dict[str, str] = {}
    keys: dict[str, str] = {}
    for asked in memory.applied:
        for item_id, _, _ in asked.close:
            standing.pop(item_id, None)
        standing |= {item_id: keys[item_id] for item_id, _ in asked.reopen}
        opened = {names.derived_id("item", asked.patient_id, item.key, asked.event_id): item.key for item in asked.open}
        keys |= opened
        standing |= opened
    return set(standing.values())


async def test_silence_waits_for_neither_the_record_nor_the_mail_server(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(undeliverable="progression_reported"), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await settled(pathway)
        await say(pathway, "progression_reported", site="liver")
        await eventually(lambda: len(memory.appended) == 2, "it is filed, and its mail waits")
        memory.records_down = True
        await say(pathway, "death_reported", reported_by="gp")
        await eventually(lambda: memory.silences, "notify is told", seconds=3)
        assert memory.appended[-1].report.kind == "progression_reported"
        memory.records_down, memory.undeliverable = False, ""
        await settled(pathway)
    assert [(one.cause, one.lifted, one.seq) for one in memory.silences] == [("death", False, 3)]


async def test_what_notify_holds_back_goes_when_it_was_a_mistake(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(suppress="progression_reported"), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await say(pathway, "death_reported", reported_by="gp")
        await pathway.execute_update(PatientPathway.report, a_report("progression_reported"))
        await settled(pathway)
        assert not [one for one in memory.notices if one.template in {"progression_reported", "phone_task"}]
        memory.suppress = ""
        await say(pathway, "death_withdrawn", **NAMESAKE)
        await eventually(lambda: "progression_reported" in {one.template for one in memory.notices}, "it goes")
        await settled(pathway)


async def test_a_suppression_that_is_refused_is_told_by_telephone_and_asked_for_again(
    env: WorkflowEnvironment,
) -> None:
    memory, queue = Memory(refuse_silence=True), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await say(pathway, "death_reported", reported_by="gp")
        await eventually(lambda: "phone_task" in {one.template for one in memory.notices}, "the duty desk is told")
        memory.refuse_silence = False
        await eventually(lambda: memory.silences, "notify is told")
        await settled(pathway)
    assert [one.template for one in memory.notices].count("phone_task") == 1


async def test_a_namesakes_line_and_its_check_stand_again_in_a_later_run(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        first = await started(env, queue, history_events=90)
        line_id = await started_line(first)
        await eventually(lambda: any(line_id in key for key in left(memory)), "the first check")
        await settled(first)
        before = left(memory)
        await died(first)
        await eventually(lambda: "track|death|family" in left(memory), "the family's path")
        assert left(memory) == {f"track|death|{step}" for step in ("family", "arrangements", "review")}
        # when enough is reported that the workflow begins a new run
        pathway: WorkflowHandle[PatientPathway, None] = env.client.get_workflow_handle_for(PatientPathway.run, first.id)
        for _ in range(20):
            await say(pathway, "symptom_reported")
        for _ in range(400):
            if (await pathway.describe()).run_id != first.first_execution_run_id:
                break
            await asyncio.sleep(0.05)
        assert (await pathway.describe()).run_id != first.first_execution_run_id
        await say(pathway, "death_withdrawn", **NAMESAKE)
        await settled(pathway)
        assert left(memory) == before
        # then the line goes on: its next check is planned when this one was done
        await say(pathway, "response_assessed", line_id=line_id, response="stable")
        await eventually(lambda: any(key.endswith(f"{line_id}|2") for key in left(memory)), "the next check")


async def test_a_line_that_a_death_ended_ends_for_good_when_a_person_closes_the_pathway(
    env: WorkflowEnvironment,
) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        line_id = await started_line(pathway)
        await eventually(lambda: any(line_id in key for key in left(memory)), "the first check")
        await died(pathway)
        await eventually(lambda: "track|death|family" in left(memory), "the family's path")
        await settled(pathway)
        for step in ("family", "arrangements", "review"):
            await say(pathway, "item_completed", item_id=item_id(memory, f"track|death|{step}"), outcome="done")
            await settled(pathway)
        assert left(memory) == {"track|close"}
        await say(pathway, "pathway_closed", reason="she died; all was done")
        await pathway.result()
        assert await env.client.get_workflow_handle(names.therapy_line_id(line_id)).result() == "other"
    assert left(memory) == set()


def item_id(memory: Memory, key: str) -> str:
    found: Any = next(asked for asked in memory.applied if key in {item.key for item in asked.open})
    return names.derived_id("item", found.patient_id, key, found.event_id)


async def test_what_is_left_to_do_after_a_death_is_rung_up_about_like_anything_else(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(due_in=timedelta(days=40), next_rung=timedelta(days=2)), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await died(pathway)
        await settled(pathway)
        # when nobody speaks with the family, although it fell due
        for days in (41, 2, 2):
            await env.fast_forward(pathway, timedelta(days=days))
            await settled(pathway)
        rung_up = {key for key in left(memory) if key.startswith("track|phone|")}
        assert rung_up
        # then the desk has a task at once; and none about it when the death was a mistake
        await say(pathway, "death_withdrawn", **NAMESAKE)
        await settled(pathway)
        assert not {key for key in left(memory) if key.startswith("track|phone|")}

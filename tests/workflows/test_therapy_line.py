"""A line of treatment on a real server: one response check after the other, until it ends."""

from __future__ import annotations

import uuid

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from tests.workflows.conftest import Memory, working
from tests.workflows.driving import eventually, say, settled, started, started_line
from workflows import names
from workflows.patient_pathway import PatientPathway


def checks(memory: Memory) -> list[str]:
    return [item.key[-1] for asked in memory.applied for item in asked.open if item.kind == "response_check"]


def endings(memory: Memory, line_id: str) -> list[tuple[str, str]]:
    """How each response check ended, in order."""
    known = {
        names.derived_id("item", asked.patient_id, item.key, asked.event_id): item.key
        for asked in memory.applied
        for item in asked.open
        if line_id in item.key
    }
    return [(known[i][-1], how) for asked in memory.applied for i, how, _ in asked.close if i in known]


async def assess(pathway: WorkflowHandle[PatientPathway, None], line_id: str) -> None:
    await say(pathway, "response_assessed", line_id=line_id, response="stable")


async def test_a_line_plans_the_next_check_when_one_was_done_and_ends(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        line_id = await started_line(pathway)
        await eventually(lambda: checks(memory) == ["1"], "the first check")
        await assess(pathway, line_id)
        await eventually(lambda: checks(memory) == ["1", "2"], "the second check")
        await say(pathway, "therapy_line_ended", line_id=line_id, stop_reason="progression")
        line = env.client.get_workflow_handle(names.therapy_line_id(line_id))
        assert await line.result() == "progression"
        await eventually(lambda: len(endings(memory, line_id)) == 2, "both checks ended")
        await settled(pathway)
    assert endings(memory, line_id) == [("1", "done"), ("2", "withdrawn")]


async def test_a_line_that_ends_as_its_next_check_is_planned_leaves_no_check_open(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        line_id = await started_line(pathway)
        await eventually(lambda: checks(memory) == ["1"], "the first check")
        await assess(pathway, line_id)
        await say(pathway, "therapy_line_ended", line_id=line_id, stop_reason="toxicity")
        await env.client.get_workflow_handle(names.therapy_line_id(line_id)).result()
        await settled(pathway)
        await eventually(lambda: len(endings(memory, line_id)) == len(checks(memory)), "every check ended")
    assert endings(memory, line_id)[0] == ("1", "done")
    assert endings(memory, line_id)[1:] in ([], [("2", "withdrawn")])


async def test_a_pathway_is_not_closed_over_a_line_that_is_under_way(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        line_id = await started_line(pathway)
        await eventually(lambda: checks(memory) == ["1"], "the first check")
        await settled(pathway)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await say(pathway, "pathway_closed", reason="moved abroad")
        assert "Report its end first" in str(refused.value.cause)
        await say(pathway, "therapy_line_ended", line_id=line_id, stop_reason="other")
        await eventually(lambda: endings(memory, line_id), "its check is withdrawn")
        await settled(pathway)
        await say(pathway, "pathway_closed", reason="moved abroad")
        await env.client.get_workflow_handle(pathway.id).result()
        assert await env.client.get_workflow_handle(names.therapy_line_id(line_id)).result() == "other"
    assert any(asked.pathway_closed for asked in memory.applied)

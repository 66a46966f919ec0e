"""What a service refuses for good is waited out, told, or taken back: nobody's report is ever left lying."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from tests.workflows.conftest import Memory, working
from tests.workflows.driving import a_report, eventually, say, settled, started
from workflows import names
from workflows.patient_pathway import PatientPathway


async def test_a_notice_that_is_refused_becomes_a_telephone_task_and_the_post_goes_on(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(refuse_template="progression_reported"), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await say(pathway, "progression_reported", site="liver")
        await say(pathway, "result_received", investigation="HER2")
        await settled(pathway)
        await say(pathway, "pathway_closed", reason="moved abroad")
        await pathway.result()
    told = [(n.template, n.team) for n in memory.notices if n.template in {"phone_task", "result_received"}]
    assert sorted(told) == [("phone_task", "duty_desk"), ("result_received", "breast_care_nurses")]
    assert "notify refuses this" in next(n.values["why"] for n in memory.notices if n.template == "phone_task")


async def test_a_decision_that_is_refused_is_told_and_asked_for_again(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(decisions="refuse"), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue, unfiled_seconds=1)
        await eventually(lambda: memory.notices, "the duty desk is told")
        memory.decisions = ""
        standing = await settled(pathway)
    assert [n.team for n in memory.notices if n.template == "report_not_filed"] == ["duty_desk"]
    assert "stands in the record" in memory.notices[0].values["problem"]
    assert (len(memory.appended), standing["open_items"]) == (1, 1)


async def test_a_follow_up_outlives_a_run_that_ends_before_it_was_planned(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue, history_events=60)
        await settled(pathway)
        memory.decisions = "down"
        await say(pathway, "follow_up_triggered", occasion="2026-03", purpose="scan")
        for _ in range(12):
            await say(pathway, "symptom_reported")
        first_run = pathway.first_execution_run_id
        latest = env.client.get_workflow_handle(pathway.id)
        for _ in range(400):
            if (await latest.describe()).run_id != first_run:
                break
            await asyncio.sleep(0.05)
        assert (await latest.describe()).run_id != first_run
        memory.decisions = ""
        await say(pathway, "follow_up_triggered", occasion="2026-03", purpose="scan")
        await settled(latest)
    booked = [item.key for asked in memory.applied for item in asked.open if item.kind == "follow_up"]
    assert booked == ["track|follow-up|2026-03"]


async def test_a_draft_that_the_record_refuses_can_be_made_again(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(refuse_kind="referral_drafted"), str(uuid.uuid4())
    draft = {"referral_id": str(uuid.uuid4()), "to_team": "palliative_care", "reason": "fatigue"}
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await say(pathway, "referral_drafted", **draft)
        await settled(pathway)
        memory.refuse_kind = ""
        await say(pathway, "referral_drafted", **draft)
        await settled(pathway)
    assert memory.appended[-1].report.event == draft


async def test_a_closing_that_the_record_refuses_leaves_the_pathway_open(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(refuse_kind="pathway_closed"), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await settled(pathway)
        await say(pathway, "pathway_closed", reason="moved abroad")
        await settled(pathway)
        await say(pathway, "symptom_reported")
        standing = await settled(pathway)
    assert standing["open_items"]
    assert memory.appended[-1].report.kind == "symptom_reported"


async def test_reports_too_heavy_to_carry_over_are_refused_before_they_are_taken(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await settled(pathway)
        memory.records_down = True
        for _ in range(17):
            await say(pathway, "symptom_reported", note="x" * 60_000)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await pathway.execute_update(PatientPathway.report, a_report(note="x" * 60_000))
        standing = await pathway.query(PatientPathway.standing)
        memory.records_down = False
        await settled(pathway)
    assert refused.value.cause.type == names.QUEUE_FULL  # type: ignore[attr-defined]
    assert len(memory.appended) == standing["seq"]

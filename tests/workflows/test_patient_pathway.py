"""The pathway's workflow on a real server: order, clocks, one effect a key, and nothing lost."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.workflows.conftest import Memory, moment, working
from tests.workflows.driving import a_report, eventually, settled, started
from workflows import names
from workflows.messages import Receipt, Report
from workflows.patient_pathway import PatientPathway


async def test_reports_are_filed_in_order_and_leave_an_open_task(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        handle = await started(env, queue)
        receipts = [await handle.execute_update(PatientPathway.report, a_report()) for _ in range(5)]
        standing = await settled(handle)
    assert [r.seq for r in receipts] == [2, 3, 4, 5, 6]
    assert [kept.seq for kept in memory.appended] == [1, 2, 3, 4, 5, 6]
    assert standing["open_items"] == 1


async def test_same_key_is_one_report_and_another_body_is_refused(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        handle = await started(env, queue)
        report = a_report()
        first = await handle.execute_update(PatientPathway.report, report)
        again = await handle.execute_update(PatientPathway.report, report)
        length = (await handle.describe()).history_length
        other = Report(**{**report.__dict__, "request_hash": "b" * 64})
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(PatientPathway.report, other)
        await settled(handle)
    assert first == again
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == names.KEY_REUSED
    assert len(memory.appended) == 2
    assert length


async def test_overdue_is_told_to_team_and_lead_and_closes_nothing(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(due_in=timedelta(days=40), next_rung=timedelta(days=30)), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        handle = await started(env, queue)
        await settled(handle)
        await env.fast_forward(handle, timedelta(days=41))
        standing = await settled(handle)
    told = [(n.template, n.audience) for n in memory.notices if n.template == "item_overdue"]
    assert told == [("item_overdue", "all"), ("item_overdue", "lead")]
    assert standing["open_items"] == 1
    assert [a.overdue for a in memory.applied if a.overdue]


async def test_a_task_that_nobody_does_climbs_its_ladder_to_a_telephone_and_is_done_in_the_end(
    env: WorkflowEnvironment,
) -> None:
    memory, queue = Memory(due_in=timedelta(days=40), next_rung=timedelta(days=2)), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        handle = await started(env, queue)
        await settled(handle)
        # when it is five days overdue
        for days in (41, 2, 2):
            await env.fast_forward(handle, timedelta(days=days))
            await settled(handle)
        # then three rungs were climbed, the last of them twice, and one telephone task is open beside it
        assert [asked.rung for asked in memory.climbed if asked.kind == "next_contact"] == [0, 1, 2]
        phones = [item for asked in memory.applied for item in asked.open if item.kind == "phone_task"]
        assert [phone.owner_team for phone in phones] == ["duty_desk"]
        assert [n.values["why"] for n in memory.notices if n.template == "phone_task"] == [
            "It is overdue and nobody did it."
        ] * 2
        # when somebody does it, then nobody need be rung any more
        first = memory.applied[0]
        item_id = names.derived_id("item", first.patient_id, first.open[0].key, first.event_id)
        await handle.execute_update(PatientPathway.report, a_report("item_completed", item_id=item_id, outcome="Seen."))
        await settled(handle)
    closed = [reason for asked in memory.applied for _, _, reason in asked.close]
    assert "What it was to be rung about is closed." in closed


async def test_while_nobody_can_say_what_the_ladder_is_everybody_is_told(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(due_in=timedelta(seconds=3), scheduling_down=True), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        await started(env, queue)
        await eventually(lambda: any(n.template == "phone_task" for n in memory.notices), "the desk rings")
        memory.scheduling_down = False
    told = {(n.team, n.audience) for n in memory.notices if n.template == "item_overdue"}
    assert {audience for _, audience in told} == {"all", "deputy", "lead"}


async def test_records_down_delays_filing_but_not_acceptance_or_alarm(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        handle = await started(env, queue, unfiled_seconds=3)
        await settled(handle)
        memory.records_down = True
        receipts: list[Receipt] = [await handle.execute_update(PatientPathway.report, a_report()) for _ in range(3)]
        for _ in range(300):
            if any(n.template == "report_not_filed" for n in memory.notices):
                break
            await asyncio.sleep(0.05)
        memory.records_down = False
        await settled(handle)
    assert [n.team for n in memory.notices if n.template == "report_not_filed"] == ["duty_desk"] * 3
    assert [kept.seq for kept in memory.appended][1:] == [r.seq for r in receipts]


async def test_a_clock_fires_and_is_told_while_records_is_down(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(due_in=timedelta(seconds=4)), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        handle = await started(env, queue)
        await settled(handle)
        memory.records_down = True
        await handle.execute_update(PatientPathway.report, a_report())
        await eventually(lambda: memory.notices[-1].template == "item_overdue", "the overdue task is told")
        assert [kept.seq for kept in memory.appended] == [1]
        memory.records_down = False
        await settled(handle)
    assert [kept.seq for kept in memory.appended] == [1, 2]
    assert [asked.seq for asked in memory.applied if asked.overdue] == [3]


async def test_a_report_that_records_refuses_becomes_a_task_with_its_payload_kept(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(refuse_kind="result_received"), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        handle = await started(env, queue)
        await handle.execute_update(PatientPathway.report, a_report("result_received", investigation="HER2"))
        await handle.execute_update(PatientPathway.report, a_report())
        await settled(handle)
    assert [kept.report.event for kept in memory.refused] == [{"investigation": "HER2"}]
    assert any(item.kind == "report_not_filed" for a in memory.applied for item in a.open)
    assert memory.appended[-1].seq == 3


async def test_many_reports_cross_continue_as_new_and_keep_one_timer(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        handle = await started(env, queue, history_events=150)
        first = a_report()
        before = await handle.execute_update(PatientPathway.report, first)
        for _ in range(40):
            await handle.execute_update(PatientPathway.report, a_report())
        again = await handle.execute_update(PatientPathway.report, first)
        await settled(handle)
        latest = env.client.get_workflow_handle(handle.id)
        history = await latest.fetch_history()
    assert before == again
    assert [kept.seq for kept in memory.appended] == list(range(1, 43))
    assert history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    opened = {e.event_id for e in history.events if e.HasField("timer_started_event_attributes")}
    gone = {
        e.timer_canceled_event_attributes.started_event_id
        for e in history.events
        if e.HasField("timer_canceled_event_attributes")
    } | {
        e.timer_fired_event_attributes.started_event_id
        for e in history.events
        if e.HasField("timer_fired_event_attributes")
    }
    assert len(opened - gone) == 1


async def test_closing_a_pathway_ends_it(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        handle = await started(env, queue)
        await settled(handle)
        await handle.execute_update(PatientPathway.report, a_report("pathway_closed", reason="moved abroad"))
        await handle.result()
    assert memory.applied[-1].close
    assert not memory.applied[-1].open


async def test_a_line_of_treatment_needs_a_decision_and_plans_its_response_check(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    line: dict[str, Any] = {"line_id": str(uuid.uuid4()), "response_check_weeks": 9}
    async with working(env.client, memory, queue):
        handle = await started(env, queue)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(PatientPathway.report, a_report("therapy_line_started", **line))
        decision = a_report("decision_made", outcome="OUTCOME_ACCEPTED", option="x", number="1.7.16")
        await handle.execute_update(PatientPathway.report, decision)
        await handle.execute_update(PatientPathway.report, a_report("therapy_line_started", **line))
        for _ in range(200):
            if any(item.kind == "response_check" for a in memory.applied for item in a.open):
                break
            await asyncio.sleep(0.05)
        await settled(handle)
    tracks = [t for d in memory.decided for t in d.tracks if t.kind == "response_check"]
    assert [(t.checked_from, t.check_weeks, t.on_date) for t in tracks] == [(moment(), 9, "")]

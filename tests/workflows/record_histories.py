"""Writes the histories that the replay test reads: `python -m tests.workflows.record_histories`.

Run it after a change of workflows that is meant to break old histories, and say in the commit why it may. Everything
in them is synthetic.
"""

from __future__ import annotations

import asyncio
import atexit
import re
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client, WorkflowHandle
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from tests.durability.telling import runs_of
from tests.workflows.conftest import SETTINGS, TEMPORAL, Memory, moment, working
from tests.workflows.driving import (
    PALLIATIVE,
    a_report,
    by,
    eventually,
    say,
    sent_referral,
    settled,
    started,
    started_line,
)
from workflows import names
from workflows.inbound_feed import InboundFeed
from workflows.messages import InboundReceipt
from workflows.patient_pathway import PatientPathway
from workflows.referral import ReferralWorkflow
from workflows.scheduled import AlertDigest, DailySweep, MdtList

FOLDER = Path(__file__).parent / "histories"


async def keep(client: Client, name: str, workflow_id: str) -> None:
    """Write every run of a workflow to a file of its own."""
    for number, events in enumerate(await runs_of(client, workflow_id), 1):
        run_id = events[0].workflow_execution_started_event_attributes.original_execution_run_id
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        path = FOLDER / f"{name}-{number}.json"
        # A stack trace names folders of the machine that recorded it, and replay does not read it.
        told = re.sub(r'("stackTrace": )"(?:[^"\\]|\\.)*"', r'\1""', history.to_json())
        path.write_text(f"{told}\n", encoding="utf-8")
        print(f"{path.name}: {len(history.events)} events, {path.stat().st_size // 1024} KiB")


async def whole_story(env: WorkflowEnvironment, queue: str, memory: Memory) -> None:
    """A line with two checks, a referral to the end, an overdue task, a refused report, and the closing."""
    pathway = await started(env, queue, history_events=200)
    line_id = await started_line(pathway)
    await settled(pathway)
    await say(pathway, "response_assessed", line_id=line_id, response="stable")
    await settled(pathway)
    memory.refuse_kind = "result_received"
    await say(pathway, "result_received", investigation="HER2")
    await settled(pathway)
    referral = await sent_referral(env, pathway)
    owner = referral.id.partition(":")[2]
    feed = await env.client.start_workflow(InboundFeed.run, 0, id=str(uuid.uuid4()), task_queue=queue)
    memory.inbound += [
        InboundReceipt(str(uuid.uuid4()), "delivered", str(uuid.uuid4()), owner_id, "email", moment())
        for owner_id in ("", str(uuid.uuid4()), owner)
    ]
    await eventually(lambda: memory.statuses[-1].step.to_status == "delivered", "the referral was delivered")
    for kind in ("acknowledged", "information_asked", "accepted", "first_contact", "closed"):
        act = by(PALLIATIVE, f"referral_{kind}", referral_id=owner, taken_by="M", question="when?", outcome="seen")
        await referral.execute_update(ReferralWorkflow.act, act)
    await referral.result()
    await feed.terminate()
    await say(pathway, "therapy_line_ended", line_id=line_id, stop_reason="progression")
    await env.client.get_workflow_handle(names.therapy_line_id(line_id)).result()
    await settled(pathway)
    await say(pathway, "pathway_closed", reason="moved abroad")
    await pathway.result()
    await keep(env.client, "pathway-whole-story", pathway.id)
    await keep(env.client, "therapy-line", names.therapy_line_id(line_id))
    await keep(env.client, "referral-accepted", referral.id)
    await keep(env.client, "inbound-feed", feed.id)


async def overdue_and_put_off(env: WorkflowEnvironment, queue: str, memory: Memory) -> None:
    """A task falls due, is told, and is put off."""
    pathway = await started(env, queue)
    await say(pathway, "follow_up_triggered", occasion="2026-03", purpose="scan")
    await settled(pathway)
    await eventually(lambda: any(asked.overdue for asked in memory.applied), "a task is overdue")
    item = next(item for asked in memory.applied for item in asked.open if item.kind == "follow_up")
    asked = next(asked for asked in memory.applied if item in asked.open)
    item_id = names.derived_id("item", asked.patient_id, item.key, asked.event_id)
    await say(pathway, "item_deferred", item_id=item_id, until="2030-01-01", reason="on holiday")
    await settled(pathway)
    await keep(env.client, "pathway-overdue", pathway.id)


async def a_namesake_and_an_end(env: WorkflowEnvironment, queue: str, memory: Memory) -> None:
    """A death that was a mistake, a transfer that fell through, a death that was none, and the closing by a person."""
    pathway = await started(env, queue, history_events=300)
    line_id = await started_line(pathway)
    await eventually(lambda: any(item.kind == "response_check" for a in memory.applied for item in a.open), "a check")
    await settled(pathway)
    verified = {"identity_checked": "nhs_number_and_name", "confirmed_with": "the ward", "died_on": "2026-03-01"}
    await say(pathway, "death_reported", reported_by="gp")
    await pathway.execute_update(PatientPathway.report, by(PALLIATIVE, "death_verified", **verified))
    await settled(pathway)
    await say(pathway, "death_withdrawn", mistake="namesake", reason="another person")
    await settled(pathway)
    transfer = {
        "transfer_id": str(uuid.uuid4()),
        "to_organisation": "Anytown",
        "accepted_by": "Dr A",
        "reason": "moved",
    }
    for kind in ("transfer_offered", "transfer_accepted", "transfer_declined"):
        await say(pathway, kind, **transfer)
        await settled(pathway)
    await say(pathway, "lost_to_follow_up", tried="calls")
    await say(pathway, "found_again", how="her GP")
    await say(pathway, "opted_out", scope="messages", words="no")
    await say(pathway, "lead_changed", to_team="palliative_care", accepted_by="Dr P", reason="comfort")
    await settled(pathway)
    await say(pathway, "death_reported", reported_by="hospice")
    await pathway.execute_update(PatientPathway.report, by(PALLIATIVE, "death_verified", **verified))
    await settled(pathway)
    for step in ("family", "arrangements", "review"):
        key = f"track|death|{step}"
        asked = [asked for asked in memory.applied if key in {item.key for item in asked.open}][-1]
        item_id = names.derived_id("item", asked.patient_id, key, asked.event_id)
        await say(pathway, "item_completed", item_id=item_id, outcome="done")
        await settled(pathway)
    await say(pathway, "pathway_closed", reason="she died; all was done")
    await env.client.get_workflow_handle(pathway.id).result()
    await keep(env.client, "pathway-endings", pathway.id)
    await keep(env.client, "therapy-line-died", names.therapy_line_id(line_id))


async def many_runs(env: WorkflowEnvironment, queue: str, memory: Memory) -> None:
    """More reports than one run takes, a while without records, and a declined referral."""
    pathway = await started(env, queue, history_events=120, unfiled_seconds=2)
    for _ in range(8):
        await pathway.execute_update(PatientPathway.report, a_report())
    latest: WorkflowHandle[PatientPathway, None] = env.client.get_workflow_handle_for(PatientPathway.run, pathway.id)
    referral = await sent_referral(env, latest)
    act = by(PALLIATIVE, "referral_declined", referral_id=referral.id.partition(":")[2], reason="no bed")
    await referral.execute_update(ReferralWorkflow.act, act)
    memory.records_down = True
    await say(latest, "symptom_reported")
    await eventually(lambda: any(n.template == "report_not_filed" for n in memory.notices), "the duty desk is told")
    memory.records_down = False
    await settled(latest)
    await keep(env.client, "pathway-many-runs", pathway.id)
    await keep(env.client, "referral-declined", referral.id)


async def overdue_and_climbed(env: WorkflowEnvironment, queue: str, memory: Memory) -> None:
    """A task falls due, climbs to the telephone of the duty desk, and is taken on in the end."""
    memory.next_rung = timedelta(seconds=3)
    pathway = await started(env, queue)
    await say(pathway, "follow_up_triggered", occasion="2026-04", purpose="scan")
    await eventually(lambda: any(notice.template == "phone_task" for notice in memory.notices), "the desk is to ring")
    await settled(pathway)
    asked = next(asked for asked in memory.applied for item in asked.open if item.kind == "follow_up")
    item = next(item for item in asked.open if item.kind == "follow_up")
    item_id = names.derived_id("item", asked.patient_id, item.key, asked.event_id)
    await say(pathway, "item_taken", item_id=item_id)
    await settled(pathway)
    await keep(env.client, "pathway-climbed", pathway.id)


async def in_one_go(env: WorkflowEnvironment, queue: str, memory: Memory) -> None:
    """Entries that take one activity each, one that had to be insisted on, a check dated as it is filed, and a rung."""
    memory.next_rung = timedelta(days=1)
    pathway = await started(env, queue)
    line_id = await started_line(pathway)
    await eventually(lambda: memory.climbed, "a task is late")
    await settled(pathway)
    memory.decisions = "down"
    await say(pathway, "progression_reported", site="liver")
    await eventually(lambda: memory.appended[-1].report.kind == "progression_reported", "it is recorded")
    memory.decisions = ""
    await settled(pathway)
    await say(pathway, "response_assessed", line_id=line_id, response="stable")
    await say(pathway, "therapy_line_ended", line_id=line_id, stop_reason="progression")
    await env.client.get_workflow_handle(names.therapy_line_id(line_id)).result()
    await settled(pathway)
    await say(pathway, "pathway_closed", reason="moved abroad")
    await env.client.get_workflow_handle(pathway.id).result()
    await keep(env.client, "pathway-in-one-go", pathway.id)
    await keep(env.client, "therapy-line-in-one-go", names.therapy_line_id(line_id))


async def at_set_times(env: WorkflowEnvironment, queue: str, _: Memory) -> None:
    """The weekly list and the daily sign, as their schedules start them."""
    for name, run in (("mdt-list", MdtList.run), ("daily-sweep", DailySweep.run), ("alert-digest", AlertDigest.run)):
        await env.client.execute_workflow(run, id=f"{name}-{queue}", task_queue=queue)
        await keep(env.client, name, f"{name}-{queue}")


async def main() -> None:
    """Record all of them anew, or only the story that is named: `… record_histories many_runs`."""
    stories = (
        whole_story,
        overdue_and_put_off,
        many_runs,
        a_namesake_and_an_end,
        overdue_and_climbed,
        in_one_go,
        at_set_times,
    )
    named = [story for story in stories if story.__name__ in sys.argv[1:]]
    FOLDER.mkdir(exist_ok=True)
    for old in [] if named else FOLDER.glob("*.json"):
        old.unlink()
    extra = [part for setting in SETTINGS for part in ("--dynamic-config-value", setting)]
    async with await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),
        dev_server_existing_path=str(TEMPORAL),
        dev_server_extra_args=extra,
        dev_server_log_level="error",
    ) as env:
        for scenario in named or stories:
            soon = timedelta(seconds=4)
            late = scenario in {overdue_and_put_off, overdue_and_climbed, in_one_go}
            memory, queue = Memory(due_in=soon) if late else Memory(), str(uuid.uuid4())
            async with working(env.client, memory, queue):
                await scenario(env, queue, memory)


if __name__ == "__main__":
    # Temporal's bridge may still hold the interpreter when it ends; without this pause the exit can abort.
    atexit.register(time.sleep, 0.05)
    asyncio.run(main())

"""How the workflow tests drive a pathway: reports, starts, and waiting until all is filed and told."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from tests.workflows.conftest import moment
from workflows import names
from workflows.messages import Actor, GuidelinePin, PathwayState, Report, Settings
from workflows.patient_pathway import PatientPathway
from workflows.referral import ReferralWorkflow

PALLIATIVE = Actor("palliative.test", "palliative_clinician", "palliative_care")
PIN = GuidelinePin("cg81", "2026-06-30", "0" * 64)
NURSE = Actor("nurse.test", "key_worker", "breast_care_nurses")


def a_report(kind: str = "symptom_reported", key: str = "", **event: object) -> Report:
    """A report with a key of its own unless one is given."""
    return Report(
        key=key or str(uuid.uuid4()),
        request_hash="a" * 64,
        kind=kind,
        event=dict(event),
        facts=[],
        actor=NURSE,
        treatment="agreed" if kind == "decision_made" else "",
        occurred_at=moment(),
    )


async def started(env: WorkflowEnvironment, queue: str, **limits: float) -> WorkflowHandle[PatientPathway, None]:
    """Start a pathway and report that it was opened."""
    patient = str(uuid.uuid4())
    handle = await env.client.start_workflow(
        PatientPathway.run,
        PathwayState(patient, PIN, Settings(activity_seconds=2, window_seconds=4, **limits)),  # type: ignore[arg-type]
        id=names.pathway_id(patient),
        task_queue=queue,
    )
    await handle.execute_update(PatientPathway.report, a_report("pathway_opened"))
    return handle


async def settled(handle: WorkflowHandle[PatientPathway, None]) -> dict[str, int]:
    """Wait until all is filed, told and climbed; return where the workflow stands."""
    standing: dict[str, int] = {}
    for _ in range(400):
        try:
            standing = await handle.query(PatientPathway.standing)
        except RPCError:  # a run that began a moment ago has no first task yet
            await asyncio.sleep(0.05)
            continue
        if not any(standing[name] for name in ("to_file", "to_tell", "to_climb")):
            return standing
        await asyncio.sleep(0.05)
    message = f"not settled: {standing}"
    raise AssertionError(message)


async def eventually(wanted: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait until something is so."""
    for _ in range(int(seconds / 0.05)):
        if wanted():
            return
        await asyncio.sleep(0.05)
    message = f"never happened: {what}"
    raise AssertionError(message)


def by(actor: Actor, kind: str, **event: object) -> Report:
    """A report by one actor."""
    return replace(a_report(kind, **event), actor=actor)  # type: ignore[arg-type]


async def say(handle: WorkflowHandle[PatientPathway, None], kind: str, **event: object) -> None:
    """Report to a pathway."""
    await handle.execute_update(PatientPathway.report, a_report(kind, **event))  # type: ignore[arg-type]


async def sent_referral(
    env: WorkflowEnvironment, pathway: WorkflowHandle[PatientPathway, None]
) -> WorkflowHandle[ReferralWorkflow, str]:
    """Draft, agree and send a referral to the palliative care team; return its workflow."""
    referral_id = str(uuid.uuid4())
    await say(pathway, "referral_drafted", referral_id=referral_id, to_team="palliative_care", reason="fatigue")
    await say(pathway, "referral_agreed", referral_id=referral_id, agreed_by="person", words="yes")
    await say(pathway, "referral_sent", referral_id=referral_id)
    await settled(pathway)
    return env.client.get_workflow_handle_for(ReferralWorkflow.run, names.referral_id(referral_id))


async def started_line(pathway: WorkflowHandle[PatientPathway, None]) -> str:
    """Decide on a treatment and start it; return the line's id."""
    line_id = str(uuid.uuid4())
    await say(pathway, "decision_made", outcome="OUTCOME_ACCEPTED", option="x", number="1.7.16")
    await say(pathway, "therapy_line_started", line_id=line_id, response_check_weeks=9)
    return line_id

"""A real Temporal server that skips time, and the activities of a worker as functions with memory."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment
from temporalio.worker import Worker

from workflows import names
from workflows.activities.in_one_go import InOneGo
from workflows.messages import (
    Applied,
    ApplyInput,
    Closing,
    DecideInput,
    Digested,
    Escalation,
    EscalationInput,
    Filed,
    FileReport,
    InboundPage,
    InboundReceipt,
    MdtWaiting,
    Notice,
    Plan,
    PlannedItem,
    RefusedReport,
    SetStatusInput,
    Silence,
)
from workflows.worker import WORKFLOWS, runner

TEMPORAL = Path(sys.executable).parent / "temporal"
SETTINGS = [
    "frontend.WorkflowTimeSkippingEnabled=true",
    'history.timerProcessorMaxTimeShift="1ms"',
    *(f"history.{queue}ProcessorMaxPollRPS=2000" for queue in ("transfer", "timer", "visibility")),
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
]


@pytest.fixture(scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    """A dev server whose clock skips ahead when a test says so, workflow by workflow."""
    extra = [part for setting in SETTINGS for part in ("--dynamic-config-value", setting)]
    async with await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),
        dev_server_existing_path=str(TEMPORAL),
        dev_server_extra_args=extra,
        dev_server_log_level="error",
    ) as started:
        yield started


@dataclass
class Memory:
    """Stands in for records, pathway and notify: keeps what it was asked, and can be told to fail."""

    appended: list[FileReport] = field(default_factory=list)
    decided: list[DecideInput] = field(default_factory=list)
    applied: list[ApplyInput] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    statuses: list[SetStatusInput] = field(default_factory=list)
    refused: list[RefusedReport] = field(default_factory=list)
    records_down: bool = False
    undeliverable: str = ""  # the template whose mail waits for a server that is down
    refuse_kind: str = ""
    refuse_template: str = ""
    refuse_status: str = ""
    refuse_silence: bool = False
    suppress: str = ""  # the template that is held back, as one for the person would be
    decisions: str = ""  # "down", or "refuse"
    scheduling_down: bool = False
    inbound: list[InboundReceipt] = field(default_factory=list)
    climbed: list[EscalationInput] = field(default_factory=list)
    next_rung: timedelta = timedelta(hours=1)
    due_in: timedelta = timedelta(days=5)
    follow_up: str = "next_contact||1|"

    @activity.defn
    async def append_event(self, asked: FileReport) -> Filed:
        """Keep a report once."""
        if self.records_down:
            message = "records is down"
            raise ApplicationError(message, type="unavailable")
        if asked.report.kind == self.refuse_kind:
            message = "records refuses this"
            raise ApplicationError(message, type="invalid", non_retryable=True)
        for kept in self.appended:
            if kept.report.key == asked.report.key:
                return Filed(kept.event_id, already_filed=True)
        self.appended.append(asked)
        return Filed(asked.event_id, already_filed=False)

    @activity.defn
    async def keep_refused_report(self, asked: RefusedReport) -> str:
        """Keep the payload of a refused report."""
        self.refused.append(asked)
        return str(uuid.uuid4())

    @activity.defn
    async def decide_next_steps(self, asked: DecideInput) -> Plan:
        """Open a next contact when nothing else is open; due times follow from `due_in`."""
        if self.decisions:
            message = "pathway cannot decide"
            raise ApplicationError(message, type="unavailable", non_retryable=self.decisions == "refuse")
        self.decided.append(asked)
        due = asked.recorded_at + self.due_in
        opened = [
            PlannedItem(
                t.key,
                t.kind,
                t.title,
                t.reason,
                t.owner_role,
                t.owner_team,
                due.date().isoformat(),
                due,
                subject_id=t.subject_id,
            )
            for t in asked.tracks
        ]
        if not asked.open_items and not asked.other_open:
            opened.append(
                PlannedItem(
                    self.follow_up, "next_contact", "Plan next contact", "", "key_worker", "", "2026-01-01", due
                )
            )
        closing = [
            Closing(item.key, "withdrawn", "something else is open")
            for item in asked.open_items
            if asked.other_open and item.kind == "next_contact"
        ]
        return Plan(str(uuid.uuid4()), opened, closing)

    @activity.defn
    async def apply_plan(self, asked: ApplyInput) -> Applied:
        """Give every opened task to the key worker's team unless it names one."""
        if self.records_down:
            message = "records is down"
            raise ApplicationError(message, type="unavailable")
        self.applied.append(asked)
        return Applied(
            {
                names.derived_id("item", asked.patient_id, item.key, asked.event_id): item.owner_team or "coordination"
                for item in asked.open
            }
        )

    @activity.defn
    async def plan_escalation(self, asked: EscalationInput) -> Escalation:
        """Climb a short ladder: the team and its lead, then the duty desk's telephone, every hour."""
        if self.scheduling_down:
            message = "pathway is down"
            raise ApplicationError(message, type="unavailable")
        self.climbed.append(asked)
        told, phone = (["all", "lead"], "") if asked.rung == 0 else ([], "duty_desk")
        return Escalation(told, phone, min(asked.rung, 1), asked.at + self.next_rung)

    @activity.defn
    async def set_referral_status(self, asked: SetStatusInput) -> str:
        """Keep a referral's step."""
        if asked.step.to_status == self.refuse_status:
            message = "the referral is somewhere else"
            raise ApplicationError(message, type="conflict", non_retryable=True)
        self.statuses.append(asked)
        return asked.responsible_team

    @activity.defn
    async def send_notice(self, notice: Notice) -> str:
        """Keep a notice once."""
        if notice.template == self.undeliverable:
            message = "the mail server does not answer"
            raise ApplicationError(message, type="unavailable")
        if notice.template == self.refuse_template:
            message = "notify refuses this"
            raise ApplicationError(message, type="invalid", non_retryable=True)
        if notice.template == self.suppress:
            return names.SUPPRESSED
        if notice.message_id not in {sent.message_id for sent in self.notices}:
            self.notices.append(notice)
        return "sent"

    @activity.defn
    async def silence(self, asked: Silence) -> bool:
        """Keep whom nothing may reach."""
        if self.refuse_silence:
            message = "notify refuses this"
            raise ApplicationError(message, type="invalid", non_retryable=True)
        self.silences.append(asked)
        return not asked.lifted

    @activity.defn
    async def list_inbound(self, cursor: int) -> InboundPage:
        """What came back after the cursor, which counts."""
        for _ in range(20):
            if self.inbound[cursor:]:
                break
            await asyncio.sleep(0.05)
        return InboundPage(self.inbound[cursor:], len(self.inbound))

    @activity.defn
    async def who_waits_for_the_mdt(self) -> MdtWaiting:
        """One person waits, for a decision and for an answer."""
        return MdtWaiting("breast_mdt", ["0b0e9f1c"], ["0b0e9f1c"])

    @activity.defn
    async def count_open_pathways(self) -> int:
        """One."""
        return 1

    @activity.defn
    async def send_digests(self, key: str) -> Digested:
        """One team had something gathered for it."""
        return Digested(1, [])


@asynccontextmanager
async def working(client: Client, memory: Memory, task_queue: str) -> AsyncIterator[None]:
    """Run a worker on a task queue of its own."""
    in_one_go = InOneGo(
        append_event=memory.append_event,
        decide_next_steps=memory.decide_next_steps,
        apply_plan=memory.apply_plan,
        plan_escalation=memory.plan_escalation,
        send_notice=memory.send_notice,
    )
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=[
            in_one_go.file_and_tell,
            in_one_go.climb_and_tell,
            memory.append_event,
            memory.keep_refused_report,
            memory.decide_next_steps,
            memory.apply_plan,
            memory.set_referral_status,
            memory.send_notice,
            memory.silence,
            memory.list_inbound,
            memory.plan_escalation,
            memory.who_waits_for_the_mdt,
            memory.count_open_pathways,
            memory.send_digests,
        ],
        workflow_runner=runner(),
    ):
        yield


def moment(day: int = 1) -> datetime:
    """A moment of a quiet month."""
    return datetime(2026, 3, day, 10, 0, tzinfo=UTC)

"""Builds the worker: used by the process and by the tests alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import grpc
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from handrail.notify.v1.notices_pb2_grpc import NoticeServiceStub
from handrail.pathway.v1.decisions_pb2_grpc import DecisionServiceStub
from handrail.pathway.v1.scheduling_pb2_grpc import SchedulingServiceStub
from handrail.records.v1.filing_pb2_grpc import FilingServiceStub
from handrail.records.v1.timeline_pb2_grpc import TimelineServiceStub
from services.runtime.clients import Caller, open_channel
from services.runtime.context import Actor
from workflows.activities.decisions import DecisionActivities
from workflows.activities.in_one_go import InOneGo
from workflows.activities.notify import NotifyActivities
from workflows.activities.records import RecordsActivities
from workflows.activities.scheduled import ScheduledActivities
from workflows.activities.scheduling import SchedulingActivities
from workflows.correlation import Correlation
from workflows.inbound_feed import InboundFeed
from workflows.names import TASK_QUEUE
from workflows.patient_pathway import PatientPathway
from workflows.referral import ReferralWorkflow
from workflows.scheduled import AlertDigest, DailySweep, MdtList
from workflows.therapy_line import TherapyLine

WORKER = Actor("system:worker", "worker")
WORKFLOWS = [PatientPathway, TherapyLine, ReferralWorkflow, InboundFeed, MdtList, AlertDigest, DailySweep]
# After a worker was killed its cached workflows are offered to others after this long; the default is 10 s.
STICKY_TIMEOUT = timedelta(seconds=1)


@dataclass(frozen=True)
class Peers:
    """The channels to the services that workflows call."""

    records: grpc.aio.Channel
    pathway: grpc.aio.Channel
    notify: grpc.aio.Channel

    @classmethod
    def at(cls, records: str, pathway: str, notify: str) -> Peers:
        """Open a channel to each address (host:port)."""
        return cls(open_channel(records), open_channel(pathway), open_channel(notify))

    async def close(self) -> None:
        """Close the channels."""
        for channel in (self.records, self.pathway, self.notify):
            await channel.close()


def runner() -> SandboxedWorkflowRunner:
    """Return the sandbox: our modules are shared (they hold no state), forbidden calls are still refused."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_all_modules())


def build_worker(client: Client, peers: Peers, identity_key: str, task_queue: str = TASK_QUEUE) -> Worker:
    """Return a worker for all workflows and activities, not running yet."""
    caller = Caller(WORKER, identity_key)
    filing = FilingServiceStub(peers.records)
    scheduling = SchedulingActivities(caller, SchedulingServiceStub(peers.pathway))
    check = scheduling.plan_response_check
    decisions = DecisionActivities(caller, DecisionServiceStub(peers.pathway), filing, check)
    notify = NotifyActivities(caller, NoticeServiceStub(peers.notify), filing, TimelineServiceStub(peers.records))
    records = RecordsActivities(caller, filing)
    scheduled = ScheduledActivities(caller, TimelineServiceStub(peers.records))
    in_one_go = InOneGo(
        append_event=records.append_event,
        decide_next_steps=decisions.decide_next_steps,
        apply_plan=records.apply_plan,
        plan_escalation=scheduling.plan_escalation,
        send_notice=notify.send_notice,
    )
    return Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=[
            in_one_go.file_and_tell,
            in_one_go.climb_and_tell,
            records.append_event,
            records.keep_refused_report,
            records.apply_plan,
            records.set_referral_status,
            decisions.decide_next_steps,
            notify.send_notice,
            notify.send_digests,
            notify.silence,
            notify.list_inbound,
            scheduling.plan_response_check,
            scheduling.plan_escalation,
            scheduled.who_waits_for_the_mdt,
            scheduled.count_open_pathways,
        ],
        interceptors=[Correlation()],
        workflow_runner=runner(),
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        graceful_shutdown_timeout=timedelta(seconds=3),
    )

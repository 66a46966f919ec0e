"""Looking at records and at Temporal from outside: in pages, and one by one only at what is suspicious."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic

import grpc
from temporalio.client import (
    Client,
    ScheduleActionExecutionStartWorkflow,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from temporalio.service import RPCError, RPCStatusCode

from handrail.records.v1 import timeline_pb2 as timeline_pb
from handrail.records.v1.timeline_pb2_grpc import TimelineServiceStub
from services.runtime.clients import Caller
from services.runtime.clock import now
from services.runtime.errors import HandrailError
from services.sweep.compare import Finding, Found, Kind, Look, OpenPathway, Swept, agreed, findings, silent, without
from workflows.client import connect
from workflows.names import ALERT_DIGEST, DAILY_SWEEP, MDT_LIST, pathway_id

PATHWAYS_A_PAGE = 500
ANSWER_WITHIN = timedelta(seconds=5)
LOOK_WITHIN_SECONDS = 120.0
GLANCE_WITHIN_SECONDS = 5.0
_PREFIX = pathway_id("")
_RUNNING = "ExecutionStatus = 'Running'"
_PATHWAYS = f"WorkflowType = 'PatientPathway' AND {_RUNNING}"
# Set by Temporal after some failures in a row of a workflow's task (two in our own server), cleared by a success.
_STUCK = f"{_RUNNING} AND TemporalReportedProblems IS NOT NULL"
# So many at once are no lag of Temporal's list, and asking for each would take minutes.
_ASKED_ONE_BY_ONE = 200
_AT_ONCE = 10
SCHEDULES = {ALERT_DIGEST: timedelta(hours=1), DAILY_SWEEP: timedelta(days=1), MDT_LIST: timedelta(days=7)}


class CannotLookError(Exception):
    """A part that the sweep asks did not answer: `temporal` or `records`."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason


class Looker:
    """Asks records and Temporal; connects to Temporal when it first answers."""

    def __init__(
        self, temporal_address: str, namespace: str, records: grpc.aio.Channel, caller: Caller, settle: float = 0.0
    ) -> None:
        self._temporal_address = temporal_address
        self._namespace = namespace
        self._timeline = TimelineServiceStub(records)
        self._caller = caller
        self._temporal: Client | None = None
        self._schedules_from = monotonic() + settle

    async def sweep(self, pause: float = 1.0) -> Swept:
        """Look once; look again after a pause at whatever seems wrong, so that reports under way are no alarm.

        Raises:
            CannotLookError: records or Temporal did not answer.
        """
        look = await self._look()
        found: Found = findings(look)
        if found:
            await asyncio.sleep(pause)
            look = await self._look()
            found = await self._confirmed(agreed(found, findings(look)))
        return Swept(len(look.pathways), len(look.running), found)

    async def glance(self) -> Found:
        """Look only whether records and Temporal answer, and for workflows that are stuck: one small question each.

        Raises:
            CannotLookError: records or Temporal did not answer.
        """
        stuck = await self._stuck()
        async with _answering("records", GLANCE_WITHIN_SECONDS):
            await self._caller.call(self._timeline.ListTeams, timeline_pb.ListTeamsRequest(page_size=1))
        return await self._confirmed({Finding(Kind.STUCK, workflow_id): 1 for workflow_id in stuck})

    async def _look(self) -> Look:
        """Ask records first: a pathway that opens in between then only seems unrecorded, and is young."""
        at = now()
        stuck = await self._stuck()
        async with _answering("records"):
            pathways = {patient_id: pathway async for patient_id, pathway in self._open_pathways()}
        async with _answering("temporal"):
            client = await self._client()
            listed = client.list_workflows(_PATHWAYS, rpc_timeout=ANSWER_WITHIN)
            running = {run.id.removeprefix(_PREFIX): run.start_time async for run in listed}
            return Look(at, pathways, running, stuck, await self._silent(client, at))

    async def _open_pathways(self) -> AsyncIterator[tuple[str, OpenPathway]]:
        token = ""
        while True:
            request = timeline_pb.ListPathwaysRequest(page_size=PATHWAYS_A_PAGE, page_token=token)
            page = await self._caller.call(self._timeline.ListPathways, request)
            for state in page.pathways:
                yield (
                    state.patient_id,
                    OpenPathway(
                        opened_at=state.opened_at.ToDatetime(tzinfo=UTC),
                        items=state.open_items,
                        astray=state.items_without_owner_or_due,
                        untold=state.items_overdue_untold,
                    ),
                )
            token = page.next_page_token
            if not token:
                return

    async def _client(self) -> Client:
        if self._temporal is None:
            self._temporal = await connect(self._temporal_address, self._namespace)
        return self._temporal

    async def _stuck(self) -> frozenset[str]:
        """Return the stuck workflows; Temporal's client would try for much longer when Temporal is away."""
        async with _answering("temporal", GLANCE_WITHIN_SECONDS):
            client = await self._client()
            listed = client.list_workflows(_STUCK, rpc_timeout=ANSWER_WITHIN)
            return frozenset([run.id async for run in listed])

    async def _silent(self, client: Client, at: datetime) -> frozenset[str]:
        """Return the schedules that did not do their work in time; none before a house that starts has made them."""
        if monotonic() < self._schedules_from:
            return frozenset()
        late = [schedule_id for schedule_id, every in SCHEDULES.items() if await _late(client, schedule_id, at, every)]
        return frozenset(late)

    async def _confirmed(self, found: Found) -> Found:
        """Ask Temporal about each workflow that is suspicious: its list lags behind, this does not."""
        suspicious = [finding for finding in found if finding.kind in {Kind.LOST, Kind.UNRECORDED, Kind.STUCK}]
        if not suspicious or len(suspicious) > _ASKED_ONE_BY_ONE:
            return found
        async with _answering("temporal"):
            client = await self._client()
            places = asyncio.Semaphore(_AT_ONCE)
            stands = await _all(_stands(client, places, finding) for finding in suspicious)
        return without(found, (finding for finding, right in zip(suspicious, stands, strict=True) if not right))


async def _stands(client: Client, places: asyncio.Semaphore, finding: Finding) -> bool:
    """Return whether a finding about a workflow is true at this moment."""
    workflow_id = finding.subject if finding.kind is Kind.STUCK else pathway_id(finding.subject)
    async with places:
        described = await _described(client, workflow_id)
    running = described is not None and described.status is WorkflowExecutionStatus.RUNNING
    if finding.kind is Kind.LOST:
        return not running
    if finding.kind is Kind.STUCK and described is not None:
        return running and described.raw_description.pending_workflow_task.attempt > 1
    return running


async def _late(client: Client, schedule_id: str, at: datetime, every: timedelta) -> bool:
    try:
        info = (await client.get_schedule_handle(schedule_id).describe(rpc_timeout=ANSWER_WITHIN)).info
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return True
        raise
    if not info.recent_actions:
        return silent(info.created_at, at, every)
    last = info.recent_actions[-1]
    if silent(last.started_at, at, every) or not isinstance(last.action, ScheduleActionExecutionStartWorkflow):
        return True
    run = await _described(client, last.action.workflow_id)
    if run is None or run.status is WorkflowExecutionStatus.COMPLETED:  # Temporal forgets what ended some days ago
        return False
    return run.status is not WorkflowExecutionStatus.RUNNING or silent(last.started_at, at, timedelta(0))


async def _described(client: Client, workflow_id: str) -> WorkflowExecutionDescription | None:
    try:
        return await client.get_workflow_handle(workflow_id).describe(rpc_timeout=ANSWER_WITHIN)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _all(asked: Iterable[Awaitable[bool]]) -> list[bool]:
    return await asyncio.gather(*asked)


@asynccontextmanager
async def _answering(part: str, seconds: float = LOOK_WITHIN_SECONDS) -> AsyncIterator[None]:
    """Turn whatever says that a part does not answer into one error that names it."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except HandrailError as error:
        raise CannotLookError(part, error.category.value) from error
    except RPCError as error:
        raise CannotLookError(part, error.status.name.lower()) from error
    except RuntimeError as error:  # Temporal's client, when it cannot connect
        raise CannotLookError(part, "unreachable") from error
    except TimeoutError as error:
        raise CannotLookError(part, "late") from error

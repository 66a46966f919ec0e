"""What a drill looks at after each step: the record of one person, and the histories of their workflows."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper

from drills.histories import judged
from drills.invariants import Plain, Snapshot
from drills.traces import trace_of
from handrail.records.v1 import timeline_pb2
from services.cli.commands.acting import Desk
from services.cli.commands.shapes import plain
from services.cli.errors import CliError
from services.runtime.errors import Category, HandrailError
from workflows import names

TRIES = 120
_PAUSE = 0.25
_SETTLE_SECONDS = 60.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.03, 0.25
_QUIET_ANSWERS = 2  # a child's word may be on its way at the first


class Looker:
    """Reads what the house shows of one person, through kills and restarts."""

    def __init__(self, desk: Desk, temporal: Client, patient_id: str) -> None:
        self._desk = desk
        self._temporal = temporal
        self._clock = TimeSkipper(temporal)
        self._patient_id = patient_id
        self.handle = temporal.get_workflow_handle(names.pathway_id(patient_id))

    async def settled(self) -> None:
        """Wait until all is filed, told and escalated that is due by now; a closed pathway is."""
        quiet, pause = 0, _SHORTEST_PAUSE
        until = time.monotonic() + _SETTLE_SECONDS
        while quiet < _QUIET_ANSWERS and time.monotonic() < until:
            busy = await self._busy()
            if busy is None:
                return
            quiet = 0 if busy else quiet + 1
            pause = min(_LONGEST_PAUSE, 2 * pause) if busy else _SHORTEST_PAUSE
            await asyncio.sleep(pause if quiet < _QUIET_ANSWERS else 0)

    async def moment(self) -> datetime:
        """What time it is for this person."""
        try:
            return await self._clock.get_current_time(self.handle)
        except RPCError:
            return datetime.now(UTC)

    async def clock_is_held(self) -> bool:
        """Whether the server holds this clock: it moves none of a run that has children, until the next run begins."""
        try:
            return bool((await self.handle.describe()).raw_description.pending_children)
        except RPCError:
            return True

    async def state(self) -> Plain:
        """Return what the record shows of the person now."""
        asked = timeline_pb2.GetPatientRequest(patient_id=self._patient_id)
        return plain(await insisted(self._desk, self._desk.timeline.GetPatient, asked))

    async def snapshot(self, accepted: Mapping[str, str], facts_before: Mapping[str, Plain]) -> Snapshot:
        """Return all that the record shows of the person."""
        desk, timeline, patient_id = self._desk, self._desk.timeline, self._patient_id
        moment = await self.moment()
        every = timeline_pb2.ListItemsRequest(patient_id=patient_id, include_closed=True, page_size=500)
        reported = timeline_pb2.ListEventsRequest(patient_id=patient_id)
        asked = timeline_pb2.ListFactsRequest(patient_id=patient_id, include_superseded=True)
        state, items, events, facts = await asyncio.gather(
            self.state(),
            insisted(desk, timeline.ListItems, every),
            insisted(desk, timeline.ListEvents, reported),
            insisted(desk, timeline.ListFacts, asked),
        )
        return Snapshot(
            state=state,
            items=[plain(item) for item in items.items],
            events=[plain(event) for event in events.events],
            facts=[plain(fact) for fact in facts.facts],
            moment=moment,
            accepted=accepted,
            facts_before=facts_before,
        )

    async def history_broken(self, referrals: Sequence[str]) -> list[tuple[str, str]]:
        """Check the finished histories of the pathway and its referrals: the property, and what it found."""
        found = []
        for workflow_id in [self.handle.id, *(names.referral_id(referral) for referral in referrals)]:
            trace = trace_of(await self._runs(workflow_id))
            found += [(broken.check, broken.found) for broken in judged(trace)]
        return found

    async def _runs(self, workflow_id: str) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = []
        run_id: str | None = None
        while True:
            try:
                history = await self._temporal.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
            except RPCError:
                return runs  # the referral was refused, so it has no workflow
            runs.insert(0, json.loads(history.to_json()))
            run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
            if not run_id:
                return runs

    async def _busy(self) -> bool | None:
        """Whether something waits to be filed, told or escalated; None when the workflow is over."""
        try:
            standing = await self.handle.query("standing")
        except RPCError:  # a run that has not begun yet cannot be asked
            over = (await self.handle.describe()).status is WorkflowExecutionStatus.COMPLETED
            return None if over else True
        return any(standing.get(name, 0) for name in ("to_file", "to_tell", "to_climb"))


async def insisted(desk: Desk, method: Any, request: Any) -> Any:  # noqa: ANN401 - any rpc of records
    """Ask records until it answers: it may have been killed a moment ago.

    Raises:
        CliError: it did not for half a minute.
    """
    for _ in range(TRIES):
        try:
            return await desk.records(method, request)
        except CliError:
            await asyncio.sleep(_PAUSE)
        except HandrailError as error:
            if error.category not in {Category.UNAVAILABLE, Category.INTERNAL}:
                raise
            await asyncio.sleep(_PAUSE)
    message = "Records does not answer."
    raise CliError(message)

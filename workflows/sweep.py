"""`python -m workflows.sweep`: is every open pathway being kept? Records and Temporal are compared, both ways.

It runs outside Temporal, so that Temporal's own silence cannot hide anything, and reports its counts, zero included.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from temporalio.client import Client
from temporalio.service import RPCError

from handrail.records.v1 import timeline_pb2
from handrail.records.v1.timeline_pb2_grpc import TimelineServiceStub
from services.runtime.clients import Caller, open_channel
from services.runtime.context import Actor
from services.runtime.errors import HandrailError
from services.runtime.settings import env, identity_key, require_env
from workflows.client import connect

if TYPE_CHECKING:
    from handrail.records.v1.timeline_pb2_grpc import TimelineServiceAsyncStub

SWEEPER = Actor("system:sweep", "worker")
_PAGE = 500
_LOOK_AGAIN_SECONDS = 2.0
_PREFIX = "pathway:"
_RUNNING = "WorkflowType = 'PatientPathway' AND ExecutionStatus = 'Running'"
# Temporal writes this once a workflow's task has failed twice in a row.
_STUCK = f"{_RUNNING} AND TemporalReportedProblems IS NOT NULL"


@dataclass(frozen=True)
class Looked:
    """What was seen at one look: open pathways with their tasks, and the workflows that run."""

    open_items: Mapping[str, int]
    astray: Mapping[str, int]
    running: frozenset[str]
    stuck: frozenset[str]


@dataclass(frozen=True)
class Swept:
    """What the sweep came to. Each list names patient ids; all empty: every promise is being kept."""

    pathways: int
    workflows: int
    lost: list[str] = field(default_factory=list)
    without_pathway: list[str] = field(default_factory=list)
    without_next_step: list[str] = field(default_factory=list)
    without_owner_or_due: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        found = (self.lost, self.without_pathway, self.without_next_step, self.without_owner_or_due, self.stuck)
        return not any(found)


def compared(first: Looked, second: Looked) -> Swept:
    """Return what both looks found: what only one of them saw was on its way."""

    def both(of: str) -> list[str]:
        return sorted(_found(first, of) & _found(second, of))

    return Swept(
        pathways=len(second.open_items),
        workflows=len(second.running),
        lost=both("lost"),
        without_pathway=both("without_pathway"),
        without_next_step=both("without_next_step"),
        without_owner_or_due=both("without_owner_or_due"),
        stuck=both("stuck"),
    )


def _found(looked: Looked, what: str) -> frozenset[str]:
    known = frozenset(looked.open_items)
    match what:
        case "lost":
            return known - looked.running
        case "without_pathway":
            return looked.running - known
        case "without_next_step":
            return frozenset(patient for patient, count in looked.open_items.items() if count == 0)
        case "without_owner_or_due":
            return frozenset(patient for patient, count in looked.astray.items() if count)
        case _:
            return looked.stuck


async def sweep() -> Swept:
    """Look, and look again at what seems wrong.

    Raises:
        HandrailError: records does not answer.
        RPCError: Temporal does not answer.
        RuntimeError: Temporal cannot be reached.
    """
    client = await connect(require_env("TEMPORAL_ADDRESS"), env("TEMPORAL_NAMESPACE", "default"))
    channel = open_channel(require_env("HANDRAIL_RECORDS_ADDRESS"))
    timeline, caller = TimelineServiceStub(channel), Caller(SWEEPER, identity_key())
    try:
        first = await _look(client, caller, timeline)
        if compared(first, first).clean:
            return compared(first, first)
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return compared(first, await _look(client, caller, timeline))
    finally:
        await channel.close()


async def _look(client: Client, caller: Caller, timeline: TimelineServiceAsyncStub) -> Looked:
    open_items: dict[str, int] = {}
    astray: dict[str, int] = {}
    token = ""
    while True:
        request = timeline_pb2.ListPathwaysRequest(page_size=_PAGE, page_token=token)
        reply = await caller.call(timeline.ListPathways, request)
        open_items |= {state.patient_id: state.open_items for state in reply.pathways}
        astray |= {state.patient_id: state.items_without_owner_or_due for state in reply.pathways}
        token = reply.next_page_token
        if not token:
            break
    return Looked(open_items, astray, await _ids(client, _RUNNING), await _ids(client, _STUCK))


async def _ids(client: Client, query: str) -> frozenset[str]:
    return frozenset([one.id.removeprefix(_PREFIX) async for one in client.list_workflows(query)])


_WORDS = {
    "lost": "an open pathway without a running workflow: tell support at once, and keep its promises by hand",
    "without_pathway": "a running workflow without an open pathway: tell support",
    "without_next_step": "an open pathway with nothing open: somebody must look at this person today",
    "without_owner_or_due": "a task without an owner or a due time: tell support",
    "stuck": "a pathway that cannot go on: tell support at once, and keep its promises by hand",
}


def show(swept: Swept) -> None:
    """Print what a person reads, zero included."""
    print(f"{swept.pathways} open pathways, {swept.workflows} workflows running.")
    for name, words in _WORDS.items():
        found = getattr(swept, name)
        print(f"{len(found):>5}  {name.replace('_', ' ')}")
        for patient in found:
            print(f"       {patient}: {words}")


def main() -> int:
    """Sweep once: 0 when all is kept, 1 when something was found, 2 when it could not look."""
    try:
        swept = asyncio.run(sweep())
    except (HandrailError, RPCError, RuntimeError) as error:
        print(f"handrail: the sweep could not look, so nobody knows whether all is kept: {error}", file=sys.stderr)
        return 2
    if "--json" in sys.argv[1:]:
        print(json.dumps({**asdict(swept), "clean": swept.clean}, indent=2))
    else:
        show(swept)
    return 0 if swept.clean else 1


if __name__ == "__main__":
    sys.exit(main())

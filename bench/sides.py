"""The two sides of every comparison, spoken to alike: a house's reports, and the bare workflow's."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import grpc
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from bench import bare, echo
from handrail.clinical.v1 import events_pb2
from services.runtime.context import Actor as Person
from services.runtime.errors import HandrailError
from tests.house import COORDINATOR, NURSE, REPOSITORY, Door, House, fact, free_port, nhs_number
from workflows.messages import Actor, Report
from workflows.names import pathway_id

FACT = "uncontrolled_local_disease"  # true opens tasks, false closes them
NOTE = "The chest wall disease is breaking through the skin; dressings are changed twice a day. " * 4
RETRY_SECONDS = 0.2
PATIENCE_SECONDS = 120.0


class Side(Protocol):
    """What both can do; `people` are patient ids on one side and workflow ids on the other."""

    people: list[str]

    async def report(self, person: str) -> float:
        """Report once, until it is accepted; return the seconds that took."""

    def handle(self, person: str) -> WorkflowHandle[Any, Any]:
        """The person's workflow."""

    def pids(self) -> dict[str, int]:
        """Every process that works for it, the Temporal server among them."""


def environment() -> dict[str, str]:
    """Return the environment of what is started here: bytecode is written, as on anybody's machine."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'proto'}", "HANDRAIL_SMTP_URL": ""}


class Product:
    """A running house, through its gRPC door: ReportSymptom with one fact that turns true and false."""

    def __init__(self, house: House, client: Client) -> None:
        self.house, self.client = house, client
        self.people: list[str] = []
        self._door: Door = house.door()
        self._sent: dict[str, int] = {}

    async def open_people(self, count: int) -> None:
        """Register people and open their pathways, until filed."""
        await all_at_once(8, [self._open] * count)
        await settled(self, self.people)

    async def _open(self) -> None:
        while True:
            try:
                name = f"Bench{uuid.uuid4().hex[:8]}"
                person = await self._door.register(name, nhs_number=nhs_number())
                break
            except HandrailError:  # the random number was taken
                continue
        request = self._door.request("OpenPathway", person, events_pb2.PathwayOpened(referred_by="bench"))
        await self._insist(COORDINATOR, self._door.intake.OpenPathway, request)
        self.people.append(person)

    async def _insist(self, actor: Person, method: Any, request: Any) -> None:  # noqa: ANN401 - any rpc
        """Call until accepted; a call that could not be confirmed is sent again with the same key."""
        while True:
            try:
                await self._door.call(actor, method, request)
            except HandrailError as error:
                if error.category != "unavailable":
                    raise
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def report(self, person: str) -> float:
        """Report until accepted."""
        sent = self._sent[person] = self._sent.get(person, 0) + 1
        event = events_pb2.SymptomReported(note=NOTE, told_by="clinician")
        request = self._door.request("ReportSymptom", person, event, facts=[fact(FACT, sent % 2 == 1)])
        began = time.perf_counter()
        await self._insist(NURSE, self._door.intake.ReportSymptom, request)
        return time.perf_counter() - began

    def handle(self, person: str) -> WorkflowHandle[Any, Any]:
        """The person's pathway."""
        return self.client.get_workflow_handle(pathway_id(person))

    def pids(self) -> dict[str, int]:
        """The parts of the house."""
        return {name: int(part["pid"]) for name, part in self.house.running.home.read_state()["parts"].items()}

    def kill_worker(self) -> None:
        """Kill -9; the supervisor starts it again."""
        os.kill(self.pids()["worker"], signal.SIGKILL)

    async def close(self) -> None:
        """Close the channels."""
        await self._door.close()


class Limit:
    """The bare workflow on the same server, and a bare echo before it where the product has its gRPC door."""

    def __init__(self, client: Client, address: str, server: int) -> None:
        self.client, self._address, self._server = client, address, server
        self.people: list[str] = []
        self.steps: Sequence[int] = (0,)
        self.with_echo = False
        self.parts: list[tuple[float, float]] = []
        port = free_port()
        self._processes = {"worker": self._worker(), "echo": _python("bench.echo", str(port))}
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)])
        self._echo: Callable[..., Awaitable[bytes]] = self._channel.unary_unary(f"/{echo.SERVICE}/{echo.METHOD}")
        self._sent: dict[str, int] = {}

    def _worker(self) -> subprocess.Popen[bytes]:
        return _python("bench.bare_worker", self._address)

    async def open_people(self, count: int) -> None:
        """Start workflows."""

        async def start() -> None:
            person = f"bench:{uuid.uuid4()}"
            await self.client.start_workflow(bare.Bare.run, id=person, task_queue=bare.TASK_QUEUE)
            self.people.append(person)

        await all_at_once(16, [start] * count)
        await self._echo(b"", wait_for_ready=True)
        await settled(self, self.people)

    async def report(self, person: str) -> float:
        """Echo, if asked, and update; a call that fails is made again under the same id."""
        sent = self._sent[person] = self._sent.get(person, 0) + 1
        made = _report(self.steps[(sent - 1) % len(self.steps)])
        began = time.perf_counter()
        if self.with_echo:
            await self._echo(NOTE.encode() * 2)
        echoed = time.perf_counter()
        while True:
            try:
                await self.handle(person).execute_update(bare.Bare.report, made, id=made.key)
                break
            except RPCError:
                await asyncio.sleep(RETRY_SECONDS)
        ended = time.perf_counter()
        self.parts.append((echoed - began, ended - echoed))
        return ended - began

    def handle(self, person: str) -> WorkflowHandle[Any, Any]:
        """The workflow."""
        return self.client.get_workflow_handle(person)

    def pids(self) -> dict[str, int]:
        """The Temporal server and the bare worker."""
        return {"temporal": self._server, "worker": self._processes["worker"].pid}

    def kill_worker(self) -> None:
        """Kill -9, and start another at once."""
        self._processes["worker"].kill()
        self._processes["worker"].wait()
        self._processes["worker"] = self._worker()

    async def close(self) -> None:
        """Close the channel and end the processes."""
        await self._channel.close()
        for process in self._processes.values():
            process.kill()
            process.wait()


def _python(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", *words], cwd=REPOSITORY, env=environment())


def _report(steps: int) -> Report:
    """Return a report as large as the product's own; `source` says how many steps follow."""
    return Report(
        key=str(uuid.uuid4()),
        request_hash="0" * 64,
        kind="symptom_reported",
        event={"note": NOTE, "told_by": "clinician"},
        facts=[{"name": FACT, "value": {"flag": True}}],
        actor=Actor("nurse.test", "key_worker", "breast_care_nurses"),
        occurred_at=datetime.now(UTC),
        source=str(steps),
        correlation_id=str(uuid.uuid4()),
    )


async def all_at_once(width: int, jobs: Sequence[Any]) -> None:
    """Run every job, `width` at a time."""
    waiting = list(reversed(jobs))

    async def lane() -> None:
        while waiting:
            await waiting.pop()()

    await asyncio.gather(*(lane() for _ in range(min(width, len(jobs)))))


async def settled(side: Side, people: Sequence[str], poll: float = 0.03) -> None:
    """Wait until these have nothing left to file or to tell.

    Raises:
        TimeoutError: that took longer than two minutes.
    """

    async def wait_for(person: str) -> None:
        handle = side.handle(person)
        while True:
            try:
                standing: dict[str, int] = await handle.query("standing")
                if not (standing["to_file"] or standing["to_tell"]):
                    return
            except RPCError:
                pass
            await asyncio.sleep(poll)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await all_at_once(4, [lambda person=person: wait_for(person) for person in people])


async def history(side: Side, person: str) -> tuple[int, int]:
    """Return how many events a workflow's history has, and how many of them scheduled an activity."""
    events = (await side.handle(person).fetch_history()).events
    scheduled = sum(event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED for event in events)
    return len(events), scheduled

"""One random life against the real house: reports, duplicates, jumps of the clock, and the checks after each step."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper

from drills.acts import ACTS, Person, Said
from drills.invariants import CHECKS, Plain, Snapshot, violations
from handrail.records.v1 import people_pb2, timeline_pb2
from services.cli.commands import reporting
from services.cli.commands.acting import Desk
from services.cli.commands.shapes import plain
from services.cli.commands.words import event as in_words
from services.cli.errors import CliError
from services.runtime.context import Actor
from services.runtime.errors import Category, HandrailError
from workflows import names

_TRIES = 60
_SETTLE_TRIES = 400
_DUPLICATES, _JUMPS = 0.15, 0.25
_JUMP_SECONDS = 20.0
_REFUSALS = {Category.CONFLICT, Category.INVALID, Category.NOT_FOUND, Category.NOT_ALLOWED}
Kill = Callable[[Random], Awaitable[None]]


@dataclass(frozen=True)
class Violation:
    """What did not hold, and the steps that led there, in words."""

    check: str
    found: str
    path: Sequence[str]


@dataclass
class Counts:
    """What one life, or all of them, came to."""

    events: int = 0
    refused: int = 0
    duplicates: int = 0
    jumps: int = 0
    half_jumps: int = 0
    checks: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add another life's."""
        self.events += other.events
        self.refused += other.refused
        self.duplicates += other.duplicates
        self.jumps += other.jumps
        self.half_jumps += other.half_jumps
        self.checks += other.checks
        self.kinds.update(other.kinds)


class Life:
    """One synthetic person, from the opening of the pathway on."""

    def __init__(self, desk: Desk, temporal: Client, seed: int, events: int) -> None:
        self._desk = desk
        self._temporal = temporal
        self._clock = TimeSkipper(temporal)
        self._rng = Random(seed)  # noqa: S311 - a repeatable life, no secret
        self._wanted = events
        self._accepted: dict[str, str] = {}
        self._facts: dict[str, Plain] = {}
        self._path: list[str] = []
        self._person = Person("")
        self.counts = Counts()

    async def live(self, kill: Kill | None = None) -> Violation | None:
        """Live it to the end, or to the first thing that does not hold."""
        self._person = Person(await self._register())
        await self._report(Said("pathway_opened", {"referred_by": "clinic"}))
        found = await self._check()
        kill_at = self._rng.randrange(2, self._wanted) if kill else -1
        while found is None and self.counts.events < self._wanted and not self._closed():
            if kill is not None and self.counts.events == kill_at:
                kill_at = -1
                await kill(self._rng)
            if self._rng.random() < _JUMPS:
                await self._jump()
            said = self._rng.choice(ACTS)(self._person, self._rng)
            if said is not None and not (said.event == "pathway_closed" and self.counts.events < self._wanted - 1):
                await self._report(said)
            found = await self._check()
        return found

    @property
    def _handle(self) -> WorkflowHandle[Any, Any]:
        return self._temporal.get_workflow_handle(names.pathway_id(self._person.patient_id))

    def _closed(self) -> bool:
        return bool(self._person.state) and self._person.state["pathway"]["status"] == "closed"

    async def _register(self) -> str:
        request = people_pb2.RegisterPersonRequest(
            idempotency_key=self._key(),
            local_identifier=f"drill-{self._key()[:8]}",
            given_name="Syn",
            family_name="Drill",
            birth_date="1961-04-02",
            sex="female",
        )
        reply = await self._until_it_answers(self._desk, self._desk.people.RegisterPerson, request)
        return str(reply.patient_id)

    def _key(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))

    async def _report(self, said: Said) -> None:
        """Send one report until it is answered, sometimes twice; a refusal is an answer."""
        request = reporting.request_for(
            reporting.Report(
                said.event,
                self._person.patient_id,
                said.fields,
                [reporting.fact(name, value) for name, value in said.facts],
                datetime.now(UTC) - timedelta(days=said.days_ago, minutes=1),
                "drill",
                self._key(),
            )
        )
        desk = self._desk.acting_as(Actor(f"{said.by[0]}.drill", said.by[0], said.by[1]))
        try:
            receipt = await self._sent(desk, said.event, request)
        except HandrailError as error:
            if error.category not in _REFUSALS:
                raise
            self.counts.refused += 1
            return
        self.counts.events += 1
        self.counts.kinds[said.event] += 1
        self._accepted[request.idempotency_key] = receipt["event_id"]
        self._path.append(_words(said))
        if self._rng.random() < _DUPLICATES:
            self.counts.duplicates += 1
            again = await self._sent(desk, said.event, request)
            if again["event_id"] != receipt["event_id"]:
                self._accepted[f"{request.idempotency_key} again"] = again["event_id"]

    async def _sent(self, desk: Desk, event: str, request: Any) -> Plain:  # noqa: ANN401 - any reporting request
        for _ in range(_TRIES):
            try:
                return await reporting.send(desk, event, request)
            except CliError:
                await asyncio.sleep(0.25)
            except HandrailError as error:
                if error.category not in {Category.UNAVAILABLE, Category.INTERNAL}:
                    raise
                await asyncio.sleep(0.25)
        message = f"The house did not answer {event} for {_TRIES / 4:.0f} s."
        raise CliError(message)

    async def _until_it_answers(self, desk: Desk, method: Any, request: Any) -> Any:  # noqa: ANN401 - any rpc
        for _ in range(_TRIES):
            try:
                return await desk.records(method, request)
            except CliError:
                await asyncio.sleep(0.25)
            except HandrailError as error:
                if error.category not in {Category.UNAVAILABLE, Category.INTERNAL}:
                    raise
                await asyncio.sleep(0.25)
        message = "Records does not answer."
        raise CliError(message)

    async def _jump(self) -> None:
        """Move this person's clock ahead by hours or weeks."""
        # An emergency that nobody touches is told every half hour: weeks of that say nothing that hours do not.
        urgent = any(item["urgency"] == "emergency" for item in self._person.state["open_items"])
        ahead = timedelta(hours=self._rng.choice([1, 3, 6] if urgent else [1, 30, 24 * 4, 24 * 15]))
        await self._settled()
        try:
            async with asyncio.timeout(_JUMP_SECONDS):
                await self._clock.fast_forward(self._handle, ahead)
        except RPCError:
            return  # the pathway was closed, and its workflow is over
        except TimeoutError:
            self.counts.half_jumps += 1  # the clock moved; how far, the workflow says when it is asked
        self.counts.jumps += 1
        hours = int(ahead.total_seconds()) // 3600
        self._path.append(f"{hours} hours go by." if hours < 48 else f"{hours // 24} days go by.")  # noqa: PLR2004

    async def _settled(self) -> None:
        """Wait until all is filed, told and escalated that is due by now."""
        quiet = 0
        for _ in range(_SETTLE_TRIES):
            try:
                standing = await self._handle.query("standing")
            except RPCError:
                if self._closed():
                    return
                await asyncio.sleep(0.1)
                continue
            busy = any(standing.get(name, 0) for name in ("to_file", "to_tell", "to_climb"))
            quiet = 0 if busy else quiet + 1
            if quiet > 1:
                return
            await asyncio.sleep(0.03)

    async def _check(self) -> Violation | None:
        await self._settled()
        seen = await self._snapshot()
        self._person.state = seen.state
        found = violations(seen)
        if found:  # what was read while something was still on its way is read again
            await asyncio.sleep(1.5)
            await self._settled()
            seen = await self._snapshot()
            found = violations(seen)
        self.counts.checks += len(CHECKS)
        self._facts = {fact["fact_id"]: fact for fact in seen.facts}
        return Violation(found[0][0], found[0][1], list(self._path)) if found else None

    async def _snapshot(self) -> Snapshot:
        patient_id, desk = self._person.patient_id, self._desk
        try:
            moment = await self._clock.get_current_time(self._handle)
        except RPCError:
            moment = datetime.now(UTC)
        ask = self._until_it_answers
        state = plain(await ask(desk, desk.timeline.GetPatient, timeline_pb2.GetPatientRequest(patient_id=patient_id)))
        every = timeline_pb2.ListItemsRequest(patient_id=patient_id, include_closed=True, page_size=500)
        items = [plain(item) for item in (await ask(desk, desk.timeline.ListItems, every)).items]
        events = await ask(desk, desk.timeline.ListEvents, timeline_pb2.ListEventsRequest(patient_id=patient_id))
        asked = timeline_pb2.ListFactsRequest(patient_id=patient_id, include_superseded=True)
        facts = await ask(desk, desk.timeline.ListFacts, asked)
        return Snapshot(
            state=state,
            items=items,
            events=[plain(event) for event in events.events],
            facts=[plain(fact) for fact in facts.facts],
            moment=moment,
            accepted=self._accepted,
            facts_before=self._facts,
        )


def _words(said: Said) -> str:
    """One step as a clinician would say it."""
    facts = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in said.facts)
    about = {k: v for k, v in said.fields.items() if isinstance(v, str) and not k.endswith("_id")}
    more = facts or ", ".join(str(value) for value in about.values())
    return f"{in_words(said.event)}, by {said.by[0].replace('_', ' ')}{f' ({more})' if more else ''}."

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

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper

from drills.acts import ACTS, Act, Person, Said
from drills.histories import PROPERTIES
from drills.invariants import CHECKS, Plain, violations
from drills.jumps import affordable, until_due
from drills.looking import TRIES, Looker, insisted
from drills.more_acts import MORE, imported
from drills.script import Step, again, reported
from handrail.records.v1 import people_pb2
from services.cli.commands import reporting
from services.cli.commands.acting import Desk
from services.cli.commands.words import event as in_words
from services.cli.errors import CliError
from services.runtime.context import Actor
from services.runtime.errors import Category, HandrailError

_DUPLICATES, _JUMPS, _IMPORTS = 0.15, 0.15, 0.2
_JUMP_SECONDS = 20.0
_HOURS = (1, 6, 30, 24 * 4, 24 * 15)
_TWO_DAYS = 48
_REFUSALS = {Category.CONFLICT, Category.INVALID, Category.NOT_FOUND, Category.NOT_ALLOWED}
Kill = Callable[[Random], Awaitable[None]]
_EVERY: Sequence[Act] = (*ACTS, *MORE)


@dataclass(frozen=True)
class Violation:
    """What did not hold, the steps that led there in words, and so that they can be lived again."""

    check: str
    found: str
    path: Sequence[str]
    steps: Sequence[Step] = ()


@dataclass
class Counts:
    """What one life, or all of them, came to."""

    events: int = 0
    refused: int = 0
    duplicates: int = 0
    jumps: int = 0
    half_jumps: int = 0
    days: float = 0.0
    checks: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add another life's."""
        self.events += other.events
        self.refused += other.refused
        self.duplicates += other.duplicates
        self.jumps += other.jumps
        self.half_jumps += other.half_jumps
        self.days += other.days
        self.checks += other.checks
        self.kinds.update(other.kinds)


class Life:
    """One synthetic person, from the opening of the pathway on."""

    def __init__(self, desk: Desk, temporal: Client, seed: int, events: int = 0) -> None:
        self._desk = desk
        self._temporal = temporal
        self._clock = TimeSkipper(temporal)
        self._rng = Random(seed)  # noqa: S311 - a repeatable life, no secret
        self._wanted = events
        self._accepted: dict[str, str] = {}
        self._facts: dict[str, Plain] = {}
        self._path: list[str] = []
        self._steps: list[Step] = []
        self._tried: Counter[str] = Counter()
        self._odd: list[tuple[str, str]] = []
        self._person = Person("")
        self.counts = Counts()

    async def live(self, kill: Kill | None = None) -> Violation | None:
        """Live it to the end, or to the first thing that does not hold."""
        await self._register()
        opened = Said("pathway_opened", {"referred_by": "clinic"})
        if self._rng.random() < _IMPORTS:
            opened = imported(self._person, self._rng)
        found = await self._do(reported(opened, {}))
        kill_at = self._rng.randrange(2, max(3, self._wanted)) if kill else -1
        while found is None and self.counts.events < self._wanted and not self._closed():
            if kill is not None and self.counts.events >= kill_at >= 0:
                kill_at = -1
                await kill(self._rng)
            if self._rng.random() < _JUMPS and not await self._looker.clock_is_held():
                hours = affordable(self._person.state, await self._looker.moment(), self._rng.choice(_HOURS))
                found = await self._do(Step(hours=hours))
            elif (said := self._next()) is not None:
                found = await self._do(reported(said, self._person.state))
        if found is None and not self._closed():
            found = await self._wait_until_due()
        return found or await self._finished()

    async def relive(self, steps: Sequence[Step], *, looking: bool) -> Violation | None:
        """Live the same steps as another person, to their end or to the first thing that does not hold.

        Not `looking` after each step is quicker, and enough for what the finished histories show.
        """
        await self._register()
        for step in steps:
            said = again(step, self._person.patient_id, self._person.state)
            taken = reported(said, self._person.state) if said else step
            if not looking:
                await self._go_on(taken)
            elif (found := await self._do(taken)) is not None:
                return found
        return await self._finished()

    async def _wait_until_due(self) -> Violation | None:
        """Let the next due time come, whatever was drawn: no life ends before its clock was seen to work."""
        await self._looker.settled()
        if await self._looker.clock_is_held():
            return None
        hours = until_due(self._person.state, await self._looker.moment())
        return await self._do(Step(hours=hours)) if hours is not None else None

    def _next(self) -> Said | None:
        """Draw what happens next; what happened often, or was refused often, is drawn less."""
        weights = [1 / (1 + self._tried[act.__name__]) for act in _EVERY]
        act = self._rng.choices(_EVERY, weights)[0]
        said = act(self._person, self._rng)
        if said is None or (said.event == "pathway_closed" and self.counts.events < self._wanted - 1):
            return None
        self._tried[act.__name__] += 1
        return said

    def _closed(self) -> bool:
        return bool(self._person.state) and self._person.state["pathway"]["status"] == "closed"

    async def _register(self) -> None:
        request = people_pb2.RegisterPersonRequest(
            idempotency_key=str(uuid.uuid4()),
            local_identifier=f"drill-{uuid.uuid4().hex[:12]}",
            given_name="Syn",
            family_name="Drill",
            birth_date="1961-04-02",
            sex="female",
        )
        reply = await insisted(self._desk, self._desk.people.RegisterPerson, request)
        self._person = Person(str(reply.patient_id))
        self._looker = Looker(self._desk, self._temporal, self._person.patient_id)

    async def _do(self, step: Step) -> Violation | None:
        """Do one step, and check what must hold after it."""
        self._steps.append(step)
        await (self._report(step.said) if step.said else self._jump(step.hours))
        return await self._check()

    async def _go_on(self, step: Step) -> None:
        """Do one step, and only read what the next one needs."""
        self._steps.append(step)
        await (self._report(step.said) if step.said else self._jump(step.hours))
        await self._looker.settled()
        self._person.state = await self._looker.state()

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
                str(uuid.uuid4()),
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
        if self._rng.random() < _DUPLICATES:  # whoever lives the steps again draws this alone
            self.counts.duplicates += 1
            try:
                twice = await self._sent(desk, said.event, request)
            except HandrailError as error:
                self._odd.append(
                    ("each_report_once", f"A report was accepted, and refused when it came again: {error}")
                )
                return
            if twice["event_id"] != receipt["event_id"]:
                self._accepted[f"{request.idempotency_key} again"] = twice["event_id"]

    async def _sent(self, desk: Desk, event: str, request: Any) -> Plain:  # noqa: ANN401 - any reporting request
        for _ in range(TRIES):
            try:
                return await reporting.send(desk, event, request)
            except CliError:
                await asyncio.sleep(0.25)
            except HandrailError as error:
                if error.category not in {Category.UNAVAILABLE, Category.INTERNAL}:
                    raise
                await asyncio.sleep(0.25)
        message = f"The house did not answer {event} for {TRIES / 4:.0f} s."
        raise CliError(message)

    async def _jump(self, hours: float) -> None:
        """Move this person's clock ahead."""
        await self._looker.settled()
        if await self._looker.clock_is_held():
            return
        try:
            async with asyncio.timeout(_JUMP_SECONDS):
                await self._clock.fast_forward(self._looker.handle, timedelta(hours=hours))
        except RPCError:
            return  # the pathway was closed, and its workflow is over
        except TimeoutError:
            self.counts.half_jumps += 1  # the clock moved; how far, the workflow says when it is asked
        self.counts.jumps += 1
        self.counts.days += hours / 24
        self._path.append(f"{hours:.0f} hours go by." if hours < _TWO_DAYS else f"{hours / 24:.0f} days go by.")

    async def _check(self) -> Violation | None:
        found = await self._look()
        if found:  # what was read while something was still on its way is read again
            await asyncio.sleep(1.5)
            found = await self._look()
        self.counts.checks += len(CHECKS)
        return self._violation([*self._odd, *found])

    async def _look(self) -> list[tuple[str, str]]:
        await self._looker.settled()
        seen = await self._looker.snapshot(self._accepted, self._facts)
        self._person.state = seen.state
        self._facts = {**self._facts, **{fact["fact_id"]: fact for fact in seen.facts}}
        return violations(seen)

    async def _finished(self) -> Violation | None:
        """Check what was done for this person from the first step to the last, as histories tell it."""
        await self._looker.settled()
        found = await self._looker.history_broken(self._person.referrals)
        if found:  # a referral's own word may still be on its way
            await asyncio.sleep(1.5)
            await self._looker.settled()
            found = await self._looker.history_broken(self._person.referrals)
        self.counts.checks += len(PROPERTIES)
        return self._violation(found)

    def _violation(self, found: Sequence[tuple[str, str]]) -> Violation | None:
        return Violation(*found[0], list(self._path), list(self._steps)) if found else None


def _words(said: Said) -> str:
    """One step as a clinician would say it."""
    facts = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in said.facts)
    about = {k: v for k, v in said.fields.items() if isinstance(v, str) and not k.endswith(("_id", "occasion"))}
    more = facts or ", ".join(str(value) for value in about.values())
    return f"{in_words(said.event)}, by {said.by[0].replace('_', ' ')}{f' ({more})' if more else ''}."

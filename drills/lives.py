"""`python -m drills.lives`: many random lives against one real house, and what did not hold, if anything."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from temporalio.client import Client

from drills.histories import PROPERTIES
from drills.house import DrillHouse
from drills.life import Counts, Life, Violation
from drills.script import Step
from drills.shrinking import Shortest, shortest
from services.cli.commands.acting import Desk
from services.cli.errors import CliError
from services.runtime.clients import Caller, open_channel
from services.runtime.context import Actor

EVENTS = 30
PLANTS = ("skip-timer", "double-item", "drop-owner")
_AT_ONCE = 5
_KILL_EVERY = 5
_KILLED = ("worker", "pathway", "records", "notify")
SHRINK_SECONDS = 90.0


@dataclass
class Result:
    """What the drill came to."""

    seed: int
    lives: int = 0
    kills: int = 0
    counts: Counts = field(default_factory=Counts)
    violations: list[dict[str, Any]] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """As printed with --json."""
        counts = self.counts
        return {
            "seed": self.seed,
            "lives": self.lives,
            "events": counts.events,
            "event_kinds": len(counts.kinds),
            "refused": counts.refused,
            "duplicates": counts.duplicates,
            "clock_jumps": counts.jumps,
            "jumps_not_waited_for": counts.half_jumps,
            "days_gone_by": round(counts.days),
            "kills": self.kills,
            "checks": counts.checks,
            "violations": self.violations,
            "kinds": dict(sorted(counts.kinds.items())),
        }


async def drill(count: int, seed: int, plant: str, events: int, shrink: float) -> Result:
    """Live the lives in a house of their own; stop at the first thing that does not hold."""
    house = DrillHouse(plant)
    result = Result(seed)
    try:
        house.start()
        running = house.running
        addresses = {
            "records": running.records_address,
            "pathway": running.pathway_address,
            "notify": running.notify_address,
        }
        channels = {name: open_channel(address) for name, address in addresses.items()}
        caller = Caller(Actor("coordinator.drill", "coordinator", "coordination"), running.identity_key)
        desk = Desk(running, caller, channels)
        temporal = await Client.connect(running.temporal_address, namespace=running.temporal_namespace)
        try:
            found = await _all(house, desk, temporal, result, count, seed, events)
            if found is not None:
                result.violations.append(await _said(desk, temporal, *found, shrink))
        finally:
            for channel in channels.values():
                await channel.close()
    finally:
        house.stop()
    return result


async def _all(
    house: DrillHouse, desk: Desk, temporal: Client, result: Result, count: int, seed: int, events: int
) -> tuple[int, Violation] | None:
    """Live all lives, some at once; return the first thing that did not hold, and in which life."""
    places = asyncio.Semaphore(_AT_ONCE)
    found: list[tuple[int, Violation]] = []

    async def kill(rng: random.Random) -> None:
        house.kill(rng.choice(_KILLED))
        result.kills = house.kills
        await house.until_ready()

    async def one(number: int) -> None:
        async with places:
            if found:
                return
            life = Life(desk, temporal, seed * 1_000_003 + number, events)
            violation = await life.live(kill if number % _KILL_EVERY == 0 and not house.planted else None)
            result.lives += 1
            result.counts.add(life.counts)
            if violation is not None:
                found.append((number, violation))

    await asyncio.gather(*(one(number) for number in range(count)))
    return min(found, key=lambda one: len(one[1].steps), default=None)


async def _said(desk: Desk, temporal: Client, number: int, violation: Violation, seconds: float) -> dict[str, Any]:
    """Return what did not hold, with the shortest way to it that was found in this time."""
    least = await _least(desk, temporal, violation, seconds)
    return {
        "life": number,
        "check": least.found.check,
        "found": least.found.found,
        "path": list(least.found.path),
        "steps_before": len(violation.path),
        "ways_tried": least.tried,
    }


async def _least(desk: Desk, temporal: Client, violation: Violation, seconds: float) -> Shortest[Step, Violation]:
    """Return the fewest steps of a life that still end at the same finding, each way lived by another person."""
    at_the_end = violation.check in {prop.__name__ for prop in PROPERTIES}

    async def ends_there(steps: Sequence[Step]) -> Violation | None:
        other = await Life(desk, temporal, 0).relive(steps, looking=not at_the_end)
        return other if other is not None and other.check == violation.check else None

    # What follows the finding is no part of the way to it, and the pathway must be opened for anything to happen.
    opening, *rest = violation.steps

    async def after_opening(steps: Sequence[Step]) -> Violation | None:
        return await ends_there([opening, *steps])

    return await shortest(rest, violation, after_opening, seconds, _AT_ONCE)


def show(result: Result) -> None:
    """Print what a person reads."""
    plain = result.plain()
    names = (
        "lives",
        "events",
        "event_kinds",
        "refused",
        "duplicates",
        "clock_jumps",
        "days_gone_by",
        "kills",
        "checks",
    )
    print("; ".join(f"{name.replace('_', ' ')} {plain[name]}" for name in names))
    for violation in result.violations:
        print(f"\nDoes not hold ({violation['check'].replace('_', ' ')}): {violation['found']}")
        print("The shortest way there that was found:")
        for number, step in enumerate(violation["path"], 1):
            print(f"  {number}. {step}")
    if not result.violations:
        print("Everything held.")


def main() -> int:
    """Run the drill; 0 when everything held, 1 when something did not, 2 when it could not be run."""
    parser = argparse.ArgumentParser(prog="handrail drill lives", description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="how many lives")
    parser.add_argument("--seed", type=int, default=1, help="the same seed is the same lives")
    parser.add_argument("--events", type=int, default=EVENTS, help="how many events a life has at least")
    parser.add_argument("--plant", choices=PLANTS, default="", help="plant a fault, which the drill must find")
    parser.add_argument("--shrink", type=float, default=SHRINK_SECONDS, help="seconds to look for a shorter way")
    parser.add_argument("--json", action="store_true", help="for machines")
    asked = parser.parse_args()
    # stdout is the answer's alone
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        result = asyncio.run(drill(max(1, asked.count), asked.seed, asked.plant, max(3, asked.events), asked.shrink))
    except CliError as error:
        print(f"handrail: {error}", file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps(result.plain(), indent=2, ensure_ascii=False))
    else:
        show(result)
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())

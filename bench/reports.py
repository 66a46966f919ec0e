"""Rows 1, 2 and 4: acceptance, the whole of record-decide-plan-tell, and recovery."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field

from bench import cpu
from bench.sides import Limit, Product, Side, all_at_once, history, settled
from bench.table import Row, Target

WIDE = 16
Pairs = list[tuple[float, float | None]]


@dataclass
class Counts:
    """How much is measured."""

    rounds: int = 3
    one_by_one: int = 12
    each_alone: int = 6
    each_of_wide: int = 4
    people: int = 200


@dataclass(frozen=True)
class Burst:
    """Reports a second until all were accepted, and until all were filed, planned and told."""

    accepted: float
    told: float
    cpu: dict[str, float]
    """Milliseconds of processor time for each report, by process."""


@dataclass
class Steps:
    """What one report costs in history: on the product's side, and on the bare side with the same activities."""

    pattern: list[int] = field(default_factory=list)
    product_events: float = 0.0
    bare_events: float = 0.0


async def count_steps(product: Product, limit: Limit, pairs: int = 2) -> Steps:
    """Report to one person of each side, one at a time; learn how many activities follow a report of each kind."""
    found = Steps()
    person = product.people[0]
    last = first = await history(product, person)
    for _ in range(2 * pairs):
        await product.report(person)
        await settled(product, [person])
        now = await history(product, person)
        found.pattern.append(now[1] - last[1])
        last = now
    found.product_events = (last[0] - first[0]) / (2 * pairs)
    found.pattern = found.pattern[-2:]
    limit.steps, other = found.pattern, limit.people[0]
    before, _ = await history(limit, other)
    for _ in range(2 * pairs):
        await limit.report(other)
        await settled(limit, [other])
    found.bare_events = ((await history(limit, other))[0] - before) / (2 * pairs)
    return found


async def one_by_one(side: Side, count: int) -> list[float]:
    """Report to one person after another, each when all before is done; return the seconds of each."""
    taken = []
    for place in range(count):
        person = side.people[place % WIDE]
        taken.append(await side.report(person))
        await settled(side, [person])
    return taken


async def burst(side: Side, people: int, each: int) -> Burst:
    """Send `each` reports to every one of `people`, theirs one after the other, everybody's side by side."""
    chosen, pids = side.people[:people], side.pids()
    before = cpu.used(pids)
    began = time.perf_counter()

    async def to(person: str) -> None:
        for _ in range(each):
            await side.report(person)

    await all_at_once(people, [lambda person=person: to(person) for person in chosen])
    accepted = time.perf_counter() - began
    await settled(side, chosen)
    told = time.perf_counter() - began
    count = people * each
    return Burst(count / accepted, count / told, cpu.since(before, cpu.used(pids), count))


async def acceptance_alone(product: Product, limit: Limit, counts: Counts) -> list[Row]:
    """Row 1, first part: p50 of one report at a time, nothing else going on."""
    pairs: Pairs = []
    limit.steps, limit.with_echo, limit.parts = (0,), True, []
    for _ in range(counts.rounds):
        mine = statistics.median(await one_by_one(product, counts.one_by_one))
        theirs = statistics.median(await one_by_one(limit, counts.one_by_one))
        pairs.append((mine * 1000, theirs * 1000))
    echoes, updates = (statistics.median(part) * 1000 for part in zip(*limit.parts, strict=True))
    limit_is = f"bare echo ({echoes:.2g} ms), then bare update ({updates:.2g} ms)"
    return [Row("1 accept a report, p50, one at a time", "ms", pairs, limit_is, ("ratio", "<=", 1.5))]


@dataclass
class Bursts:
    """What the rounds of bursts at one width gave."""

    product: list[Burst] = field(default_factory=list)
    update: list[Burst] = field(default_factory=list)
    with_steps: list[Burst] = field(default_factory=list)
    without_echo: list[Burst] = field(default_factory=list)

    def rows(self, people: int, steps: Steps) -> list[Row]:
        """Return the lines."""
        kinds = "/".join(map(str, steps.pattern))
        events = f"{steps.bare_events:.1f} history events a report, product {steps.product_events:.1f}"
        plain: Pairs = [(p.accepted, u.accepted) for p, u in zip(self.product, self.update, strict=True)]
        behind: Pairs = [(p.accepted, w.accepted) for p, w in zip(self.product, self.with_steps, strict=True)]
        both = list(zip(self.product, self.without_echo, strict=True))
        told: Pairs = [(p.told, w.told) for p, w in both]
        used: Pairs = [(sum(p.cpu.values()), sum(w.cpu.values())) for p, w in both]
        half: Target = ("ratio", ">=", 0.5)
        return [
            Row(f"1 accept, at {people}", "/s", plain, "bare echo, then bare update; nothing behind it"),
            Row(
                f"1 accept, at {people}, filing behind", "/s", behind, f"the same, with {kinds} no-op activities behind"
            ),
            Row(f"2 record-decide-plan-tell, at {people}", "/s", told, f"bare update, {kinds} no-ops; {events}", half),
            Row(f"2 processor time of it, at {people}", "ms", used, "the same; Temporal server, worker"),
        ]

    def processor(self) -> str:
        """Return the product's processor time by process."""
        names = self.product[0].cpu
        mine = {name: statistics.median(burst.cpu[name] for burst in self.product) for name in names}
        theirs = {name: statistics.median(b.cpu[name] for b in self.without_echo) for name in self.without_echo[0].cpu}
        said = ", ".join(f"{name} {ms:.0f}" for name, ms in sorted(mine.items(), key=lambda part: -part[1]))
        return f"{said}; bare: " + ", ".join(f"{name} {ms:.0f}" for name, ms in theirs.items())


async def bursts(product: Product, limit: Limit, counts: Counts, steps: Steps) -> tuple[list[Row], str]:
    """Row 1, second part, and row 2; and where the processor time of a report goes, at 16."""
    rows: list[Row] = []
    found = Bursts()
    for people, each in ((1, counts.each_alone), (WIDE, counts.each_of_wide)):
        found = Bursts()
        for _ in range(counts.rounds):
            found.product.append(await burst(product, people, each))
            limit.steps, limit.with_echo = (0,), True
            found.update.append(await burst(limit, people, each))
            limit.steps = steps.pattern
            found.with_steps.append(await burst(limit, people, each))
            limit.with_echo = False
            found.without_echo.append(await burst(limit, people, each))
        rows += found.rows(people, steps)
    return sorted(rows, key=lambda row: row.what[0]), found.processor()


@dataclass(frozen=True)
class Recovery:
    """Seconds after the kill."""

    first: float
    accepted: float
    filed: float


async def recovery(side: Product | Limit) -> Recovery:
    """Kill the worker and report at once to everybody with a short history, 16 side by side, until all is told."""
    people = side.people[WIDE:]
    first: list[float] = []
    began = time.perf_counter()
    side.kill_worker()

    async def to(person: str) -> None:
        await side.report(person)
        if not first:
            first.append(time.perf_counter() - began)

    await all_at_once(WIDE, [lambda person=person: to(person) for person in people])
    accepted = time.perf_counter() - began
    await settled(side, people)
    return Recovery(first[0], accepted, time.perf_counter() - began)


async def recoveries(product: Product, limit: Limit, steps: Steps) -> list[Row]:
    """Row 4: kill -9 of the worker with everybody's workflow open."""
    limit.steps, limit.with_echo = steps.pattern, False
    mine, theirs = await recovery(product), await recovery(limit)
    people = len(product.people) - WIDE
    limit_is = "bare worker, started again at once; same steps, same sticky timeout"
    return [
        Row("4 kill -9 of the worker: first accepted", "s", [(mine.first, theirs.first)], limit_is),
        Row(f"4 one report accepted for each of {people}", "s", [(mine.accepted, theirs.accepted)], "the same"),
        Row("4 ... and filed, planned and told", "s", [(mine.filed, theirs.filed)], "the same"),
    ]

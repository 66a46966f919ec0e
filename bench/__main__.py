"""`python -m bench`: start a house of its own, measure, print one table. `--help` says what can be chosen."""

from __future__ import annotations

import argparse
import asyncio
import atexit
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from temporalio.client import Client

from bench import cold, costs, engines, guideline, reports
from bench.reports import Counts
from bench.sides import Limit, Product, environment
from bench.table import Row, render
from tests.house import House

QUICK = Counts(rounds=1, one_by_one=4, each_alone=2, each_of_wide=1, people=16)


def say(what: str) -> None:
    """Print progress, beside the table."""
    print(f"  {time.perf_counter() - BEGAN:5.0f} s  {what}", file=sys.stderr, flush=True)


async def measure_reports(house: House, counts: Counts, rows: list[Row]) -> None:
    """Everything that needs the house to run."""
    address = house.running.temporal_address
    client = await Client.connect(address)
    product = Product(house, client)
    limit = Limit(client, address, product.pids()["temporal"])
    try:
        say(f"opening {counts.people} pathways, and as many bare workflows")
        await product.open_people(reports.WIDE + counts.people)
        await limit.open_people(reports.WIDE + counts.people)
        say("counting steps")
        steps = await reports.count_steps(product, limit)
        say("acceptance, one at a time")
        rows += await reports.acceptance_alone(product, limit, counts)
        say("acceptance and the whole, at 1 and 16")
        more, processor = await reports.bursts(product, limit, counts, steps)
        rows += more
        say(f"processor ms a report at 16: {processor}")
        say("recovery")
        rows += await reports.recoveries(product, limit, steps)
        say("the guideline")
        rows += guideline.evaluations(await guideline.demo_facts(house), counts.rounds)
    finally:
        await limit.close()
        await product.close()


def measure(root: Path, counts: Counts, rows: list[Row], *, with_costs: bool) -> None:
    """Measure all rows in a home below `root`."""
    house = House(root / "home", environment())
    try:
        say("starting the house, on a new home")
        house.start()
        asyncio.run(measure_reports(house, counts, rows))
    finally:
        house.stop()
    if with_costs:
        print(costs.render(house.home / "logs"), file=sys.stderr)
    say("the guideline beside rule engines")
    more, said = engines.compared(counts.rounds)
    rows += more
    print(*said, sep="\n", file=sys.stderr)
    say("cold starts")
    rows += asyncio.run(cold.cold_starts(house.home, counts.rounds))


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=Counts.rounds, help="interleaved rounds of product and limit")
    parser.add_argument("--people", type=int, default=Counts.people, help="open pathways when the worker is killed")
    parser.add_argument("--quick", action="store_true", help="small counts: shows that it runs, not how fast")
    parser.add_argument("--costs", action="store_true", help="also say where the time went, from the house's logs")
    asked = parser.parse_args()
    counts = QUICK if asked.quick else Counts(rounds=asked.rounds, people=max(asked.people, reports.WIDE))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    root = Path(tempfile.mkdtemp(prefix="handrail-bench-"))
    root.chmod(0o711)  # PostgreSQL runs as another user when we are root
    os.environ["HANDRAIL_CLUSTERS"] = str(root / "clusters")
    rows: list[Row] = []
    try:
        measure(root, counts, rows, with_costs=asked.costs)
    finally:  # what was measured is shown, whatever happened then
        shutil.rmtree(root, ignore_errors=True)
        load = " ".join(f"{value:.1f}" for value in os.getloadavg())
        print(render(sorted(rows, key=lambda row: row.what[0])))
        print(f"{os.cpu_count()} cores, load {load}, {time.perf_counter() - BEGAN:.0f} s, {counts.rounds} round(s)")


BEGAN = time.perf_counter()
if __name__ == "__main__":
    atexit.register(time.sleep, 0.05)  # Temporal's bridge may still hold the interpreter when it ends
    main()

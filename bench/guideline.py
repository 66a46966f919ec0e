"""Row 5: judging the whole guideline on the demo's facts, beside the same conditions as plain Kleene closures.

Alone, `python -m bench.guideline` prints row 6, which needs no house: see `engines.py`.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from bench.engines import compared
from bench.kleene import closure, leaves
from bench.table import Row, render
from handrail.records.v1 import timeline_pb2
from services.pathway.convert import fact_from_proto
from services.pathway.facts import Fact, current
from services.pathway.guideline import Guideline, load_guideline
from services.pathway.rules import evaluate, judge
from tests.house import COORDINATOR, REPOSITORY, House

TURNS = 400


async def demo_facts(house: House) -> list[Fact]:
    """Play the demo, and return what the record knows after it."""
    patient_id = json.loads(house.cli("demo", "--json").stdout)["patient_id"]
    door = house.door()
    try:
        request = timeline_pb2.ListFactsRequest(patient_id=patient_id)
        reply = await door.call(COORDINATOR, door.timeline.ListFacts, request)
        return [fact_from_proto(fact) for fact in reply.facts]
    finally:
        await door.close()


def _microseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(TURNS):
        work()
    return (time.process_time() - began) / TURNS * 1e6


def evaluations(facts: list[Fact], rounds: int) -> list[Row]:
    """Measure the whole evaluation, and of it the judging alone."""
    guideline: Guideline = load_guideline(REPOSITORY / "guidelines", "cg81", "2026-06-30")
    now = datetime.now(UTC)
    picture = current(facts, guideline.dictionary, now)
    conditions = [rule.condition for rule in guideline.rules if rule.condition is not None]
    plain = [closure(condition) for condition in conditions]
    evaluate(guideline, facts, now)
    whole, judging = [], []
    for _ in range(max(3, rounds)):
        limit = _microseconds(lambda: [check(picture.values) for check in plain])
        judging.append((_microseconds(lambda: judge(guideline, picture)), limit))
        whole.append((_microseconds(lambda: evaluate(guideline, facts, now)), None))
    size = f"{len(conditions)} rules, {sum(map(leaves, conditions))} tests, {len(facts)} facts"
    assert statistics.median(limit or 0 for _, limit in judging) > 0  # noqa: S101 - the closures were really run
    return [
        Row("5 guideline evaluation, from facts", "us", whole, f"none; {size}"),
        Row("5 of it the judging, with reasons", "us", judging, "plain Kleene closures without reasons"),
    ]


def main() -> None:
    """Print row 6 alone."""
    rows, said = compared(3)
    print(render(rows))
    print("\n".join(said))


if __name__ == "__main__":
    main()

"""Row 5: judging the whole guideline on the demo's facts, beside the same conditions as plain Kleene closures."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import reduce

from bench.table import Row
from handrail.records.v1 import timeline_pb2
from services.pathway.conditions import COMPARISONS, Among, Compare, Condition, Every, Negated
from services.pathway.convert import fact_from_proto
from services.pathway.dictionary import Value
from services.pathway.facts import Fact, current
from services.pathway.guideline import Guideline, load_guideline
from services.pathway.rules import evaluate, judge
from tests.house import COORDINATOR, REPOSITORY, House

Kleene = Callable[[Mapping[str, Value]], bool | None]
TURNS = 400


def closure(condition: Condition) -> Kleene:
    """Return a condition as a closure that says true, false or unknown, and nothing else."""
    if isinstance(condition, Among):
        name, wanted = condition.fact, frozenset(condition.values)
        return lambda values: None if (value := values.get(name)) is None else value in wanted
    if isinstance(condition, Compare):
        return _comparison(condition)
    if isinstance(condition, Negated):
        inner = closure(condition.part)
        return lambda values: None if (truth := inner(values)) is None else not truth
    parts = tuple(closure(part) for part in condition.parts)
    return _group(parts, decisive=not isinstance(condition, Every))


def _comparison(condition: Compare) -> Kleene:
    name, limit, compare = condition.fact, condition.limit, COMPARISONS[condition.comparison][0]

    def check(values: Mapping[str, Value]) -> bool | None:
        value = values.get(name)
        return compare(value, limit) if isinstance(value, int | float) else None

    return check


def _group(parts: tuple[Kleene, ...], *, decisive: bool) -> Kleene:
    def check(values: Mapping[str, Value]) -> bool | None:
        truth: bool | None = not decisive
        for part in parts:
            found = part(values)
            if found is decisive:
                return decisive
            if found is None:
                truth = None
        return truth

    return check


def leaves(condition: Condition) -> int:
    """Count the tests in a condition."""
    if isinstance(condition, Among | Compare):
        return 1
    parts = (condition.part,) if isinstance(condition, Negated) else condition.parts
    return reduce(lambda total, part: total + leaves(part), parts, 0)


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

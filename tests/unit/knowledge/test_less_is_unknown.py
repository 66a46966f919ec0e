"""Somebody who is known less well gets the same answer or none: no urgent rule and no appraisal turns to its opposite.

Two things are meant to be so and are left out: an urgent rule with nothing reported is not in question, so its bare
condition is asked here; and an exception of an appraisal counts as a no until somebody states it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.pathway.conditions import Compare, Condition, Negated, facts_of
from services.pathway.knowledge.appraisals import rule_on
from services.pathway.knowledge.factfile import FactFileError, read_person
from services.pathway.knowledge.library import Library, open_library
from services.pathway.rules import judge
from tests.unit.knowledge.asking import GUIDELINES

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIBRARY = open_library(GUIDELINES, "cg81", "2026-06-30")
UNDECIDED = {"cannot_be_decided", "unknown"}
AGENTS = [
    ["capecitabine"], ["epirubicin", "cyclophosphamide", "docetaxel"], ["letrozole"], ["ribociclib", "letrozole"],
    ["pertuzumab", "trastuzumab", "docetaxel"], ["trastuzumab deruxtecan"], ["new drug"], [],
]  # fmt: skip
DAYS = st.sampled_from(["2026-11-20", "2026-10-30", "2026-06-01", "2025-01-01"])
LINE = st.fixed_dictionaries(
    {"setting": st.sampled_from(["neoadjuvant", "adjuvant", "advanced"]), "agents": st.sampled_from(AGENTS)},
    optional={
        "stop_reason": st.sampled_from(["completed", "progression", "toxicity", "ongoing"]),
        "line": st.integers(0, 2), "months": st.sampled_from([1, 5, 14]), "last_dose_on": DAYS, "ended_on": DAYS,
    },
)  # fmt: skip


def compared(condition: Condition) -> list[Compare]:
    if isinstance(condition, Compare):
        return [condition]
    inner = (condition.part,) if isinstance(condition, Negated) else getattr(condition, "parts", ())
    return [found for part in inner for found in compared(part)]


def values(library: Library) -> dict[str, st.SearchStrategy[Any]]:
    """For each fact that is read: all codes, both answers, numbers at and beside every limit, now or long ago."""
    assert library.urgent is not None
    assert library.appraisals is not None
    conditions = [rule.condition for rule in library.urgent.rules] + [row.when for row in library.appraisals.appraisals]
    read = [condition for condition in conditions if condition is not None]
    limits = [test for condition in read for test in compared(condition)]
    found: dict[str, st.SearchStrategy[Any]] = {}
    for name in dict.fromkeys(name for condition in read for name in facts_of(condition)):
        fact = library.dictionary.facts[name]
        if fact.derived and fact.derived.lines:
            continue
        near = [test.limit + step for test in limits if test.fact == name for step in (-1, 0, 1)]
        fit = [n for n in near if (fact.minimum or 0) <= n <= (fact.maximum or n)]
        plain = st.booleans() if fact.type == "bool" else st.sampled_from(list(fact.values) or fit)
        dated = st.builds(lambda value, day: {"value": value, "occurred_at": day}, plain, DAYS)
        found[name] = plain | dated
    return found


PEOPLE = st.fixed_dictionaries(
    {},
    optional={
        **values(LIBRARY),
        "her2_ihc": st.sampled_from(["0", "1+", "2+", "3+"]), "recurrence": st.just(value=True),
        "days_since_sact": st.sampled_from([1, 3, 24, 42, 43]), "prior_therapies": st.lists(LINE, max_size=3),
    },
)  # fmt: skip


def answers(facts: dict[str, Any]) -> dict[tuple[str, ...], str]:
    picture = read_person(facts, LIBRARY.dictionary, AT).picture
    assert LIBRARY.urgent is not None
    assert LIBRARY.appraisals is not None
    found: dict[tuple[str, ...], str] = {(one.number,): one.truth for one in judge(LIBRARY.urgent, picture)}
    for rule_id in dict.fromkeys(rule_id for row in LIBRARY.appraisals.appraisals for rule_id in row.rules):
        for ruling in rule_on(LIBRARY.appraisals, rule_id, picture, AT.date()):
            found[rule_id, ruling.appraisal.ta] = ruling.verdict
    return found


def exceptions() -> set[str]:
    assert LIBRARY.appraisals is not None
    own = (row.exceptions or () for row in LIBRARY.appraisals.appraisals)
    return {*LIBRARY.appraisals.exceptions, *(name for names in own for name in names)}


@pytest.mark.timeout(60)
@settings(max_examples=100, deadline=None)
@given(facts=PEOPLE, more=PEOPLE)
def test_less_is_unknown(facts: dict[str, Any], more: dict[str, Any]) -> None:
    known = {**more, **facts}
    try:
        before = answers(known)
    except FactFileError:
        return
    for name in sorted(known.keys() - exceptions()):
        after = answers({key: value for key, value in known.items() if key != name})
        for asked, said in after.items():
            assert said in {before[asked], *UNDECIDED}, (name, asked, before[asked], said)

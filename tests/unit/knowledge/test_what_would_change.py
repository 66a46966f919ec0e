"""Applying a printed change yields the truth it promises: every example, every rule, and people of all sorts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.pathway.knowledge.assessment import TRUTHS
from services.pathway.knowledge.factfile import read_person
from services.pathway.knowledge.library import Library, open_library
from services.pathway.knowledge.settling import what_would_change
from services.pathway.knowledge.urgent import judge_urgent
from services.pathway.rules import judge
from tests.unit.knowledge.asking import DEFAULTS, EXAMPLES, GUIDELINES, PINNED, call, facts_of, written
from tests.unit.pathway.test_rules import CASES

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
WISHED = {"true": {"false"}, "false": {"true"}, "unknown": {"true", "false"}}
PEOPLE: dict[str, dict[str, Any]] = {
    "nothing known": {},
    "defaults": DEFAULTS,
    **{name: facts_of(example) for name, example in EXAMPLES.items()},
    **{f"{name}, counts stated": {**facts_of(each), **each["derived"]} for name, each in EXAMPLES.items()},
    "HER2 by its tests": {
        "disease_extent": "metastatic",
        "sact_decision_due": True,
        "her2_ihc": "2+",
        "her2_low": True,
    },
}


@pytest.fixture(scope="module")
def library() -> Library:
    return open_library(GUIDELINES, "cg81", "2026-06-30")


def truth_of(library: Library, number: str, facts: dict[str, Any]) -> str:
    picture = read_person(facts, library.dictionary, AT).picture
    assert library.urgent is not None
    judged = [*judge(library.guideline, picture), *judge_urgent(library.urgent, picture)]
    return TRUTHS[next(one.truth for one in judged if one.number == number)]


def promises_are_kept(library: Library, number: str, facts: dict[str, Any]) -> None:
    rule = library.rule(number)
    changes = what_would_change(library, rule, read_person(facts, library.dictionary, AT), AT)
    truth = truth_of(library, number, facts)
    assert {change.plain()["then"] for change in changes} == WISHED[truth], (number, truth, changes)
    for change in changes:
        printed = json.loads(json.dumps(change.plain()))
        assert truth_of(library, number, {**facts, **printed["set"]}) == printed["then"], (number, printed)


@pytest.mark.parametrize("who", PEOPLE)
def test_every_rule_for_every_example(library: Library, who: str) -> None:
    assert library.urgent is not None
    for rule in (*library.guideline.rules, *library.urgent.rules):
        if rule.when is not None:
            promises_are_kept(library, rule.number, PEOPLE[who])


@pytest.mark.parametrize("number", CASES)
def test_every_rule_where_it_applies_does_not_and_is_open(library: Library, number: str) -> None:
    facts, change, removed, _ = CASES[number]
    stated = {name: value for name, value in facts.items() if name != "prior_therapy"}
    if "prior_therapy" in facts:
        stated["prior_therapies"] = [{"setting": "advanced", "agents": ["ribociclib", "letrozole"]}]
    removed = tuple("prior_therapies" if name == "prior_therapy" else name for name in removed)
    for person in (stated, {**stated, **change}, {k: v for k, v in stated.items() if k not in removed}):
        promises_are_kept(library, number, person)


def test_what_is_printed_is_what_was_tried(tmp_path: Path, library: Library) -> None:
    facts = facts_of(EXAMPLES["SYN-CG81-04"])
    path = written(tmp_path, facts)
    done = call("explain", "1.7.3", *PINNED, "--facts", path, "--json", "--at", "2026-11-23")
    (change,) = json.loads(done.stdout)["would_change"]
    assert change["then"] == "true"
    assert [line["setting"] for line in change["set"]["prior_therapies"]] == ["neoadjuvant", "advanced"]
    assert truth_of(library, "1.7.3", {**facts, **change["set"]}) == "true"
    read = call("explain", "1.7.4", *PINNED, "--facts", path)
    assert "It cannot be decided" in read.stdout
    assert "Germline BRCA: pathogenic → applies" in read.stdout

"""A number that is known in part: what its ends settle is settled, against every way in which the rest may turn out."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from random import Random
from typing import Any

import pytest

from services.pathway.conditions import Compare, compile_condition
from services.pathway.knowledge.assessment import assess, explain
from services.pathway.knowledge.critique import critique
from services.pathway.knowledge.factfile import FactFileError, read_person
from services.pathway.knowledge.library import open_library
from tests.unit.knowledge.asking import GUIDELINES

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIBRARY = open_library(GUIDELINES, "cg81", "2026-06-30")
DUE: dict[str, Any] = {"disease_extent": "metastatic", "sact_decision_due": True, "her2_status": "positive"}
CHEMO = {"setting": "advanced", "agents": ["capecitabine"], "stop_reason": "progression", "months": 5}
HER2 = {"setting": "advanced", "agents": ["trastuzumab", "docetaxel"], "stop_reason": "progression", "months": 14}
NEW = {"setting": "advanced", "agents": ["newdrug"], "stop_reason": "progression"}
EARLY_NEW = {**NEW, "setting": "adjuvant"}


def told(facts: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    found = assess(LIBRARY, read_person(DUE | facts, LIBRARY.dictionary, AT), AT)["recommendations"]
    return {one["number"]: (one["truth"], one["missing"]) for one in found}


@pytest.mark.parametrize(
    ("lines", "number", "truth", "missing"),
    [
        ([CHEMO, CHEMO, NEW], "1.7.11", "true", []),
        ([CHEMO, NEW], "1.7.11", "unknown", ["prior_therapies"]),
        ([NEW], "1.7.11", "false", []),
        ([NEW], "1.7.8", "false", []),
        ([EARLY_NEW], "1.7.8", "true", []),
        ([HER2, NEW], "1.7.9", "true", []),
        ([HER2, HER2, NEW], "1.7.12", "true", []),
        ([HER2, NEW], "1.7.12", "unknown", ["prior_therapies"]),
        ([NEW], "1.7.12", "false", []),
    ],
)
def test_what_the_certain_lines_settle(
    lines: list[dict[str, Any]], number: str, truth: str, missing: list[str]
) -> None:
    assert told({"prior_therapies": lines})[number] == (truth, missing)


@pytest.mark.parametrize(
    ("lines", "said"),
    [([CHEMO, CHEMO, NEW], "no guidance found"), ([CHEMO, NEW], "cannot be decided"), ([NEW], "cannot be decided"),
     ([CHEMO], "objection"), ([CHEMO, EARLY_NEW], "objection")],
)  # fmt: skip
def test_exactly_one_regimen_is_ruled_out_at_two(lines: list[dict[str, Any]], said: str) -> None:
    person = read_person(DUE | {"prior_therapies": lines}, LIBRARY.dictionary, AT)
    assert critique(LIBRARY, person, "eribulin", "").said == said


def test_what_is_known_in_part_is_said_and_stands_against_a_statement() -> None:
    person = read_person(DUE | {"prior_therapies": [CHEMO, CHEMO, NEW]}, LIBRARY.dictionary, AT)
    found = explain(LIBRARY, LIBRARY.rule("1.7.11"), person, AT)
    assert "Chemotherapy regimens for advanced disease is 2 to 3" in found["because"]
    assert next(fact["value"] for fact in found["facts"] if fact["name"] == "n_adv_chemo") == "2 to 3"
    for stated, refused in ((1, True), (2, False), (3, False), (4, True)):
        facts = DUE | {"prior_therapies": [CHEMO, CHEMO, NEW], "n_adv_chemo": stated}
        if refused:
            with pytest.raises(FactFileError, match="follows as 2 to 3"):
                read_person(facts, LIBRARY.dictionary, AT)
        else:
            assert read_person(facts, LIBRARY.dictionary, AT).picture.values["n_adv_chemo"] == stated


KNOWN: list[dict[str, Any]] = [
    {"agents": ["capecitabine"]}, {"agents": ["letrozole"]}, {"agents": ["ribociclib", "letrozole"]},
    {"agents": ["trastuzumab", "docetaxel"]}, {"agents": ["olaparib"]}, {"agents": ["trastuzumab deruxtecan"]},
]  # fmt: skip
MONTHS = [1, 5, 11.5, 14, 600]


def line(random: Random) -> dict[str, Any]:
    found = dict(random.choice([*KNOWN, {"agents": ["newdrug"]}, {"agents": []}, {"agents": ["newdrug"]}]))
    found["setting"] = random.choice(["adjuvant", "advanced", "advanced"])
    reasons = [None, "completed", "progression", "toxicity"]
    found |= {"stop_reason": random.choice(reasons), "months": random.choice([None, *MONTHS])}
    return found


def completions(one: dict[str, Any]) -> list[dict[str, Any]]:
    """Every way in which what nobody knows of a line may turn out, as far as counting can tell."""
    drugs = [{"agents": one["agents"]}] if one["agents"] not in ([], ["newdrug"]) else KNOWN
    return [{**one, **drug, "months": months} for drug in drugs
            for months in ([one["months"]] if one["months"] is not None else [0, 600])]  # fmt: skip


NUMBERS = [name for name, fact in LIBRARY.dictionary.facts.items()
           if fact.derived and (fact.derived.count or fact.derived.longest)]  # fmt: skip


def values_of(lines: list[dict[str, Any]]) -> Any:
    return read_person({"prior_therapies": lines}, LIBRARY.dictionary, AT).picture.values


def test_a_comparison_is_settled_if_and_only_if_every_completion_agrees() -> None:
    random, settled, open_ = Random(7), 0, 0
    words = ("at_least", "at_most", "less_than", "more_than")
    limits = {name: (0, 1, 2, 3) if name.startswith("n_") else (5, 12, 14) for name in NUMBERS}
    tests = {name: [Compare(name, word, n) for word in words for n in limits[name]] for name in NUMBERS}
    for _ in range(60):
        lines = [line(random) for _ in range(random.choice([1, 2, 2]))]
        lines += [CHEMO, HER2][: random.choice([0, 1, 2])]
        known = values_of(lines)
        every = [values_of(list(one)) for one in product(*map(completions, lines))]
        for name, asked in tests.items():
            for test in asked:
                check = compile_condition(test, LIBRARY.dictionary)
                ways = {check(values)[0] for values in every}
                said = check(known)[0]
                assert said == (ways.pop() if len(ways) == 1 else None), (lines, test)
                settled += said is not None and name not in known
                open_ += said is None
    assert min(settled, open_) > 100

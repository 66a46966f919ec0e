"""Receptors by dated specimen: what agrees is known, what does not waits for the MDT, and mistakes are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.pathway.knowledge.assessment import assess
from services.pathway.knowledge.factfile import read_person
from services.pathway.knowledge.library import open_library
from tests.unit.knowledge.asking import DEFAULTS, GUIDELINES, PINNED, call, evaluated, missing, truths, written

DUE = {name: value for name, value in DEFAULTS.items() if name not in {"er_status", "pr_status", "her2_low"}}
DUE |= {"sact_decision_due": True, "her2_status": "unknown"}
AT, NOW = "2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)
LIBRARY = open_library(GUIDELINES, "cg81", "2026-06-30")
PRIMARY, LIVER = {"specimen": "primary", "taken_on": "2024-01-31"}, {"specimen": "liver", "taken_on": "2026-10-05"}


def person(primary: dict[str, Any], liver: dict[str, Any], **more: object) -> dict[str, Any]:
    return {**DUE, "specimens": [{**PRIMARY, **primary}, {**LIVER, **liver}], **more}


ER_POSITIVE, ER_NEGATIVE = {"er_status": "positive"}, {"er_status": "negative"}
LOW, ZERO, HIGH = {"her2_ihc": "1+"}, {"her2_ihc": "0"}, {"her2_ihc": "3+"}


@pytest.mark.parametrize(
    ("facts", "number", "truth", "asks"),
    [
        (person({**ER_POSITIVE, **ZERO}, {**ER_POSITIVE, **ZERO}), "1.7.16", "true", set()),
        (person({**ER_POSITIVE, **ZERO}, {"er_status": "unknown"}), "1.7.16", "true", set()),
        # never the newest by itself
        (person({**ER_POSITIVE, **ZERO}, {**ER_NEGATIVE, **ZERO}, pr_status="negative"), "1.7.16", "unknown",
         {"er_status"}),
        (person({**ER_POSITIVE, **ZERO}, {**ER_NEGATIVE, **ZERO}, pr_status="positive"), "1.7.16", "true", set()),
        # the MDT states which governs; a specimen that is newer than that opens it again
        (person({**ER_POSITIVE, **ZERO}, {**ER_NEGATIVE, **ZERO}, **ER_POSITIVE), "1.7.16", "true", set()),
        (person({**ER_POSITIVE, **ZERO}, {**ER_NEGATIVE, **ZERO}, pr_status="negative",
                er_status={"value": "negative", "occurred_at": "2026-10-12"}), "1.7.16", "false", set()),
        (person({**ER_POSITIVE, **ZERO}, {**ER_NEGATIVE, **ZERO}, pr_status="negative",
                er_status={"value": "positive", "occurred_at": "2025-01-01"}), "1.7.16", "unknown", {"er_status"}),
        # HER2 is judged in each specimen: other scores may say the same
        (person({**ER_POSITIVE, **ZERO}, {**ER_POSITIVE, **LOW}), "1.7.16", "true", set()),
        (person(HIGH, ZERO), "1.7.8", "unknown", {"her2_ihc"}),
        (person(HIGH, ZERO, her2_ihc="3+"), "1.7.8", "true", set()),
        (person(HIGH, {"her2_ihc": "2+"}), "1.7.8", "unknown", {"her2_ish"}),
        (person(HIGH, {"her2_ihc": "2+", "her2_ish": "amplified"}), "1.7.8", "true", set()),
    ],
)  # fmt: skip
def test_specimens(tmp_path: Path, facts: dict[str, Any], number: str, truth: str, asks: set[str]) -> None:
    found = evaluated(tmp_path, facts, "--at", "2026-11-23")
    assert (truths(found)[number], missing(found).get(number, set())) == (truth, asks)


NEGATIVE = {"her2_status": "negative"}
TDXD = {"proposed_regimen": "trastuzumab_deruxtecan"}
BEFORE, AFTER = ({"her2_status": {"value": "negative", "occurred_at": day}} for day in ("2025-01-01", AT))


@pytest.mark.parametrize(
    ("facts", "number", "truth", "asks"),
    [
        # a status stated of one specimen and the stain of another disagree: that is the MDT's to settle
        (person(HIGH, NEGATIVE), "1.7.8", "unknown", {"her2_ihc"}),
        (person(HIGH, NEGATIVE, **NEGATIVE), "1.7.8", "false", set()),
        (person(HIGH, NEGATIVE, her2_status="positive"), "1.7.8", "true", set()),
        # the MDT's word beside one specimen, unless the specimen is the newer
        ({**DUE, "specimens": [{**LIVER, **HIGH}], **AFTER}, "1.7.8", "false", set()),
        ({**DUE, "specimens": [{**LIVER, **HIGH}], **BEFORE}, "1.7.8", "unknown", {"her2_ihc"}),
        # whether it is low is judged by the specimens that the word does not overrule
        ({**DUE, "specimens": [{**LIVER, **HIGH}], **AFTER, **TDXD}, "1.8.1", "unknown", {"her2_ihc"}),
        (person(HIGH, LOW, **AFTER, **TDXD), "1.8.1", "true", set()),
        (person(HIGH, ZERO, **AFTER, **TDXD), "1.8.1", "false", set()),
        (person(HIGH, LOW, her2_status="positive", **TDXD), "1.8.1", "false", set()),
        # a status settles what no stain says
        ({**DUE, "her2_status": "positive", **TDXD}, "1.8.1", "false", set()),
        ({**DUE, "her2_status": "positive", "her2_ihc": "2+", **TDXD}, "1.8.1", "false", set()),
        ({**DUE, **NEGATIVE, "her2_ihc": "2+", **TDXD}, "1.8.1", "true", set()),
        ({**DUE, **NEGATIVE, **TDXD}, "1.8.1", "unknown", {"her2_ihc"}),
        ({**DUE, "her2_ihc": "2+", **TDXD}, "1.8.1", "unknown", {"her2_ish"}),
    ],
)  # fmt: skip
def test_stated_of_one_and_found_in_another(facts: dict[str, Any], number: str, truth: str, asks: set[str]) -> None:
    found = assess(LIBRARY, read_person(facts, LIBRARY.dictionary, NOW), NOW)
    assert (truths(found)[number], missing(found).get(number, set())) == (truth, asks)


def test_a_specimen_of_later_is_left_out(tmp_path: Path) -> None:
    facts = person({**ER_POSITIVE, **ZERO}, {**ER_NEGATIVE, **ZERO})
    found = evaluated(tmp_path, facts, "--at", "2026-01-01")
    assert (truths(found)["1.7.16"], found["left_out"]) == ("true", ["specimens, liver"])


@pytest.mark.parametrize("nothing", [None, "unknown", []])
def test_no_specimens_are_no_results(tmp_path: Path, nothing: object) -> None:
    assert missing(evaluated(tmp_path, {**DUE, "specimens": nothing}))["1.7.8"] == {"her2_ihc"}


@pytest.mark.parametrize(
    ("specimens", "says"),
    [
        ("primary", "is a list"),
        ([{"specimen": "primary", "er_status": "positive"}], "each has a name, a date"),
        ([{**PRIMARY, "er_statu": "positive"}], "Did you mean 'er_status'?"),
        ([{**PRIMARY, "ecog": 1}], "no result of a specimen"),
        ([{**PRIMARY, "er_status": "plus"}], "one of positive, negative"),
        ([PRIMARY, PRIMARY], "stands twice"),
        ([{**PRIMARY, **ER_POSITIVE, "taken_on": "last year"}], "not a date"),
        ([{**PRIMARY, "her2_ihc": "3+", "her2_status": "negative"}], "follows as positive"),
    ],
)
def test_refused_with_what_to_do(tmp_path: Path, specimens: object, says: str) -> None:
    done = call("evaluate", *PINNED, "--facts", written(tmp_path, {"specimens": specimens}), "--json")
    assert (done.exit_code, says in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("specimens", [[], [{**LIVER, **HIGH}]])
def test_flat_facts_that_disagree_are_refused_beside_specimens_too(tmp_path: Path, specimens: list[Any]) -> None:
    facts = {"her2_ihc": "1+", "her2_status": "positive", "specimens": specimens}
    done = call("evaluate", *PINNED, "--facts", written(tmp_path, facts), "--json")
    assert (done.exit_code, "follows as negative" in done.stderr) == (2, True)

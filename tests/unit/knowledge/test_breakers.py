"""What a second breaker found: specimens stated apart, drugs under other names, and classes that do not say all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.pathway.knowledge.assessment import assess
from services.pathway.knowledge.critique import critique
from services.pathway.knowledge.factfile import read_person
from services.pathway.knowledge.library import open_library
from tests.unit.pathway.person import GUIDELINES

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIBRARY = open_library(GUIDELINES, "cg81", "2026-06-30")
DUE: dict[str, Any] = {"disease_extent": "metastatic", "sact_decision_due": True}


def judged(facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = assess(LIBRARY, read_person(DUE | facts, LIBRARY.dictionary, AT), AT)
    return {one["number"]: one for one in found["recommendations"]}


@pytest.mark.parametrize(
    ("primary", "liver"),
    [
        ({"her2_ihc": "3+", "her2_status": "positive"}, {"her2_status": "negative"}),
        ({"her2_status": "positive"}, {"her2_ihc": "1+", "her2_status": "negative"}),
    ],
)
def test_specimens_that_disagree_settle_nothing_whichever_of_them_was_tested(
    primary: dict[str, str], liver: dict[str, str]
) -> None:
    specimens = [
        {"specimen": "primary", "taken_on": "2024-01-31", **primary},
        {"specimen": "liver", "taken_on": "2026-10-05", **liver},
    ]
    found = judged({"er_status": "positive", "prior_therapies": [], "specimens": specimens})
    assert {found[number]["truth"] for number in ("1.7.8", "1.7.16")} == {"unknown"}


@pytest.mark.parametrize("name", ["T-DXd", "enhertu", "trastuzumab-deruxtecan", "Trastuzumab  Deruxtecan"])
def test_a_drug_that_failed_is_not_offered_again_under_another_name(name: str) -> None:
    line = {"setting": "advanced", "agents": [name], "classes": ["anti_her2", "adc"], "stop_reason": "progression"}
    found = judged({"her2_status": "positive", "er_status": "negative", "prior_therapies": [line]})
    verdicts = {ta: verdict for one in found.values() for ta, verdict in one["appraisal"].items()}
    assert verdicts["TA862"] == "not_eligible"


def test_a_class_that_follows_from_one_drug_says_nothing_of_another_that_nobody_knows() -> None:
    dictionary = LIBRARY.dictionary
    line = {"setting": "advanced", "stop_reason": "progression"}

    def had(agents: list[str], classes: list[str]) -> Any:
        facts = {"prior_therapies": [{**line, "agents": agents, "classes": classes}]}
        return read_person(facts, dictionary, AT).picture.values.get("had_cdk46")

    assert had(["mysterib", "letrozole"], ["aromatase_inhibitor"]) is None
    assert had(["mysterib", "letrozole"], ["cdk46", "aromatase_inhibitor"]) is True
    assert had(["kisqali", "letrozole"], []) is True
    assert had(["letrozole"], ["aromatase_inhibitor"]) is False


@pytest.mark.parametrize("name", ["fulvestrant 500 mg", "fulvestrant alone", "Fulvestrant monotherapy", "Faslodex"])
def test_a_dose_a_brand_or_a_word_beside_a_drug_lifts_no_caution(name: str) -> None:
    facts = DUE | {"er_status": "positive", "her2_status": "negative", "prior_therapies": []}
    found = critique(LIBRARY, read_person(facts, LIBRARY.dictionary, AT), name, "")
    assert [one.number for one in found.broken] == ["1.8.1"]

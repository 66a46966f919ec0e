"""What is not known of a person is no refusal by an appraisal: judgements, exceptions, reasons for stopping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.knowledge.asking import DEFAULTS, PINNED, call, written

HER2 = {**DEFAULTS, "sact_decision_due": True, "er_status": "positive", "her2_ihc": "3+"}
ER_NEGATIVE = {**HER2, "er_status": "negative"}
GIVEN_TWICE = [
    {"setting": "advanced", "agents": ["epirubicin", "docetaxel"], "stop_reason": "progression"},
    {"setting": "advanced", "agents": ["capecitabine"], "stop_reason": "progression"},
]
UNSUITABLE = {"anthracycline_unsuitable": True, "taxane_unsuitable": True}
NO_ANTHRACYCLINE = [{**GIVEN_TWICE[0], "agents": ["docetaxel"]}, GIVEN_TWICE[1]]
ON_CDK46 = {"setting": "advanced", "agents": ["ribociclib", "letrozole"], "months": 14, "stop_reason": "progression"}
LUMINAL = {**HER2, "her2_ihc": "0", "pik3ca": "pathogenic", "esr1": "pathogenic", "prior_therapies": [ON_CDK46]}
GERMLINE = {**LUMINAL, "gbrca": "pathogenic", "prior_therapies": [ON_CDK46]}
WHY_NOT = {key: value for key, value in ON_CDK46.items() if key != "stop_reason"}


def asked(tmp_path: Path, number: str, ta: str, facts: dict[str, Any]) -> tuple[str, set[str]]:
    done = call("explain", number, *PINNED, "--facts", written(tmp_path, facts), "--json", "--at", "2026-11-23")
    ruling = next(one for one in json.loads(done.stdout)["appraisals"] if one["ta"] == ta)
    return ruling["verdict"], set(ruling["missing"])


@pytest.mark.parametrize(
    ("number", "ta", "facts", "verdict", "missing"),
    [
        # the judgement is what the appraisal asks for: unstated, it is asked
        ("1.7.8", "TA34", HER2, "unknown", {"anthracycline_unsuitable"}),
        ("1.7.8", "TA34", {**HER2, "anthracycline_unsuitable": True}, "eligible", set()),
        ("1.7.8", "TA34", {**HER2, "anthracycline_unsuitable": False}, "not_eligible", set()),
        ("1.7.8", "TA34", {**HER2, "her2_ihc": "2+", "her2_ish": "amplified"}, "not_eligible", set()),
        # an exception excuses once it was stated ("where suitable", "unless not suitable")
        ("1.7.11", "TA34", {**ER_NEGATIVE, "prior_therapies": GIVEN_TWICE}, "eligible", set()),
        ("1.7.11", "TA34", {**ER_NEGATIVE, "prior_therapies": NO_ANTHRACYCLINE}, "not_eligible", set()),
        ("1.7.11", "TA34", {**ER_NEGATIVE, "prior_therapies": NO_ANTHRACYCLINE,
                            "anthracycline_unsuitable": True}, "eligible", set()),
        ("1.7.21", "TA1040", GERMLINE, "not_eligible", set()),
        ("1.7.21", "TA952", GERMLINE, "not_eligible", set()),
        ("1.7.21", "TA1040", {**GERMLINE, **UNSUITABLE}, "eligible", set()),
        # postmenopausal, or men and trans women
        ("1.7.20", "TA1036", {**LUMINAL, "sex": "female", "menopausal_status": "post"}, "eligible", set()),
        ("1.7.20", "TA1036", {**LUMINAL, "sex": "female", "menopausal_status": "pre"}, "not_eligible", set()),
        ("1.7.20", "TA1036", {**LUMINAL, "sex": "female", "menopausal_status": "peri"}, "not_eligible", set()),
        ("1.7.20", "TA1036", {**LUMINAL, "sex": "female", "menopausal_status": "not_applicable"}, "unknown",
         {"trans_woman"}),
        ("1.7.20", "TA1036", {**LUMINAL, "sex": "male"}, "eligible", set()),
        ("1.7.20", "TA1036", {**LUMINAL, "sex": "other", "menopausal_status": "not_applicable"}, "unknown",
         {"trans_woman"}),
        ("1.7.20", "TA1036", {**LUMINAL, "sex": "other", "trans_woman": True}, "eligible", set()),
        ("1.7.20", "TA1036", {**LUMINAL, "sex": "other", "menopausal_status": "pre", "trans_woman": False},
         "not_eligible", set()),
        ("1.7.20", "TA1036", {**LUMINAL, "sex": "female"}, "unknown", {"menopausal_status", "trans_woman"}),
        # a line of which nobody said why it stopped
        ("1.7.18", "TA1063", LUMINAL, "eligible", set()),
        ("1.7.18", "TA1063", {**LUMINAL, "prior_therapies": [WHY_NOT]}, "unknown", {"prior_therapies"}),
        ("1.7.18", "TA1063", {**LUMINAL, "prior_therapies": [{**ON_CDK46, "stop_reason": "toxicity"}]}, "not_eligible",
         set()),
        ("1.7.9", "TA862", {**HER2, "prior_therapies": [
            {"setting": "advanced", "agents": ["trastuzumab deruxtecan"]}]}, "unknown", {"prior_therapies"}),
        ("1.7.9", "TA862", {**HER2, "prior_therapies": [
            {"setting": "advanced", "agents": ["trastuzumab deruxtecan"], "stop_reason": "ongoing"}]},
         "eligible_managed_access", set()),
    ],
)  # fmt: skip
def test_what_nobody_stated(
    tmp_path: Path, number: str, ta: str, facts: dict[str, Any], verdict: str, missing: set[str]
) -> None:
    assert asked(tmp_path, number, ta, facts) == (verdict, missing)

"""What is not known of a person is no refusal by an appraisal: judgements, exceptions, reasons for stopping."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.pathway.knowledge.appraisals import rule_on
from services.pathway.knowledge.assessment import names_of
from services.pathway.knowledge.factfile import read_person
from services.pathway.knowledge.library import open_library
from tests.unit.knowledge.asking import DEFAULTS, GUIDELINES

AT = datetime(2026, 11, 23, tzinfo=UTC)
LIBRARY = open_library(GUIDELINES, "cg81", "2026-06-30")
assert LIBRARY.appraisals is not None
APPRAISALS = LIBRARY.appraisals

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


def asked(number: str, ta: str, facts: dict[str, Any]) -> tuple[str, set[str]]:
    person = read_person(facts, LIBRARY.dictionary, AT)
    (ruling,) = (one for one in rule_on(APPRAISALS, LIBRARY.rule(number).rule_id, person.picture, AT.date())
                 if one.appraisal.ta == ta)  # fmt: skip
    return ruling.verdict, set(names_of(ruling.gaps))


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
def test_what_nobody_stated(number: str, ta: str, facts: dict[str, Any], verdict: str, missing: set[str]) -> None:
    assert asked(number, ta, facts) == (verdict, missing)


NAIVE = {**HER2, "her2_ihc": "0"}
TOXIC = {"setting": "advanced", "agents": ["ribociclib", "letrozole"], "months": 3, "stop_reason": "toxicity"}
FAILED = {"setting": "advanced", "agents": ["palbociclib", "letrozole"], "months": 3, "stop_reason": "progression"}
ADJUVANT = {"setting": "adjuvant", "agents": ["abemaciclib", "letrozole"], "months": 24, "stop_reason": "completed"}
RELAPSE = {"recurrence": {"value": True, "occurred_at": "2026-10-01"}}
LETROZOLE = {"setting": "advanced", "agents": ["letrozole"], "months": 9, "stop_reason": "progression"}
FIRST = ("TA495", "TA496", "TA563")  # palbociclib, ribociclib, abemaciclib


@pytest.mark.parametrize(
    ("facts", "verdicts"),
    [
        # the inhibitor was not tolerated: another may follow it in advanced disease, the same may not
        ({"prior_therapies": [TOXIC]}, ("eligible", "not_eligible", "eligible")),
        ({"prior_therapies": [{**TOXIC, "months": 7}]}, ("not_eligible",) * 3),
        ({"prior_therapies": [{**TOXIC, "months": None}]}, ("unknown", "not_eligible", "unknown")),
        ({"prior_therapies": [{**TOXIC, "stop_reason": None}]}, ("unknown",) * 3),
        ({"prior_therapies": [{**TOXIC, "setting": "adjuvant"}]}, ("eligible", "not_eligible", "eligible")),
        # of every inhibitor given before, not of one of them
        ({"prior_therapies": [TOXIC, {**FAILED, "months": 14}]}, ("not_eligible",) * 3),
        ({"prior_therapies": [TOXIC, LETROZOLE]}, ("not_eligible",) * 3),
        ({"prior_therapies": [{**ADJUVANT, "ended_on": "2024-06-01"}, FAILED], **RELAPSE}, ("not_eligible",) * 3),
        # adjuvant abemaciclib that ended 12 months before the relapse
        ({"prior_therapies": [{**ADJUVANT, "ended_on": "2024-06-01"}], **RELAPSE}, ("eligible",) * 3),
        ({"prior_therapies": [{**ADJUVANT, "ended_on": "2026-06-01"}], **RELAPSE}, ("not_eligible",) * 3),
        ({"prior_therapies": [ADJUVANT], **RELAPSE}, ("unknown",) * 3),
        ({"prior_therapies": [{**ADJUVANT, "ended_on": "2024-06-01", "agents": ["ribociclib", "letrozole"]}],
          **RELAPSE}, ("not_eligible",) * 3),
        ({"prior_therapies": [{**ADJUVANT, "ended_on": "2024-06-01", "agents": [], "classes": ["cdk46", "endocrine"]}],
          **RELAPSE}, ("unknown",) * 3),
        ({"prior_therapies": [{**ADJUVANT, "ended_on": "2024-06-01"}, TOXIC], **RELAPSE},
         ("eligible", "not_eligible", "eligible")),
    ],
)  # fmt: skip
def test_a_cdk46_inhibitor_after_another(facts: dict[str, Any], verdicts: tuple[str, ...]) -> None:
    told = tuple(asked("1.7.16", ta, {**NAIVE, **facts})[0] for ta in FIRST)
    assert told == verdicts


LONG_TOXIC = {**TOXIC, "months": 14}
POST = {**LUMINAL, "sex": "female", "menopausal_status": "post", "ecog": 1}


@pytest.mark.parametrize(
    ("number", "ta", "lines", "verdict"),
    [
        # 12 months and the progression are of one line
        ("1.7.20", "TA1036", [LONG_TOXIC, FAILED], "not_eligible"),
        ("1.7.20", "TA1036", [LONG_TOXIC, {**FAILED, "months": 12}], "eligible"),
        ("1.7.20", "TA1036", [LONG_TOXIC, {**FAILED, "months": None}], "unknown"),
        ("1.7.20", "TA1036", [{**ON_CDK46, "months": 14}, {**FAILED, "months": None}], "eligible"),
        # the relapse on endocrine treatment of early disease is not the last of several since
        ("1.7.17", "TA836", [{**LETROZOLE, "setting": "adjuvant"}], "eligible"),
        ("1.7.17", "TA836", [{**LETROZOLE, "setting": "adjuvant"}, LETROZOLE], "eligible"),
        ("1.7.17", "TA836", [{**LETROZOLE, "setting": "adjuvant"}, LETROZOLE, LETROZOLE], "not_eligible"),
        ("1.7.17", "TA836", [{**LETROZOLE, "setting": "adjuvant"}, {**LETROZOLE, "stop_reason": "toxicity"}],
         "not_eligible"),
    ],
)  # fmt: skip
def test_what_is_asked_of_one_line(number: str, ta: str, lines: list[dict[str, Any]], verdict: str) -> None:
    assert asked(number, ta, {**POST, "prior_therapies": lines})[0] == verdict

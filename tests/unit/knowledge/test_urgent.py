"""The urgent rules: what makes them apply, what puts them in question, and what is asked then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.knowledge.asking import DEFAULTS, PINNED, call, evaluated, missing, truths, urgent, written

AT = "2026-11-23"
CAPECITABINE = {"setting": "advanced", "agents": ["capecitabine"], "stop_reason": "progression"}
SIGNS = ("new_limb_weakness", "new_gait_disturbance", "new_sensory_loss", "new_bladder_bowel_change")
NO_SIGNS = dict.fromkeys(SIGNS, False)
ON_CHEMO = {"days_since_sact": 10, "prior_therapies": [{**CAPECITABINE, "stop_reason": "ongoing"}]}


@pytest.mark.parametrize(
    ("facts", "fires", "asks"),
    [
        ({}, set(), {}),
        (NO_SIGNS, set(), {}),
        ({"new_sensory_loss": True}, {"U-MSCC-A"}, {}),
        # whoever does not know about signs cannot say that there are none: both are open, and ask the same
        ({"spinal_pain_suggestive": True}, set(), {"U-MSCC-A": set(SIGNS), "U-MSCC-B": set(SIGNS)}),
        ({"spinal_pain_suggestive": True, "new_sensory_loss": False}, set(),
         dict.fromkeys(["U-MSCC-A", "U-MSCC-B"], set(SIGNS) - {"new_sensory_loss"})),
        ({"new_sensory_loss": False}, set(), {}),
        ({"suspected_spinal_mets_or_mscc": True}, set(),
         {"U-MSCC-A": set(SIGNS), "U-MSCC-B": {*SIGNS, "spinal_pain_suggestive"}}),
        ({"suspected_spinal_mets_or_mscc": True, **NO_SIGNS}, set(), {"U-MSCC-B": {"spinal_pain_suggestive"}}),
        ({"suspected_spinal_mets_or_mscc": False}, set(), {}),
        ({"spinal_pain_suggestive": True, **NO_SIGNS}, {"U-MSCC-B"}, {}),
        ({"spinal_pain_suggestive": True, **NO_SIGNS, "new_limb_weakness": True}, {"U-MSCC-A"}, {}),
        ({**ON_CHEMO, "temperature": 38.1}, {"U-NS"}, {}),
        ({**ON_CHEMO, "temperature": 37, "unwell": True}, {"U-NS"}, {}),
        ({**ON_CHEMO, "temperature": 37, "unwell": False}, set(), {}),
        ({**ON_CHEMO, "unwell": False}, set(), {"U-NS": {"temperature"}}),
        ({**ON_CHEMO, "days_since_sact": 43, "unwell": True}, set(), {}),
        ({"prior_therapies": ON_CHEMO["prior_therapies"]}, set(), {}),
        ({"unwell": True, "prior_therapies": ON_CHEMO["prior_therapies"]}, set(), {"U-NS": {"days_since_sact"}}),
        ({"adjusted_calcium": 3.1}, {"U-HCM"}, {}),
        ({"adjusted_calcium": 2.7, "drowsy": True}, {"U-HCM"}, {}),
        ({"adjusted_calcium": 2.7}, set(), {"U-HCM": {"confusion", "drowsy", "dehydrated", "acute_kidney_injury"}}),
        ({"confusion": True}, set(), {"U-HCM": {"adjusted_calcium"}}),
        ({"adjusted_calcium": 2.5, "confusion": True}, set(), {}),
        ({"svco_signs": True}, {"U-SVCO"}, {}),
        ({"seizure": True}, {"U-BM"}, {}),
        ({"sudden_bone_pain_at_known_lesion": True}, {"U-PF"}, {}),
        ({"long_bone_fracture_risk": True}, {"U-PF"}, {}),
        ({"ecog": 3}, {"U-PALL"}, {}),
        ({"surprise_question": "would_not_be_surprised"}, {"U-PALL"}, {}),
        ({"unplanned_admissions_6m": 1, "uncontrolled_symptoms": False}, set(), {}),
        ({"brain_mets": "present", "brain_active_treatment_appropriate": False}, {"U-PALL"}, {}),
        ({"brain_active_treatment_appropriate": False}, set(), {"U-PALL": {"brain_mets"}}),
        ({"brain_mets": "present"}, set(), {"U-PALL": {"brain_active_treatment_appropriate"}}),
        ({"brain_mets": "present", "brain_active_treatment_appropriate": True}, set(), {}),
        ({"brain_mets": "absent", "brain_active_treatment_appropriate": False}, set(), {}),
        ({"brain_mets": "absent"}, set(), {}),
        ({"brain_mets": "present", "ecog": 3}, {"U-PALL"}, {}),
    ],
)  # fmt: skip
def test_urgent_rules(tmp_path: Path, facts: dict[str, Any], fires: set[str], asks: dict[str, set[str]]) -> None:
    found = evaluated(tmp_path, facts)
    assert urgent(found) == fires
    open_ = {one["rule"]: set(one["missing"]) for one in found["urgent"] if one["truth"] == "unknown"}
    assert open_ == asks


def test_a_sign_makes_cord_compression_suspected(tmp_path: Path) -> None:
    known = {name: value for name, value in DEFAULTS.items() if name != "suspected_spinal_mets_or_mscc"}
    assert truths(evaluated(tmp_path, {**known, "new_gait_disturbance": True}))["1.3.5"] == "true"
    none = {**known, **NO_SIGNS, "spinal_pain_suggestive": False}
    assert truths(evaluated(tmp_path, none))["1.3.5"] == "false"
    assert truths(evaluated(tmp_path, {**none, "suspected_spinal_mets_or_mscc": True}))["1.3.5"] == "true"
    assert missing(evaluated(tmp_path, known))["1.3.5"] == {"suspected_spinal_mets_or_mscc"}


LETROZOLE = {"setting": "advanced", "agents": ["letrozole"], "stop_reason": "ongoing"}
NEW_DRUG = {"setting": "advanced", "agents": ["new drug"], "stop_reason": "ongoing"}
EARLY_EC = {"setting": "neoadjuvant", "agents": ["epirubicin", "cyclophosphamide"], "stop_reason": "completed"}
DAYS, LINES = {"days_since_sact"}, {"prior_therapies"}


@pytest.mark.parametrize(
    ("days", "lines", "truth", "asks"),
    [
        # any suppressive line within six weeks, not the latest only
        (None, [{**CAPECITABINE, "last_dose_on": "2026-10-20"}, LETROZOLE], "true", set()),
        (None, [{**CAPECITABINE, "last_dose_on": "2026-10-12"}, LETROZOLE], "true", set()),
        (None, [{**CAPECITABINE, "last_dose_on": "2026-10-11"}, LETROZOLE], "false", set()),
        (None, [LETROZOLE, {**CAPECITABINE, "last_dose_on": "2026-10-20"}], "true", set()),
        (1, [{**CAPECITABINE, "last_dose_on": "2026-10-20"}, LETROZOLE], "true", set()),
        (1, [{**CAPECITABINE, "last_dose_on": "2026-09-20"}, LETROZOLE], "false", set()),
        (None, [{**CAPECITABINE, "started_on": "2026-11-10", "stop_reason": "ongoing"}], "true", set()),
        # without a date it may have been within six weeks
        (1, [CAPECITABINE, LETROZOLE], "unknown", LINES),
        (None, [CAPECITABINE, LETROZOLE], "unknown", DAYS | LINES),
        (43, [CAPECITABINE, LETROZOLE], "false", set()),
        (1, [EARLY_EC, LETROZOLE], "unknown", LINES),
        (None, [CAPECITABINE], "unknown", DAYS),
        (10, [CAPECITABINE], "true", set()),
        (42, [CAPECITABINE], "true", set()),
        (10, [{**LETROZOLE, "stop_reason": "progression"}, CAPECITABINE], "true", set()),
        # the day on which a line ended is not that of its last dose, which came before it
        (None, [{**CAPECITABINE, "ended_on": "2026-11-10"}], "unknown", DAYS),
        (None, [{**CAPECITABINE, "ended_on": "2026-10-11"}], "false", set()),
        (50, [{**CAPECITABINE, "ended_on": "2026-11-10"}], "false", set()),
        # ruled out by the line that came after it, if it is known to have come after it
        (1, [EARLY_EC, {**LETROZOLE, "months": 14}], "false", set()),
        (1, [{**CAPECITABINE, "line": 1}, {**LETROZOLE, "line": 2, "months": 14}], "false", set()),
        (1, [{**CAPECITABINE, "line": 1}, {**LETROZOLE, "line": 2, "started_on": "2026-01-05"}], "false", set()),
        (1, [{**CAPECITABINE, "line": 1}, {**LETROZOLE, "line": 2, "months": 1}], "unknown", LINES),
        (1, [CAPECITABINE, {**LETROZOLE, "months": 14}], "unknown", LINES),
        (1, [{**CAPECITABINE, "stop_reason": "ongoing", "line": 1}, {**LETROZOLE, "line": 2, "months": 14}], "true",
         set()),
        # a drug that nobody knows
        (10, [NEW_DRUG], "unknown", LINES),
        (None, [NEW_DRUG], "unknown", DAYS | LINES),
        (50, [NEW_DRUG], "false", set()),
        (None, [{**NEW_DRUG, "last_dose_on": "2026-11-20"}], "unknown", LINES),
        (None, [{**NEW_DRUG, "last_dose_on": "2026-11-20", "classes": ["endocrine"]}], "false", set()),
        (10, [NEW_DRUG, {**CAPECITABINE, "last_dose_on": "2026-11-13"}], "true", set()),
        (10, [{"setting": "advanced", "stop_reason": "ongoing"}], "unknown", LINES),
        # classes
        (10, [LETROZOLE], "false", set()),
        (None, [LETROZOLE], "false", set()),
        (10, [{**LETROZOLE, "agents": ["letrozole", "ribociclib"]}], "true", set()),
        (10, [{**LETROZOLE, "agents": ["trastuzumab deruxtecan"]}], "true", set()),
        (10, [{**LETROZOLE, "agents": ["trastuzumab"]}], "false", set()),
        (10, [{**LETROZOLE, "agents": ["cyclophosphamide"]}], "true", set()),
        # nobody knows what was given
        (10, None, "unknown", LINES),
        (None, None, "unknown", DAYS | LINES),
        (50, None, "false", set()),
        (None, [], "false", set()),
    ],
)  # fmt: skip
def test_recent_suppression_of_the_marrow(
    tmp_path: Path, days: int | None, lines: list[Any] | None, truth: str, asks: set[str]
) -> None:
    facts = {"unwell": True, "days_since_sact": days, "prior_therapies": lines}
    found = next(one for one in evaluated(tmp_path, facts, "--at", AT)["urgent"] if one["rule"] == "U-NS")
    assert (found["truth"], set(found["missing"])) == (truth, asks)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"days_since_sact": 10, "prior_therapies": [{**CAPECITABINE, "last_dose_on": "2026-11-13"}]}, ""),
        ({"days_since_sact": {"value": 9, "occurred_at": "2026-11-22T14:00"},
          "prior_therapies": [{**CAPECITABINE, "last_dose_on": "2026-11-13"}]}, ""),
        ({"days_since_sact": 9, "prior_therapies": [{**CAPECITABINE, "last_dose_on": "2026-11-13"}]}, "say at"),
        ({"days_since_sact": 11, "prior_therapies": [{**CAPECITABINE, "last_dose_on": "2026-11-13"}]}, "say 10 days"),
        ({"days_since_sact": 12, "prior_therapies": [{**CAPECITABINE, "ended_on": "2026-11-13"}]}, ""),
        ({"days_since_sact": 9, "prior_therapies": [{**CAPECITABINE, "ended_on": "2026-11-13"}]}, "at least 10 days"),
        ({"days_since_sact": 10, "prior_therapies": []}, "say that there was none"),
        # a number that is too old says nothing any more
        ({"days_since_sact": {"value": 2, "occurred_at": "2026-11-01"},
          "prior_therapies": [{**CAPECITABINE, "last_dose_on": "2026-11-13"}]}, ""),
        # a date that is still to come says nothing of today
        ({"days_since_sact": 3, "prior_therapies": [{**CAPECITABINE, "last_dose_on": "2026-12-13"}]}, ""),
    ],
)  # fmt: skip
def test_stated_days_and_dated_doses_agree_or_are_refused(tmp_path: Path, facts: dict[str, Any], says: str) -> None:
    done = call("evaluate", *PINNED, "--facts", written(tmp_path, facts), "--json", "--at", "2026-11-23T12:00")
    assert (done.exit_code, says in done.stderr) == (2 if says else 0, True)
    assert not says or "days_since_sact: " in done.stderr


def test_what_goes_on_may_have_been_given_since_it_was_stated(tmp_path: Path) -> None:
    line = {**CAPECITABINE, "stop_reason": "ongoing", "last_dose_on": "2026-09-01"}
    for when, truth in (("2026-11-23", "false"), ("2026-09-02", "unknown")):
        facts = {"unwell": True, "prior_therapies": {"value": [line], "occurred_at": when}}
        assert urgent(evaluated(tmp_path, facts, "--at", AT), truth) >= {"U-NS"}


def test_a_line_that_ended_was_not_given_since_even_if_nobody_says_why(tmp_path: Path) -> None:
    line = {**CAPECITABINE, "stop_reason": None, "last_dose_on": "2026-08-20", "ended_on": "2026-09-01"}
    facts = {"unwell": True, "prior_therapies": {"value": [line], "occurred_at": "2026-09-02"}}
    assert urgent(evaluated(tmp_path, facts, "--at", AT), "false") >= {"U-NS"}
    # its end alone bounds its last dose: not after that day, and maybe long before
    for ended, truth in (("2026-10-11", "false"), ("2026-10-12", "unknown")):
        facts = {"unwell": True, "prior_therapies": [{**line, "last_dose_on": None, "ended_on": ended}]}
        assert urgent(evaluated(tmp_path, facts, "--at", AT), truth) >= {"U-NS"}


OLD = "2026-01-05"


@pytest.mark.parametrize(
    ("facts", "asks"),
    [
        ({"adjusted_calcium": {"value": 3.2, "occurred_at": OLD}},
         {"U-HCM": {"adjusted_calcium", "confusion", "drowsy", "dehydrated", "acute_kidney_injury"}}),
        ({"adjusted_calcium": {"value": 2.4, "occurred_at": OLD}}, {}),
        ({"ecog": {"value": 3, "occurred_at": OLD}}, {"U-PALL": {"ecog"}}),
        ({"ecog": {"value": 1, "occurred_at": OLD}}, {}),
        ({"unplanned_admissions_6m": {"value": 2, "occurred_at": OLD}}, {"U-PALL": {"unplanned_admissions_6m"}}),
        ({"surprise_question": {"value": "would_not_be_surprised", "occurred_at": OLD}},
         {"U-PALL": {"surprise_question"}}),
        ({"temperature": {"value": 39, "occurred_at": OLD}, "unwell": False, **ON_CHEMO}, {"U-NS": {"temperature"}}),
        ({"unwell": {"value": True, "occurred_at": OLD}, "prior_therapies": []}, {}),
    ],
)  # fmt: skip
def test_a_finding_that_is_too_old_is_asked_again(
    tmp_path: Path, facts: dict[str, Any], asks: dict[str, set[str]]
) -> None:
    found = evaluated(tmp_path, facts, "--at", AT)
    assert {one["rule"]: set(one["missing"]) for one in found["urgent"] if one["truth"] == "unknown"} == asks
    assert urgent(found) == set()

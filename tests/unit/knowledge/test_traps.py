"""The traps of the digest, each asked of the command; and cases of the counting rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.knowledge.asking import DEFAULTS, PINNED, call, evaluated, missing, truths, verdicts, written

DUE = {**DEFAULTS, "sact_decision_due": True}
TN = {**DUE, "er_status": "negative", "pr_status": "negative", "her2_status": "negative"}
LUMINAL = {**DUE, "er_status": "positive", "pr_status": "positive", "her2_status": "negative"}
HER2 = {**DUE, "er_status": "positive", "her2_status": "positive"}
EC_T = {"setting": "neoadjuvant", "agents": ["epirubicin", "cyclophosphamide", "docetaxel"], "stop_reason": "completed"}
CAPECITABINE = {"setting": "advanced", "agents": ["capecitabine"], "stop_reason": "progression"}
RIBO_LETROZOLE = {
    "setting": "advanced", "agents": ["ribociclib", "letrozole"], "months": 14, "stop_reason": "progression",
}  # fmt: skip
PHT = {"setting": "advanced", "agents": ["pertuzumab", "trastuzumab", "docetaxel"], "stop_reason": "progression"}
TDXD = {"setting": "advanced", "agents": ["trastuzumab deruxtecan"], "stop_reason": "progression"}
CHEMO = {"chemo_indicated": True}


def critique(tmp_path: Path, facts: dict[str, Any], code: str, *purpose: str) -> tuple[int, dict[str, Any]]:
    path = written(tmp_path, facts)
    done = call(
        "critique", *PINNED, "--facts", path, "--propose", code, "--json", *(("--purpose", *purpose) * bool(purpose))
    )
    return done.exit_code, json.loads(done.stdout) if done.stdout else {"refused": done.stderr}


def broken(found: dict[str, Any]) -> list[str]:
    return [one["number"] for one in found["broken"]]


def test_1_pet_ct_first_or_to_monitor_is_compliant(tmp_path: Path) -> None:
    facts = {**DEFAULTS, "staging_due": True, "monitoring_due": True, "bone_mets": "present"}
    for purpose in ("diagnosis", "monitoring"):
        code, found = critique(tmp_path, facts, "FDG_PET_CT", purpose)
        assert (code, found["said"]) == (0, "no guidance found")


def test_2_bone_scan_to_look_closer_but_not_to_follow(tmp_path: Path) -> None:
    facts = {**DEFAULTS, "bone_mets": "present", "monitoring_due": True, "further_characterisation_needed": True}
    assert {truths(evaluated(tmp_path, facts))[number] for number in ("1.3.3", "1.5.3")} == {"true"}
    code, found = critique(tmp_path, facts, "bone_scintigraphy", "monitoring")
    assert (code, broken(found)) == (1, ["1.5.3"])
    assert [one["number"] for one in found["instead"]] == ["1.5.1", "1.5.2"]
    assert critique(tmp_path, facts, "bone_scintigraphy", "characterisation")[0] == 0
    code, found = critique(tmp_path, facts, "bone_scintigraphy")
    assert (code, found["undecided"]) == (0, [{"number": "1.5.3", "missing": ["imaging_purpose"]}])


@pytest.mark.parametrize("ic", ["unknown", 0, 0.9, 1, 5])
def test_3_the_pd_l1_options_never_both(tmp_path: Path, ic: Any) -> None:
    found = evaluated(tmp_path, {**TN, "pd_l1_cps": 12, "pd_l1_ic_pct": ic})
    pair = {truths(found)["1.7.1"], truths(found)["1.7.2"]}
    assert pair == ({"unknown"} if ic == "unknown" else {"true", "false"})
    both_open = evaluated(tmp_path, TN)
    assert missing(both_open)["1.7.1"] == {"pd_l1_cps", "pd_l1_ic_pct"}
    assert missing(both_open)["1.7.2"] == {"pd_l1_ic_pct"}


def test_4_deruxtecan_by_her2(tmp_path: Path) -> None:
    found = truths(evaluated(tmp_path, {**HER2, "prior_therapies": [PHT]}))
    assert (found["1.7.9"], found["1.7.12"]) == ("true", "false")
    again = {**HER2, "prior_therapies": [PHT, {**TDXD, "agents": ["trastuzumab emtansine"]}]}
    assert truths(evaluated(tmp_path, again))["1.7.12"] == "true"
    low = {**LUMINAL, "her2_low": True, "prior_therapies": [CAPECITABINE]}
    assert critique(tmp_path, low, "trastuzumab_deruxtecan")[0] == 1
    assert critique(tmp_path, {**HER2, "prior_therapies": [PHT]}, "trastuzumab_deruxtecan")[0] == 0
    assert truths(evaluated(tmp_path, {**low, "proposed_regimen": "trastuzumab_deruxtecan"}))["1.8.1"] == "true"


@pytest.mark.parametrize(("lines", "code"), [(0, 0), (1, 1), (2, 0)])
def test_5_eribulin_after_exactly_one_regimen(tmp_path: Path, lines: int, code: int) -> None:
    facts = {**TN, "prior_therapies": [EC_T, *[CAPECITABINE] * lines]}
    found = critique(tmp_path, facts, "eribulin")
    assert (found[0], broken(found[1])) == (code, ["1.8.1"] * code)
    ruling = verdicts(evaluated(tmp_path, facts))["TA423"]
    assert ruling == ("eligible" if lines == 2 else "not_eligible")


def test_6_fulvestrant_alone_and_in_combination(tmp_path: Path) -> None:
    facts = {**LUMINAL, "pik3ca": "pathogenic", "prior_therapies": [RIBO_LETROZOLE]}
    assert critique(tmp_path, facts, "fulvestrant")[0] == 1
    assert critique(tmp_path, facts, "capivasertib_fulvestrant")[0] == 0
    found = truths(evaluated(tmp_path, facts))
    assert {found[number] for number in ("1.7.17", "1.7.18", "1.7.19")} == {"true"}


def test_7_her2_positive_goes_to_its_own_block(tmp_path: Path) -> None:
    found = truths(evaluated(tmp_path, {**HER2, **CHEMO}))
    assert {number for number in found if number.startswith("1.7.") and found[number] == "true"} == {
        "1.7.8", "1.7.13", "1.7.14",
    }  # fmt: skip
    assert critique(tmp_path, HER2, "trastuzumab_ai")[0] == 1


def test_8_the_guideline_and_its_appraisals_differ(tmp_path: Path) -> None:
    found = evaluated(
        tmp_path, {**LUMINAL, "ecog": 1, "menopausal_status": "post", "prior_therapies": [RIBO_LETROZOLE]}
    )
    assert truths(found)["1.7.17"] == "true"
    assert {verdicts(found)[ta] for ta in ("TA836", "TA725", "TA687")} == {"not_eligible"}
    taxane = {"setting": "adjuvant", "agents": ["docetaxel", "cyclophosphamide"], "stop_reason": "completed"}
    found = evaluated(tmp_path, {**TN, "gbrca": "pathogenic", "prior_therapies": [taxane]})
    assert truths(found)["1.7.4"] == "false"
    assert (verdicts(found)["TA952"], verdicts(found)["TA1040"]) == ("eligible", "not_eligible")
    endocrine = {"setting": "adjuvant", "agents": ["letrozole"], "stop_reason": "completed"}
    found = evaluated(tmp_path, {**LUMINAL, "gbrca": "pathogenic", "prior_therapies": [endocrine]})
    assert truths(found)["1.7.21"] == "true"
    assert {verdicts(found)[ta] for ta in ("TA952", "TA1040")} == {"not_eligible"}


@pytest.mark.parametrize(
    ("months", "verdict"), [(11, "not_eligible"), (12, "eligible"), (None, "unknown")]
)  # fmt: skip
def test_8_elacestrant_needs_twelve_months(tmp_path: Path, months: int | None, verdict: str) -> None:
    lines = [{**RIBO_LETROZOLE, "months": months}]
    found = evaluated(
        tmp_path, {**LUMINAL, "esr1": "pathogenic", "menopausal_status": "post", "prior_therapies": lines}
    )
    assert (truths(found)["1.7.20"], verdicts(found)["TA1036"]) == ("true", verdict)


@pytest.mark.parametrize(
    ("extent", "truth"),
    [("locally_advanced_unresectable", "true"), ("early_or_resectable", "false"), ("suspected_metastatic", "unknown")],
)
def test_9_locally_advanced_only_if_unresectable(tmp_path: Path, extent: str, truth: str) -> None:
    found = evaluated(tmp_path, {**DUE, "disease_extent": extent})
    assert truths(found)["1.6.1"] == truth
    assert missing(found).get("1.6.1", set()) == ({"disease_extent"} if truth == "unknown" else set())


@pytest.mark.parametrize(
    ("fatigue", "expected"),
    [("none", ["false"] * 3), ("present", ["false", "true", "true"]), ("significant", ["true"] * 3)],
)
def test_10_only_significant_fatigue_is_looked_into(tmp_path: Path, fatigue: str, expected: list[str]) -> None:
    found = truths(evaluated(tmp_path, {**DEFAULTS, "fatigue": fatigue}))
    assert [found[number] for number in ("1.10.1", "1.10.2", "1.10.3")] == expected


def test_11_carboplatin_only_for_triple_negative() -> None:
    listed = {
        number: {option["code"] for option in json.loads(call("show", number, *PINNED, "--json").stdout)["options"]}
        for number in ("1.7.6", "1.7.14", "1.7.23")
    }
    assert {number for number, codes in listed.items() if "carboplatin" in codes} == {"1.7.6"}


@pytest.mark.parametrize("code", ["tamoxifen", "tamoxifen_ofs", "trastuzumab_beyond_progression"])
def test_12_silence_is_not_prohibition_and_not_permission(tmp_path: Path, code: str) -> None:
    exit_code, found = critique(tmp_path, LUMINAL, code)
    assert (exit_code, found["said"]) == (0, "no guidance found")
    read = call("critique", *PINNED, "--facts", written(tmp_path, LUMINAL), "--propose", code).stdout
    assert "no guidance found" in read
    assert "safe" not in read


def test_codes_are_refused_only_where_the_vocabulary_is_closed(tmp_path: Path) -> None:
    for code, purpose, says in [
        ("bone_scintigraph", "monitoring", "Did you mean 'bone_scintigraphy'"),
        ("bone_scintigraph", "", "Did you mean 'bone_scintigraphy'"),
        ("MRI", "monitor", "Did you mean 'monitoring'"),
        ("eribulin", "monitoring", "no imaging modality"),
    ]:
        exit_code, found = critique(tmp_path, DEFAULTS, code, *filter(None, [purpose]))
        assert (exit_code, says in found["refused"]) == (2, True), found
    done = call("critique", *PINNED, "--facts", written(tmp_path, DEFAULTS), "--propose", "eribulinn")
    assert (done.exit_code, "Did you mean 'eribulin'" in done.stderr) == (2, True)


def test_counting(tmp_path: Path) -> None:
    """Lines, not agents; conjugates are no chemotherapy; chemotherapy regimens count for advanced disease only."""
    found = truths(evaluated(tmp_path, {**HER2, "prior_therapies": [EC_T, PHT, TDXD]}))
    assert (found["1.7.8"], found["1.7.11"], found["1.7.12"]) == ("false", "false", "true")
    found = truths(evaluated(tmp_path, {**HER2, "prior_therapies": [PHT, CAPECITABINE]}))
    assert found["1.7.11"] == "true"
    found = truths(evaluated(tmp_path, {**TN, "prior_therapies": [EC_T], "pd_l1_cps": 12, "pd_l1_ic_pct": 0}))
    assert (found["1.7.1"], found["1.7.3"]) == ("true", "false")
    found = truths(evaluated(tmp_path, {**LUMINAL, "prior_therapies": [CAPECITABINE]}))
    assert (found["1.7.16"], found["1.7.17"]) == ("true", "false")


ADJUVANT_HER2 = {"setting": "adjuvant", "agents": ["trastuzumab", "docetaxel"], "stop_reason": "completed"}
FIT = {"ecog": 1, "lvef_pct": 60}


@pytest.mark.parametrize(
    ("facts", "ta", "verdict"),
    [
        ({**HER2, **FIT}, "TA509", "eligible"),
        ({**HER2, "ecog": 2, "lvef_pct": 60}, "TA509", "not_eligible"),
        (HER2, "TA509", "unknown"),
        ({**HER2, **FIT, "prior_therapies": [ADJUVANT_HER2]}, "TA509", "unknown"),
        ({**HER2, **FIT, "recurrence": True, "prior_therapies": [{**ADJUVANT_HER2, "ended_on": "2026-07-01"}]},
         "TA509", "not_eligible"),
        # a relapse without a date came by now at the latest: it proves no long interval
        ({**HER2, **FIT, "recurrence": True, "prior_therapies": [{**ADJUVANT_HER2, "ended_on": "2023-06-01"}]},
         "TA509", "unknown"),
        ({**HER2, **FIT, "recurrence": {"value": True, "occurred_at": "2026-10-01"},
          "prior_therapies": [{**ADJUVANT_HER2, "ended_on": "2024-03-01"}]}, "TA509", "eligible"),
        ({**HER2, "prior_therapies": [PHT]}, "TA862", "eligible_managed_access"),
        ({**HER2, "prior_therapies": [PHT, TDXD]}, "TA862", "not_eligible"),
        ({**HER2, "prior_therapies": [PHT, TDXD]}, "TA704", "not_eligible"),
        ({**HER2, "prior_therapies": [PHT, TDXD]}, "TA786", "eligible"),
        ({**HER2, "prior_therapies": [PHT]}, "TA458", "eligible"),
        ({**HER2, "prior_therapies": [ADJUVANT_HER2]}, "TA458", "unknown"),
        (LUMINAL, "TA495", "eligible"),
        ({**LUMINAL, "prior_therapies": [RIBO_LETROZOLE]}, "TA495", "not_eligible"),
        ({**LUMINAL, "prior_therapies": "unknown"}, "TA495", "unknown"),
        ({**LUMINAL, "gbrca": "pathogenic", "prior_therapies": [EC_T, {**RIBO_LETROZOLE}]}, "TA1040", "eligible"),
        ({**LUMINAL, "gbrca": "pathogenic", "anthracycline_unsuitable": True, "taxane_unsuitable": True,
          "prior_therapies": [RIBO_LETROZOLE]}, "TA1040", "eligible"),
        ({**DUE, "ntrk_fusion": "positive", "other_satisfactory_options": False}, "TA630", "eligible_managed_access"),
        ({**TN, "prior_therapies": [EC_T, CAPECITABINE]}, "TA819", "eligible"),
        ({**TN, "prior_therapies": [EC_T, EC_T]}, "TA819", "not_eligible"),
        ({**LUMINAL, "her2_low": True}, "TA992", "not_eligible"),
    ],
)  # fmt: skip
def test_appraisals(tmp_path: Path, facts: dict[str, Any], ta: str, verdict: str) -> None:
    assert verdicts(evaluated(tmp_path, facts, "--at", "2026-11-23"))[ta] == verdict


def test_an_appraisal_holds_from_its_date(tmp_path: Path) -> None:
    assert "TA1063" in verdicts(evaluated(tmp_path, LUMINAL, "--at", "2026-01-01"))
    assert "TA1063" not in verdicts(evaluated(tmp_path, LUMINAL, "--at", "2024-12-31"))

"""What a clinician is told beside the answer: slips of the pen, emergencies in full, why an appraisal refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.knowledge.asking import DEFAULTS, PINNED, call, evaluated, written

FIRST_LINE = {
    **DEFAULTS,
    "er_status": "positive",
    "pr_status": "positive",
    "her2_status": "negative",
    "sact_decision_due": True,
}
GIVEN = {"setting": "advanced", "line": 1, "months": 14, "stop_reason": "progression"}


def flat(text: str) -> str:
    return " ".join(text.split())


def appraised(found: dict[str, Any], number: str) -> dict[str, Any]:
    reasons: dict[str, Any] = next(one for one in found["recommendations"] if one["number"] == number)[
        "appraisal_reasons"
    ]
    return reasons


@pytest.mark.parametrize(
    ("agent", "near"),
    [("letrozol", "letrozole"), ("Ribociclb", "ribociclib"), ("trastuzumab deruxtecn", "trastuzumab deruxtecan"),
     ("herceptn", "herceptin"), ("foomab", "")],
)  # fmt: skip
def test_a_misspelt_drug_is_told_with_its_line_and_the_nearest(tmp_path: Path, agent: str, near: str) -> None:
    facts = {"prior_therapies": [{"setting": "adjuvant", "agents": ["letrozole"]}, {**GIVEN, "agents": [agent]}]}
    (note,) = evaluated(tmp_path, facts)["notes"]
    assert note.startswith("prior_therapies, line 2 (line ")
    assert f"'{agent}' is no drug that the dictionary knows" in note
    assert (f"Did you mean {near}?" in note) == bool(near)


def test_a_slip_is_told_by_every_command(tmp_path: Path) -> None:
    path = written(tmp_path, {"prior_therapies": [{**GIVEN, "agents": ["letrozol"]}]})
    for command in (["evaluate"], ["explain", "1.1.1"], ["critique", "--propose", "MRI"]):
        assert "Did you mean letrozole?" in flat(call(*command, *PINNED, "--facts", path).stdout)


def test_known_drugs_and_new_ones_with_classes_are_no_slips(tmp_path: Path) -> None:
    known = [{**GIVEN, "agents": ["Letrozole", "nab-paclitaxel", "Enhertu", "t_dxd"]}]
    assert evaluated(tmp_path, {"prior_therapies": known})["notes"] == []
    fresh = {**GIVEN, "agents": ["foomab"], "classes": ["adc"]}
    (note,) = evaluated(tmp_path, {"prior_therapies": [fresh]})["notes"]
    assert "counts as the classes that stand beside it" in note


def test_an_open_code_near_a_known_one_is_told(tmp_path: Path) -> None:
    (note,) = evaluated(tmp_path, {"proposed_regimen": "eribuln"})["notes"]
    assert "Did you mean eribulin?" in note
    assert evaluated(tmp_path, {"proposed_regimen": "gemcitabine_carboplatin"})["notes"] == []


def test_an_emergency_says_what_to_do_whom_to_ring_and_by_when(tmp_path: Path) -> None:
    facts = {"new_limb_weakness": {"value": True, "occurred_at": "2026-11-22T08:00"}}
    found = evaluated(tmp_path, facts, "--at", "2026-11-23T12:00")
    one = next(one for one in found["urgent"] if one["rule"] == "U-MSCC-A")
    assert (one["ring"], one["owner"], one["act_by"]) == ("mscc_coordinator", "oncology", "2026-11-23T08:00:00+00:00")
    read = flat(call("evaluate", *PINNED, "--facts", written(tmp_path, facts), "--at", "2026-11-23T12:00").stdout)
    first = read.partition("Applies (")[0]
    for said in (
        one["action"],
        "the cord compression (MSCC) coordinator: 01632",
        "by 23-Nov-2026 08:00",
        "Who: oncology",
    ):
        assert said in first
    undated = flat(call("evaluate", *PINNED, "--facts", written(tmp_path, {"svco_signs": True})).stdout)
    assert "This time is a local choice" in undated
    assert "no time is stated, so from now" in undated
    explained = flat(call("explain", "u-svco", *PINNED, "--facts", written(tmp_path, {"svco_signs": True})).stdout)
    assert "What to do Do: See the person the same day" in explained


def test_a_finding_that_says_no_starts_no_clock(tmp_path: Path) -> None:
    facts = {
        "spinal_pain_suggestive": {"value": True, "occurred_at": "2026-11-22"},
        **{
            name: {"value": False, "occurred_at": "2026-01-01"}
            for name in ("new_limb_weakness", "new_gait_disturbance", "new_sensory_loss", "new_bladder_bowel_change")
        },
    }
    found = evaluated(tmp_path, facts, "--at", "2026-11-23")
    one = next(one for one in found["urgent"] if one["rule"] == "U-MSCC-B")
    assert (one["truth"], one["noticed_at"]) == ("true", "2026-11-22T00:00:00+00:00")


def test_another_teams_file_gives_another_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    teams = tmp_path / "teams.yaml"
    teams.write_text('teams: [{team_id: a, name: On call, roles: [acute_oncology], telephone: "01632 960999"}]')
    monkeypatch.setenv("HANDRAIL_TEAMS_FILE", str(teams))
    path = written(tmp_path, {"svco_signs": True})
    assert "01632 960999 (On call)" in flat(call("evaluate", *PINNED, "--facts", path).stdout)
    monkeypatch.setenv("HANDRAIL_TEAMS_FILE", str(tmp_path / "none.yaml"))
    assert "the number stands in the teams file" in flat(call("evaluate", *PINNED, "--facts", path).stdout)


def test_not_eligible_names_the_condition_and_the_fact(tmp_path: Path) -> None:
    facts = {**FIRST_LINE, "prior_therapies": [{**GIVEN, "agents": ["palbociclib", "letrozole"]}], "ecog": 3}
    found = evaluated(tmp_path, facts)
    reason = appraised(found, "1.7.17")["TA836"]
    assert {"ecog": 3} in [one["facts"] for one in reason["failed"]]
    assert {"had_cdk46": True} in [one["facts"] for one in reason["failed"]]
    read = flat(call("evaluate", *PINNED, "--facts", written(tmp_path, facts)).stdout)
    assert "ECOG performance status is at most 2; here ECOG performance status: 3" in read
    explained = json.loads(call("explain", "1.7.17", *PINNED, "--facts", written(tmp_path, facts), "--json").stdout)
    told = next(one for one in explained["appraisals"] if one["ta"] == "TA836")
    assert "at most 2" in told["because"]


def test_a_drug_that_failed_before_is_named_and_unknown_names_what_is_missing(tmp_path: Path) -> None:
    facts = {**FIRST_LINE, "her2_status": "positive"}
    facts["prior_therapies"] = [
        {**GIVEN, "agents": ["trastuzumab", "docetaxel"]},
        {**GIVEN, "line": 2, "agents": ["Kadcyla"]},
    ]
    reason = appraised(evaluated(tmp_path, facts), "1.7.10")["TA458"]
    assert "trastuzumab emtansine was given before (advanced) and stopped: progression" in reason["because"]
    open_ = evaluated(tmp_path, {**FIRST_LINE, "her2_status": "unknown", "prior_therapies": []})
    assert appraised(open_, "1.7.16")["TA495"] == {
        "because": "facts are missing",
        "failed": [],
        "missing": ["her2_ihc"],
    }


def test_every_not_eligible_has_a_reason_that_holds(tmp_path: Path) -> None:
    """Each failing condition rests on facts that are known, for people of many kinds."""
    for her2 in ("positive", "negative"):
        for receptors in ("positive", "negative"):
            facts = {**FIRST_LINE, "her2_status": her2, "er_status": receptors, "pr_status": receptors, "ecog": 1}
            for rec in evaluated(tmp_path, facts)["recommendations"]:
                for ta, verdict in rec["appraisal"].items():
                    if verdict == "not_eligible":
                        reason = rec["appraisal_reasons"][ta]
                        assert reason["failed"] or "does not recommend" in reason["because"], (rec["number"], ta)
                    if verdict == "unknown":
                        assert rec["appraisal_reasons"][ta]["missing"], (rec["number"], ta)

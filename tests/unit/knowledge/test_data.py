"""The data that people read, edit and question: list, show, edited copies, what the loader refuses beside versions."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from services.pathway.guideline import GuidelineError, load_all, load_shared
from services.pathway.knowledge.appraisals import Appraisal, load_appraisals
from services.pathway.knowledge.urgent import load_urgent
from tests.unit.knowledge.asking import GUIDELINES, PINNED, call, evaluated, truths, verdicts, written

RULES = "cg81/2026-06-30.yaml"
GUARD = """
  - rule_id: local.no-new-drug
    number: "L.1"
    strength: guard
    tag: local
    section: systemic_therapy
    title: Not with a weak heart
    action: Not with a left ventricle under half.
    when:
      all:
        - {fact: proposed_regimen, is: newdrug_trastuzumab}
        - {fact: lvef_pct, less_than: 50}
    instead: {rules: [cg81.sact.decision], supposing: {sact_decision_due: true}}
    owner: oncology
    decided_by: oncology
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GUIDELINES, tmp_path / "guidelines"))


def listed(*arguments: str) -> dict[str, Any]:
    done = call("list", "--json", *arguments)
    assert done.exit_code == 0, done.stderr
    return {f"{one['guideline']}@{one['version']}": one for one in json.loads(done.stdout)["guidelines"]}


def test_list_counts_what_is_judged_and_says_why_not() -> None:
    found = listed("--at", "2026-11-30")
    newest = found["cg81@2026-06-30"]
    counts = (newest["recommendations"], newest["with_condition"], newest["with_reason_for_none"])
    assert (*counts, newest["status"], newest["unverified"], newest["adoptable"]) == (55, 54, 1, "current", [], True)
    assert {"editorial_slip", "appraisal_replaced"} <= {update["kind"] for update in newest["updates"]}
    for name, one in found.items():
        assert one["recommendations"] == one["with_condition"] + one["with_reason_for_none"], name
    assert found["urgent@2026-11-22"]["recommendations"] == 8
    assert not any("last checked" in text for text in newest["warnings"])
    late = listed("--at", "2027-02-21")["cg81@2026-06-30"]["warnings"]
    assert any("last checked against its source 91 days ago" in text for text in late)
    read = call("list", "--at", "2027-02-21").stdout
    assert "CG81 (2026-06-30)" in read
    assert "91 days ago" in read


@pytest.mark.parametrize("number", ["1.7.16", "1.2.2", "1.13.1", "U-MSCC-A"])
def test_show(number: str) -> None:
    found = json.loads(call("show", number, "--json").stdout)
    assert found["number"] == number
    assert bool(found["applies_when"]) is not bool(found["no_condition"])
    assert found["source"].startswith("https://www.nice.org.uk/guidance/")
    assert found["title"] in call("show", number).stdout


def test_show_and_explain_refuse_an_unknown_number_with_the_nearest(tmp_path: Path) -> None:
    for arguments in (["show", "1.7.61"], ["explain", "1.7.61", "--facts", written(tmp_path, {})]):
        done = call(*arguments)
        assert done.exit_code == 2
        assert re.search(r"cg81@2026-06-30 has no 1.7.61. Did you mean 1\.7\.1?6", done.stderr)
    assert call("show", "1.1.1", "--guideline-dir", str(tmp_path / "none")).exit_code == 2


def test_what_is_not_judged_says_why(tmp_path: Path) -> None:
    done = call("explain", "1.2.2", "--facts", written(tmp_path, {}))
    assert (done.exit_code, "A duty of commissioners" in done.stdout) == (0, True)


def test_a_guard_added_to_the_data_bars_a_new_regimen(copy: Path, tmp_path: Path) -> None:
    path = copy / RULES
    path.write_text(path.read_text() + GUARD)
    facts = {"lvef_pct": 45, "disease_extent": "metastatic", "her2_status": "positive", "prior_therapies": []}
    asked = ["critique", *PINNED, "--facts", written(tmp_path, facts), "--propose", "newdrug_trastuzumab"]
    assert call(*asked).exit_code == 0
    done = call(*asked, "--guideline-dir", str(copy), "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, [one["number"] for one in found["broken"]]) == (1, ["L.1"])
    assert [one["number"] for one in found["instead"]] == ["1.7.8"]
    fit = written(tmp_path, {**facts, "lvef_pct": 60})
    assert call(*asked[:-3], fit, *asked[-2:], "--guideline-dir", str(copy)).exit_code == 0
    assert listed("--guideline-dir", str(copy))["cg81@2026-06-30"]["recommendations"] == 56


def test_an_appraisal_is_changed_without_the_guideline(copy: Path, tmp_path: Path) -> None:
    path = copy / "appraisals.yaml"
    path.write_text(path.read_text().replace("pd_l1_cps, at_least: 10", "pd_l1_cps, at_least: 20"))
    facts = {
        "disease_extent": "metastatic",
        "sact_decision_due": True,
        "er_status": "negative",
        "pr_status": "negative",
    }
    facts |= {"her2_status": "negative", "pd_l1_cps": 12, "pd_l1_ic_pct": 0, "prior_therapies": []}
    found = evaluated(tmp_path, facts, "--guideline-dir", str(copy))
    assert (truths(found)["1.7.1"], verdicts(found)["TA801"]) == ("true", "not_eligible")
    before = listed()["cg81@2026-06-30"]["content_hash"]
    assert listed("--guideline-dir", str(copy))["cg81@2026-06-30"]["content_hash"] == before


def load_everything(directory: Path) -> None:
    shared = load_shared(directory)
    load_urgent(directory, shared)
    load_appraisals(directory, shared, list(load_all(directory).values()))


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("urgent.yaml", "fact: svco_signs, is: true", "fact: svco_sign, is: true", "Did you mean 'svco_signs'"),
        ("urgent.yaml", "temperature, more_than: 38", "temperature, more_than: 88", "settles nothing"),
        ("appraisals.yaml", "ta: TA801", "ta: TA639", "TA639"),
        ("appraisals.yaml", "exceptions: [anthracycline", "exceptions: [antracycline", "Did you mean"),
        ("appraisals.yaml", "status: managed_access", "status: managed", "Input should be"),
        (
            "appraisals.yaml",
            "rules: [cg81.sact-options.ntrk]",
            "rules: [cg81.sact-options.ntrc]",
            "no guideline version",
        ),
        ("appraisals.yaml", 'effective_from: "2022"', "effective_from: 2022", "write it in quotes"),
        ("appraisals.yaml", "{fact: pd_l1_ic_pct, less_than: 1}", "{fact: pd_l1_cps, less_than: 1}", "can never hold"),
        ("dictionary.yaml", "longest: {classes_all", "longer: {classes_all", "an unknown field"),
        ("dictionary.yaml", "findings: [spinal_pain_suggestive,", "findings: [spinal_pain,", "yes-or-no fact"),
        ("dictionary.yaml", "presumed: true", "presumed: sometimes", "true or false"),
    ],
)
def test_refused_with_file_line_and_what_to_do(copy: Path, file: str, old: str, new: str, says: str) -> None:
    path = copy / file
    text = path.read_text()
    assert old in text
    if file == "appraisals.yaml" and old == "ta: TA801":
        text = text.replace(
            "rules: [cg81.sact-options.triple-negative-pembrolizumab]",
            "rules: [cg81.sact-options.triple-negative-atezolizumab]",
        )
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(GuidelineError) as refusal:
        load_everything(copy)
    assert says in str(refusal.value)
    assert re.match(rf"{re.escape(str(path))}:\d+: ", str(refusal.value))
    done = call("list", "--guideline-dir", str(copy))
    assert (done.exit_code, says in done.stderr) == (2, True)


def test_no_dose_from_memory_is_shown() -> None:
    for file in ("urgent.yaml", "appraisals.yaml"):
        assert not re.search(r"\d\s?(mg|mL|Gy)\b", (GUIDELINES / file).read_text())


def test_the_schema_of_the_appraisals_names_the_same_fields() -> None:
    described = json.loads((GUIDELINES / "appraisals.schema.json").read_text())["$defs"]["appraisal"]
    assert set(described["properties"]) == {each.name for each in fields(Appraisal)}
    assert set(described["required"]) == {each.name for each in fields(Appraisal) if each.default is MISSING}

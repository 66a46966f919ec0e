"""`guideline show` and `list`: any case, sections, appraisals; a broken file of the folder; a pipe that is closed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.pathway.guideline import GuidelineError
from services.pathway.visits import load_visits
from tests.unit.knowledge.asking import GUIDELINES, PINNED, call, written


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("u-ns", "U-NS  Neutropenic sepsis is possible"),
        ("u-mscc-a", "Ring: mscc coordinator"),
        ("1.7.16.", "1.7.16  First endocrine treatment"),
        ("ta801", "TA801  Pembrolizumab"),
        ("TA 801", "1.7.1  Untreated triple-negative"),
        ("1.7", "Section 1.7 of CG81 (2026-06-30): 25 recommendations"),
        ("1.14", "1 recommendation\n"),
    ],
)
def test_show_answers_in_any_case_a_section_and_an_appraisal(asked: str, says: str) -> None:
    done = call("show", asked)
    assert (done.exit_code, says in done.stdout) == (0, True), done.output


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("1.9", "has no recommendation under 1.9. These have some: 1.1, 1.2"),
        ("1.11", "ng101@2025-04-14"),
        ("1.7.99", "Section 1.7 goes from 1.7.1 to 1.7.25"),
        ("u-nz", "Did you mean U-NS?"),
        ("ta802", "Did you mean TA8"),
        ("None", "Write a number such as 1.7.16"),
    ],
)
def test_show_says_what_there_is_instead(asked: str, says: str) -> None:
    done = call("show", asked)
    assert (done.exit_code, done.stdout, says in done.stderr) == (2, "", True), done.stderr


def test_a_section_and_an_appraisal_as_data() -> None:
    section = json.loads(call("show", "1.10", "--json").stdout)
    assert [one["number"] for one in section["recommendations"]] == ["1.10.1", "1.10.2", "1.10.3"]
    appraisal = json.loads(call("show", "ta423", "--json").stdout)
    assert [one["number"] for one in appraisal["recommendations"]] == ["1.7.6", "1.7.14", "1.7.23"]
    assert appraisal["appraisals"][0]["drug"] == "Eribulin"


@pytest.mark.parametrize(("asked", "says"), [("1.7", "It is a section"), ("ta495", "It is an appraisal")])
def test_explain_is_about_one_recommendation(tmp_path: Path, asked: str, says: str) -> None:
    done = call("explain", asked, *PINNED, "--facts", written(tmp_path, {}))
    assert (done.exit_code, says in done.stderr) == (2, True), done.stderr


def test_explain_takes_any_case_too(tmp_path: Path) -> None:
    found = json.loads(call("explain", "u-ns", *PINNED, "--facts", written(tmp_path, {}), "--json").stdout)
    assert found["number"] == "U-NS"


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("changes.yaml", "relation: same}", "relation: sane}", "changes.yaml:12: "),
        ("verification.yaml", "decision: cg81.sact.decision", "decisoin: cg81.sact.decision", "verification.yaml:7"),
        ("promises.yaml", "referral_agreed: {working_days: 3", "referral_agreed: {working_days: -3", "promises.yaml:"),
        ("ladders.yaml", "telephones:", "telefones:", "ladders.yaml:"),
        ("visits.yaml", "modes: [face_to_face, video]", "modes: [face_to_face, vido]", "visits.yaml:"),
        (
            "cg81/2026-06-30.yaml",
            'number: "1.8.1"',
            "number: 1.8",
            "number: Input should be a valid string (write it in quotes)",
        ),
        ("cg81/2026-06-30.yaml", 'version: "2026-06-30"', "version: 2026-06-30", "(write it in quotes)"),
    ],
)
def test_every_file_of_the_folder_is_read(tmp_path: Path, file: str, old: str, new: str, says: str) -> None:
    copy = tmp_path / "guidelines"
    shutil.copytree(GUIDELINES, copy)
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1))
    others = [["diff", "2017-08-16", "2026-06-30"], ["verify"]] if file == "visits.yaml" else []
    for command in (["list"], *others):
        done = call(*command, "--guideline-dir", str(copy))
        assert (done.exit_code, done.stdout, says in done.stderr) == (2, "", True), done.output


def test_a_rule_of_ones_own_is_listed_and_diff_waits_for_a_word_on_it(tmp_path: Path) -> None:
    copy = tmp_path / "guidelines"
    shutil.copytree(GUIDELINES, copy)
    path = copy / "cg81" / "2026-06-30.yaml"
    path.write_text(path.read_text().replace('number: "1.8.1"', 'number: "L.1"', 1))
    (note,) = json.loads(call("list", "--json", "--guideline-dir", str(copy)).stdout)["notes"]
    assert "changes.yaml:" in note
    assert call("diff", "2017-08-16", "2026-06-30", "--guideline-dir", str(copy)).exit_code == 2


def test_a_joint_visit_with_a_team_that_there_is_not_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "guidelines"
    shutil.copytree(GUIDELINES, copy)
    path = copy / "visits.yaml"
    path.write_text(path.read_text().replace("joint: [palliative_care]", "joint: [paliative_care]"))
    with pytest.raises(GuidelineError, match=r"visits.yaml:13: symptom_control: .*Did you mean 'palliative_care'"):
        load_visits(copy, ["oncology", "palliative_care"])
    assert load_visits(copy).visits
    monkeypatch.setenv("HANDRAIL_TEAMS_FILE", str(GUIDELINES.parent / "deploy" / "teams.yaml"))
    assert "Did you mean 'palliative_care'" in call("list", "--guideline-dir", str(copy)).stderr


@pytest.mark.parametrize("command", [["list"], ["show", "1.7"], ["diff", "2017-08-16", "2026-06-30", "--json"]])
def test_a_reader_that_has_read_enough_ends_it_quietly(command: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "guideline", *command],
        stdout=write, stderr=subprocess.PIPE, text=True, check=False, cwd=GUIDELINES.parent, timeout=60,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")

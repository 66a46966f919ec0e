"""The contract of `handrail guideline evaluate`: worked examples with their what-ifs, facts files, refusals."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.pathway.guideline import load_shared
from services.pathway.knowledge.factfile import moment, read_person
from tests.unit.knowledge.asking import (
    DEFAULTS,
    EXAMPLES,
    GUIDELINES,
    PINNED,
    call,
    evaluated,
    facts_of,
    missing,
    truths,
    urgent,
    verdicts,
    written,
)

DICTIONARY = load_shared(GUIDELINES).dictionary

# What the narratives say beyond the listed facts, in the names of the dictionary.
NARRATED: dict[str, dict[str, Any]] = {
    "SYN-CG81-01": {
        "spinal_pain_suggestive": True,
        "new_limb_weakness": False,
        "new_gait_disturbance": False,
        "new_sensory_loss": False,
        "new_bladder_bowel_change": False,
    },
    "SYN-CG81-04": {"svco_signs": True},
    "SYN-CG81-10": {"new_limb_weakness": True},
}
URGENT = {"SYN-CG81-01": {"U-MSCC-B"}, "SYN-CG81-04": {"U-SVCO"}, "SYN-CG81-10": {"U-MSCC-A", "U-PF"}}
ALL_URGENT = {"U-MSCC-A", "U-MSCC-B", "U-NS", "U-HCM", "U-SVCO", "U-BM", "U-PF", "U-PALL"}
WHAT_IFS = [(name, index) for name, each in EXAMPLES.items() for index in range(len(each["what_if"]))]


@pytest.mark.parametrize("derived_too", [False, True])
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(tmp_path: Path, name: str, derived_too: bool) -> None:
    example = EXAMPLES[name]
    facts = {**facts_of(example), **NARRATED[name], **(example["derived"] if derived_too else {})}
    found = evaluated(tmp_path, facts)
    expected = dict.fromkeys(example["fires"], "true") | dict.fromkeys(example["must_not"], "false")
    expected |= dict.fromkeys(example["unknown_until"], "unknown")
    assert truths(found) == expected
    assert len(expected) == 54
    assert missing(found) == {number: set(names) for number, names in example["unknown_until"].items()}
    assert all(one["missing"] == [] for one in found["recommendations"] if one["truth"] != "unknown")
    assert {one["rule"] for one in found["urgent"]} == ALL_URGENT
    assert urgent(found) == URGENT[name]
    assert urgent(found, "unknown") == set()


@pytest.mark.parametrize(("name", "index"), WHAT_IFS)
def test_what_ifs(tmp_path: Path, name: str, index: int) -> None:
    example, change = EXAMPLES[name], EXAMPLES[name]["what_if"][index]
    found = evaluated(tmp_path, {**facts_of(example), **change["change"]})
    fires = (set(example["fires"]) | set(change["newly_fires"])) - set(change["no_longer_fires"])
    assert {number for number, truth in truths(found).items() if truth == "true"} == fires
    assert missing(found) == {number: set(names) for number, names in change["now_unknown"].items()}


def test_the_appraisal_of_an_example(tmp_path: Path) -> None:
    found = evaluated(tmp_path, facts_of(EXAMPLES["SYN-CG81-04"]))
    assert next(one for one in found["recommendations"] if one["number"] == "1.7.1")["appraisal"] == {
        "TA801": "eligible"
    }
    assert verdicts(found)["TA639"] == "not_eligible"


@pytest.mark.parametrize("nobody_knows", [None, "unknown", "not_tested", "not_done"])
def test_absent_and_unknown_are_one(tmp_path: Path, nobody_knows: str | None) -> None:
    facts = facts_of(EXAMPLES["SYN-CG81-04"])
    absent = {key: value for key, value in facts.items() if key != "gbrca"}
    assert evaluated(tmp_path, {**facts, "gbrca": nobody_knows}, "--at", "2026-11-23") == evaluated(
        tmp_path, absent, "--at", "2026-11-23"
    )


def test_no_treatment_is_known_and_no_history_is_not(tmp_path: Path) -> None:
    facts = {**DEFAULTS, "sact_decision_due": True, "er_status": "positive", "her2_status": "negative"}
    assert truths(evaluated(tmp_path, facts))["1.7.16"] == "true"
    found = evaluated(tmp_path, {**facts, "prior_therapies": "unknown"})
    assert missing(found)["1.7.16"] == {"prior_therapies"}


def test_her2_status_is_asked_for_by_what_it_follows_from(tmp_path: Path) -> None:
    facts = {**DEFAULTS, "sact_decision_due": True}
    assert missing(evaluated(tmp_path, facts))["1.7.8"] == {"her2_ihc"}
    assert missing(evaluated(tmp_path, {**facts, "her2_ihc": "2+"}))["1.7.8"] == {"her2_ish"}


def test_only_what_still_matters_is_missing(tmp_path: Path) -> None:
    facts = {**DEFAULTS, "sact_decision_due": True, "er_status": "positive", "her2_status": "negative"}
    line = {"setting": "adjuvant", "agents": ["letrozole"], "stop_reason": "completed"}
    assert missing(evaluated(tmp_path, {**facts, "prior_therapies": [line]}))["1.7.21"] == {"gbrca"}


def test_many_people_give_a_list_and_one_in_a_list_too(tmp_path: Path) -> None:
    people = [facts_of(example) for example in EXAMPLES.values()]
    found = evaluated(tmp_path, people)
    assert [set(truths(one).values()) for one in found] == [{"true", "false", "unknown"}] * 3
    assert isinstance(evaluated(tmp_path, people[:1]), list)


def test_stale_facts_are_unknown_and_later_ones_left_out(tmp_path: Path) -> None:
    facts = {"ecog": {"value": 3, "occurred_at": "2026-06-01"}}
    assert urgent(evaluated(tmp_path, facts, "--at", "2026-06-20")) == {"U-PALL"}
    assert urgent(evaluated(tmp_path, facts, "--at", "2026-11-20")) == set()
    early = evaluated(tmp_path, facts, "--at", "2026-05-01")
    assert (urgent(early), early["left_out"]) == (set(), ["ecog"])


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"er_statu": "positive"}, "Did you mean 'er_status'?"),
        ({"prior_therapy": []}, "Did you mean 'prior_therapies'?"),
        ({"er_status": "plus"}, "one of positive, negative"),
        ({"ecog": 9}, "between 0 and 5"),
        ({"staging_due": "yes"}, "true or false"),
        ({"age_years": {"value": 50, "when": "2026-01-01"}}, "{value, occurred_at}"),
        ({"age_years": {"value": 50, "occurred_at": "last week"}}, "not a date or time"),
        ({"her2_ihc": "3+", "her2_status": "negative"}, "stated as negative, but follows as positive"),
        ({"n_adv": 1, "prior_therapies": []}, "was stated as 1, but follows as 0"),
        ({"suspected_spinal_mets_or_mscc": False, "new_limb_weakness": True}, "a finding implies it"),
        ({"prior_therapies": [{"setting": "advanced", "agent": ["letrozole"]}]}, "Did you mean 'agents'?"),
        ({"prior_therapies": [{"setting": "palliative"}]}, "not one of neoadjuvant"),
        ({"prior_therapies": [{"setting": "adjuvant", "agents": ["letrozole"], "classes": ["cdk46"]}]}, "fits none of"),
        ({"prior_therapies": "none"}, "is a list"),
        ("er_status", "facts are a mapping"),
    ],
)  # fmt: skip
def test_refused_with_the_nearest_right_name(tmp_path: Path, facts: Any, says: str) -> None:
    done = call("evaluate", *PINNED, "--facts", written(tmp_path, facts), "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert says in done.stderr
    again = call("evaluate", *PINNED, "--facts", written(tmp_path, [DEFAULTS, facts]), "--json")
    assert again.exit_code == 2
    assert "person 2" in again.stderr


def test_json_and_yaml_say_the_same_and_broken_files_are_refused(tmp_path: Path) -> None:
    facts = facts_of(EXAMPLES["SYN-CG81-10"])
    path = written(tmp_path, facts, "facts.json")
    done = call("evaluate", *PINNED, "--facts", path, "--json", "--at", "2026-11-23")
    assert json.loads(done.stdout) == evaluated(tmp_path, facts, "--at", "2026-11-23")
    Path(path).write_text('{"ecog": 1,}')
    assert call("evaluate", "--facts", path).exit_code == 2
    twice = tmp_path / "twice.yaml"
    twice.write_text("ecog: 1\necog: 2\n")
    assert "stands twice" in call("evaluate", "--facts", str(twice)).stderr
    assert "No such file" in call("evaluate", "--facts", str(tmp_path / "none.yaml")).stderr
    assert "Versions found" in call("evaluate", "--version", "2026-07-01", "--facts", str(twice)).stderr


def test_people_can_read_it_too(tmp_path: Path) -> None:
    done = call("evaluate", "--facts", written(tmp_path, {**facts_of(EXAMPLES["SYN-CG81-04"]), "svco_signs": True}))
    assert done.exit_code == 0
    assert "U-SVCO applies: Superior vena cava obstruction is possible" in done.stdout
    assert "1.7.4  Triple-negative advanced disease with a germline BRCA variant: needs Germline BRCA" in " ".join(
        done.stdout.split()
    ).replace("1.7.4 ", "1.7.4  ")


def test_it_starts_without_the_parts_of_a_server(tmp_path: Path) -> None:
    facts = written(tmp_path, {})
    script = (
        "import sys; from services.cli.__main__ import app\n"
        f"app(['guideline', 'evaluate', '--facts', {facts!r}, '--json'], standalone_mode=False)\n"
        "print([m for m in ('temporalio', 'sqlalchemy', 'grpc') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_edited_data_is_evaluated(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(GUIDELINES, tmp_path / "guidelines"))
    path = copy / "cg81" / "2026-06-30.yaml"
    path.write_text(path.read_text().replace("pd_l1_cps, at_least: 10", "pd_l1_cps, at_least: 20"))
    facts = facts_of(EXAMPLES["SYN-CG81-04"])
    assert truths(evaluated(tmp_path, facts))["1.7.1"] == "true"
    assert truths(evaluated(tmp_path, facts, "--guideline-dir", str(copy)))["1.7.1"] == "false"


@pytest.mark.parametrize("day", ["2026-11-20", "20261120", "2026-W47-5", "2026W475"])
def test_a_date_alone_is_the_whole_of_its_day_however_it_is_written(day: str) -> None:
    assert moment(day, end=True) == datetime(2026, 11, 20, 23, 59, 59, 999999, tzinfo=UTC)
    assert moment(day) == datetime(2026, 11, 20, tzinfo=UTC)
    person = read_person({"ecog": {"value": 1, "occurred_at": "2026-11-20T18:00"}}, DICTIONARY, moment(day, end=True))
    assert (person.later, person.picture.values["ecog"]) == ((), 1)


def test_a_day_is_londons() -> None:
    assert moment("20260620", end=True) == datetime(2026, 6, 20, 22, 59, 59, 999999, tzinfo=UTC)
    assert moment("2026-06-20T09:00") == datetime(2026, 6, 20, 8, tzinfo=UTC)

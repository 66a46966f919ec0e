"""Verification of the guideline data: it passes, its page is up to date, and it finds what is planted."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.cli.__main__ import app
from services.pathway.knowledge.factfile import FactFileError, read_person
from services.pathway.knowledge.library import Library, open_library
from services.pathway.knowledge.verify import Verification, verify
from services.pathway.knowledge.verify_conflicts import overlaps
from services.pathway.knowledge.verify_logic import check_logic
from services.pathway.knowledge.verify_options import Enumeration, pairs_in_order
from services.pathway.knowledge.verify_plant import PlantError, planted
from services.pathway.knowledge.verify_report import page, plain
from services.pathway.knowledge.verify_space import histories, space_of
from services.pathway.knowledge.verify_subject import Finding, Subject, load_explanations
from services.pathway.knowledge.verify_trace import check_numbers
from services.pathway.rules import judge
from tests.unit.pathway.person import GUIDELINES, NOW

PAGE = GUIDELINES.parent / "docs" / "guideline-verification.md"


def subject_in(directory: Path) -> Subject:
    library = open_library(directory, "cg81", "2026-06-30")
    return Subject(library, load_explanations(directory, library.guideline))


@pytest.fixture(scope="module")
def subject() -> Subject:
    return subject_in(GUIDELINES)


@pytest.fixture(scope="module")
def seen(subject: Subject) -> Verification:
    return verify(subject)


def test_nothing_is_left_unexplained(seen: Verification) -> None:
    assert [finding.text for finding in seen.findings] == []


def test_every_combination_has_an_outcome(seen: Verification) -> None:
    counts, outcomes = seen.counts(), plain(seen)["outcomes"]
    assert sum(outcomes.values()) == counts["combinations"] > 10**12
    assert all(outcomes[name] > 0 for name in ("option", "question", "decision", "none due"))


def test_gaps_in_the_guidance_are_reported(seen: Verification) -> None:
    assert len(plain(seen)["gaps"]) == 3
    assert all(gap["kinds_of_people"] > 0 for gap in plain(seen)["gaps"])
    assert [left.situation.name for left in seen.silences if not left.nothing] == []


def test_every_judged_number_has_its_three_examples(seen: Verification) -> None:
    assert [example.number for example in seen.examples] == list(seen.subject.rules)
    assert len(seen.examples) == 54


def test_the_matrix_leads_both_ways(seen: Verification) -> None:
    told = plain(seen)
    assert set(told["numbers"]) == {rule.number for rule in seen.subject.guideline.rules}
    assert all(number in told["facts"][name] for number, names in told["numbers"].items() for name in names)
    assert "grade" not in told["read_by_none"]
    assert "mirels_score" in told["read_by_none"]


def test_the_page_is_up_to_date(seen: Verification) -> None:
    again = "run `handrail guideline verify --report docs/guideline-verification.md`, read what changed, and commit it"
    assert PAGE.read_text(encoding="utf-8") == page(seen), again


def test_a_gap_is_found(subject: Subject) -> None:
    spoiled, said = planted(subject, "gap")
    assert said == "1.7.1 was taken out."
    assert [finding.numbers for finding in check_numbers(spoiled)] == [("1.7.1",)]
    assert Enumeration(spoiled).people().unexplained


def test_an_overlap_is_found(subject: Subject) -> None:
    spoiled, _ = planted(subject, "overlap")
    found = overlaps(spoiled, pairs_in_order(Enumeration(spoiled).people()))[1]
    assert ("1.7.1", "1.7.26") in [finding.numbers for finding in found if finding.kind == "overlap"]


@pytest.mark.parametrize(("kind", "number"), [("dead", "1.7.1"), ("nonmonotone", "1.7.25")])
def test_a_spoiled_condition_is_found(subject: Subject, kind: str, number: str) -> None:
    spoiled, _ = planted(subject, kind)
    assert [(finding.kind, finding.numbers) for finding in check_logic(spoiled, [number]).findings] == [
        (kind, (number,))
    ]


def test_only_known_faults_are_planted(subject: Subject) -> None:
    with pytest.raises(PlantError, match="choose one of gap, overlap, dead, nonmonotone"):
        planted(subject, "typo")


def test_a_rule_taken_out_of_the_files_is_missed(tmp_path: Path) -> None:
    shutil.copytree(GUIDELINES, tmp_path / "guidelines")
    path = tmp_path / "guidelines" / "cg81" / "2026-06-30.yaml"
    text = path.read_text(encoding="utf-8")
    begin = text.index("  - rule_id: cg81.sact-options.her2-positive-first\n")
    end = text.index("  - rule_id:", begin + 1)
    path.write_text(text[:begin] + text[end:], encoding="utf-8")
    edited = subject_in(tmp_path / "guidelines")
    assert [finding.numbers for finding in check_numbers(edited)] == [("1.7.8",)]
    silent = Enumeration(edited).people().unexplained
    assert {values["her2_status"] for values in silent} == {"positive"}
    assert {values["n_adv"] for values in silent} == {0}


def test_an_explanation_of_what_never_happens_is_a_finding(subject: Subject) -> None:
    never = replace(subject.explanations.together[0], among=("1.7.1", "1.7.2"))
    explained = replace(subject.explanations, together=(*subject.explanations.together, never))
    other = Subject(subject.library, explained)
    found = overlaps(other, pairs_in_order(Enumeration(other).people()))[1]
    assert [(finding.kind, finding.numbers) for finding in found] == [("stale", ("1.7.1", "1.7.2"))]


def test_histories_are_those_that_lines_of_treatment_give(subject: Subject) -> None:
    conditions = [condition for _, condition in subject.rules.values()]
    dictionary = subject.guideline.dictionary
    found = histories(space_of(conditions, dictionary), dictionary)
    told = found.of(["n_adv", "n_systemic", "n_adv_endocrine", "had_endocrine"])
    assert {"n_adv": 0, "n_systemic": 2, "n_adv_endocrine": 0, "had_endocrine": True} in told
    assert not [one for one in told if one["n_adv_endocrine"] and not (one["had_endocrine"] and one["n_adv"])]


LINES = st.lists(
    st.fixed_dictionaries(
        {
            "setting": st.sampled_from(["neoadjuvant", "adjuvant", "advanced"]),
            "classes": st.lists(
                st.sampled_from(
                    ["anthracycline", "taxane", "endocrine", "aromatase_inhibitor", "cdk46", "trastuzumab"]
                ),
                unique=True,
            ),
            "stop_reason": st.sampled_from(["completed", "progression", "toxicity"]),
        }
    ),
    max_size=3,
)
CHOICES: dict[str, st.SearchStrategy[Any]] = {
    "disease_extent": st.sampled_from(["metastatic", "locally_advanced_unresectable", "early_or_resectable"]),
    "sact_decision_due": st.booleans(),
    "er_status": st.sampled_from(["positive", "negative"]),
    "pr_status": st.sampled_from(["positive", "negative"]),
    "her2_ihc": st.sampled_from(["0", "1+", "2+", "3+"]),
    "her2_ish": st.sampled_from(["amplified", "not_amplified"]),
    "pd_l1_cps": st.sampled_from([0, 9, 10, 80]),
    "pd_l1_ic_pct": st.sampled_from([0, 0.5, 1, 20]),
    "gbrca": st.sampled_from(["pathogenic", "not_detected"]),
    "pik3ca": st.sampled_from(["pathogenic", "not_detected"]),
    "esr1": st.sampled_from(["pathogenic", "not_detected"]),
    "ntrk_fusion": st.sampled_from(["positive", "not_detected"]),
    "other_satisfactory_options": st.booleans(),
    "chemo_indicated": st.booleans(),
    "proposed_regimen": st.sampled_from(["eribulin", "fulvestrant", "trastuzumab_deruxtecan", "none"]),
    "fatigue": st.sampled_from(["none", "present", "significant"]),
    "prior_therapies": LINES,
}


@given(st.fixed_dictionaries({}, optional=CHOICES), st.sampled_from(list(CHOICES)), st.data())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_learning_more_never_takes_an_answer_back(
    subject: Subject, known: dict[str, Any], name: str, data: st.DataObject
) -> None:
    """From the facts as stated, lines of treatment and HER2 tests among them, to the truth of every number."""
    library: Library = subject.library
    less = {other: value for other, value in known.items() if other != name}
    more = {**less, name: data.draw(CHOICES[name])}
    try:
        people = [read_person(facts, library.dictionary, NOW) for facts in (less, more)]
    except FactFileError:
        assume(False)  # a contradiction that the reader refuses
    before, after = ({one.number: one.truth for one in judge(library.guideline, p.picture)} for p in people)
    assert {number for number, truth in before.items() if truth not in {"cannot_be_decided", after[number]}} == set()


@given(st.fixed_dictionaries({}, optional=CHOICES), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_the_order_of_facts_does_not_matter(subject: Subject, known: dict[str, Any], random: Any) -> None:
    names = list(known)
    random.shuffle(names)
    shuffled = {name: known[name] for name in names}
    dictionary, guideline = subject.library.dictionary, subject.library.guideline
    told = [
        [(one.number, one.truth, set(one.missing)) for one in judge(guideline, read_person(f, dictionary, NOW).picture)]
        for f in (known, shuffled)
    ]
    assert told[0] == told[1]


def test_the_command_passes_and_writes_the_page(
    seen: Verification, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("services.pathway.knowledge.verify.verify", lambda _: seen)
    result = CliRunner().invoke(app, ["guideline", "verify", "--report", str(tmp_path / "page.md"), "--json"])
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["guideline"], told["version"], told["passed"]) == ("cg81", "2026-06-30", True)
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == page(seen)


def test_the_command_fails_with_a_finding_and_says_which(seen: Verification, monkeypatch: pytest.MonkeyPatch) -> None:
    found = replace(seen, findings=(Finding("dead", ("1.7.1",), "1.7.1 is dead."),))
    monkeypatch.setattr("services.pathway.knowledge.verify.verify", lambda _: found)
    result = CliRunner().invoke(app, ["guideline", "verify", "--plant", "dead"])
    assert result.exit_code == 1
    assert "Planted: 1.7.1 was given a condition that contradicts itself." in result.stdout
    assert "dead: 1.7.1 is dead." in result.stdout


@pytest.mark.parametrize(
    "words",
    [["--plant", "typo"], ["--version", "1999-01-01"], ["--plant", "gap", "--report", "x"], ["--guideline", "cg8"]],
)
def test_the_command_refuses(words: list[str]) -> None:
    assert CliRunner().invoke(app, ["guideline", "verify", *words]).exit_code == 2


def test_a_version_without_a_decision_is_verified_for_the_rest() -> None:
    result = CliRunner().invoke(app, ["guideline", "verify", "--guideline", "ng101", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["counts"]["recommendations"] == 11


def test_a_version_of_which_nothing_is_written_does_not_pass(tmp_path: Path) -> None:
    shutil.copytree(GUIDELINES, tmp_path / "guidelines")
    (tmp_path / "guidelines" / "verification.yaml").unlink()
    words = ["guideline", "verify", "--guideline", "ng101", "--guideline-dir", str(tmp_path / "guidelines"), "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert [one["kind"] for one in json.loads(result.stdout)["findings"]] == ["missing"]

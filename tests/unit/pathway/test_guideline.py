"""Loading guideline data: what is refused, with file, line and what to do; what the hash pins."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from handrail.clinical.v1 import events_pb2
from services.pathway.dictionary import Therapy
from services.pathway.guideline import Guideline, GuidelineError, Rule, load_all, load_guideline
from tests.unit.pathway.person import GUIDELINES

PER_SECTION = {1: 3, 2: 2, 3: 5, 4: 2, 5: 3, 6: 1, 7: 25, 8: 1, 10: 3, 12: 3, 13: 6, 14: 1}
ENCODED = [f"1.{section}.{number}" for section, last in PER_SECTION.items() for number in range(1, last + 1)]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GUIDELINES, tmp_path / "guidelines"))


def load(directory: Path) -> Guideline:
    return load_guideline(directory, "cg81", "2026-06-30")


def change(directory: Path, file: str, old: str, new: str) -> None:
    path = directory / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_encoded_numbers_cover_every_section(guideline: Guideline) -> None:
    assert [rule.number for rule in guideline.rules] == ENCODED
    assert {rule.section for rule in guideline.rules} == {
        "diagnosis", "systemic_therapy", "supportive_care", "complications", "palliative_care", "information",
    }  # fmt: skip
    assert len(ENCODED) == 55
    assert {rule.number for rule in guideline.rules if rule.no_condition} == {"1.2.2"}
    assert not guideline.unverified
    assert len(guideline.events) == len(events_pb2.ClinicalEvent.DESCRIPTOR.fields)
    assert re.fullmatch("[0-9a-f]{64}", guideline.content_hash)


def test_all_versions_are_found() -> None:
    assert ("cg81", "2026-06-30") in load_all(GUIDELINES)


RULES = "cg81/2026-06-30.yaml"


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (RULES, "fact: staging_due, is: true", "fact: stagin_due, is: true", "Did you mean 'staging_due'"),
        (RULES, "fact: er_status, is: positive", "fact: er_status, is: plus", "one of positive, negative"),
        (RULES, "fact: er_status, is: positive", "fact: er_status, is: unknown", "unknown is never a value"),
        (RULES, "{predicate: luminal}", "{predicate: lumnal}", "not defined above"),
        (RULES, 'version: "2026-06-30"', "version: 2026-06-30", "write it in quotes"),
        (RULES, 'number: "1.1.1"', "number: 1.1", "write it in quotes"),
        (RULES, 'number: "1.1.2"', 'number: "1.1.1"', "number stands twice"),
        (RULES, "cg81.needs.key-worker", "cg81.needs.key-point-assessment", "rule_id stands twice"),
        (RULES, "    chase: true", "    chaze: true", "an unknown field"),
        (RULES, "    chase: true", "    tag: x", "stands twice"),
        (RULES, "owner: key_worker", "owner: keyworker", "Input should be"),
        (RULES, "{working_days: 10, local: true}", "{local: true}", "one of working_days, hours"),
        (RULES, "option_for: cg81.sact.decision", "option_for: cg81.sact.decisions", "nearly but not quite"),
        (RULES, "closes_with: [item_completed", "closes_with: [item_complete", "events.yaml does not have"),
        (RULES, "fact: n_adv, at_most: 0", "fact: n_adv, most: 0", "Unknown test 'most'"),
        (RULES, "fact: n_adv, at_most: 0", "fact: her2_status, at_most: 0", "compares a number"),
        (RULES, "  luminal:\n    all:", "  luminal:\n    every:", "use all, any, not, predicate or fact"),
        (RULES, "guideline: cg81", "guideline: cg82", "name the file after what it holds"),
        (RULES, "fact: pd_l1_cps, at_least: 10", "fact: pd_l1_cps, at_least: 101", "settles nothing"),
        (RULES, "fact: n_systemic, at_least: 2", "fact: n_systemic, at_most: -1", "settles nothing"),
        (
            RULES,
            "- {fact: pd_l1_ic_pct, less_than: 1}",
            "- {fact: pd_l1_cps, less_than: 3}",
            "can never hold together (PD-L1 combined positive score)",
        ),
        (
            RULES,
            "gate: {fact: brain_mets, is: present}",
            "gate: {fact: brain_active_treatment_appropriate, is: true}",
            "can never",
        ),
        (RULES, "due: {working_days: 2, local: true}", "due: {working_days: -2, local: true}", "cannot be negative"),
        (RULES, "refer_to: palliative_care", "refer_to: paliative_care", "the services are palliative_care"),
        (
            RULES,
            "option_for: cg81.bone.bisphosphonate",
            "option_for: cg81.bone.bisphosphonates",
            "nearly but not quite",
        ),
        (RULES, "rules: [cg81.sact.decision]", "rules: [cg81.sact.decisions]", "nearly but not quite"),
        (RULES, "    no_condition: A duty", "    note: A duty", "has one of `when` and `no_condition`"),
        (RULES, 'checked_on: "2026-11-22"', 'checked_on: "22 November"', "write it as YYYY-MM-DD"),
        (RULES, "considers: [egfr, contrast_allergy", "considers: [egrf, contrast_allergy", "Did you mean 'egfr'"),
        (RULES, 'number: "1.7.3"', "number: 2026-06-30", "write it in quotes"),
        ("dictionary.yaml", "label: Age,", "labl: Age,", "facts.age_years"),
        (
            "dictionary.yaml",
            "undecided_values: [suspected_metastatic]",
            "undecided_values: [sus]",
            "not one of its",
        ),
        ("dictionary.yaml", "docetaxel: [taxane]", "docetaxel: [taxanes]", "Did you mean 'taxane'"),
        ("dictionary.yaml", "inhibitor: [endocrine]", "inhibitor: [endocrin]", "Did you mean 'endocrine'"),
        ("dictionary.yaml", "chemotherapy: [anthracycline,", "chemotherapy: [anthracyclin,", "no class of treatment"),
        ("dictionary.yaml", "kisqali: ribociclib", "kisqali: ribocicilb", "Did you mean 'ribociclib'"),
        (
            "dictionary.yaml",
            "black_triangle: [trastuzumab d",
            "black_triangle: [trastuzumb d",
            "Did you mean 'trastuzumab",
        ),
        ("dictionary.yaml", "only_alone: [fulvestrant]", "only_alone: [fulvestran]", "Did you mean 'fulvestrant'"),
        (RULES, "proposed_regimen, is: eribulin", "proposed_regimen, is: eribulinn", "Did you mean 'eribulin'"),
        (RULES, "[trastuzumab_ai,", "[trastuzamab_ai,", "Did you mean 'trastuzumab'"),
        ("dictionary.yaml", "classes_any: [taxane]", "classes_any: [taxol]", "no class of treatment"),
        (
            "events.yaml",
            "key_point_open: diagnosis",
            "key_point_open: diagnosed",
            "is one of none, diagnosis",
        ),
        (
            "events.yaml",
            "carries: [key_worker_assigned]",
            "carries: [key_worker]",
            "not in the data dictionary",
        ),
        ("events.yaml", "events:", "events: [", "correct the YAML"),
    ],
)
def test_refused_with_file_line_and_what_to_do(copy: Path, file: str, old: str, new: str, says: str) -> None:
    change(copy, file, old, new)
    with pytest.raises(GuidelineError) as refusal:
        load(copy)
    message = str(refusal.value)
    assert says in message
    line = re.match(rf"{re.escape(str(copy / file))}:(\d+): ", message)
    assert line is not None
    changed = (copy / file).read_text()[: (copy / file).read_text().find(new)].count("\n") + 1
    assert abs(int(line[1]) - changed) <= 45 if "stands twice" in says else int(line[1]) >= 1


def test_line_points_at_the_mistake(copy: Path) -> None:
    change(copy, RULES, "fact: staging_due, is: true", "fact: stagin_due, is: true")
    line = 1 + next(i for i, text in enumerate((copy / RULES).read_text().splitlines()) if "stagin_due" in text)
    with pytest.raises(GuidelineError, match=f":{line}: "):
        load(copy)


def test_a_missing_version_or_file_says_so(copy: Path) -> None:
    with pytest.raises(GuidelineError, match=r"versions found: .*cg81@2026-06-30"):
        load_guideline(copy, "cg81", "1999-01-01")
    (copy / "events.yaml").unlink()
    with pytest.raises(GuidelineError, match="this file is missing"):
        load(copy)


@pytest.mark.parametrize("number", ENCODED)
def test_a_deleted_rule_simply_disappears(copy: Path, number: str) -> None:
    path = copy / RULES
    head, *rules = path.read_text(encoding="utf-8").split("\n  - rule_id: ")
    kept = [rule for rule in rules if f'number: "{number}"' not in rule]
    path.write_text("\n  - rule_id: ".join([head, *kept]), encoding="utf-8")
    assert [rule.number for rule in load(copy).rules] == [n for n in ENCODED if n != number]


def test_the_hash_follows_content_and_not_layout(copy: Path, guideline: Guideline) -> None:
    path = copy / RULES
    path.write_text("# another comment\n" + path.read_text())
    assert load(copy).content_hash == guideline.content_hash
    for file, old, new in [
        (RULES, "Name a key worker", "Name the key worker"),
        ("dictionary.yaml", "label: Disease extent", "label: Extent of disease"),
    ]:
        before = load(copy).content_hash
        change(copy, file, old, new)
        assert load(copy).content_hash != before


def test_what_no_rule_reads_leaves_the_hash_alone(copy: Path, guideline: Guideline) -> None:
    change(copy, "events.yaml", "Pathway opened", "A pathway opened")
    change(copy, "dictionary.yaml", "label: Note on fitness", "label: A note on fitness")
    assert load(copy).content_hash == guideline.content_hash


def test_therapies_are_checked(guideline: Guideline) -> None:
    check = guideline.dictionary.problem_with
    assert check("prior_therapy", Therapy("advanced", 1, ("ribociclib", "letrozole"), ("cdk46", "endocrine"))) == ""
    assert "setting" in check("prior_therapy", Therapy("palliative"))
    assert "fits none of letrozole" in check("prior_therapy", Therapy("advanced", 1, ("letrozole",), ("cdk46",)))
    assert "one of" in check("prior_therapy", Therapy("advanced", 1, (), ("cdk4",)))
    assert "Did you mean 'her2_ihc'" in check("her2_ihcc", "2+")
    assert "between 0 and 5" in check("ecog", 7)
    assert "whole number" in check("ecog", 1.5)
    assert check("ecog", "unknown") == ""
    assert "true or false" in check("staging_due", "yes")


def test_the_schema_for_editors_names_the_same_fields() -> None:
    schema = json.loads((GUIDELINES / "schema.json").read_text())
    properties = schema["$defs"]["rule"]["properties"]
    assert set(properties) == {each.name for each in fields(Rule)}
    required = {each.name for each in fields(Rule) if each.default is MISSING}
    assert set(schema["$defs"]["rule"]["required"]) == required

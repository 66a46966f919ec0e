"""CG81 of 2017 and 2025: the worked examples as they came out then; what they may still be used for."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from handrail.records.v1 import timeline_pb2
from services.pathway import desk
from services.pathway.desk import Desk
from services.pathway.guideline import load_all, load_guideline
from services.pathway.house import current_guideline
from services.pathway.knowledge.adoption import version_for_new_people, why_not_adopted
from services.runtime.errors import Category, HandrailError
from tests.unit.pathway.person import GUIDELINES, guards_broken
from tests.unit.pathway.test_examples import BOOK, EXAMPLES, person_with, verdicts

# The `v2017` blocks of the worked examples, and the truth the older text gives beside them.
IN_2017: dict[str, dict[str, Any]] = {
    "SYN-CG81-01": {
        "applies": ["1.1.1", "1.1.2", "1.2.1", "1.2.2", "1.2.3", "1.2.4"],
        "does_not_apply": ["1.1.5", "1.1.7", "1.1.8"],
        "cannot_be_decided": {"1.1.3": {"bone_mets"}, "1.1.4": {"staging_uncertain"}},
    },
    "SYN-CG81-04": {
        "applies": [
            "1.1.6",
            "1.2.1",
            "1.2.2",
            "1.2.3",
            "1.2.4",
            "1.3.8",
            "1.3.10",
            "1.4.1",
            "1.5.8",
            "1.5.9",
            "1.5.10",
        ],
        "does_not_apply": ["1.3.1", "1.3.4"],
        "cannot_be_decided": {"1.3.9": {"understands_added_toxicity"}},
    },
    "SYN-CG81-10": {
        "applies": ["1.1.7", "1.1.8", "1.2.1", "1.2.2", "1.2.3", "1.2.4", "1.4.1", "1.5.16", "1.5.17"],
        "does_not_apply": ["1.5.14"],
        "cannot_be_decided": {},
    },
}
OLDER = {"2017-08-16": 46, "2025-02-19": 39}


def facts_of(name: str) -> dict[str, Any]:
    """A default is no statement about a fact that the older block calls unknown: before staging nobody has a doubt."""
    unknown = {fact for names in IN_2017[name]["cannot_be_decided"].values() for fact in names}
    defaults = {fact: value for fact, value in BOOK["defaults"].items() if fact not in unknown}
    return {**defaults, **EXAMPLES[name]["facts"]}


@pytest.mark.parametrize("name", IN_2017)
@pytest.mark.parametrize("version", OLDER)
def test_worked_examples(name: str, version: str) -> None:
    person = person_with(load_guideline(GUIDELINES, "cg81", version), facts_of(name))
    found = verdicts(person)
    expected = IN_2017[name]
    for truth in ("applies", "does_not_apply"):
        assert {number: found[number] for number in expected[truth]} == dict.fromkeys(expected[truth], (truth, set()))
    for number, missing in expected["cannot_be_decided"].items():
        assert found[number] == ("cannot_be_decided", missing)


@pytest.mark.parametrize(("version", "breaks"), [("2017-08-16", ["1.1.5"]), ("2026-06-30", [])])
def test_a_pet_ct_as_first_scan_is_a_breach_in_2017_and_fine_in_2026(version: str, breaks: list[str]) -> None:
    person = person_with(load_guideline(GUIDELINES, "cg81", version), facts_of("SYN-CG81-01"))
    proposal = {"proposed_modality": "FDG_PET_CT", "imaging_purpose": "diagnosis"}
    assert [each.number for each in guards_broken(person.guideline, person.facts, proposal, person.now)] == breaks


@pytest.mark.parametrize(
    ("version", "scan", "breaks"),
    [
        ("2017-08-16", "FDG_PET_CT", ["1.1.8"]),
        ("2026-06-30", "FDG_PET_CT", []),
        ("2017-08-16", "bone_scintigraphy", ["1.1.7"]),
        ("2026-06-30", "bone_scintigraphy", ["1.5.3"]),
    ],
)
def test_what_may_follow_the_disease(version: str, scan: str, breaks: list[str]) -> None:
    person = person_with(load_guideline(GUIDELINES, "cg81", version), facts_of("SYN-CG81-10"))
    proposal = {"proposed_modality": scan, "imaging_purpose": "monitoring"}
    assert [each.number for each in guards_broken(person.guideline, person.facts, proposal, person.now)] == breaks


@pytest.mark.parametrize(("version", "count"), OLDER.items())
def test_older_versions_are_complete_and_marked(version: str, count: int) -> None:
    older = load_guideline(GUIDELINES, "cg81", version)
    assert len(older.rules) == count
    assert older.status == "superseded"
    read = [f"1.1.{number}" for number in range(1, 9)] if version == "2017-08-16" else []
    assert [rule.number for rule in older.rules if rule.verified] == read
    assert "superseded" in why_not_adopted(older)


def test_2025_is_2017_without_lymphoedema() -> None:
    first, second = (load_guideline(GUIDELINES, "cg81", version) for version in OLDER)
    kept = {rule.rule_id: rule.condition for rule in first.rules if not rule.rule_id.startswith("cg81.lymphoedema.")}
    assert {rule.rule_id: rule.condition for rule in second.rules} == kept


def test_new_people_are_put_on_the_newest_version_that_was_read(tmp_path: Path) -> None:
    assert current_guideline(load_all(GUIDELINES), "cg81").version == "2026-06-30"
    copy = Path(shutil.copytree(GUIDELINES, tmp_path / "guidelines"))
    path = copy / "cg81" / "2026-06-30.yaml"
    raw = yaml.safe_load(path.read_text())
    raw["version"] = "2026-12-01"
    raw["rules"][0]["verified"] = False
    path.with_name("2026-12-01.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    assert current_guideline(load_all(copy), "cg81").version == "2026-06-30"
    path.unlink()
    versions = load_all(copy)
    assert version_for_new_people(versions, "cg81") is None
    served = current_guideline(versions, "cg81")
    assert served.version == "2026-12-01"  # people under way are still served
    assert "nobody has read at the source (1.1.1)" in why_not_adopted(served)


@pytest.mark.parametrize("version", OLDER)
async def test_no_pathway_is_opened_on_a_superseded_version(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    nothing: Any = None
    known = timeline_pb2.GetReplyResponse(person_known=True)

    async def never_said(*_: object) -> timeline_pb2.GetReplyResponse:
        return known

    monkeypatch.setattr(desk, "checked_report", lambda *_: SimpleNamespace())
    monkeypatch.setattr(desk, "current_actor", SimpleNamespace)
    monkeypatch.setattr(Desk, "_said_before", never_said)
    opening = Desk(nothing, nothing, nothing, load_guideline(GUIDELINES, "cg81", version), nothing, nothing)
    with pytest.raises(HandrailError, match="nobody new is put on it") as refusal:
        await opening.open(SimpleNamespace(patient_id="p1"))
    assert refusal.value.category is Category.CONFLICT
    # what was opened before is still answered with its receipt
    known.found, known.receipt.seq = True, 1
    assert (await opening.open(SimpleNamespace(patient_id="p1"))).seq == 1


def test_facts_of_older_versions() -> None:
    older = load_guideline(GUIDELINES, "cg81", "2017-08-16")
    line = {"setting": "adjuvant", "line": 0, "agents": ["tamoxifen"], "classes": ["endocrine"]}
    facts = facts_of("SYN-CG81-04") | {"er_status": "positive", "menopausal_status": "pre", "prior_therapies": [line]}
    found = verdicts(person_with(older, facts | {"disease_status": "progression"}))
    assert [found[number][0] for number in ("1.3.5", "1.3.6", "1.3.4")] == [
        "does_not_apply",
        "applies",
        "does_not_apply",
    ]
    found = verdicts(person_with(older, facts | {"menopausal_status": "post"}))
    assert found["1.3.4"][0] == "applies"

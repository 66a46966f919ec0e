"""Each complication by data alone: the recommendations that it opens, the one task that asks for more.

The same functions answer `DecideNextSteps`.
"""

from __future__ import annotations

from typing import Any

import pytest

from services.pathway.guideline import Guideline
from services.pathway.house import current_guideline, read_guidelines
from services.pathway.support import refused_among, settling
from tests.unit.pathway.person import GUIDELINES, Person, numbers

# What CG81 (2026) and NG101 number for it; 1.11 has no number and is followed as the service's own.
OPENS: list[tuple[dict[str, Any], list[str]]] = [
    ({"fatigue": "none"}, []),
    ({"fatigue": "present"}, ["1.10.2", "1.10.3"]),
    ({"fatigue": "significant"}, ["1.10.1", "1.10.2", "1.10.3"]),
    ({"lymphoedema": "at_risk"}, []),
    ({"lymphoedema": "present"}, [f"NG101-1.14.{number}" for number in (11, 6, 7, 8, 9)]),
    (
        {"lymphoedema": "present", "compression_suitable": False},
        [f"NG101-1.14.{number}" for number in (10, 11, 6, 7, 8, 9)],
    ),
    ({"uncontrolled_local_disease": True}, ["1.12.1", "1.12.3"]),
    ({"ulcerated_tumour": True}, ["1.12.2"]),
    ({"uncontrolled_local_disease": True, "ulcerated_tumour": True}, ["1.12.1", "1.12.2", "1.12.3"]),
    ({"bone_mets": "present", "bone_mets_newly_diagnosed": True}, ["1.13.1"]),
    ({"bone_mets": "present", "bone_mets_newly_diagnosed": False, "bone_pain_from_mets": True}, ["1.13.3"]),
    ({"long_bone_fracture_risk": True}, ["1.13.4"]),
    ({"suspected_brain_mets": True}, ["1.3.4"]),
    ({"brain_mets": "present", "brain_active_treatment_appropriate": True}, ["1.13.5"]),
    ({"brain_mets": "present", "brain_active_treatment_appropriate": False}, ["1.13.5", "1.13.6"]),
    ({"depression_concern": True, "age_years": 61}, ["1.1.3"]),
    ({"depression_concern": True, "age_years": 17}, []),
    ({"menopausal_symptoms": True}, ["SUPPORT-4"]),
]
# With one thing not known: what is asked for, and what stands all the same.
ASKS: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"fatigue": "significant", "disease_extent": "unknown"}, "disease_extent", []),
    ({"fatigue": "present", "disease_extent": "suspected_metastatic"}, "disease_extent", []),
    ({"bone_pain_from_mets": True}, "bone_mets", []),
    ({"bone_mets": "present"}, "bone_mets_newly_diagnosed", []),
    ({"brain_mets": "present"}, "brain_active_treatment_appropriate", ["1.13.5"]),
    ({"depression_concern": True}, "age_years", []),
]
WATCHED = [
    "fatigue",
    "lymphoedema",
    "uncontrolled_local_disease",
    "ulcerated_tumour",
    "bone_pain_from_mets",
    "long_bone_fracture_risk",
    "brain_mets",
    "depression_concern",
    "menopausal_symptoms",
]


def said(facts: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


@pytest.fixture(scope="module")
def followed() -> Guideline:
    return current_guideline(read_guidelines(GUIDELINES)[0], "cg81")


@pytest.fixture
def person(followed: Guideline) -> Person:
    known = Person(followed).state(key_worker_assigned=True, disease_extent="metastatic")
    known.plan()
    return known


@pytest.mark.parametrize(("facts", "expected"), OPENS, ids=[said(facts) for facts, _ in OPENS])
def test_a_complication_opens_its_recommendations(person: Person, facts: dict[str, Any], expected: list[str]) -> None:
    opened = person.state(**facts).plan().open
    assert numbers(opened) == sorted(expected)
    assert all(item.owner_role and item.due_on for item in opened)
    # the same again opens nothing
    assert person.state(**facts).plan().open == ()


@pytest.mark.parametrize(("facts", "asked", "expected"), ASKS, ids=[said(facts) for facts, _, _ in ASKS])
def test_what_is_not_known_is_asked_for_by_one_task(
    person: Person, facts: dict[str, Any], asked: str, expected: list[str]
) -> None:
    opened = person.state(**facts).plan().open
    (chase,) = [item for item in opened if item.kind == "chase"]
    assert chase.missing_fact == asked
    assert sorted(item.number for item in opened if item.kind != "chase") == expected


def test_several_complications_that_lack_the_same_thing_ask_once(person: Person) -> None:
    opened = person.state(disease_extent="unknown", fatigue="significant").plan().open
    (chase,) = opened
    assert all(number in chase.reason for number in ("1.10.1", "1.10.2", "1.10.3"))
    assert person.state(palliative_or_eol_care_being_provided=True).plan().open[0].number != "1.14.1"
    assert len([item for item in person.items.values() if item.kind == "chase"]) == 1


def test_denosumab_is_an_option_beside_a_bisphosphonate(person: Person) -> None:
    person.state(bone_mets="present", bone_mets_newly_diagnosed=True, age_years=61)
    (item,) = person.state(bisphosphonate_would_be_prescribed=True).plan().open
    assert (item.number, [option.code for option in item.options]) == ("1.13.1", ["denosumab"])


def test_what_is_settled_falls_away(person: Person) -> None:
    person.state(fatigue="significant").plan()
    closed = person.state(fatigue="none").plan().close
    assert {closing.how for closing in closed} == {"withdrawn"}
    assert len(closed) == 3


@pytest.mark.parametrize("name", WATCHED)
def test_every_complication_can_be_settled(followed: Guideline, name: str) -> None:
    assert settling(name, followed)
    assert not settling("ecog", followed)


@pytest.mark.parametrize(
    ("refused", "proposed", "found"),
    [
        ("chemotherapy", ["capecitabine"], ["chemotherapy"]),
        ("chemotherapy", ["Xeloda"], ["chemotherapy"]),
        ("chemotherapy", ["sequential_chemotherapy"], ["chemotherapy"]),
        ("chemotherapy", ["pembrolizumab_paclitaxel"], ["chemotherapy"]),
        ("chemotherapy", ["ribociclib", "letrozole"], []),
        ("chemotherapy", ["ribociclib_ai"], []),
        ("endocrine", ["ribociclib_ai"], ["endocrine"]),
        ("herceptin, ventilation", ["trastuzumab"], ["herceptin"]),
        ("none", ["capecitabine"], []),
        ("", ["capecitabine"], []),
    ],
)
def test_what_was_refused_is_found_behind_a_drug_a_class_or_a_regimen(
    followed: Guideline, refused: str, proposed: list[str], found: list[str]
) -> None:
    assert refused_among(refused, proposed, followed) == found


def test_a_key_point_is_dealt_with_by_an_assessment_and_the_next_asks_again(person: Person) -> None:
    assert numbers(person.report("diagnosis_confirmed").plan().open, "recommendation") == ["1.1.1", "SUPPORT-5"]
    (closed,) = [one for one in person.report("needs_assessed").plan().close if "key-point" in one.key]
    assert (closed.how, closed.reason) == ("done", "What 1.1.1 asks for has happened.")
    again = person.report("goals_changed").plan().open
    assert {"1.1.1", "SUPPORT-1"} <= {*numbers(again)}
    # one that was left open while another key point came was never done
    left = person.report("goals_changed").plan().close
    assert {one.how for one in left} == {"withdrawn"}

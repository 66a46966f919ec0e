"""A drug more lifts no caution: what is no option as a whole is asked by its parts, typed or reported live."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from services.pathway.dictionary import Therapy
from services.pathway.knowledge.critique import critique, guards_asked
from services.pathway.knowledge.factfile import read_person
from services.pathway.knowledge.library import open_library
from services.pathway.knowledge.proposals import UnknownCodeError, read_course, read_regimen
from tests.unit.pathway.person import GUIDELINES

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIBRARY = open_library(GUIDELINES, "cg81", "2026-06-30")
OLD = open_library(GUIDELINES, "cg81", "2017-08-16")
LUMINAL: dict[str, Any] = {"disease_extent": "metastatic", "er_status": "positive", "her2_status": "negative"}
LOW = LUMINAL | {"her2_low": True}
ONE = {"prior_therapies": [{"setting": "advanced", "agents": ["capecitabine"], "stop_reason": "progression"}]}
NONE: dict[str, Any] = {"prior_therapies": []}


@pytest.mark.parametrize(
    ("facts", "proposed", "parts"),
    [
        (LUMINAL | ONE, "eribulin + trastuzumab", {"1.8.1": "eribulin"}),
        (LUMINAL | ONE, "eribulin 1.23 mg/m2", {"1.8.1": ""}),
        (LUMINAL | ONE, "Halaven and gemcitabine", {"1.8.1": "eribulin"}),
        (LUMINAL | NONE, "eribulin + trastuzumab", {}),
        (LUMINAL | NONE, "bevacizumab + docetaxel + carboplatin", {"1.8.1": "bevacizumab_taxane"}),
        (LUMINAL | NONE, "carboplatin, paclitaxel, Avastin", {"1.8.1": "bevacizumab_taxane"}),
        (LUMINAL | NONE, "bevacizumab + newdrug + capecitabine", {"1.8.1": "bevacizumab_capecitabine"}),
        (LUMINAL | NONE, "Tyverb + Femara + capecitabine", {"1.8.1": "lapatinib_ai"}),
        (LUMINAL | NONE, "Phesgo + letrozole", {"1.8.1": "trastuzumab_ai"}),
        (LUMINAL | NONE, "bevacizumab; docetaxel, carboplatin", {"1.8.1": "bevacizumab_taxane"}),
        (LUMINAL | ONE, "eribulin (Halaven)", {"1.8.1": "eribulin"}),
        (LUMINAL | NONE, "pertuzumab + trastuzumab + exemestane", {"1.8.1": "trastuzumab_ai"}),
        (LUMINAL | NONE, "+".join(["aspirinoid"] * 12 + ["bevacizumab", "docetaxel"]), {"1.8.1": "bevacizumab_taxane"}),
        (LOW | ONE, "T-DXd + pertuzumab", {"1.8.1": "trastuzumab_deruxtecan"}),
        # as a whole it is an option, or it is another regimen than the drug alone
        (LUMINAL | NONE, "everolimus + exemestane", {}),
        (LUMINAL | NONE, "palbociclib + fulvestrant + goserelin", {}),
        (LUMINAL | NONE, "fulvestrant + gemcitabine", {}),
        (LUMINAL | NONE, "trastuzumab + docetaxel + pertuzumab", {}),
    ],
)
def test_a_drug_more_lifts_no_caution(facts: dict[str, Any], proposed: str, parts: dict[str, str]) -> None:
    found = critique(LIBRARY, read_person(facts, LIBRARY.dictionary, AT), proposed, "")
    assert {one["number"]: one.get("part", "") for one in found.plain()["broken"]} == parts
    assert all(f"1.8.1 is about {part}, which is a part of it." in found.note for part in parts.values() if part)
    drugs = [drug.strip() for drug in re.split(r" and |[+,;]", proposed)]
    course = read_course(LIBRARY.guideline, Therapy("advanced", agents=tuple(drugs)))
    picture = read_person(facts, LIBRARY.dictionary, AT).picture
    live = {one.number: part for one, part in guards_asked(LIBRARY.guideline, picture, course)}
    assert live == parts


@pytest.mark.parametrize("proposed", ["fulvestrant + goserelin", "fulvestrant 500 mg IM monthly", "Faslodex injection"])
def test_what_is_only_given_beside_a_drug_makes_no_other_regimen_of_it(proposed: str) -> None:
    person = read_person(LUMINAL | NONE, LIBRARY.dictionary, AT)
    found = critique(LIBRARY, person, proposed, "")
    assert [(one.number, one.rule_id in found.about) for one in found.broken] == [("1.8.1", False)]


@pytest.mark.parametrize(
    ("proposed", "code"),
    [("bevacizumab + chemotherapy", "bevacizumab_taxane"), ("lapatinib + endocrine", "lapatinib_ai")],
)
def test_a_class_may_be_the_one_that_a_guard_names(proposed: str, code: str) -> None:
    found = critique(LIBRARY, read_person(LUMINAL | NONE, LIBRARY.dictionary, AT), proposed, "")
    assert (found.said, found.combined[code]) == ("no guidance found", ("1.8.1",))
    assert f"it may be {'bevacizumab_capecitabine' if 'beva' in proposed else code} (which 1.8.1" in found.note


def test_a_missing_fact_leaves_a_part_open() -> None:
    found = critique(LIBRARY, read_person(LUMINAL, LIBRARY.dictionary, AT), "eribulin + trastuzumab", "")
    asked = [{"number": "1.8.1", "missing": ["prior_therapies"], "part": "eribulin"}]
    assert (found.said, found.plain()["undecided"]) == ("cannot be decided", asked)


@pytest.mark.parametrize(
    ("library", "purpose", "broken"), [(LIBRARY, "monitoring", ["1.5.3"]), (OLD, "monitoring", ["1.1.7", "1.1.8"])]
)
def test_several_scans_are_asked_one_by_one(library: Any, purpose: str, broken: list[str]) -> None:
    person = read_person({"disease_extent": "metastatic", "bone_mets": "present"}, library.dictionary, AT)
    found = critique(library, person, "bone scan + PET-CT + CT", purpose)
    assert sorted(one.number for one in found.broken) == broken
    open_ = critique(LIBRARY, person, "bone scan + CT", "")
    assert [one.number for one in open_.undecided] == ["1.5.3"]
    with pytest.raises(UnknownCodeError):
        critique(library, person, "bone scan + eribulin", purpose)


def test_a_report_is_read_with_the_classes_of_drugs_that_nobody_knows() -> None:
    guideline = LIBRARY.guideline
    picture = read_person(LUMINAL | ONE, LIBRARY.dictionary, AT).picture

    def asked(agents: tuple[str, ...], classes: tuple[str, ...] = ()) -> list[str]:
        course = read_course(guideline, Therapy("advanced", agents=agents, classes=classes))
        return [one.number for one, _ in guards_asked(guideline, picture, course)]

    assert asked(("bevacizumab", "mysteritaxel"), ("taxane",)) == ["1.8.1"]
    assert asked((), ("eribulin",)) == ["1.8.1"]
    assert asked(("letrozole",), ("aromatase_inhibitor", "endocrine")) == []
    assert asked(("eribulinn",)) == []
    assert asked(()) == []


@pytest.mark.parametrize("option", ["eribulin", "Eribulin", "eribulin_trastuzumab", "halaven"])
def test_an_option_is_read_as_people_write_it(option: str) -> None:
    picture = read_person(LUMINAL | ONE, LIBRARY.dictionary, AT).picture
    asked = guards_asked(LIBRARY.guideline, picture, read_regimen(LIBRARY.guideline, option))
    assert [one.number for one, _ in asked] == ["1.8.1"]
    for near in ("eribulinn", "none", "something new"):
        assert not guards_asked(LIBRARY.guideline, picture, read_regimen(LIBRARY.guideline, near))

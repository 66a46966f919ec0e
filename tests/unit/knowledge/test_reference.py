"""The data against the digest's own predicates, written out by hand: the same truth for people of all sorts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from services.pathway.facts import Picture
from services.pathway.guideline import Guideline, load_guideline
from services.pathway.knowledge.factfile import FactFileError, read_person
from services.pathway.rules import judge
from tests.unit.knowledge.asking import GUIDELINES

AT = datetime(2026, 11, 23, tzinfo=UTC)
T = bool | None


def every(*parts: T) -> T:
    return False if False in parts else None if None in parts else True


def some(*parts: T) -> T:
    return True if True in parts else None if None in parts else False


def no(part: T) -> T:
    return None if part is None else not part


class Known:
    """A person's facts, each asked one question; what is absent answers nothing."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts

    def yes(self, name: str) -> T:
        return self.facts.get(name)

    def one(self, name: str, *values: Any) -> T:
        value = self.facts.get(name)
        return None if value is None or value == "suspected_metastatic" else value in values

    def num(self, name: str, test: Callable[[float], bool]) -> T:
        value = self.facts.get(name)
        return None if value is None else test(value)


def expected(k: Known) -> dict[str, T]:
    yes, one, num = k.yes, k.one, k.num
    abc = one("disease_extent", "metastatic", "locally_advanced_unresectable")
    er, pr = one("er_status", "positive"), one("pr_status", "positive")
    hrp = some(er, pr)
    her2p, her2n = one("her2_status", "positive"), one("her2_status", "negative")
    tn = every(one("er_status", "negative"), one("pr_status", "negative"), her2n)
    lum = every(hrp, her2n)
    due, chemo = yes("sact_decision_due"), yes("chemo_indicated")
    naive = num("n_adv", lambda n: n == 0)
    ant = every(yes("had_anthracycline"), yes("had_taxane"))
    comb = every(
        yes("high_response_priority"), yes("understands_added_toxicity"), yes("likely_to_tolerate_added_toxicity")
    )
    pap = some(*(one(gene, "pathogenic") for gene in ("pik3ca", "akt1", "pten")))
    bone, brain = one("bone_mets", "present"), one("brain_mets", "present")
    at = every(abc, due)
    # the guideline's list is not closed: changed goals are ours
    points = {"diagnosis", "treatment_start", "during_treatment", "treatment_end", "relapse", "approaching_death"}
    points |= {"goals_changed"}
    found = {
        "1.1.1": every(abc, one("key_point_open", *points)),
        "1.1.2": no(yes("key_worker_assigned")),
        "1.1.3": every(num("age_years", lambda n: n >= 18), yes("depression_concern")),
        "1.2.1": every(abc, yes("on_treatment_pathway"), no(yes("research_discussed_this_stage"))),
        "1.3.1": yes("staging_due"),
        "1.3.2": some(yes("staging_due"), yes("staging_result_being_interpreted")),
        "1.3.3": every(
            one("staging_modality_done", "CECT", "FDG_PET_CT"),
            some(
                every(yes("staging_uncertain"), yes("uncertainty_resolvable_by_imaging")),
                yes("further_characterisation_needed"),
            ),
        ),
        "1.3.4": yes("suspected_brain_mets"),
        "1.3.5": yes("suspected_spinal_mets_or_mscc"),
        "1.4.1": every(yes("recurrence"), yes("receptor_change_would_change_management")),
        "1.4.2": yes("genomic_result_needed_for_treatment"),
        "1.5.1": every(abc, yes("monitoring_due")),
        "1.5.2": every(
            abc,
            yes("monitoring_due"),
            one("disease_extent", "metastatic"),
            one("staging_modality_done", "CECT", "FDG_PET_CT"),
        ),
        "1.5.3": every(bone, yes("monitoring_due")),
        "1.6.1": at,
        "1.7.1": every(at, tn, naive, num("pd_l1_cps", lambda n: n >= 10), num("pd_l1_ic_pct", lambda n: n < 1)),
        "1.7.2": every(at, tn, naive, num("pd_l1_ic_pct", lambda n: n >= 1)),
        "1.7.3": every(at, tn, num("n_systemic", lambda n: n >= 2)),
        "1.7.4": every(at, tn, one("gbrca", "pathogenic"), ant),
        "1.7.8": every(at, her2p, naive),
        "1.7.9": every(at, her2p, num("n_anti_her2", lambda n: n >= 1)),
        "1.7.10": every(at, her2p, yes("had_trastuzumab"), yes("had_taxane")),
        "1.7.11": every(at, her2p, num("n_adv_chemo", lambda n: n >= 2)),
        "1.7.12": every(at, her2p, num("n_anti_her2", lambda n: n >= 2)),
        "1.7.16": every(at, lum, num("n_adv_endocrine", lambda n: n == 0)),
        "1.7.17": every(at, lum, yes("had_endocrine")),
        "1.7.18": every(at, lum, pap, yes("prog_after_cdk46_ai")),
        "1.7.19": every(at, lum, one("pik3ca", "pathogenic"), yes("prog_after_cdk46_ai")),
        "1.7.20": every(at, er, her2n, one("esr1", "pathogenic"), yes("prog_after_et_cdk46")),
        "1.7.21": every(at, lum, one("gbrca", "pathogenic"), some(yes("had_endocrine"), ant)),
        "1.7.25": every(at, one("ntrk_fusion", "positive"), no(yes("other_satisfactory_options"))),
        "1.8.1": some(
            every(one("proposed_regimen", "trastuzumab_deruxtecan"), yes("her2_low")),
            every(one("proposed_regimen", "eribulin"), num("n_adv_chemo", lambda n: n == 1)),
            every(one("proposed_regimen", "fulvestrant"), some(er, yes("had_endocrine"))),
            one("proposed_regimen", "trastuzumab_ai", "lapatinib_ai", "bevacizumab_capecitabine", "bevacizumab_taxane"),
        ),
        "1.10.1": every(abc, one("fatigue", "significant")),
        "1.10.2": every(abc, one("fatigue", "present", "significant")),
        "1.10.3": every(abc, one("fatigue", "present", "significant")),
        "1.12.1": yes("uncontrolled_local_disease"),
        "1.12.2": yes("ulcerated_tumour"),
        "1.12.3": yes("uncontrolled_local_disease"),
        "1.13.1": every(bone, yes("bone_mets_newly_diagnosed")),
        "1.13.2": every(bone, num("age_years", lambda n: n >= 18), yes("bisphosphonate_would_be_prescribed")),
        "1.13.3": every(bone, yes("bone_pain_from_mets")),
        "1.13.4": yes("long_bone_fracture_risk"),
        "1.13.5": brain,
        "1.13.6": every(brain, no(yes("brain_active_treatment_appropriate"))),
        "1.14.1": every(abc, yes("palliative_or_eol_care_being_provided")),
    }
    for first, subtype in ((5, tn), (13, her2p), (22, lum)):
        found[f"1.7.{first}"] = found[f"1.7.{first + 1}"] = every(abc, subtype, chemo)
        found[f"1.7.{first + 2}"] = every(abc, subtype, chemo, comb)
    return found


@pytest.fixture(scope="module")
def cg81() -> Guideline:
    return load_guideline(GUIDELINES, "cg81", "2026-06-30")


def choices(guideline: Guideline) -> dict[str, list[Any]]:
    """Values for every fact that a rule reads: all codes, both answers, numbers at and beside the limits."""
    numbers: dict[str, list[Any]] = {"pd_l1_cps": [0, 9.9, 10], "pd_l1_ic_pct": [0, 0.9, 1], "age_years": [17, 18]}
    found: dict[str, list[Any]] = {}
    for name, fact in guideline.dictionary.facts.items():
        if fact.type == "bool":
            found[name] = [True, False]
        elif fact.type == "code":
            found[name] = [value for value in fact.values if value != "not_tested"]
        elif name in numbers or name.startswith("n_"):
            found[name] = numbers.get(name, [0, 1, 2])
    for name in ("her2_ihc", "her2_ish", "breast_cancer", "prior_therapies_none"):
        found.pop(name)
    findings = guideline.dictionary.facts["suspected_spinal_mets_or_mscc"].derived
    for name in findings.findings if findings else ():
        found.pop(name)
    return found


def _settled(facts: dict[str, Any], guideline: Guideline, random: Random) -> Picture:
    """The facts without those that contradict others, which are taken out."""
    while True:
        try:
            return read_person(facts, guideline.dictionary, AT).picture
        except FactFileError as error:
            facts.pop(random.choice([name for name in re.findall(r"\w+", str(error)) if name in facts]))


def test_the_data_says_what_the_digest_says(cg81: Guideline) -> None:
    random, told = Random(20261123), 0
    possible = choices(cg81)
    words = {True: "applies", False: "does_not_apply", None: "cannot_be_decided"}
    for _ in range(1500):
        share = random.choice([0.5, 0.8, 1.0])
        facts = {name: random.choice(values) for name, values in possible.items() if random.random() < share}
        facts |= {"disease_extent": "metastatic", "sact_decision_due": True} if random.random() < 0.6 else {}
        if facts.get("her2_low"):
            facts["her2_status"] = "negative"
        picture = _settled(facts, cg81, random)
        if facts.get("her2_status") == "positive":
            facts["her2_low"] = False
        told += bool(facts)
        found = {judgement.number: judgement.truth for judgement in judge(cg81, picture)}
        assert found == {number: words[truth] for number, truth in expected(Known(facts)).items()}
    assert told > 1000

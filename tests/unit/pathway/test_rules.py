"""Three-valued judgement: each rule three ways, specimens, staleness, counts, guards, monotonicity."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.pathway.dictionary import Therapy
from services.pathway.facts import current
from services.pathway.guideline import Guideline
from tests.unit.pathway.person import ENDOCRINE_LINE, NOW, Person, guards_broken

LUMINAL: dict[str, Any] = {"er_status": "positive", "her2_status": "negative"}
DUE: dict[str, Any] = {"disease_extent": "metastatic", "sact_decision_due": True}
NONE: dict[str, Any] = {"prior_therapies_none": True}

# number: facts with which it applies, a change that makes it not apply, facts taken away, what is then missing
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...], tuple[str, ...]]] = {
    "1.1.1": (
        {"disease_extent": "metastatic", "key_point_open": "diagnosis"},
        {"key_point_open": "none"}, ("disease_extent",), ("disease_extent",),
    ),
    "1.1.2": ({"key_worker_assigned": False}, {"key_worker_assigned": True}, ("key_worker_assigned",),
              ("key_worker_assigned",)),
    "1.3.1": ({"staging_due": True}, {"staging_due": False}, ("staging_due",), ("staging_due",)),
    "1.5.1": ({"disease_extent": "metastatic", "monitoring_due": True}, {"monitoring_due": False},
              ("monitoring_due", "disease_extent"), ("monitoring_due", "disease_extent")),
    "1.5.3": ({"bone_mets": "present", "monitoring_due": True}, {"bone_mets": "absent"}, ("bone_mets",),
              ("bone_mets",)),
    "1.6.1": (DUE, {"disease_extent": "early_or_resectable"}, ("sact_decision_due",), ("sact_decision_due",)),
    "1.7.8": ({**DUE, **NONE, "her2_ihc": "3+"}, {"her2_ihc": "0"}, ("her2_ihc",), ("her2_ihc",)),
    "1.7.16": ({**DUE, **NONE, **LUMINAL}, {"er_status": "negative", "pr_status": "negative"},
               ("prior_therapies_none",), ("prior_therapy",)),
    "1.7.17": ({**DUE, **LUMINAL, "prior_therapy": ENDOCRINE_LINE}, {"her2_status": "positive"},
               ("her2_status", "prior_therapy"), ("her2_ihc", "prior_therapy")),
    "1.8.1": ({"proposed_regimen": "eribulin", "n_adv_chemo": 1}, {"n_adv_chemo": 2}, ("n_adv_chemo",),
              ("prior_therapy",)),
    "1.10.1": ({"disease_extent": "metastatic", "fatigue": "significant"}, {"fatigue": "present"}, ("fatigue",),
               ("fatigue",)),
    "1.10.2": ({"disease_extent": "metastatic", "fatigue": "present"}, {"fatigue": "none"}, ("fatigue",),
               ("fatigue",)),
    "1.10.3": ({"disease_extent": "metastatic", "fatigue": "present"}, {"fatigue": "none"}, ("fatigue",),
               ("fatigue",)),
    "1.12.1": ({"uncontrolled_local_disease": True}, {"uncontrolled_local_disease": False},
               ("uncontrolled_local_disease",), ("uncontrolled_local_disease",)),
    "1.12.3": ({"uncontrolled_local_disease": True}, {"uncontrolled_local_disease": False},
               ("uncontrolled_local_disease",), ("uncontrolled_local_disease",)),
    "1.13.1": ({"bone_mets": "present", "bone_mets_newly_diagnosed": True}, {"bone_mets_newly_diagnosed": False},
               ("bone_mets", "bone_mets_newly_diagnosed"), ("bone_mets", "bone_mets_newly_diagnosed")),
    "1.13.6": ({"brain_mets": "present", "brain_active_treatment_appropriate": False},
               {"brain_active_treatment_appropriate": True}, ("brain_mets",), ("brain_mets",)),
    "1.14.1": ({"disease_extent": "metastatic", "palliative_or_eol_care_being_provided": True},
               {"palliative_or_eol_care_being_provided": False}, ("disease_extent",), ("disease_extent",)),
}  # fmt: skip

TN: dict[str, Any] = {"er_status": "negative", "pr_status": "negative", "her2_status": "negative"}
HER2: dict[str, Any] = {"her2_status": "positive"}
CHEMO: dict[str, Any] = {"disease_extent": "metastatic", "chemo_indicated": True}
COMBINED: dict[str, Any] = {
    "high_response_priority": True, "understands_added_toxicity": True, "likely_to_tolerate_added_toxicity": True,
}  # fmt: skip
AFTER_CDK46: dict[str, Any] = {**DUE, **LUMINAL, "prog_after_cdk46_ai": True, "prog_after_et_cdk46": True}
NOT_ADVANCED: dict[str, Any] = {"disease_extent": "early_or_resectable"}


def _chemotherapy(subtype: dict[str, Any], number: int) -> dict[str, tuple[Any, Any, Any, Any]]:
    """The three rows that each subtype has: one after the other, which drugs, a combination."""
    asked = ("chemo_indicated",)
    facts = {**CHEMO, **subtype}
    understood = ("understands_added_toxicity",)
    return {
        f"1.7.{number}": (facts, NOT_ADVANCED, asked, asked),
        f"1.7.{number + 1}": (facts, {"chemo_indicated": False}, asked, asked),
        f"1.7.{number + 2}": ({**facts, **COMBINED}, {"understands_added_toxicity": False}, understood, understood),
    }


CASES |= {
    "1.1.3": ({"age_years": 50, "depression_concern": True}, {"depression_concern": False}, ("age_years",),
              ("age_years",)),
    "1.2.1": ({"disease_extent": "metastatic", "on_treatment_pathway": True, "research_discussed_this_stage": False},
              {"research_discussed_this_stage": True}, ("research_discussed_this_stage",),
              ("research_discussed_this_stage",)),
    "1.3.2": ({"staging_result_being_interpreted": True, "staging_due": False},
              {"staging_result_being_interpreted": False}, ("staging_result_being_interpreted",),
              ("staging_result_being_interpreted",)),
    "1.3.3": ({"staging_modality_done": "CECT", "further_characterisation_needed": True},
              {"staging_modality_done": "none"}, ("staging_modality_done",), ("staging_modality_done",)),
    "1.3.4": ({"suspected_brain_mets": True}, {"suspected_brain_mets": False}, ("suspected_brain_mets",),
              ("suspected_brain_mets",)),
    "1.3.5": ({"suspected_spinal_mets_or_mscc": True}, {"suspected_spinal_mets_or_mscc": False},
              ("suspected_spinal_mets_or_mscc",), ("suspected_spinal_mets_or_mscc",)),
    "1.4.1": ({"recurrence": True, "receptor_change_would_change_management": True}, {"recurrence": False},
              ("receptor_change_would_change_management",), ("receptor_change_would_change_management",)),
    "1.4.2": ({"genomic_result_needed_for_treatment": True}, {"genomic_result_needed_for_treatment": False},
              ("genomic_result_needed_for_treatment",), ("genomic_result_needed_for_treatment",)),
    "1.5.2": ({"disease_extent": "metastatic", "monitoring_due": True, "staging_modality_done": "FDG_PET_CT"},
              {"disease_extent": "locally_advanced_unresectable"}, ("staging_modality_done",),
              ("staging_modality_done",)),
    "1.7.1": ({**DUE, **NONE, **TN, "pd_l1_cps": 10, "pd_l1_ic_pct": 0.5}, {"pd_l1_ic_pct": 1}, ("pd_l1_ic_pct",),
              ("pd_l1_ic_pct",)),
    "1.7.2": ({**DUE, **NONE, **TN, "pd_l1_ic_pct": 1}, {"pd_l1_ic_pct": 0}, ("pd_l1_ic_pct",), ("pd_l1_ic_pct",)),
    "1.7.3": ({**DUE, **TN, "n_systemic": 2}, {"n_systemic": 1}, ("n_systemic",), ("prior_therapy",)),
    "1.7.4": ({**DUE, **TN, "gbrca": "pathogenic", "had_anthracycline": True, "had_taxane": True},
              {"had_taxane": False}, ("gbrca",), ("gbrca",)),
    **_chemotherapy(TN, 5),
    "1.7.9": ({**DUE, **HER2, "n_anti_her2": 1}, {"n_anti_her2": 0}, ("n_anti_her2",), ("prior_therapy",)),
    "1.7.10": ({**DUE, **HER2, "had_trastuzumab": True, "had_taxane": True}, {"had_taxane": False},
               ("had_taxane", "had_trastuzumab"), ("prior_therapy",)),
    "1.7.11": ({**DUE, **HER2, "n_adv_chemo": 2}, {"n_adv_chemo": 1}, ("her2_status",), ("her2_ihc",)),
    "1.7.12": ({**DUE, **HER2, "n_anti_her2": 2}, {"n_anti_her2": 1}, ("n_anti_her2",), ("prior_therapy",)),
    **_chemotherapy(HER2, 13),
    "1.7.18": ({**AFTER_CDK46, "pik3ca": "not_detected", "akt1": "pathogenic"}, {"prog_after_cdk46_ai": False},
               ("akt1",), ("akt1", "pten")),
    "1.7.19": ({**AFTER_CDK46, "pik3ca": "pathogenic"}, {"pik3ca": "not_detected"}, ("pik3ca",), ("pik3ca",)),
    "1.7.20": ({**AFTER_CDK46, "esr1": "pathogenic"}, {"er_status": "negative"}, ("esr1",), ("esr1",)),
    "1.7.21": ({**DUE, **LUMINAL, "gbrca": "pathogenic", "had_endocrine": True}, {"gbrca": "not_detected"},
               ("gbrca",), ("gbrca",)),
    **_chemotherapy(LUMINAL, 22),
    "1.7.25": ({**DUE, "ntrk_fusion": "positive", "other_satisfactory_options": False},
               {"other_satisfactory_options": True}, ("ntrk_fusion",), ("ntrk_fusion",)),
    "1.12.2": ({"ulcerated_tumour": True}, {"ulcerated_tumour": False}, ("ulcerated_tumour",), ("ulcerated_tumour",)),
    "1.13.2": ({"bone_mets": "present", "age_years": 60, "bisphosphonate_would_be_prescribed": True},
               {"age_years": 17}, ("bisphosphonate_would_be_prescribed",), ("bisphosphonate_would_be_prescribed",)),
    "1.13.3": ({"bone_mets": "present", "bone_pain_from_mets": True}, {"bone_pain_from_mets": False},
               ("bone_pain_from_mets",), ("bone_pain_from_mets",)),
    "1.13.4": ({"long_bone_fracture_risk": True}, {"long_bone_fracture_risk": False}, ("long_bone_fracture_risk",),
               ("long_bone_fracture_risk",)),
    "1.13.5": ({"brain_mets": "present"}, {"brain_mets": "absent"}, ("brain_mets",), ("brain_mets",)),
}  # fmt: skip


def test_every_encoded_rule_has_a_case(guideline: Guideline) -> None:
    assert set(CASES) == {rule.number for rule in guideline.rules if rule.when is not None}


@pytest.mark.parametrize("number", CASES)
def test_each_rule_three_ways(number: str, new_person: Callable[[], Person]) -> None:
    facts, change, removed, missing = CASES[number]
    applies = new_person().state(**facts).judgement(number)
    assert (applies.truth, applies.missing) == ("applies", ())
    assert applies.used
    assert applies.because.endswith(".")
    declines = new_person().state(**{**facts, **change}).judgement(number)
    assert (declines.truth, declines.missing) == ("does_not_apply", ())
    assert "It would apply with: " in declines.because
    rest = {name: value for name, value in facts.items() if name not in removed}
    open_ = new_person().state(**rest).judgement(number)
    assert (open_.truth, open_.missing) == ("cannot_be_decided", missing)
    assert open_.because.startswith("Not known: ")


def test_reasons_read_as_english(person: Person) -> None:
    person.state(**DUE, **NONE, er_status="positive", her2_ihc="2+")
    assert person.judgement("1.7.16").because == "Not known: HER2 ISH (HER2 IHC 2+ alone does not settle HER2 status)."
    person.state(her2_ish="not_amplified")
    assert person.judgement("1.7.16").because == (
        "Disease extent is metastatic (23 November 2026); "
        "A systemic treatment decision is due: yes (23 November 2026); "
        "ER status is positive (23 November 2026); "
        "HER2 status is negative (HER2 IHC 2+, HER2 ISH not amplified); "
        "Lines of endocrine treatment for advanced disease is 0 (counted from the lines of treatment)."
    )
    assert person.judgement("1.7.8").because == (
        "HER2 status is negative (HER2 IHC 2+, HER2 ISH not amplified). It would apply with: HER2 status positive."
    )


def test_only_facts_that_still_matter_are_missing(person: Person) -> None:
    person.state(**DUE, er_status="positive")
    assert person.judgement("1.7.16").missing == ("her2_ihc", "prior_therapy")
    assert person.judgement("1.7.8").missing == ("her2_ihc", "prior_therapy")
    person.state(her2_ihc="3+")
    assert person.judgement("1.7.16").truth == "does_not_apply"
    assert person.judgement("1.7.8").missing == ("prior_therapy",)


def test_suspected_extent_leaves_the_question_open(person: Person) -> None:
    judged = person.state(sact_decision_due=True, disease_extent="suspected_metastatic").judgement("1.6.1")
    assert (judged.truth, judged.missing) == ("cannot_be_decided", ("disease_extent",))
    assert "leaves it open" in judged.because


@pytest.mark.parametrize("code", ["unknown", "not_tested", "not_done"])
def test_unknown_codes_are_absent(person: Person, code: str) -> None:
    person.state(**DUE, **NONE, er_status="positive", her2_ihc="2+", her2_ish=code)
    assert person.judgement("1.7.16").missing == ("her2_ish",)


def test_specimens_that_disagree_wait_for_the_mdt(person: Person) -> None:
    person.state(**DUE, **NONE, her2_ihc="1+")
    person.state(subject="primary", er_status="positive").state(subject="liver", er_status="negative")
    person.state(pr_status="negative")
    judged = person.judgement("1.7.16")
    assert (judged.missing, judged.gaps[0].why) == (("er_status",), "disagree")
    person.state(er_status="positive")
    assert person.judgement("1.7.16").truth == "applies"
    person.state(subject="lung", er_status="negative")
    assert person.judgement("1.7.16").missing == ("er_status",)


def test_her2_specimens_that_disagree(person: Person) -> None:
    person.state(**DUE, **NONE)
    person.state(subject="primary", her2_ihc="3+").state(subject="liver", her2_ihc="0")
    judged = person.judgement("1.7.8")
    assert (judged.missing, judged.gaps[0].why) == (("her2_ihc",), "disagree")
    person.state(her2_status="positive")
    assert person.judgement("1.7.8").truth == "applies"


def test_her2_of_two_specimens_is_judged_apart(person: Person) -> None:
    """IHC 0 and IHC 1+ differ, but both are HER2-negative; only HER2-low is open."""
    person.state(**DUE, **NONE, er_status="positive", proposed_regimen="trastuzumab_deruxtecan")
    person.state(subject="primary", her2_ihc="0").state(subject="liver", her2_ihc="1+")
    assert person.judgement("1.7.16").truth == "applies"
    assert person.judgement("1.8.1").truth == "cannot_be_decided"


def test_stated_and_derived_that_disagree_are_unknown(person: Person) -> None:
    person.state(**DUE, **NONE, her2_ihc="3+", her2_status="negative")
    judged = person.judgement("1.7.8")
    assert (judged.truth, judged.missing) == ("cannot_be_decided", ("her2_ihc",))
    assert "was stated as negative, but follows as positive" in judged.because


@pytest.mark.parametrize(
    ("line", "number", "truth"),
    [
        (Therapy("adjuvant", agents=("letrozole",)), "1.7.16", "applies"),
        (Therapy("adjuvant", agents=("letrozole",)), "1.7.17", "applies"),
        (Therapy("advanced", 1, ("fulvestrant",)), "1.7.16", "does_not_apply"),
        (Therapy("advanced", 1, ("capecitabine",)), "1.7.16", "applies"),
        (Therapy("advanced", 1, ("capecitabine",)), "1.7.17", "does_not_apply"),
    ],
)
def test_counts_follow_from_lines(person: Person, line: Therapy, number: str, truth: str) -> None:
    person.state(**DUE, **LUMINAL, prior_therapy=line)
    assert person.judgement(number).truth == truth


def test_anti_her2_counts_lines_and_conjugates_are_not_chemotherapy(person: Person) -> None:
    person.state(subject="l1", prior_therapy=Therapy("advanced", 1, ("pertuzumab", "trastuzumab", "docetaxel")))
    person.state(subject="l2", prior_therapy=Therapy("advanced", 2, ("trastuzumab deruxtecan",)))
    person.state(subject="l2", prior_therapy=Therapy("advanced", 2, ("trastuzumab deruxtecan",), (), 5, "progression"))
    values = current(person.facts, person.guideline.dictionary, NOW).values
    assert {name: values[name] for name in ("n_systemic", "n_adv", "n_adv_chemo", "n_anti_her2")} == {
        "n_systemic": 2, "n_adv": 2, "n_adv_chemo": 1, "n_anti_her2": 2,
    }  # fmt: skip
    assert values["had_trastuzumab"] is True
    assert values["prog_after_cdk46_ai"] is False


def test_progression_on_cdk46(person: Person) -> None:
    person.state(subject="l1", prior_therapy=ENDOCRINE_LINE)
    dictionary = person.guideline.dictionary
    assert current(person.facts, dictionary, NOW).values["prog_after_cdk46_ai"] is False
    person.state(subject="l1", prior_therapy=Therapy("advanced", 1, ENDOCRINE_LINE.agents, (), 24, "progression"))
    values = current(person.facts, dictionary, NOW).values
    assert (values["prog_after_cdk46_ai"], values["prog_after_et_cdk46"], values["n_adv"]) == (True, True, 1)


def test_none_after_a_line_is_a_contradiction(person: Person) -> None:
    person.state(**DUE, **LUMINAL, prior_therapy=ENDOCRINE_LINE).state(prior_therapies_none=True)
    assert person.judgement("1.7.17").gaps[0].why == "disagree"
    assert person.judgement("1.7.17").missing == ("prior_therapy",)


def test_stale_facts_are_unknown_and_announced(person: Person) -> None:
    person.state(**DUE, ecog=1)
    reported = person.facts[-1].occurred_at
    stale_at = reported + timedelta(days=42)
    assert person.judgement("1.6.1").fresh_until == stale_at
    assert person.judgement("1.6.1").stale == ()
    assert person.judgement("1.6.1", at=stale_at).stale == (("ecog", stale_at),)
    picture = current(person.facts, person.guideline.dictionary, stale_at)
    held = picture.held["ecog"]
    assert (held.value, held.last and held.last.value, held.gaps[0].why) == (None, 1, "stale")
    assert person.judgement("1.6.1", at=stale_at).fresh_until is None


def test_occurrence_by_report_and_by_run(person: Person) -> None:
    person.state(disease_extent="metastatic").report("diagnosis_confirmed")
    first = {n: person.judgement(n).occurrence for n in ("1.1.1", "1.6.1", "1.7.16")}
    assert first["1.6.1"] == first["1.7.16"]
    person.report("diagnosis_confirmed")
    assert person.judgement("1.6.1").occurrence == first["1.6.1"]
    assert person.judgement("1.1.1").occurrence != first["1.1.1"]
    person.report("therapy_line_started").report("progression_reported")
    assert person.judgement("1.6.1").occurrence not in {"", first["1.6.1"]}


def test_each_new_finding_makes_the_suspicion_anew(person: Person) -> None:
    person.state(spinal_pain_suggestive=True)
    first = person.judgement("1.3.5")
    assert (first.truth, first.occurrence) == ("applies", "f1")
    assert person.state(spinal_pain_suggestive=True).judgement("1.3.5").occurrence == "f1"
    assert person.state(new_limb_weakness=True).judgement("1.3.5").occurrence == "f3"
    person.state(new_limb_weakness=False, spinal_pain_suggestive=False)
    assert person.judgement("1.3.5").truth == "cannot_be_decided"
    assert person.state(spinal_pain_suggestive=True).judgement("1.3.5").occurrence == "f6"


def test_basis_follows_the_facts_that_count(person: Person) -> None:
    person.state(**DUE, **NONE, **LUMINAL)
    before = person.judgement("1.7.16")
    person.state(fatigue="present", pr_status="negative")
    assert person.judgement("1.7.16").basis == before.basis
    assert set(before.used) < {fact.fact_id for fact in person.facts}
    person.state(disease_extent="locally_advanced_unresectable")
    assert person.judgement("1.7.16").basis != before.basis


BONE_SCAN = {"proposed_modality": "bone_scintigraphy"}


@pytest.mark.parametrize(
    ("facts", "proposal", "broken"),
    [
        ({"bone_mets": "present"}, {**BONE_SCAN, "imaging_purpose": "monitoring"}, ["1.5.3"]),
        ({"bone_mets": "present"}, {**BONE_SCAN, "imaging_purpose": "characterisation"}, []),
        ({"bone_mets": "present"}, {"proposed_modality": "FDG_PET_CT", "imaging_purpose": "monitoring"}, []),
        ({"her2_ihc": "1+"}, {"proposed_regimen": "trastuzumab_deruxtecan"}, ["1.8.1"]),
        ({"her2_ihc": "3+"}, {"proposed_regimen": "trastuzumab_deruxtecan"}, []),
        ({"n_adv_chemo": 0}, {"proposed_regimen": "eribulin"}, []),
        ({"n_adv_chemo": 1}, {"proposed_regimen": "eribulin"}, ["1.8.1"]),
        ({"n_adv_chemo": 2}, {"proposed_regimen": "eribulin"}, []),
        ({"er_status": "positive"}, {"proposed_regimen": "fulvestrant"}, ["1.8.1"]),
        ({"er_status": "positive"}, {"proposed_regimen": "capivasertib_fulvestrant"}, []),
        ({}, {"proposed_regimen": "bevacizumab_taxane"}, ["1.8.1"]),
    ],
)  # fmt: skip
def test_guards(person: Person, facts: dict[str, Any], proposal: dict[str, str], broken: list[str]) -> None:
    person.state(**facts)
    found = guards_broken(person.guideline, person.facts, proposal, person.now)
    assert [judgement.number for judgement in found] == broken


def test_guards_left_open_and_refused_names(person: Person) -> None:
    proposal = {"proposed_regimen": "trastuzumab_deruxtecan"}
    assert guards_broken(person.guideline, [], proposal, NOW) == []
    found = guards_broken(person.guideline, [], proposal, NOW, undecided=True)
    assert [(judgement.number, judgement.missing) for judgement in found] == [("1.8.1", ("her2_ihc",))]


# The choices that Hypothesis fills in; None leaves a fact unknown.
CHOICES: dict[str, list[Any]] = {
    "disease_extent": ["metastatic", "locally_advanced_unresectable", "early_or_resectable"],
    "er_status": ["positive", "negative"],
    "pr_status": ["positive", "negative"],
    "her2_ihc": ["0", "1+", "2+", "3+"],
    "her2_ish": ["amplified", "not_amplified"],
    "sact_decision_due": [True, False],
    "prior_therapies_none": [True],
    "prior_therapy": [
        ENDOCRINE_LINE,
        Therapy("adjuvant", 0, ("paclitaxel",)),
        Therapy("advanced", 1, ("eribulin",)),
    ],
    "key_point_open": ["none", "diagnosis", "relapse"],
    "key_worker_assigned": [True, False],
    "fatigue": ["none", "present", "significant"],
    "bone_mets": ["present", "absent"],
    "bone_mets_newly_diagnosed": [True, False],
    "brain_mets": ["present", "absent"],
    "brain_active_treatment_appropriate": [True, False],
    "monitoring_due": [True, False],
    "proposed_regimen": ["none", "eribulin", "fulvestrant", "trastuzumab_deruxtecan"],
    "uncontrolled_local_disease": [True, False],
    "palliative_or_eol_care_being_provided": [True, False],
}


@st.composite
def _partial_people(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Some facts, and some more that were unknown before (a history of treatment is known from the start)."""
    known: dict[str, Any] = {}
    more: dict[str, Any] = {}
    for name, values in CHOICES.items():
        value = draw(st.sampled_from(values))
        when = draw(st.sampled_from(["known", "later", "never"]))
        if when == "known":
            known[name] = value
        elif when == "later" and name not in {"prior_therapy", "prior_therapies_none"}:
            more[name] = value
    if "prior_therapies_none" in known:
        known.pop("prior_therapy", None)
    return known, more


@settings(max_examples=300, deadline=None)
@given(people=_partial_people())
def test_filling_in_an_unknown_never_changes_a_definite_answer(
    guideline: Guideline, people: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    known, more = people
    before = Person(guideline).state(**known).judgements()
    after = Person(guideline).state(**known, **more).judgements()
    for old, new in zip(before, after, strict=True):
        if old.truth != "cannot_be_decided":
            assert (new.number, new.truth) == (old.number, old.truth)
        else:
            assert old.missing
            asked = [guideline.dictionary.facts[name].derived for name in old.missing]
            assert all(derived is None or derived.findings for derived in asked)


@settings(max_examples=50, deadline=None)
@given(people=_partial_people(), shuffle=st.randoms())
def test_the_order_of_input_does_not_matter(
    guideline: Guideline, people: tuple[dict[str, Any], dict[str, Any]], shuffle: object
) -> None:
    person = Person(guideline).state(**people[0])
    before = person.judgements()
    shuffle.shuffle(person.facts)  # type: ignore[attr-defined]
    assert person.judgements() == before


def test_an_evaluation_is_fast(person: Person) -> None:
    """A generous ceiling against accidents; bench/ has the figure."""
    person.state(**DUE, **NONE, **LUMINAL, ecog=1, fatigue="present", bone_mets="absent", key_point_open="diagnosis")
    person.judgements()
    best = min(_seconds(person) for _ in range(50))
    assert best < 0.002


def _seconds(person: Person) -> float:
    start = perf_counter()
    person.judgements()
    return perf_counter() - start


@pytest.mark.parametrize("agents", [(), ("letrazole",), ("letrazole", "ribociclib")])
def test_a_drug_that_nobody_knows_is_not_a_no(person: Person, agents: tuple[str, ...]) -> None:
    person.state(**DUE, **LUMINAL, prior_therapy=Therapy("adjuvant", agents=agents, stop_reason="completed"))
    judged = person.judgement("1.7.17")
    assert (judged.truth, judged.missing) == ("cannot_be_decided", ("prior_therapy",))
    assert "does not know" in judged.gaps[0].note

"""The planner: one person's story, chases, decisions that stand or fall, reviews, closings."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.pathway.dictionary import Therapy
from services.pathway.guideline import Due, Guideline
from services.pathway.items import Outcome
from services.pathway.plan import OpenItem, plan
from tests.unit.pathway.person import ENDOCRINE_LINE, Person, numbers

PLANNED = datetime(2026, 11, 23, 10, tzinfo=UTC)


def closed(person: Person) -> dict[str, tuple[str, str]]:
    return {closing.key: (closing.how, closing.reason) for closing in person.plan().close}


def test_one_pathway_from_diagnosis_to_palliative_care(person: Person) -> None:
    person.state(key_worker_assigned=True, disease_extent="metastatic", prior_therapies_none=True)
    person.state(er_status="positive", her2_ihc="2+").report("diagnosis_confirmed")
    first = person.plan()
    (chase,) = [item for item in first.open if item.kind == "chase"]
    assert (chase.key, chase.missing_fact, chase.owner_role, chase.supplied_by) == (
        "chase|her2_ish||", "her2_ish", "key_worker", "pathology",
    )  # fmt: skip
    assert chase.reason == (
        "HER2 ISH is not known (HER2 IHC 2+ alone does not settle HER2 status). 1.7.8, 1.7.16 cannot be decided "
        "without it; pathology supplies it."
    )
    assert chase.due_on == date(2026, 11, 25)
    assert numbers(first.open) == ["1.1.1", "1.7.8"]
    assert person.plan().open == ()

    person.report("result_received", her2_ish="not_amplified")
    second = person.plan()
    assert [(closing.key, closing.how) for closing in second.close] == [("chase|her2_ish||", "done")]
    (decision,) = second.open
    assert (decision.kind, decision.number, decision.owner_role) == ("decision", "1.6.1", "oncology")
    assert {option.number for option in decision.options} == {"1.7.16"}
    assert len(decision.options) == 3

    person.decide("1.7.16", "accepted")
    third = person.plan()
    assert [(item.kind, item.title) for item in third.open] == [("follow_on", "Start the agreed treatment")]
    assert [(closing.key, closing.how) for closing in third.close] == [(decision.key, "done")]

    line = Therapy("advanced", 1, ("ribociclib", "letrozole"), (), None, "ongoing")
    person.report("therapy_line_started", subject="line-1", prior_therapy=line)
    fourth = person.plan()
    assert [(closing.key, closing.how) for closing in fourth.close] == [
        (first.open[0].key, "withdrawn"),
        (third.open[0].key, "done"),
    ]
    assert numbers(fourth.open) == ["1.1.1", "1.2.1"]

    person.decide("1.1.1", "done")
    ended = replace(line, months=14, stop_reason="progression")
    person.report("progression_reported", subject="line-1", prior_therapy=ended)
    fifth = person.plan()
    assert numbers(fifth.open) == ["1.1.1", "1.6.1", "1.7.18"]
    (genomics,) = [item for item in fifth.open if item.kind == "chase"]
    assert (genomics.supplied_by, genomics.missing_fact) == ("pathology", "pik3ca+akt1+pten+esr1+gbrca")
    again = next(item for item in fifth.open if item.number == "1.6.1")
    assert {option.number for option in again.options} == {"1.7.17"}
    assert again.key != decision.key

    person.report("symptom_reported", fatigue="significant")
    assert numbers(person.plan().open) == ["1.10.1", "1.10.2", "1.10.3"]
    person.report("symptom_reported", uncontrolled_local_disease=True)
    sixth = person.plan()
    assert numbers(sixth.open) == ["1.12.1", "1.12.3"]
    assert {item.urgency for item in sixth.open} == {"urgent"}

    person.decide("1.12.3", "accepted")
    assert [item.title for item in person.plan().open] == ["Prepare the palliative care referral"]
    person.referrals.add("palliative_care")
    (closing,) = person.plan().close
    assert (closing.how, closing.reason) == ("done", "A referral to palliative care is under way.")


def test_the_answer_is_small_and_deterministic(person: Person) -> None:
    person.state(disease_extent="metastatic", er_status="positive", her2_ihc="2+", fatigue="significant", ecog=1)
    person.state(uncontrolled_local_disease=True, bone_mets="present", bone_mets_newly_diagnosed=True)
    person.state(brain_mets="present", brain_active_treatment_appropriate=False, staging_due=True)
    person.report("diagnosis_confirmed")
    first, second = [plan(person.guideline, person.judgements(), [], [], 0, person.now, person.now) for _ in range(2)]
    assert first == second
    assert len(json.dumps(asdict(first), default=str)) < 16 * 1024
    assert len(first.open) >= 12


def test_one_chase_for_each_fact_and_none_before_its_gate(person: Person) -> None:
    person.state(key_worker_assigned=True, er_status="positive")
    assert [item.kind for item in person.plan().open] == ["next_contact"]
    person.report("diagnosis_confirmed")
    made = person.plan()
    assert [(item.missing_fact, item.reason.split(". ")[1]) for item in made.open] == [
        ("disease_extent", "1.1.1, 1.6.1 cannot be decided without it; breast MDT supplies it.")
    ]
    assert [closing.reason for closing in made.close] == ["Another next step is open."]
    person.state(disease_extent="metastatic")
    assert {item.missing_fact for item in person.plan().open if item.kind == "chase"} == {
        "her2_ihc",
        "prior_therapy",
    }


def test_what_one_holder_can_supply_is_one_task_and_its_clock_runs_until_all_came(person: Person) -> None:
    person.state(key_worker_assigned=True, disease_extent="metastatic", prior_therapies_none=True)
    made = person.report("diagnosis_confirmed").plan()
    (chase,) = [item for item in made.open if item.kind == "chase"]
    assert (chase.supplied_by, chase.missing_fact) == ("pathology", "her2_ihc+er_status+pr_status")
    assert chase.title == "Get: HER2 IHC, ER status, PR status"
    assert chase.reason.endswith("cannot be decided without them; pathology supplies them.")
    # some of it comes, and something new is asked for: the first task stays, the new fact is another
    person.state(er_status="positive", her2_ihc="2+")
    second = person.plan()
    assert [(item.kind, item.missing_fact) for item in second.open] == [("chase", "her2_ish")]
    assert [(closing.key, closing.how) for closing in second.close] == [(chase.key, "withdrawn")]
    person.state(her2_ish="amplified")
    assert ("chase|her2_ish||", "done") in [(closing.key, closing.how) for closing in person.plan().close]


def test_a_chase_that_no_decision_waits_for_is_withdrawn(person: Person) -> None:
    person.state(disease_extent="metastatic", er_status="positive", prior_therapies_none=True)
    person.report("diagnosis_confirmed").plan()
    assert "chase|her2_ihc||" in person.items
    person.state(sact_decision_due=False)
    how, reason = closed(person)["chase|her2_ihc||"]
    assert (how, reason) == ("withdrawn", "No decision that is due waits for HER2 IHC any more.")


def test_specimens_that_disagree_are_for_the_mdt(person: Person) -> None:
    person.state(disease_extent="metastatic", prior_therapies_none=True, er_status="positive")
    person.state(subject="primary", her2_ihc="3+").state(subject="liver", her2_ihc="0")
    made = person.report("diagnosis_confirmed").plan()
    (chase,) = [item for item in made.open if item.missing_fact == "her2_ihc"]
    assert chase.supplied_by == "breast_mdt"
    assert "specimens disagree" in chase.reason


def test_no_key_worker_known_is_asked_of_coordination(person: Person) -> None:
    (chase,) = person.plan().open
    assert (chase.missing_fact, chase.owner_role) == ("key_worker_assigned", "coordination")
    person.state(key_worker_assigned=False)
    made = person.plan()
    assert numbers(made.open) == ["1.1.2"]
    person.report("key_worker_assigned")
    made = person.plan()
    assert [(closing.how, closing.reason) for closing in made.close] == [("done", "What 1.1.2 asks for has happened.")]
    assert [item.kind for item in made.open] == ["next_contact"]


def tired(person: Person) -> Person:
    return person.state(key_worker_assigned=True, disease_extent="metastatic", fatigue="present")


@pytest.mark.parametrize("outcome", ["declined", "deferred"])
def test_a_decline_stands_until_its_facts_change_or_its_review_comes(person: Person, outcome: Outcome) -> None:
    tired(person).plan()
    person.decide("1.10.2", outcome, review_on=date(2026, 12, 24))
    person.decide("1.10.3", outcome)
    assert numbers(person.plan().open) == [""]
    made = person.plan()
    assert made.reevaluate_at == datetime(2026, 12, 24, tzinfo=UTC)
    review = datetime(2026, 12, 24, tzinfo=UTC)
    assert numbers(person.plan(at=review - timedelta(seconds=1)).open) == []
    assert numbers(person.plan(at=review).open) == ["1.10.2"]
    person.state(disease_extent="locally_advanced_unresectable")
    assert "1.10.3" in numbers(person.plan().open)


@pytest.mark.parametrize("outcome", ["accepted", "done"])
def test_what_was_accepted_or_done_stands_for_its_occurrence(person: Person, outcome: Outcome) -> None:
    tired(person).plan()
    person.decide("1.10.2", outcome)
    person.state(disease_extent="locally_advanced_unresectable")
    assert "1.10.2" not in numbers(person.plan().open)
    person.state(fatigue="none").plan()
    person.state(fatigue="present")
    assert "1.10.2" in numbers(person.plan().open)


def test_a_follow_on_ends_when_it_is_done(person: Person) -> None:
    tired(person).plan()
    person.decide("1.10.3", "accepted")
    made = person.plan()
    assert [(item.kind, item.title) for item in made.open] == [("follow_on", "Arrange the exercise programme")]
    person.decide("1.10.3", "done")
    assert [(closing.how, closing.reason) for closing in person.plan().close] == [
        ("done", "Decision recorded on 1.10.3: done.")
    ]


def test_a_correction_asks_for_a_review_until_a_newer_decision(person: Person) -> None:
    person.state(key_worker_assigned=True, disease_extent="metastatic", prior_therapies_none=True)
    person.state(er_status="positive", her2_status="negative").report("diagnosis_confirmed").plan()
    person.decide("1.7.16", "accepted")
    person.plan()
    person.correct("her2_status", "positive")
    made = person.plan()
    review = next(item for item in made.open if item.kind == "review")
    assert (review.number, review.owner_role, review.urgency) == ("1.7.16", "oncology", "urgent")
    assert review.reason.startswith("A fact this decision stood on was corrected")
    again = next(item for item in made.open if item.kind == "decision")
    assert {option.number for option in again.options} == {"1.7.8"}
    assert [closing.how for closing in made.close] == ["withdrawn"]
    person.decide("1.7.8", "accepted")
    made = person.plan()
    assert {closing.how for closing in made.close} == {"done"}
    assert [(item.kind, item.number) for item in made.open] == [("follow_on", "1.7.8")]


def test_a_changed_mind_reopens_the_decision(person: Person) -> None:
    person.state(disease_extent="metastatic", prior_therapies_none=True, er_status="positive", her2_status="negative")
    person.report("diagnosis_confirmed").plan()
    person.decide("1.7.16", "accepted")
    person.plan()
    person.decide("1.7.16", "declined")
    made = person.plan()
    (item,) = made.open
    assert (item.number, item.options) == ("1.6.1", ())
    assert [closing.how for closing in made.close] == ["done"]


def test_the_decision_itself_may_be_taken_without_a_listed_option(person: Person) -> None:
    person.state(disease_extent="metastatic", prior_therapies_none=True, er_status="positive", her2_status="negative")
    person.report("diagnosis_confirmed").plan()
    person.decide("1.6.1", "accepted")
    assert [(item.kind, item.number) for item in person.plan().open] == [("follow_on", "1.6.1")]
    person.decide("1.6.1", "done")
    made = person.plan()
    assert (numbers(made.open), [closing.how for closing in made.close]) == ([], ["done"])


def test_guards_never_open_items(person: Person) -> None:
    person.state(bone_mets="present", monitoring_due=True, proposed_regimen="bevacizumab_taxane")
    assert not {"1.5.3", "1.8.1"}.intersection(numbers(person.plan().open))


def test_the_next_contact_comes_last_and_is_kept(person: Person) -> None:
    person.state(key_worker_assigned=True)
    made = person.plan()
    (item,) = made.open
    assert (item.kind, item.owner_role, item.due_on) == ("next_contact", "key_worker", date(2026, 11, 30))
    later = person.now + timedelta(days=1)
    assert person.plan(at=later).open == ()
    person.items.clear()
    person.now = later
    (again,) = person.plan().open
    assert again.key != item.key
    person.items.clear()
    assert person.plan(other_open=1).open == ()


def test_foreign_keys_and_rules_of_another_version(person: Person) -> None:
    person.state(key_worker_assigned=True)
    items = [OpenItem("track|follow_up|1|", "appointment"), OpenItem("cg81|cg81.gone||f1", "recommendation")]
    made = plan(person.guideline, person.judgements(), [], items, 1, person.now, person.now)
    (closing,) = made.close
    assert closing.how == "withdrawn"
    assert "not in the guideline version in use" in closing.reason


def test_an_emergency_counts_from_when_it_was_noticed(person: Person, guideline: Guideline) -> None:
    rules = tuple(replace(rule, due=Due(hours=24)) if rule.number == "1.12.1" else rule for rule in guideline.rules)
    noticed = datetime(2026, 11, 21, 22, 15, 30, tzinfo=UTC)
    hurried = Person(replace(guideline, rules=rules)).state(at=noticed, uncontrolled_local_disease=True)
    item = next(item for item in hurried.plan().open if item.number == "1.12.1")
    assert (item.urgency, item.due_at) == ("emergency", datetime(2026, 11, 22, 22, 15, tzinfo=UTC))


def test_a_stale_fact_joins_the_clock(person: Person) -> None:
    person.state(disease_extent="metastatic", ecog=1, sact_decision_due=True)
    assert person.plan().reevaluate_at == person.now + timedelta(days=42)


def test_another_option_takes_the_place_of_the_first(person: Person) -> None:
    line = Therapy("adjuvant", agents=("letrozole",), stop_reason="completed")
    person.state(disease_extent="metastatic", prior_therapy=line, er_status="positive", her2_status="negative")
    person.report("diagnosis_confirmed").plan()
    person.decide("1.7.16", "accepted")
    person.plan()
    person.decide("1.7.17", "accepted")
    made = person.plan()
    assert [(item.kind, item.number) for item in made.open] == [("follow_on", "1.7.17")]
    assert [(closing.how, closing.reason) for closing in made.close] == [
        ("withdrawn", "The acceptance of 1.7.16 no longer stands.")
    ]


def test_what_can_no_longer_be_decided_stays_open_and_is_chased(person: Person) -> None:
    person.state(disease_extent="metastatic", prior_therapies_none=True, er_status="positive", her2_status="negative")
    first = person.report("diagnosis_confirmed").plan()
    assert "1.1.1" in numbers(first.open)
    person.decide("1.7.16", "declined")
    person.state(disease_extent="suspected_metastatic")
    made = person.plan()
    assert made.close == ()
    assert [item.missing_fact for item in made.open] == ["disease_extent"]


@pytest.mark.parametrize("then", ["unknown", True])
def test_a_symptom_that_is_not_known_any_more_is_still_somebodys_task(person: Person, then: str | bool) -> None:
    person.report("symptom_reported", uncontrolled_local_disease=True)
    assert "1.12.1" in numbers(person.plan().open)
    person.state(uncontrolled_local_disease="unknown")
    made = person.plan()
    assert made.close == ()
    assert [item.missing_fact for item in made.open] == ["uncontrolled_local_disease"]
    person.state(uncontrolled_local_disease=then)
    assert numbers(person.plan().open, "recommendation") == []  # the same occurrence, its clock still running
    person.state(uncontrolled_local_disease=False).plan()
    assert "1.12.1" not in numbers(list(person.items.values()))


def test_what_stood_on_a_report_that_was_taken_back_is_withdrawn(person: Person) -> None:
    person.report("symptom_reported", uncontrolled_local_disease=True).plan()
    mistaken = next(fact for fact in person.facts if fact.name == "uncontrolled_local_disease")
    person.superseded.add(mistaken.fact_id)
    person.facts.remove(mistaken)
    assert {closing.how for closing in person.plan().close} == {"withdrawn"}


def test_what_was_accepted_without_a_fact_asks_for_it_until_it_comes_and_is_then_looked_at_again(
    guideline: Guideline,
) -> None:
    # given treatment that starts although nobody knows the HER2 status
    person = Person(guideline).state(key_worker_assigned=True, disease_extent="metastatic", prior_therapies_none=True)
    person.state(er_status="positive", sact_decision_due=True)
    person.plan()
    decision = person.decide("1.7.16", "accepted")
    assert "her2_ihc" in decision.made_without
    person.state(sact_decision_due=False, on_treatment_pathway=True)
    person.state(subject="line-1", prior_therapy=ENDOCRINE_LINE)
    # then it is still asked for, and says why
    person.plan()
    asked = [item for item in person.items.values() if "her2_ihc" in item.missing_fact]
    assert [item.kind for item in asked] == ["chase"]
    assert "1.7.16 was accepted without" in asked[0].reason
    # when it comes, the question closes and the prescriber looks at the decision again
    person.state(her2_ihc="3+")
    made = person.plan()
    assert ("done", "HER2 IHC is now known.") in [(one.how, one.reason) for one in made.close]
    again = [item for item in person.items.values() if item.kind == "review"]
    assert [item.owner_role for item in again] == ["oncology"]
    assert again[0].reason.startswith("HER2 IHC came after this was accepted")
    # and a newer decision ends that; to decline something else does not
    person.state(sact_decision_due=True)
    person.decide("1.7.9", "declined")
    person.plan()
    assert [item.kind for item in person.items.values() if item.kind == "review"] == ["review"]
    person.decide("1.7.8", "accepted")
    person.plan()
    assert [item for item in person.items.values() if item.kind == "review"] == []

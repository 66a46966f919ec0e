"""A line that was started here says nothing of what was given before: unknown is not "no"."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.pathway.dictionary import Therapy
from services.pathway.facts import current
from services.pathway.guideline import Guideline
from tests.unit.pathway.person import ENDOCRINE_LINE, NOW, Person

BEGUN = replace(ENDOCRINE_LINE, begun_here=True, stop_reason="progression", months=None)
EARLIER = Therapy("adjuvant", 0, ("epirubicin",), ("anthracycline",), stop_reason="completed")


@pytest.fixture
def person(guideline: Guideline) -> Person:
    person = Person(guideline)
    person.state(disease_extent="metastatic", sact_decision_due=True, er_status="positive", her2_status="negative")
    person.state(gbrca="not_detected", esr1="not_detected", pik3ca="not_detected", akt1="not_detected")
    return person.state(subject="line-1", prior_therapy=BEGUN)


def test_what_was_given_here_is_known_and_what_came_before_is_asked_for(person: Person) -> None:
    values = current(person.facts, person.guideline.dictionary, NOW).values
    assert values["had_endocrine"] is True
    assert "had_anthracycline" not in values
    assert "n_systemic" not in values
    # what is counted is at least what was given here, and that settles what asks for no more
    assert person.judgement("1.7.16").truth == "does_not_apply"
    assert person.judgement("1.7.17").truth == "applies"
    triple_negative = person.state(er_status="negative", pr_status="negative")
    assert triple_negative.judgement("1.7.3").truth == "cannot_be_decided"
    assert triple_negative.judgement("1.7.3").missing == ("prior_therapy",)


def test_who_says_that_there_was_nothing_before_settles_it(person: Person) -> None:
    person.state(prior_therapies_none=True)
    values = current(person.facts, person.guideline.dictionary, NOW).values
    assert values["n_systemic"] == 1
    assert values["had_anthracycline"] is False


def test_a_history_that_is_taken_later_settles_it(person: Person) -> None:
    person.state(subject="ec", prior_therapy=EARLIER)
    values = current(person.facts, person.guideline.dictionary, NOW).values
    assert values["n_systemic"] == 2
    assert values["had_anthracycline"] is True
    assert values["had_taxane"] is False


def test_none_before_the_first_line_stays_none(guideline: Guideline) -> None:
    person = Person(guideline).state(prior_therapies_none=True).state(subject="line-1", prior_therapy=BEGUN)
    values = current(person.facts, guideline.dictionary, NOW).values
    assert (values["n_adv"], values["had_taxane"]) == (1, False)

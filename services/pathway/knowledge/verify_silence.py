"""Where the guidance is silent although a number applies: no appraisal behind it lets the person have the drug. Pure.

The situations are written in `guidelines/verification.yaml`, each with facts to vary. They are read and judged as any
person is; a situation in which nothing is left is reported, never filled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from services.pathway.due_dates import london_date
from services.pathway.knowledge.appraisals import rule_on
from services.pathway.knowledge.factfile import Person, read_person
from services.pathway.knowledge.verify_examples import at_noon
from services.pathway.knowledge.verify_subject import Situation, Subject
from services.pathway.rules import judge


@dataclass(frozen=True, slots=True)
class Left:
    """What is left in one situation: how many variants there are, and in how many nothing or only a question is."""

    situation: Situation
    variants: int
    nothing: int
    questions: int
    numbers: tuple[str, ...]


def look_behind(subject: Subject) -> list[Left]:
    """Every situation, with what the options and the appraisals behind them leave."""
    return [_left(subject, situation) for situation in subject.explanations.situations]


def _left(subject: Subject, situation: Situation) -> Left:
    variants = list(_variants(subject, situation))
    at = at_noon(subject)
    nothing = questions = 0
    applying: dict[str, None] = {}
    for facts in variants:
        person = read_person(facts, subject.guideline.dictionary, at)
        found = _options(subject, person)
        nothing += not found
        questions += bool(found) and "left" not in found.values()
        applying |= dict.fromkeys(_applying(subject, person)) if not found else {}
    return Left(situation, len(variants), nothing, questions, tuple(applying))


def _variants(subject: Subject, situation: Situation) -> Iterator[dict[str, Any]]:
    like = next((one for one in subject.explanations.situations if one.name == situation.like), situation)
    vary = {**like.vary, **situation.vary}
    for chosen in product(*vary.values()):
        yield {**like.facts, **situation.facts, **dict(zip(vary, chosen, strict=True))}


def _applying(subject: Subject, person: Person) -> list[str]:
    judged = judge(subject.guideline, person.picture)
    return [one.number for one in judged if one.number in subject.options and one.truth == "applies"]


def _options(subject: Subject, person: Person) -> dict[str, str]:
    """The options with something left behind them: `left`, or `question` where a fact is missing."""
    table = subject.library.appraisals
    found = {}
    for one in judge(subject.guideline, person.picture):
        if one.number not in subject.options or one.truth == "does_not_apply":
            continue
        rulings = rule_on(table, one.rule_id, person.picture, london_date(at_noon(subject))) if table else []
        verdicts = {ruling.verdict for ruling in rulings}
        if one.truth == "applies" and (not rulings or verdicts & {"eligible", "eligible_managed_access"}):
            found[one.number] = "left"
        elif one.truth == "cannot_be_decided" or "unknown" in verdicts:
            found[one.number] = "question"
    return found

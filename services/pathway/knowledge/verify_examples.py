"""An example for each number: facts with which it applies, does not apply, and cannot be decided. Pure.

The examples are made from the conditions and tried on the product's own reading and judging of facts. Two of the
three differ from the first in one fact, so that they show what the number turns on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.pathway.conditions import Condition, facts_of
from services.pathway.dictionary import Dictionary
from services.pathway.guideline import Rule
from services.pathway.knowledge.factfile import FactFileError, Person, read_person
from services.pathway.knowledge.settling import what_would_change
from services.pathway.knowledge.stated_lines import LINES
from services.pathway.knowledge.verify_subject import Finding, Subject
from services.pathway.rules import judge_rule


@dataclass(frozen=True, slots=True)
class Example:
    """Facts with which a number applies; one of them changed; one of them not known."""

    number: str
    applies: Person
    changed: Mapping[str, Any]
    not_applying: Person
    unknown: str
    undecided: Person

    @property
    def people(self) -> tuple[Person, Person, Person]:
        """The three of them."""
        return self.applies, self.not_applying, self.undecided


def at_noon(subject: Subject) -> datetime:
    """The instant at which the examples are judged: the day on which the version was compared with its source."""
    return datetime.fromisoformat(subject.guideline.checked_on).replace(hour=12, tzinfo=UTC)


def check_examples(subject: Subject) -> tuple[list[Example], list[Finding]]:
    """An example for each judged number, and a finding for each that has none."""
    found, findings = [], []
    for number, (rule, condition) in subject.rules.items():
        example = next(_examples(subject, rule, condition), None)
        if example is None:
            text = f"{number}: no facts were found with which it applies, does not apply, and cannot be decided."
            findings.append(Finding("example", (number,), text))
        else:
            found.append(example)
    return found, findings


def _examples(subject: Subject, rule: Rule, condition: Condition) -> Iterator[Example]:
    for person in _applying(subject, rule, condition):
        changed = _not_applying(subject, rule, person)
        open_ = _undecided(subject, rule, person)
        if changed and open_:
            yield Example(rule.number, person, *changed, *open_)


def _applying(subject: Subject, rule: Rule, condition: Condition) -> Iterator[Person]:
    """People to whom it applies: somebody never treated, with as little changed as can be."""
    dictionary = subject.guideline.dictionary
    counted = any((how := dictionary.facts[name].derived) and how.lines for name in facts_of(condition))
    starts: list[dict[str, Any]] = [{LINES: []}, {}] if counted else [{}]
    for start in starts:
        person = _person(start, dictionary, at_noon(subject))
        if person is None:
            continue
        if _truth(subject, rule, person) == "applies":
            yield person
        for change in what_would_change(subject.library, rule, person, at_noon(subject)):
            if change.then and (made := _person({**start, **change.set}, dictionary, at_noon(subject))):
                yield made


def _not_applying(subject: Subject, rule: Rule, person: Person) -> tuple[Mapping[str, Any], Person] | None:
    for change in what_would_change(subject.library, rule, person, at_noon(subject)):
        if not change.then:
            made = _person({**person.written, **change.set}, subject.guideline.dictionary, at_noon(subject))
            if made and _truth(subject, rule, made) == "does_not_apply":
                return change.set, made
    return None


def _undecided(subject: Subject, rule: Rule, person: Person) -> tuple[str, Person] | None:
    """The same person with one fact not known, the last that makes the difference."""
    for name in reversed(list(person.written)):
        left = {other: value for other, value in person.written.items() if other != name}
        made = _person(left, subject.guideline.dictionary, at_noon(subject))
        if made and _truth(subject, rule, made) == "cannot_be_decided":
            return name, made
    return None


def _person(written: Mapping[str, Any], dictionary: Dictionary, at: datetime) -> Person | None:
    try:
        return read_person(dict(written), dictionary, at)
    except FactFileError:
        return None


def _truth(subject: Subject, rule: Rule, person: Person) -> str:
    return judge_rule(subject.guideline, rule.rule_id, person.picture).truth

"""What is traced both ways: number to rule_id to facts, fact to numbers; and the numbers that there must be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.pathway.conditions import facts_of
from services.pathway.dictionary import Dictionary
from services.pathway.guideline import Rule
from services.pathway.knowledge.verify_subject import Finding, Subject
from services.pathway.rule_types import CONDITION_FIELDS


@dataclass(frozen=True, slots=True)
class Trace:
    """The matrix. `read` are the facts of a number's conditions, `bases` what derived ones among them follow from."""

    read: Mapping[str, tuple[str, ...]]
    bases: Mapping[str, tuple[str, ...]]
    considered: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, tuple[str, ...]]
    elsewhere: Mapping[str, tuple[str, ...]]
    unread: tuple[str, ...]


def trace(subject: Subject) -> Trace:
    """Follow every number to its facts, and every fact of the dictionary to its numbers."""
    dictionary = subject.guideline.dictionary
    rules = subject.guideline.rules
    read = {rule.number: facts_read(rule) for rule in rules}
    bases = {number: bases_of(names, dictionary) for number, names in read.items()}
    considered = {
        rule.number: tuple(name for name in rule.considers if name not in read[rule.number]) for rule in rules
    }
    numbers = {
        name: tuple(number for number in read if name in {*read[number], *bases[number], *considered[number]})
        for name in dictionary.facts
    }
    elsewhere = _elsewhere(subject)
    unread = tuple(name for name, found in numbers.items() if not found and not elsewhere.get(name))
    return Trace(read, bases, considered, numbers, elsewhere, unread)


def facts_read(rule: Rule) -> tuple[str, ...]:
    """The facts that any condition of a rule names."""
    conditions = [getattr(rule, key) for key in CONDITION_FIELDS]
    return tuple(dict.fromkeys(name for c in conditions if c is not None for name in facts_of(c)))


def bases_of(names: Iterable[str], dictionary: Dictionary) -> tuple[str, ...]:
    """What the derived facts among some follow from, down to what somebody states."""
    queue = [name for name in names if dictionary.facts[name].derived]
    found: dict[str, None] = {}
    for name in queue:
        how = dictionary.facts[name].derived
        for base in how.inputs if how else ():
            if base not in found:
                found[base] = None
                queue.append(base)
    return tuple(found)


def _elsewhere(subject: Subject) -> dict[str, tuple[str, ...]]:
    """The facts that urgent rules and appraisals read."""
    dictionary = subject.guideline.dictionary
    found: dict[str, list[str]] = {}
    urgent = subject.library.urgent
    readers = [(rule.number, facts_read(rule)) for rule in urgent.rules] if urgent else []
    table = subject.library.appraisals
    rows = [row for row in table.appraisals if row.when is not None] if table else []
    readers += [(row.ta, tuple(dict.fromkeys(facts_of(row.when)))) for row in rows if row.when is not None]
    for reader, names in readers:
        for name in dict.fromkeys((*names, *bases_of(names, dictionary))):
            found.setdefault(name, []).append(reader)
    return {name: tuple(dict.fromkeys(who)) for name, who in found.items()}


def check_numbers(subject: Subject) -> list[Finding]:
    """The numbers that are missing or that nobody expects, by how many each section has at the source."""
    expected = {f"{part}.{n}" for part, count in subject.explanations.numbers.items() for n in range(1, count + 1)}
    if not expected:
        return []
    present = [rule.number for rule in subject.guideline.rules]
    missing = [number for number in sorted(expected, key=_order) if number not in present]
    extra = [number for number in present if number not in expected]
    return [
        *(Finding("missing", (n,), f"{n} is missing: the source has it, the data has not.") for n in missing),
        *(Finding("missing", (n,), f"{n} is not a number of the source; see `numbers`.") for n in extra),
    ]


def _order(number: str) -> list[int]:
    return [int(part) for part in number.split(".") if part.isdigit()]

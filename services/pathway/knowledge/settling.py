"""What would change an answer: changes of a person's facts, each tried out before it is promised. Pure.

A change is a mapping of facts to set (null: no longer known) and the truth that it leads to. From the condition come
the ways in which it could turn out as wished; each way is turned into facts that somebody could state, lines of
treatment included, and only a change whose promise was kept on these very facts is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, product
from typing import Any

from services.pathway.conditions import Among, Compare, Condition, Every, Negated, compile_condition
from services.pathway.dictionary import Scalar
from services.pathway.guideline import Rule
from services.pathway.knowledge.factfile import FactFileError, Person, read_person
from services.pathway.knowledge.library import Library
from services.pathway.knowledge.stating import statements
from services.pathway.knowledge.urgent import judge_urgent
from services.pathway.rules import judge_rule
from services.pathway.satisfiable import Test, passing_values

_WAYS = 400
_TRIES = 60
_GIVEN = 8
_TARGETS: Mapping[str, tuple[bool, ...]] = {
    "applies": (False,),
    "does_not_apply": (True,),
    "cannot_be_decided": (True, False),
}


@dataclass(frozen=True, slots=True)
class Change:
    """Facts to set, by the names of a facts file, and the truth of the rule once they are set."""

    set: Mapping[str, Any]
    then: bool

    def plain(self) -> dict[str, Any]:
        """As printed: `{"set": {name: value}, "then": "true"}`."""
        return {"set": dict(self.set), "then": "true" if self.then else "false"}


def what_would_change(library: Library, rule: Rule, person: Person, at: datetime) -> list[Change]:
    """The smallest changes that lead to each other truth, those of one fact first; none without a condition."""
    if rule.condition is None:
        return []
    search = _Search(library, rule, rule.condition, person, at)
    return [change for wish in _TARGETS[search.truth_of(person)] for change in search.changes(wish=wish)]


@dataclass(frozen=True, slots=True)
class _Search:
    library: Library
    rule: Rule
    condition: Condition
    person: Person
    at: datetime

    def truth_of(self, person: Person) -> str:
        urgent = self.library.urgent
        if urgent is not None and self.library.is_urgent(self.rule):
            judged = judge_urgent(urgent, person.picture)
            return next(one.truth for one in judged if one.rule_id == self.rule.rule_id)
        return judge_rule(self.library.guideline, self.rule.rule_id, person.picture).truth

    def changes(self, *, wish: bool) -> list[Change]:
        """The changes that lead to the truth wished for, each tried out."""
        found: list[Change] = []
        ways = sorted(dict.fromkeys(islice(self._ways(self.condition, wish=wish), _WAYS)), key=_facts_touched)
        if self._truth(self.condition) is None:  # what is missing comes first: it need not contradict what is known
            open_ways = [way for way in ways if all(self._truth(test) is None for test, _ in way)]
            ways = open_ways or ways
        for way in ways:
            kept = next((c for c in islice(self._candidates(way), _TRIES) if self._keeps(c, wish=wish)), None)
            if kept is not None and all(kept != change.set for change in found):
                found.append(Change(kept, wish))
            if len(found) == _GIVEN:
                break
        return found

    def _keeps(self, change: Mapping[str, Any], *, wish: bool) -> bool:
        try:
            changed = read_person({**self.person.written, **change}, self.library.dictionary, self.at)
        except FactFileError:
            return False
        return self.truth_of(changed) == ("applies" if wish else "does_not_apply")

    def _ways(self, condition: Condition, *, wish: bool) -> Iterator[tuple[Test, ...]]:
        """Each set of tests that would have to come out otherwise; the empty one if nothing has to."""
        if self._truth(condition) is wish:
            yield ()
        elif isinstance(condition, Negated):
            yield from self._ways(condition.part, wish=not wish)
        elif isinstance(condition, Among | Compare):
            yield ((condition, wish),)
        elif isinstance(condition, Every) is wish:
            for parts in product(*(tuple(islice(self._ways(p, wish=wish), _WAYS)) for p in condition.parts)):
                yield tuple(dict.fromkeys(test for part in parts for test in part))
        else:
            for part in condition.parts:
                yield from self._ways(part, wish=wish)

    def _truth(self, condition: Condition) -> bool | None:
        return compile_condition(condition, self.library.dictionary)(self.person.picture.values)[0]

    def _candidates(self, way: Iterable[Test]) -> Iterator[dict[str, Any]]:
        """Statements of facts that would pass all tests of a way; first without, then with taking others back."""
        by_fact: dict[str, list[Test]] = {}
        for test in way:
            by_fact.setdefault(test[0].fact, []).append(test)
        facts = self.library.dictionary.facts
        wanted = [(name, passing_values(facts[name], tests, self.condition)) for name, tests in by_fact.items()]
        for change in self._stated(wanted, {}):
            yield change
            if taken_back := self._contradicted(change):
                yield {**taken_back, **change}

    def _stated(self, wanted: list[tuple[str, list[Scalar]]], so_far: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Each fact stated upon those before it, so that two facts counted from lines of treatment add up."""
        if not wanted:
            yield so_far
            return
        (name, values), *rest = wanted
        for value in values:
            for stated in statements(self.library.dictionary, {**self.person.written, **so_far}, name, value):
                yield from self._stated(rest, {**so_far, **stated})

    def _contradicted(self, change: Mapping[str, Any]) -> dict[str, None]:
        """Derived facts that were stated as well, and would contradict the facts that change."""
        facts = self.library.dictionary.facts
        touched = {"prior_therapy" if name == "prior_therapies" else name for name in change}
        stated = [name for name in self.person.written if name in facts and name not in change]
        derived = [(name, how) for name in stated if (how := facts[name].derived) is not None]
        return {name: None for name, how in derived if touched.intersection(how.inputs)}


def _facts_touched(way: tuple[Test, ...]) -> int:
    return len({test[0].fact for test in way})

"""Does everybody for whom systemic treatment is to be decided get an answer, and which options apply together? Pure.

The facts are enumerated in two steps: first those that the decision and the receptors rest on, then, for each of
these, the facts on which the options still depend. These fall into groups that share no fact, so that every
combination of all facts is covered while only the combinations within a group are tried. Numbers of combinations are
exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, product
from math import prod

from services.pathway.conditions import Check, compile_condition
from services.pathway.dictionary import Dictionary, Value
from services.pathway.knowledge.verify_space import (
    Histories,
    Open,
    Space,
    assignments,
    histories,
    joined,
    leftover,
    size,
    space_of,
)
from services.pathway.knowledge.verify_subject import Silence, Subject

Values = dict[str, Value]
Way = tuple[tuple[str, Value], ...]
"""The values, of the facts that explained gaps read, in one way in which no option of a group applies."""
OUTCOMES = ("option", "question", "decision", "none due")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two options that apply together, and facts with which they do."""

    one: str
    other: str
    example: Mapping[str, Value]


@dataclass
class Answers:
    """What became of every combination, and the named facts that questions are about."""

    outcomes: dict[tuple[str, ...], Counter[str]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    unnamed: set[str] = field(default_factory=set)
    tried: int = 0

    @property
    def total(self) -> Counter[str]:
        """All combinations by outcome."""
        return sum(self.outcomes.values(), Counter())


@dataclass
class People:
    """What holds of people of whom everything is known, with histories that somebody could have."""

    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)
    silent: Counter[str] = field(default_factory=Counter)
    unexplained: list[Values] = field(default_factory=list)
    count: int = 0
    tried: int = 0


@dataclass(frozen=True)
class Enumeration:
    """The facts that the options of a decision read, and how they are enumerated."""

    subject: Subject

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The options, and the decision itself first."""
        decision = self.subject.decision
        return ((decision.number,) if decision else ()) + self.subject.options

    @cached_property
    def space(self) -> Space:
        """The values to try of every fact that the decision, its options and the explained gaps read."""
        conditions = [self.subject.rules[number][1] for number in self.numbers]
        gaps = [gap.when for gap in self.subject.explanations.gaps]
        return space_of([*conditions, *gaps], self.subject.guideline.dictionary)

    @cached_property
    def first(self) -> tuple[str, ...]:
        """The facts of the first step: those of the decision, and the receptors."""
        facts = self.subject.guideline.dictionary.facts
        decisive = space_of([self.subject.rules[self.numbers[0]][1]], self.subject.guideline.dictionary)
        return tuple(name for name in self.space if name in decisive or facts[name].per_specimen)

    @cached_property
    def receptors(self) -> tuple[str, ...]:
        """The facts of the first step that belong to a specimen."""
        facts = self.subject.guideline.dictionary.facts
        return tuple(name for name in self.first if facts[name].per_specimen)

    @cached_property
    def histories(self) -> Histories:
        """What real histories can say."""
        return histories(self.space, self.subject.guideline.dictionary)

    def combinations(self) -> int:
        """How many combinations of all facts there are, unknown among the values."""
        return size(self.space, self.space)

    def answers(self) -> Answers:
        """Give every combination its outcome, unknown being a value like another."""
        found = Answers()
        rest = [name for name in self.space if name not in self.first]
        lefts = self._leftovers(frozenset(rest))
        for chosen in assignments(self.space, self.first):
            left = {number: check(chosen) for number, check in lefts.items()}
            key = tuple(str(chosen.get(name, "unknown")) for name in self.receptors)
            self._count(chosen, left, rest, found, found.outcomes.setdefault(key, Counter()))
        return found

    def _leftovers(self, free: frozenset[str]) -> dict[str, Callable[[Mapping[str, Value]], Open]]:
        dictionary = self.subject.guideline.dictionary
        return {number: leftover(self.subject.rules[number][1], dictionary, free) for number in self.subject.options}

    def _count(
        self, chosen: Values, left: Mapping[str, Open], rest: Iterable[str], found: Answers, outcomes: Counter[str]
    ) -> None:
        groups = joined({number: facts for number, facts in left.items() if isinstance(facts, frozenset)})
        settled = [truth for truth in left.values() if not isinstance(truth, frozenset)]
        grouped = {name for _, facts in groups for name in facts}
        others = size(self.space, (name for name in rest if name not in grouped))
        none_true = all_false = 1
        for numbers, facts in groups:
            without, false = self._try(numbers, facts, chosen, found)
            none_true *= without
            all_false *= false
        total = others * prod(size(self.space, facts) for _, facts in groups)
        none_true = 0 if True in settled else others * none_true
        all_false = 0 if True in settled or None in settled else others * all_false
        truth = self.subject.checks[self.numbers[0]](chosen)[0]
        ending = {True: "decision", False: "none due", None: "question"}[truth]
        outcomes.update({"option": total - none_true, "question": none_true - all_false})
        outcomes[ending] += all_false

    def _try(self, numbers: Iterable[str], facts: tuple[str, ...], chosen: Values, found: Answers) -> tuple[int, int]:
        """How many combinations of these facts make none of these options apply, and how many rule all of them out."""
        checks = [(number, self.subject.checks[number]) for number in numbers]
        without = false = 0
        for local in assignments(self.space, facts):
            truths = set()
            for number, check in checks:
                truth, _, missing = check(chosen | local)
                truths.add(truth)
                found.asked.update(missing if truth is None else ())
                if truth is None and not missing:
                    found.unnamed.add(number)
            found.tried += 1
            without += True not in truths
            false += truths == {False}
        return without, false

    def people(self) -> People:
        """Look at everybody of whom everything is known and for whom the decision is due."""
        found = People()
        rest = [name for name in self.space if name not in self.first and name not in self.histories.names]
        lefts = self._leftovers(frozenset(name for name in self.space if name not in self.first))
        narrow = self._leftovers(frozenset(rest))
        named = {name for gap in self.subject.explanations.gaps for name in space_of([gap.when], self._dictionary)}
        for chosen in assignments(self.space, self.first, unknown=False):
            if self.subject.checks[self.numbers[0]](chosen)[0] is not True:
                continue
            still = [facts for check in lefts.values() if isinstance(facts := check(chosen), frozenset)]
            for history in self.histories.of(named.union(*still)):
                known = chosen | history
                self._look(known, {number: check(known) for number, check in narrow.items()}, rest, found)
        return found

    @property
    def _dictionary(self) -> Dictionary:
        return self.subject.guideline.dictionary

    def _look(self, known: Values, left: Mapping[str, Open], rest: list[str], found: People) -> None:
        groups = joined({number: facts for number, facts in left.items() if isinstance(facts, frozenset)})
        sure: list[dict[str, Values]] = [{number: {} for number, truth in left.items() if truth is True}]
        silent: list[Counter[Way]] = [] if sure[0] else [Counter({(): 1})]
        loose = [name for name in rest if name not in {name for _, facts in groups for name in facts}]
        for numbers, facts in [*groups, *(((), (name,)) for name in loose)]:
            applying, none = self._locals(numbers, facts, known, found)
            sure.append(applying)
            silent.append(none)
        for one, other in combinations(sure, 2):
            for (a, with_a), (b, with_b) in product(one.items(), other.items()):
                _keep(found, a, b, known | with_a | with_b)
        for a, b in combinations(sure[0], 2):
            _keep(found, a, b, known)
        found.count += size(self.space, rest, unknown=False)
        if not sure[0]:
            self._explain(known, silent, found)

    def _locals(
        self, numbers: tuple[str, ...], facts: tuple[str, ...], known: Values, found: People
    ) -> tuple[dict[str, Values], Counter[Way]]:
        """The options of a group that can apply, each with facts; and the ways in which none of them does."""
        applying: dict[str, Values] = {}
        none: Counter[Way] = Counter()
        for local in assignments(self.space, facts, unknown=False):
            true = [number for number in numbers if self.subject.checks[number](known | local)[0] is True]
            found.tried += bool(numbers)
            for number in true:
                applying.setdefault(number, local)
            for one, other in combinations(true, 2):
                _keep(found, one, other, known | local)
            if not true:
                none[tuple((name, local[name]) for name in facts if name in self._read_by_gaps)] += 1
        return applying, none

    @cached_property
    def _read_by_gaps(self) -> frozenset[str]:
        return frozenset(
            name for gap in self.subject.explanations.gaps for name in space_of([gap.when], self._dictionary)
        )

    def _explain(self, known: Values, silent: list[Counter[Way]], found: People) -> None:
        for ways in product(*(counter.items() for counter in silent)):
            values = known | {name: value for told, _ in ways for name, value in told}
            count = prod(number for _, number in ways)
            gap = next((gap for gap, check in self._gaps if check(values)[0] is True), None)
            if gap is None:
                found.unexplained.append(values)
            else:
                found.silent[gap.gap] += count

    @cached_property
    def _gaps(self) -> list[tuple[Silence, Check]]:
        return [(gap, compile_condition(gap.when, self._dictionary)) for gap in self.subject.explanations.gaps]


def _keep(found: People, one: str, other: str, example: Values) -> None:
    key = (one, other) if _order(one) <= _order(other) else (other, one)
    found.pairs.setdefault(key, Pair(*key, example))


def _order(number: str) -> list[int | str]:
    return [int(part) if part.isdigit() else part for part in number.split(".")]


def pairs_in_order(people: People) -> Iterator[Pair]:
    """The pairs by their numbers."""
    for key in sorted(people.pairs, key=lambda key: (_order(key[0]), _order(key[1]))):
        yield people.pairs[key]

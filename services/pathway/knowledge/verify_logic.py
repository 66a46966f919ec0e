"""Each condition by itself: can it come out every way, and does learning more ever take an answer back? Pure.

Small conditions are tried with every combination of values that their tests tell apart, unknown among them; a larger
one with a seeded sample. What no history and no table of the dictionary can give is left out where a rule is called
dead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from random import Random

from services.pathway.conditions import Check, Condition, Every, Negated, Some, compile_condition
from services.pathway.dictionary import Dictionary, Value
from services.pathway.guideline import Guideline
from services.pathway.knowledge.factfile import FactFileError, Person, read_person
from services.pathway.knowledge.verify_space import Histories, Space, histories, size, space_of
from services.pathway.knowledge.verify_subject import Finding, Subject, told
from services.pathway.rules import judge

EXHAUSTIVE = 60_000
SAMPLE = 4_000
_SHUFFLES = 3
_SHUFFLED_FACTS = 200
_TRUTHS = {True: "applies", False: "does_not_apply", None: "cannot_be_decided"}
Key = tuple[Value | None, ...]


@dataclass
class Logic:
    """What was tried, and what was found."""

    findings: list[Finding]
    exhaustive: int = 0
    sampled: int = 0
    combinations: int = 0
    steps: int = 0
    shuffled: int = 0
    beside: int = 0


def check_logic(subject: Subject, only: Collection[str] = ()) -> Logic:
    """Dead rules, and rules that take an answer back: all numbers, urgent rules and appraisals, or `only` some."""
    found = Logic([])
    for number, (rule, condition) in subject.rules.items():
        if only and number not in only:
            continue
        _check_one(found, _Table(subject.guideline.dictionary, number, condition, subject.replaced.get(rule.rule_id)))
    for name, condition in () if only else _beside(subject):
        _check_one(found, _Table(subject.guideline.dictionary, name, condition))
        found.beside += 1
    return found


def _check_one(found: Logic, table: _Table) -> None:
    found.exhaustive += table.exhaustive
    found.sampled += not table.exhaustive
    found.combinations += len(table.truths)
    found.findings += table.dead()
    found.steps += table.take_backs(found.findings)
    found.shuffled += table.reordered(found.findings)


def _beside(subject: Subject) -> Iterator[tuple[str, Condition]]:
    """The conditions of the urgent rules and of the appraisals."""
    urgent, table = subject.library.urgent, subject.library.appraisals
    for rule in urgent.rules if urgent else ():
        if rule.condition is not None:
            yield rule.number, rule.condition
    for row in table.appraisals if table else ():
        if row.when is not None:
            yield f"{row.ta} ({row.drug})", row.when


@dataclass(frozen=True)
class _Table:
    """The truth of one number for combinations of values of the facts that it reads."""

    dictionary: Dictionary
    number: str
    condition: Condition
    replaced: Check | None = None

    @cached_property
    def check(self) -> Check:
        return self.replaced or compile_condition(self.condition, self.dictionary)

    @cached_property
    def space(self) -> Space:
        return space_of([self.condition], self.dictionary)

    @cached_property
    def exhaustive(self) -> bool:
        return size(self.space, self.space) <= EXHAUSTIVE

    @cached_property
    def truths(self) -> dict[Key, bool | None]:
        check = self.check
        values = list(self.space.values())
        if self.exhaustive:
            keys: Sequence[Key] = list(product(*values))
        else:
            random = Random(self.number)  # noqa: S311 - the same sample every time
            keys = [tuple(random.choice(of) for of in values) for _ in range(SAMPLE)]
        return {key: check(self.named(key))[0] for key in keys}

    def named(self, key: Key) -> dict[str, Value]:
        """The values by name; an unknown one is left out."""
        return {name: value for name, value in zip(self.space, key, strict=True) if value is not None}

    def dead(self) -> list[Finding]:
        """A finding for every truth that nobody's facts lead to; a sample cannot tell."""
        if not self.exhaustive:
            return []
        possible = _Possible.of(self.space, self.dictionary)
        reached = set()
        for key, truth in self.truths.items():
            if truth not in reached and possible.allows(self.named(key)):
                reached.add(truth)
        words = {True: "apply", False: "not apply", None: "be undecided"}
        return [
            Finding("dead", (self.number,), f"{self.number} is dead: no facts that a person could have make it {word}.")
            for truth, word in words.items()
            if truth not in reached
        ]

    def take_backs(self, findings: list[Finding]) -> int:
        """Fill in each unknown fact of each decided combination; the answer must stay. Returns how many were tried."""
        check = self.check
        tried = 0
        names = list(self.space)
        for key, truth in self.truths.items():
            if truth is None:
                continue
            for place, value in enumerate(key):
                for stated in self._known(names[place]) if value is None else ():
                    filled = (*key[:place], stated, *key[place + 1 :])
                    tried += 1
                    after = self.truths[filled] if filled in self.truths else check(self.named(filled))[0]
                    if after is not truth:
                        findings.append(self._taken_back(key, names[place], stated))
                        return tried
        return tried

    def _known(self, name: str) -> list[Value]:
        return [value for value in self.space[name] if value is not None]

    def _taken_back(self, key: Key, name: str, stated: Value) -> Finding:
        given = told(self.named(key)) or "nothing known"
        text = (
            f"{self.number} is nonmonotone: with {given} it is decided although {name} is not known, and "
            f"{told({name: stated})} changes the answer. Unknown was taken for a value."
        )
        return Finding("nonmonotone", (self.number,), text)

    def reordered(self, findings: list[Finding]) -> int:
        """Judge with the parts of every `all` and `any` in another order: truth and missing facts must stay."""
        random = Random(self.number)  # noqa: S311 - the same order every time
        keys = list(self.truths)
        chosen = keys if len(keys) <= _SHUFFLED_FACTS else random.sample(keys, _SHUFFLED_FACTS)
        check = compile_condition(self.condition, self.dictionary)
        for _ in range(_SHUFFLES):
            other = compile_condition(_shuffled(self.condition, random), self.dictionary)
            for key in chosen:
                before, after = check(self.named(key)), other(self.named(key))
                if before[0] is not after[0] or (before[0] is None and set(before[2]) != set(after[2])):
                    text = f"{self.number} depends on the order in which its conditions are written."
                    findings.append(Finding("order", (self.number,), text))
                    return len(chosen)
        return _SHUFFLES * len(chosen)


@dataclass(frozen=True)
class _Possible:
    """Whether real histories and real test results can give some values together."""

    histories: Histories
    results: tuple[Mapping[str, Value], ...]

    @classmethod
    def of(cls, space: Space, dictionary: Dictionary) -> _Possible:
        """For the facts of a space."""
        return cls(histories(space, dictionary), tuple(_results(space, dictionary)))

    @cached_property
    def _told(self) -> list[dict[str, Value]]:
        return self.histories.of(self.histories.names)

    def allows(self, values: Mapping[str, Value]) -> bool:
        """Whether somebody could have these values."""
        return all(
            not told or any(all(values.get(name, value) == value for name, value in one.items()) for one in told)
            for told in (self._told, self.results)
        )


def _results(space: Space, dictionary: Dictionary) -> list[dict[str, Value]]:
    """What combinations of base results give the facts of a space that follow from tables."""
    derived = {name: how for name in space if (how := dictionary.facts[name].derived) and how.table}
    bases = dict.fromkeys(name for how in derived.values() for name in how.inputs if not dictionary.facts[name].derived)
    found = []
    for chosen in product(*(dictionary.facts[name].values for name in bases)) if derived else ():
        known: dict[str, Value] = dict(zip(bases, chosen, strict=True))
        for _ in derived:
            for name, how in derived.items():
                row = next((r for r in how.table if all(known.get(n) == v for n, v in r.when.items())), None)
                known |= {name: row.value} if row else {}
        found.append({name: known[name] for name in derived if name in known})
    return [dict(one) for one in dict.fromkeys(tuple(told.items()) for told in found if len(told) == len(derived))]


def possible_together(conditions: Sequence[Condition], dictionary: Dictionary) -> tuple[Space, _Possible]:
    """The values to try of several conditions at once, and what of them a person could have."""
    space = space_of(conditions, dictionary)
    return space, _Possible.of(space, dictionary)


def _shuffled(condition: Condition, random: Random) -> Condition:
    if isinstance(condition, Negated):
        return Negated(_shuffled(condition.part, random))
    if isinstance(condition, Every | Some):
        parts = [_shuffled(part, random) for part in condition.parts]
        random.shuffle(parts)
        return replace(condition, parts=tuple(parts))
    return condition


def check_order(subject: Subject, people: Sequence[Person]) -> tuple[int, list[Finding]]:
    """Judge people as they are, with the rules in another order, and with their facts in another order."""
    guideline = subject.guideline
    turned = replace(guideline, rules=tuple(reversed(guideline.rules)))
    random = Random(guideline.version)  # noqa: S311 - the same order every time
    wrong: dict[str, None] = {}
    compared = 0
    for person in people:
        expected = _answers(guideline, person)
        for number, check in subject.checks.items():
            if expected[number][0] != _TRUTHS[check(person.picture.values)[0]] and not subject.replaced:
                return compared, [Finding("truth", (number,), f"{number} is judged otherwise than its condition says.")]
        names = list(person.written)
        random.shuffle(names)
        shuffled = {name: person.written[name] for name in names}
        try:
            again = read_person(shuffled, guideline.dictionary, person.picture.as_of)
        except FactFileError as error:
            return compared, [Finding("order", (), f"the same facts in another order are refused: {error}")]
        for other in (_answers(turned, person), _answers(guideline, again)):
            compared += len(other)
            wrong |= {number: None for number, answer in other.items() if expected[number] != answer}
    return compared, [
        Finding("order", (number,), f"{number} depends on the order of the facts or of the rules.") for number in wrong
    ]


def _answers(guideline: Guideline, person: Person) -> dict[str, tuple[str, frozenset[str]]]:
    return {one.number: (one.truth, frozenset(one.missing)) for one in judge(guideline, person.picture)}

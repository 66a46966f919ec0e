"""The function written for a whole guideline answers what each condition answers alone."""

from __future__ import annotations

from math import inf
from random import Random

import pytest

from services.pathway.conditions import (
    Among,
    Compare,
    Condition,
    Every,
    Negated,
    Some,
    at_least,
    at_most,
    compile_condition,
)
from services.pathway.dictionary import Value
from services.pathway.generated import compile_all
from services.pathway.guideline import Guideline, load_guideline
from tests.unit.knowledge.asking import GUIDELINES

VALUES: dict[str, list[Value]] = {
    "disease_extent": ["metastatic", "early", "suspected_metastatic"],
    "er_status": ["positive", "negative"],
    "her2_status": ["positive", "negative"],
    "chemo_indicated": [True, False],
    "n_adv": [0, 1, 2, 3.5, "many"],
    "pd_l1_cps": [9.9, 10, True],
}


@pytest.fixture(scope="module")
def cg81() -> Guideline:
    return load_guideline(GUIDELINES, "cg81", "2026-06-30")


def some_condition(random: Random, depth: int) -> Condition:
    kind = random.choice(["test", "test", "not", "all", "any"]) if depth else "test"
    if kind == "not":
        return Negated(some_condition(random, depth - 1))
    if kind in {"all", "any"}:
        parts = tuple(some_condition(random, depth - 1) for _ in range(random.randrange(1, 5)))
        return Every(parts) if kind == "all" else Some(parts)
    name = random.choice(list(VALUES))
    if name in {"n_adv", "pd_l1_cps"}:
        return Compare(
            name, random.choice(["at_least", "at_most", "more_than", "less_than"]), random.choice([1, 2, 10])
        )
    wanted = [value for value in VALUES[name] if isinstance(value, bool | str)]
    return Among(name, tuple(random.sample(wanted, random.randrange(1, len(wanted)))))


def test_together_and_alone_they_answer_the_same(cg81: Guideline) -> None:
    random = Random(11)
    written = [rule.condition for rule in cg81.rules if rule.condition is not None]
    conditions = written + [some_condition(random, 4) for _ in range(300)]
    alone = [compile_condition(condition, cg81.dictionary) for condition in conditions]
    together, seen = compile_all(conditions, cg81.dictionary), set()
    for _ in range(200):
        values = {name: random.choice(found) for name, found in VALUES.items() if random.random() < 0.7}
        if "n_adv" not in values and random.random() < 0.7:  # known in part
            least = random.choice([0, 1, 2])
            values |= {at_least("n_adv"): least, at_most("n_adv"): random.choice([least, 2, 9, inf])}
        outcomes = together(values)
        assert outcomes == tuple(check(values) for check in alone)
        seen |= {truth for truth, _, _ in outcomes}
    assert seen == {True, False, None}


def test_no_word_of_a_file_becomes_code(cg81: Guideline) -> None:
    name = 'er_status"); raise SystemExit #'
    facts = {name: cg81.dictionary.facts["er_status"]}
    dictionary = type(cg81.dictionary)(facts, (), (), ())
    check_all = compile_all([Among(name, ("it's\n",))], dictionary)
    assert check_all({name: "it's\n"}) == ((True, (name,), ()),)
    assert compile_all([], dictionary)({}) == ()

"""The synthetic worked examples of CG81@2026-06-30 and their what-ifs, for the numbers that are encoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.pathway.dictionary import Therapy
from services.pathway.facts import current
from services.pathway.guideline import Guideline
from tests.unit.pathway.person import Person

BOOK = yaml.safe_load((Path(__file__).parent / "cg81_examples.yaml").read_text())
EXAMPLES = {example["id"]: example for example in BOOK["examples"]}
TRUTHS = {"fires": "applies", "must_not": "does_not_apply"}


def person_with(guideline: Guideline, values: dict[str, Any]) -> Person:
    person = Person(guideline)
    lines = values["prior_therapies"]
    if not lines:
        person.state(prior_therapies_none=True)
    for number, line in enumerate(lines):
        fields = {**line, "agents": tuple(line["agents"]), "classes": tuple(line["classes"])}
        person.state(subject=f"line-{number}", prior_therapy=Therapy(**fields))
    # The examples state her2_low apart from her2_status; a default is not a fact that anybody reported.
    stated = {name: value for name, value in values.items() if name not in {"prior_therapies", "her2_low"}}
    return person.state(**stated)


def verdicts(person: Person) -> dict[str, tuple[str, set[str]]]:
    return {judgement.number: (judgement.truth, set(judgement.missing)) for judgement in person.judgements()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(guideline: Guideline, name: str) -> None:
    example = EXAMPLES[name]
    person = person_with(guideline, {**BOOK["defaults"], **example["facts"]})
    found = verdicts(person)
    expected: dict[str, tuple[str, set[str]]] = {
        number: (truth, set()) for key, truth in TRUTHS.items() for number in example[key]
    }
    expected |= {number: ("cannot_be_decided", set(names)) for number, names in example["unknown_until"].items()}
    assert found == {number: expected[number] for number in found}
    values = current(person.facts, guideline.dictionary, person.now).values
    assert example["derived"] == {key: values[key] for key in example["derived"]}


@pytest.mark.parametrize(
    ("name", "index"),
    [(name, index) for name, each in EXAMPLES.items() for index in range(len(each["what_if"]))],
)
def test_what_if(guideline: Guideline, name: str, index: int) -> None:
    example, change = EXAMPLES[name], EXAMPLES[name]["what_if"][index]
    facts = {**BOOK["defaults"], **example["facts"]}
    found = verdicts(person_with(guideline, {**facts, **change["change"]}))
    fires = (set(example["fires"]) | set(change["newly_fires"])) - set(change["no_longer_fires"])
    assert {number for number, (truth, _) in found.items() if truth == "applies"} == fires & set(found)
    unknown = {number: missing for number, (truth, missing) in found.items() if truth == "cannot_be_decided"}
    expected = {number: set(names) for number, names in change["now_unknown"].items()}
    assert unknown == {number: names for number, names in expected.items() if number in found}

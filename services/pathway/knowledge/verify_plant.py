"""Faults planted in memory, to see that verification finds them: a verifier that finds nothing proves nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from services.pathway.conditions import Among, Check, Every, Negated, compile_condition
from services.pathway.dictionary import Value
from services.pathway.guideline import Rule
from services.pathway.knowledge.verify_options import Enumeration
from services.pathway.knowledge.verify_space import tests_in
from services.pathway.knowledge.verify_subject import Subject

PLANTS = ("gap", "overlap", "dead", "nonmonotone")


class PlantError(ValueError):
    """A fault that cannot be planted; the message says why."""


def planted(subject: Subject, kind: str) -> tuple[Subject, str]:
    """The subject with a fault, and what was done. Raises PlantError."""
    if kind not in PLANTS:
        raise PlantError(f"'{kind}' cannot be planted; choose one of {', '.join(PLANTS)}.")
    if not subject.options:
        name = f"{subject.guideline.guideline_id}@{subject.guideline.version}"
        raise PlantError(f"{name} has no decision with options in verification.yaml to plant a fault in.")
    return {"gap": _gap, "overlap": _overlap, "dead": _dead, "nonmonotone": _nonmonotone}[kind](subject)


def _gap(subject: Subject) -> tuple[Subject, str]:
    """Take out the first option without which somebody is left with nothing that is explained."""
    before = len(Enumeration(subject).people().unexplained)
    for number in subject.options:
        without = _with_rules(subject, [rule for rule in subject.guideline.rules if rule.number != number])
        if len(Enumeration(without).people().unexplained) > before:
            return without, f"{number} was taken out."
    raise PlantError("no option can be missed: each is covered by another, so no gap can be planted.")


def _overlap(subject: Subject) -> tuple[Subject, str]:
    """Add a rule for the same people as the first option, of another meaning."""
    rule = subject.rules[subject.options[0]][0]
    section, _, last = subject.options[-1].rpartition(".")
    number = f"{section}.{int(last) + 1}"
    other = replace(rule, rule_id=f"{rule.rule_id}-planted", number=number, title="Planted", options=())
    return _with_rules(
        subject, [*subject.guideline.rules, other]
    ), f"{number} was added, for the people of {rule.number}."


def _dead(subject: Subject) -> tuple[Subject, str]:
    """Give the first option a condition that contradicts itself."""
    rule, condition = subject.rules[subject.options[0]]
    never = replace(rule, when=Every((condition, Negated(condition))))
    rules = [never if other is rule else other for other in subject.guideline.rules]
    return _with_rules(subject, rules), f"{rule.number} was given a condition that contradicts itself."


def _nonmonotone(subject: Subject) -> tuple[Subject, str]:
    """Let a rule that asks for a no take unknown for a no."""
    for number in (*subject.options, *subject.rules):
        rule, condition = subject.rules[number]
        asked = [test.fact for test in tests_in(condition) if isinstance(test, Among) and test.values == (False,)]
        if asked:
            wrong = _taking_unknown_for_no(compile_condition(condition, subject.guideline.dictionary), asked[0])
            replaced = {**subject.replaced, rule.rule_id: wrong}
            return replace(subject, replaced=replaced), f"{number} now takes unknown {asked[0]} for a no."
    raise PlantError("no rule asks for a no, so none can take unknown for one.")


def _taking_unknown_for_no(check: Check, name: str) -> Check:
    def judged(values: Mapping[str, Value]) -> tuple[bool | None, tuple[str, ...], tuple[str, ...]]:
        return check({name: False, **values})

    return judged


def _with_rules(subject: Subject, rules: list[Rule]) -> Subject:
    guideline = replace(subject.guideline, rules=tuple(rules))
    return Subject(replace(subject.library, guideline=guideline), subject.explanations, subject.replaced)

"""A guideline version verified: what was tried, what was found, and what nobody has explained. Pure.

No finding means: every combination of the facts that choose systemic treatment ends in an option, a question for a
named fact or the decision itself; what applies together or looks like a contradiction is explained; no rule is dead;
learning more never takes an answer back; neither the order of facts nor of rules matters; every number has examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.pathway.dictionary import Value
from services.pathway.knowledge.verify_conflicts import Conflict, Overlap, conflicts, overlaps
from services.pathway.knowledge.verify_examples import Example, check_examples
from services.pathway.knowledge.verify_logic import Logic, check_logic, check_order
from services.pathway.knowledge.verify_options import Answers, Enumeration, People, pairs_in_order
from services.pathway.knowledge.verify_silence import Left, look_behind
from services.pathway.knowledge.verify_subject import Finding, Subject, told
from services.pathway.knowledge.verify_trace import Trace, check_numbers, trace


@dataclass(frozen=True, slots=True)
class Verification:
    """Everything that a verification saw; `answers` and `people` are None without a decision that has options."""

    subject: Subject
    findings: tuple[Finding, ...]
    enumeration: Enumeration | None
    answers: Answers | None
    people: People | None
    overlaps: tuple[Overlap, ...]
    conflicts: tuple[Conflict, ...]
    silences: tuple[Left, ...]
    logic: Logic
    ordered: int
    examples: tuple[Example, ...]
    trace: Trace

    @property
    def passed(self) -> bool:
        """Whether nothing is left unexplained."""
        return not self.findings

    def counts(self) -> dict[str, int]:
        """The figures of the report."""
        guideline = self.subject.guideline
        return {
            "recommendations": len(guideline.rules),
            "judged": len(self.subject.rules),
            "combinations": self.enumeration.combinations() if self.enumeration else 0,
            "combinations_tried": self.answers.tried if self.answers else 0,
            "people_fully_known": self.people.count if self.people else 0,
            "histories": len(self.enumeration.histories.values) if self.enumeration else 0,
            "overlaps": len(self.overlaps),
            "overlaps_unexplained": sum(one.explained is None for one in self.overlaps),
            "contradictions_looked_at": len(self.conflicts),
            "contradictions_possible": sum(one.example is not None for one in self.conflicts),
            "gaps_in_the_guidance": len(self.people.silent) if self.people else 0,
            "situations": len(self.silences),
            "situations_with_nothing_left": sum(left.nothing > 0 for left in self.silences),
            "conditions": self.logic.exhaustive + self.logic.sampled,
            "logic_combinations": self.logic.combinations,
            "monotonicity_steps": self.logic.steps,
            "order_comparisons": self.logic.shuffled + self.ordered,
            "examples": 3 * len(self.examples),
            "facts_read": sum(bool(numbers) for numbers in self.trace.numbers.values()),
            "facts_read_by_none": len(self.trace.unread),
            "findings": len(self.findings),
        }


def verify(subject: Subject) -> Verification:
    """Verify one version."""
    enumeration = Enumeration(subject) if subject.options else None
    answers = enumeration.answers() if enumeration else None
    people = enumeration.people() if enumeration else None
    found_overlaps, overlap_findings = overlaps(subject, pairs_in_order(people) if people else ())
    found_conflicts, conflict_findings = conflicts(subject)
    silences = look_behind(subject)
    logic = check_logic(subject)
    examples, example_findings = check_examples(subject)
    ordered, order_findings = check_order(subject, [person for example in examples for person in example.people])
    findings = [
        *([] if subject.explanations.written else [_nothing_written(subject)]),
        *check_numbers(subject),
        *(_answer_findings(subject, answers) if answers else ()),
        *(_gap_findings(subject, people) if people else ()),
        *overlap_findings,
        *conflict_findings,
        *_silence_findings(silences),
        *logic.findings,
        *example_findings,
        *order_findings,
    ]
    return Verification(
        subject=subject,
        findings=tuple(findings),
        enumeration=enumeration,
        answers=answers,
        people=people,
        overlaps=tuple(found_overlaps),
        conflicts=tuple(found_conflicts),
        silences=tuple(silences),
        logic=logic,
        ordered=ordered,
        examples=tuple(examples),
        trace=trace(subject),
    )


def _nothing_written(subject: Subject) -> Finding:
    name = f"{subject.guideline.guideline_id}@{subject.guideline.version}"
    text = f"verification.yaml says nothing of {name}: whether it is complete could not be looked at."
    return Finding("missing", (), text)


def _answer_findings(subject: Subject, answers: Answers) -> list[Finding]:
    """Questions without a named fact, and people left at a decision of which no word says how it is made."""
    facts = subject.guideline.dictionary.facts
    found = [
        Finding("question", (n,), f"{n} cannot be decided, and names no fact to ask for.") for n in answers.unnamed
    ]
    found += [
        Finding("question", (), f"{name} is asked for, but is no fact of the dictionary.")
        for name in sorted(answers.asked)
        if name not in facts
    ]
    if answers.total["decision"] and not subject.explanations.otherwise:
        text = "some combinations end at the decision itself, and `otherwise` does not say what then."
        found.append(Finding("gap", (subject.decision.number,) if subject.decision else (), text))
    return found


def _gap_findings(subject: Subject, people: People) -> list[Finding]:
    """People with nothing offered that nobody explained, told by their receptors; and stale explanations."""
    number = subject.decision.number if subject.decision else ""
    missing = [one.numbers[0] for one in check_numbers(subject) if one.numbers[0] not in subject.rules]
    groups: dict[str, list[Mapping[str, Value]]] = {}
    for values in people.unexplained:
        facts = subject.guideline.dictionary.facts
        key = told({name: value for name, value in values.items() if facts[name].per_specimen})
        groups.setdefault(key, []).append(values)
    found = [
        Finding(
            "gap",
            (*missing, number),
            f"a gap under {number}: with {key}, no option applies to {len(members)} kind(s) of people, and no gap of "
            f"the guidance explains it, for example with {told(members[0])}."
            + (f" Missing: {', '.join(missing)}." if missing else ""),
        )
        for key, members in groups.items()
    ]
    stale = [gap.gap for gap in subject.explanations.gaps if not people.silent[gap.gap]]
    return found + [Finding("stale", (number,), f"the gap '{gap}' is explained, but nobody is in it.") for gap in stale]


def _silence_findings(silences: Iterable[Left]) -> list[Finding]:
    return [
        Finding("stale", (), f"the situation '{left.situation.name}' is explained, but everybody in it has an option.")
        for left in silences
        if not left.nothing
    ]

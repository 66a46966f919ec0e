"""The verification as a page for people, and as plain data. Pure, and the same for the same data: no timings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.pathway.knowledge.verify import Verification
from services.pathway.knowledge.verify_conflicts import Conflict
from services.pathway.knowledge.verify_examples import Example
from services.pathway.knowledge.verify_options import OUTCOMES
from services.pathway.knowledge.verify_subject import told

FIGURES = {
    "recommendations": "numbered recommendations",
    "judged": "of them judged on a person's facts (the others say why not)",
    "combinations": "combinations of the facts that choose systemic treatment, each fact also *unknown*",
    "combinations_tried": "evaluations that cover them, as facts that no option joins are tried apart",
    "histories": "kinds of treatment history, as far as any option can tell them apart",
    "people_fully_known": "kinds of people of whom everything is known and for whom the decision is due",
    "gaps_in_the_guidance": "gaps in the guidance: people for whom no option is named",
    "situations_with_nothing_left": "situations in which an option is named but no appraisal behind it leaves a drug",
    "overlaps": "pairs of options that can apply together",
    "overlaps_unexplained": "of them without an explanation",
    "contradictions_looked_at": "recommendations that name what a guard bars",
    "contradictions_possible": "of them possible for one person, each explained",
    "conditions": "conditions looked at by themselves: numbers, urgent rules and appraisals",
    "logic_combinations": "combinations of facts tried condition by condition, for dead rules and monotonicity",
    "monotonicity_steps": "times an unknown fact was filled in under a decided rule",
    "order_comparisons": "judgements compared with the facts, the rules or the parts of a condition in another order",
    "examples": "examples judged: each number applying, not applying, undecided",
    "facts_read": "facts of the dictionary that some number reads",
    "facts_read_by_none": "facts that no number, urgent rule or appraisal reads",
    "findings": "findings that nothing explains",
}
_ENDINGS = {
    "option": "at least one option applies",
    "question": "a question for a named fact",
    "decision": "decide at the MDT",
    "none due": "no decision is due",
}


def page(seen: Verification) -> str:
    """Return the page in Markdown."""
    guideline = seen.subject.guideline
    name = f"{guideline.guideline_id.upper()} of {guideline.version}"
    parts = [
        f"# Verification of {name}\n",
        "This page is generated. After a change of the guideline data, write it again and read what changed:\n",
        "```sh\n.venv/bin/handrail guideline verify --report docs/guideline-verification.md\n```\n",
        (
            "Verified is what Handrail holds as data, against itself and against what `guidelines/verification.yaml` "
            "explains. That the data say what the guideline says is for a clinician to read: nobody has signed it off. "
            f"The guideline itself is at <{guideline.source}>. Content of the data: `{guideline.content_hash[:16]}`.\n"
        ),
        f"**{'No finding is left unexplained.' if seen.passed else 'There are findings.'}**\n",
        *(f"- {one.kind}: {one.text}\n" for one in seen.findings),
        "## Figures\n",
        _table(
            ("count", "of"), [(f"{count:,}", FIGURES[key]) for key, count in seen.counts().items() if key in FIGURES]
        ),
        *(_completeness(seen) if seen.enumeration else ()),
        *_together(seen),
        *_conflicts(seen.conflicts),
        *_logic(seen),
        *_examples(seen),
        *_trace(seen),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in lines) + "\n"


def _completeness(seen: Verification) -> list[str]:
    enumeration, answers = seen.enumeration, seen.answers
    if enumeration is None or answers is None:
        return []
    explanations = seen.subject.explanations
    facts = ", ".join(f"`{name}` ({len(values)})" for name, values in enumeration.space.items())
    known = {key: counts for key, counts in answers.outcomes.items() if "unknown" not in key}
    rows = [(", ".join(key), *(f"{counts[one]:,}" for one in OUTCOMES)) for key, counts in known.items()]
    rest = answers.total
    for counts in known.values():
        rest = rest - counts
    rows.append(("some receptor unknown", *(f"{rest[one]:,}" for one in OUTCOMES)))
    rows.append(("all", *(f"{answers.total[one]:,}" for one in OUTCOMES)))
    return [
        "## Nobody is left without an answer\n",
        (
            "Every combination ends in an option that applies, in a question for a named fact, or at the decision "
            f"itself: {explanations.otherwise} Where no decision on systemic treatment is due, none of this is asked. "
            "Counts of treatment are enumerated freely here, so that some combinations are of nobody.\n"
        ),
        f"Facts, and the values that any test can tell apart, unknown among them: {facts}.\n",
        _table((f"receptors ({', '.join(enumeration.receptors)})", *(_ENDINGS[one] for one in OUTCOMES)), rows),
        f"Questions are about {len(answers.asked)} facts; each is in the dictionary, with who supplies it.\n",
        *_gaps(seen),
    ]


def _gaps(seen: Verification) -> list[str]:
    people = seen.people
    gaps = seen.subject.explanations.gaps
    rows = [(gap.gap, f"{people.silent[gap.gap]:,}" if people else "", gap.why) for gap in gaps]
    parts = [
        "## Gaps in the guidance\n",
        (
            "Here the guideline names no option. Handrail says so, leaves it to the MDT, and fills nothing in. "
            "Kinds of people are those of whom everything is known, with a history that somebody could have; who is "
            "less known ends there only if everybody does whom they may turn out to be.\n"
        ),
        _table(("for whom", "kinds of people", "why"), rows),
    ]
    if seen.silences:
        behind = [
            (left.situation.name, f"{left.nothing} of {left.variants}", ", ".join(left.numbers), left.situation.why)
            for left in seen.silences
        ]
        parts += [
            "Here a number applies, but every appraisal behind it answers *not eligible*:\n",
            _table(("situation", "nothing left in", "numbers that apply all the same", "why"), behind),
        ]
    return parts


def _together(seen: Verification) -> list[str]:
    rows = []
    for one in seen.subject.explanations.together:
        pairs = [f"{o.pair.one} + {o.pair.other}" for o in seen.overlaps if o.explained == one]
        shown = pairs if len(pairs) <= _MOST_PAIRS else [*pairs[:_MOST_PAIRS], f"and {len(pairs) - _MOST_PAIRS} more"]
        rows.append((str(len(pairs)), ", ".join(shown), one.why))
    return ["## Options that can apply together\n", _table(("pairs", "numbers", "why"), rows)]


_MOST_PAIRS = 12


def _conflicts(found: Sequence[Conflict]) -> list[str]:
    rows = [
        (
            one.guard,
            one.barred,
            one.number,
            one.offered,
            "yes" if one.example else "no",
            one.explained.why if one.explained else "",
        )
        for one in found
    ]
    head = ("guard", "bars", "recommendation", "names", "for one person", "why this is no contradiction")
    return ["## Guards and recommendations that name the same\n", _table(head, rows)]


def _logic(seen: Verification) -> list[str]:
    logic = seen.logic
    wrong = {kind: sum(one.kind == kind for one in seen.findings) for kind in ("dead", "nonmonotone", "order")}
    return [
        "## Each condition by itself\n",
        (
            f"{logic.exhaustive} conditions were tried with every combination of values that their tests tell apart, "
            f"unknown among them, and {logic.sampled} with a seeded sample: {logic.combinations:,} combinations.\n"
        ),
        (
            f"- Dead rules, which nobody could have facts for to apply, not apply or stay open: {wrong['dead']}.\n"
            f"- Answers taken back in {logic.steps:,} steps, each filling in an unknown fact where the answer was "
            f"already decided: {wrong['nonmonotone']}.\n"
            f"- Answers that changed in {logic.shuffled + seen.ordered:,} judgements with facts, rules or the parts "
            f"of conditions in another order: {wrong['order']}.\n"
        ),
    ]


def _examples(seen: Verification) -> list[str]:
    rows = [(one.number, _facts(one.applies.written), _facts(one.changed), f"`{one.unknown}`") for one in seen.examples]
    others = [(rule.number, rule.no_condition) for rule in seen.subject.guideline.rules if rule.no_condition]
    parts = [
        "## An example for each number\n",
        (
            "Synthetic facts, made from the conditions and judged by the product; what is not named is not known. The "
            "second column changes some of the first, the third leaves one of the first out.\n"
        ),
        _table(("number", "applies with", "does not apply with", "cannot be decided without"), rows),
    ]
    return [*parts, "Not judged:\n", _table(("number", "why"), others)] if others else parts


def _facts(written: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {_value(value)}" for name, value in written.items())


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, Mapping):
        return " ".join(_value(one) for one in value.values())
    return "unknown" if value is None else str(value)


def _trace(seen: Verification) -> list[str]:
    trace = seen.trace
    rules = {rule.number: rule for rule in seen.subject.guideline.rules}
    by_number = [
        (
            number,
            rules[number].rule_id,
            ", ".join(names) or "none",
            ", ".join(trace.bases[number]),
            ", ".join(trace.considered[number]),
        )
        for number, names in trace.read.items()
    ]
    by_fact = [
        (name, ", ".join(numbers), ", ".join(trace.elsewhere.get(name, ())))
        for name, numbers in trace.numbers.items()
        if numbers or trace.elsewhere.get(name)
    ]
    return [
        "## From number to facts\n",
        _table(("number", "rule_id", "facts read", "these follow from", "looked at as well"), by_number),
        "## From fact to numbers\n",
        _table(("fact", "numbers", "urgent rules and appraisals"), by_fact),
        (
            f"Read by none of them ({len(trace.unread)}): {', '.join(trace.unread)}. They are shown, or belong to "
            "other guideline versions.\n"
        ),
    ]


def plain(seen: Verification) -> dict[str, Any]:
    """Return the verification as printed with --json."""
    guideline, trace = seen.subject.guideline, seen.trace
    people, answers = seen.people, seen.answers
    return {
        "guideline": guideline.guideline_id,
        "version": guideline.version,
        "content_hash": guideline.content_hash,
        "passed": seen.passed,
        "findings": [{"kind": one.kind, "numbers": list(one.numbers), "text": one.text} for one in seen.findings],
        "counts": seen.counts(),
        "outcomes": {one: answers.total[one] for one in OUTCOMES} if answers else {},
        "gaps": [
            {"gap": gap.gap, "kinds_of_people": people.silent[gap.gap] if people else 0, "why": gap.why}
            for gap in seen.subject.explanations.gaps
        ],
        "situations": [
            {
                "situation": left.situation.name,
                "variants": left.variants,
                "nothing_left": left.nothing,
                "why": left.situation.why,
            }
            for left in seen.silences
        ],
        "overlaps": [
            {
                "numbers": [one.pair.one, one.pair.other],
                "example": dict(one.pair.example),
                "why": one.explained.why if one.explained else None,
            }
            for one in seen.overlaps
        ],
        "contradictions": [_plain_conflict(one) for one in seen.conflicts],
        "examples": [_plain_example(one) for one in seen.examples],
        "numbers": {number: list(names) for number, names in trace.read.items()},
        "facts": {name: list(numbers) for name, numbers in trace.numbers.items()},
        "read_by_none": list(trace.unread),
    }


def _plain_conflict(one: Conflict) -> dict[str, Any]:
    return {
        "guard": one.guard,
        "number": one.number,
        "barred": one.barred,
        "offered": one.offered,
        "example": told(one.example),
        "why": one.explained.why if one.explained else None,
    }


def _plain_example(one: Example) -> dict[str, Any]:
    return {
        "number": one.number,
        "true": dict(one.applies.written),
        "false": dict(one.not_applying.written),
        "unknown": dict(one.undecided.written),
    }

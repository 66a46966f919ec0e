"""What can be wrong with an entry of the dictionary or with a rule, in one sentence; empty if nothing is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches

from services.pathway.dictionary import Derivation, Dictionary, DoseFilter, EventDef, FactDef, LineFilter, Scalar
from services.pathway.rule_types import Due, Rule
from services.pathway.saying import quoted

_TWO = 2


def problem_with_fact(fact: FactDef, dictionary: Dictionary) -> str:
    """What is wrong with a dictionary entry."""
    if fact.type == "code" and not fact.values:
        return "a code needs `values`"
    if missing := set(fact.undecided_values).difference(fact.values):
        return f"undecided_values has '{missing.pop()}', which is not one of its values"
    if fact.presumed is not None and (problem := dictionary.problem_with(fact.name, fact.presumed)):
        return f"presumed: {problem}"
    wrong = (dictionary.problem_with(fact.name, value) for value in fact.settles)
    if problem := next(filter(None, wrong), ""):
        return f"settles: {problem}"
    return _problem_with_derivation(fact, fact.derived, dictionary) if fact.derived else ""


def problem_with_contradiction(together: Mapping[str, Scalar], dictionary: Dictionary) -> str:
    """What is wrong with facts that are said never to hold together."""
    if len(together) < _TWO:
        return "facts that cannot hold together are two or more; list what contradicts what."
    problems = (dictionary.problem_with(name, value) for name, value in together.items())
    return next(filter(None, problems), "")


def _problem_with_derivation(fact: FactDef, derived: Derivation, dictionary: Dictionary) -> str:
    if len(derived.kinds) != 1:
        return "derived needs exactly one of table, count, had, longest, interval, last_dose, within, findings"
    for row in derived.table:
        for name, value in [*row.when.items(), (fact.name, row.value)]:
            if problem := dictionary.problem_with(name, value):
                return problem
    for name in derived.findings:
        if name not in dictionary.facts or dictionary.facts[name].type != "bool":
            return f"the finding '{name}' is not a yes-or-no fact of the dictionary{dictionary.nearest(name)}"
    if derived.within is not None and (problem := _problem_with_doses(derived.within, dictionary)):
        return problem
    return _problem_with_filter(derived.lines, dictionary) if derived.lines else ""


def _problem_with_doses(wanted: DoseFilter, dictionary: Dictionary) -> str:
    days = dictionary.facts.get(wanted.days)
    if days is None or days.derived is None or not days.derived.last_dose:
        return f"within.days names '{wanted.days}', which does not follow from the last dose"
    wrong = next((name for name in wanted.agents_any if name not in dictionary.agents), "")
    return f"'{wrong}' is no agent; correct it or add it to the vocabulary above" if wrong else ""


def _problem_with_filter(lines: LineFilter, dictionary: Dictionary) -> str:
    groups = [
        (
            (*lines.classes_any, *lines.classes_all),
            (*dictionary.classes, *dictionary.class_groups),
            "class of treatment",
        ),
        (lines.settings, dictionary.settings, "setting"),
        (lines.stop_reasons, dictionary.stop_reasons, "stop reason"),
        (lines.agents_any, tuple(dictionary.agents), "agent"),
    ]
    wrong = [(name, what) for names, known, what in groups for name in names if name not in known]
    inner = (_problem_with_filter(one, dictionary) for one in lines.but_not)
    if problem := next(filter(None, inner), ""):
        return f"but_not: {problem}"
    return f"'{wrong[0][0]}' is no {wrong[0][1]}; correct it or add it to the vocabulary above" if wrong else ""


def problem_with_rule(rule: Rule, rules: Sequence[Rule], dictionary: Dictionary, events: Mapping[str, EventDef]) -> str:
    """What is wrong with a rule among its fellows."""
    ids = [other.rule_id for other in rules]
    near = get_close_matches(rule.option_for, ids, cutoff=0.8) if rule.option_for not in {"", *ids} else []
    occurrence = (rule.occurrence.fact,) if rule.occurrence else ()
    unknown = [name for name in (*rule.considers, *occurrence) if name not in dictionary.facts]
    no_event = [name for name in rule.closes_with if name not in events]
    opens_items = rule.strength != "guard" and not rule.option_for and not rule.no_condition and not rule.opens_no_item
    supposed = rule.instead.supposing if rule.instead else {}
    wrong_supposed = [problem for name, value in supposed.items() if (problem := dictionary.problem_with(name, value))]
    pointed = [name for name in (rule.instead.rules if rule.instead else ()) if name not in ids]
    lost = [name for name in pointed if get_close_matches(name, ids, 1, 0.8)]
    unknown += [name for name in rule.background if name not in dictionary.facts]
    nobody = rule.ring not in {"", *dictionary.services}
    no_service = rule.refer_to not in {"", *dictionary.services}
    checks = [
        (ids.count(rule.rule_id) > 1, "this rule_id stands twice; a rule_id is permanent and unique"),
        ([r.number for r in rules].count(rule.number) > 1, "this number stands twice in one version"),
        ((rule.when is None) is (not rule.no_condition), "a rule has one of `when` and `no_condition` (the reason)"),
        (near, f"option_for names '{rule.option_for}', which is nearly but not quite '{''.join(near[:1])}'"),
        (unknown, f"the data dictionary does not have {', '.join(unknown)}{''.join(map(dictionary.nearest, unknown))}"),
        (no_event, f"closes_with names {', '.join(no_event)}, which events.yaml does not have"),
        (no_service, f"refer_to names '{rule.refer_to}'; the services are {', '.join(dictionary.services)}"),
        (nobody, f"ring names '{rule.ring}'; the services are {', '.join(dictionary.services)}"),
        (wrong_supposed, f"instead: {''.join(wrong_supposed[:1])}"),
        (lost, f"instead names {', '.join(lost)}, which is nearly but not quite a rule_id of this version"),
        (opens_items and not rule.due, "`due` is missing: what opens an item needs one"),
        (occurrence and not opens_items, "a guard or option takes no `occurrence`: an option has its parent's"),
    ]
    problems = [problem for wrong, problem in checks if wrong]
    dues = [due for due in (rule.due, rule.after_accept.due if rule.after_accept else None) if due]
    return next(iter([*problems, *filter(None, map(_problem_with_due, dues))]), "")


def _problem_with_due(due: Due) -> str:
    if (due.working_days is None) is (due.hours is None):
        return "a due time has one of working_days, hours"
    if (due.working_days or 0) < 0 or (due.hours or 0) < 0:
        return "a due time cannot be negative; write 0 for at once"
    return ""


def problem_with_date(text: str) -> str:
    """What is wrong with a date that stands in a file as text."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return f"{quoted(text)} is not a date; write it as YYYY-MM-DD, in quotes"
    return ""

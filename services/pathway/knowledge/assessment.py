"""What a guideline version says of one person, as plain data: truth, reasons, missing facts, verdicts, urgent rules.

`assess` gives what `handrail guideline evaluate --json` prints; `explain` one number in full. Both are pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from typing import Any

from services.pathway.dictionary import Value
from services.pathway.due_dates import london_date
from services.pathway.facts import Gap
from services.pathway.guideline import Rule
from services.pathway.knowledge.appraisals import Ruling, rule_on
from services.pathway.knowledge.factfile import Person, shown_name
from services.pathway.knowledge.library import Library
from services.pathway.knowledge.settling import what_would_change
from services.pathway.knowledge.shortfalls import shortfalls
from services.pathway.knowledge.standing import doubts
from services.pathway.knowledge.urgent import judge_urgent
from services.pathway.knowledge.what_to_do import what_to_do
from services.pathway.rules import Judgement, judge

TRUTHS = {"applies": "true", "does_not_apply": "false", "cannot_be_decided": "unknown"}
_WHY = {
    "conditions_met": "what the appraisal asks for is there",
    "conditions_not_met": "the person is not among those the appraisal is about",
    "not_recommended": "the appraisal does not recommend it",
    "failed_before": "it was given before and stopped for a reason that rules it out",
    "facts_missing": "facts are missing",
}


def assess(library: Library, person: Person, at: datetime) -> dict[str, Any]:
    """Return `{guideline, version, at, recommendations: [...], urgent: [...], facts: [...]}` for one person."""
    guideline = library.guideline
    judged = judge(guideline, person.picture)
    urgent = judge_urgent(library.urgent, person.picture) if library.urgent else []
    open_, day = _left_open(library, person), london_date(at)
    unread = frozenset(rule.rule_id for rule in guideline.rules if not rule.verified)
    used = dict.fromkeys(name for judgement in [*judged, *urgent] for name in judgement.rests_on)
    return {
        "guideline": guideline.guideline_id,
        "version": guideline.version,
        "content_hash": guideline.content_hash,
        "at": at.astimezone(UTC).isoformat(),
        "recommendations": [_recommendation(library, person, judgement, day, unread) for judgement in judged],
        "urgent": [_urgent(library, judgement, open_, person, at) for judgement in urgent],
        "facts": _facts(library, person, used, at),
        "left_out": list(person.later),
        "notes": list(person.notes),
        "warnings": list(doubts(guideline, day)),
    }


def _urgent(
    library: Library, judgement: Judgement, open_: Collection[str], person: Person, at: datetime
) -> dict[str, Any]:
    rule = library.urgent.rule(judgement.rule_id) if library.urgent else None
    return {
        **(what_to_do(rule, judgement, person.picture, at) if rule else {}),
        "rule": judgement.number,
        "title": rule.title if rule else "",
        "truth": TRUTHS[judgement.truth],
        "missing": names_of(judgement.gaps),
        "verified": rule.verified if rule else False,
        "asked": _asked(judgement, open_),
    }


def _left_open(library: Library, person: Person) -> frozenset[str]:
    """The urgent rules that missing facts leave open, in question or not."""
    judged = judge(library.urgent, person.picture) if library.urgent else []
    return frozenset(one.rule_id for one in judged if one.truth == "cannot_be_decided")


def _asked(judgement: Judgement, open_: Collection[str]) -> bool:
    """Whether something was reported that decides an urgent rule, or puts it in question."""
    return judgement.truth != "does_not_apply" or judgement.rule_id not in open_


def _recommendation(
    library: Library, person: Person, judgement: Judgement, day: date, unread: Collection[str]
) -> dict[str, Any]:
    rulings = _rulings(library, judgement.rule_id, person, day)
    return {
        "number": judgement.number,
        "rule_id": judgement.rule_id,
        "title": judgement.title,
        "truth": TRUTHS[judgement.truth],
        "missing": names_of(judgement.gaps),
        "rests_on": [shown_name(name) for name in judgement.rests_on],
        "appraisal": {ruling.appraisal.ta: ruling.verdict for ruling in rulings},
        "appraisal_reasons": {
            ruling.appraisal.ta: _why(library, ruling, person) for ruling in rulings if ruling.why != "conditions_met"
        },
        "verified": judgement.rule_id not in unread,
    }


def _rulings(library: Library, rule_id: str, person: Person, day: date) -> list[Ruling]:
    if library.appraisals is None:
        return []
    return rule_on(library.appraisals, rule_id, person.picture, day)


def _why(library: Library, ruling: Ruling, person: Person) -> dict[str, Any]:
    """Why a drug is not simply to be had: the conditions that fail and on which facts, or what is missing."""
    failed = shortfalls(ruling, library.appraisals, person.picture) if library.appraisals else ()
    return {
        "because": "; ".join(one.said for one in failed) or _WHY[ruling.why],
        "failed": [one.plain() for one in failed],
        "missing": names_of(ruling.gaps),
    }


def names_of(gaps: Iterable[Gap]) -> list[str]:
    """The missing facts by the names of a facts file, each once."""
    return list(dict.fromkeys(shown_name(gap.name) for gap in gaps))


def explain(library: Library, rule: Rule, person: Person, at: datetime) -> dict[str, Any]:
    """Return one number in full: truth, reason, facts with age and source, what is missing, what would change it."""
    judgement = _judgement(library, rule, person)
    found: dict[str, Any] = {
        "number": rule.number,
        "rule_id": rule.rule_id,
        "title": rule.title,
        "action": rule.action,
        "strength": rule.strength,
        "verified": rule.verified,
        "left_out": list(person.later),
        "notes": list(person.notes),
        "asked": True,
    }
    if judgement is None:
        return {**found, "truth": None, "because": rule.no_condition}
    asked = not library.is_urgent(rule) or _asked(judgement, _left_open(library, person))
    return {
        **found,
        **(what_to_do(rule, judgement, person.picture, at) if library.is_urgent(rule) else {}),
        "truth": TRUTHS[judgement.truth],
        "asked": asked,
        "because": judgement.because if asked else "Nothing was reported that puts it in question.",
        "missing": names_of(judgement.gaps),
        "facts": _facts(library, person, judgement.rests_on, at),
        "stale": [{"name": name, "since": london_date(since).isoformat()} for name, since in judgement.stale],
        "appraisals": [
            _ruling(library, ruling, person) for ruling in _rulings(library, rule.rule_id, person, london_date(at))
        ],
        "would_change": [change.plain() for change in what_would_change(library, rule, person, at)],
        "cautions": list(rule.cautions),
    }


def _judgement(library: Library, rule: Rule, person: Person) -> Judgement | None:
    urgent = library.urgent if library.is_urgent(rule) else None
    judged = judge_urgent(urgent, person.picture) if urgent else judge(library.guideline, person.picture)
    return next((judgement for judgement in judged if judgement.rule_id == rule.rule_id), None)


def _ruling(library: Library, ruling: Ruling, person: Person) -> dict[str, Any]:
    return {
        "ta": ruling.appraisal.ta,
        "drug": ruling.appraisal.drug,
        "verdict": ruling.verdict,
        **_why(library, ruling, person),
        "verified": ruling.appraisal.verified,
        "note": ruling.appraisal.note,
    }


def _facts(library: Library, person: Person, names: Iterable[str], at: datetime) -> list[dict[str, Any]]:
    """The facts used, each with its age and where it comes from; a derived one is as old as the oldest it rests on."""
    picture, found = person.picture, []
    by_id = {fact.fact_id: fact for reports in picture.history.values() for fact in reports}
    for held in (picture.held[name] for name in names if name in picture.held):
        rests_on = [held.last] if held.last else [by_id[fact_id] for fact_id in held.fact_ids]
        when = min((fact.occurred_at for fact in rests_on), default=at)
        found.append(
            {
                "name": shown_name(held.name),
                "label": library.dictionary.facts[held.name].label,
                "value": _plain(picture.known_of(held.name)),
                "occurred_at": when.isoformat(),
                "age_days": (at - when).days,
                "source": held.last.source if held.last else "derived",
                "note": held.note,
            }
        )
    return found


def _plain(value: Value | None) -> bool | float | str | None:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)

"""Which emergencies should be open now: one task for each urgent rule that applies, or that must be asked about. Pure.

An emergency's key is `urgent|rule_id||occurrence`, where the occurrence is the newest finding that it stands on; while
inputs are missing it is `urgent|rule_id||ask:occurrence`. The clock starts when the finding was first noticed. Nothing
here closes one: a clinician does, or the question gives way to the emergency itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.pathway.conditions import facts_of
from services.pathway.due_dates import due_after_hours
from services.pathway.facts import Fact, Picture, is_unknown
from services.pathway.guideline import Guideline, Rule
from services.pathway.items import ClosingItem, Decision, WantedItem
from services.pathway.rules import Judgement

PREFIX = "urgent|"
_ASK = "ask:"
_HOURS_TO_ASK = 1
_REASON_LIMIT = 800


@dataclass(frozen=True, slots=True)
class Emergencies:
    """What should open, and which questions give way to the emergency that they asked about."""

    open: tuple[WantedItem, ...]
    close: tuple[ClosingItem, ...]


def emergencies(
    rules: Guideline,
    judged: Sequence[Judgement],
    picture: Picture,
    decisions: Sequence[Decision],
    already_open: Collection[str],
    recorded_at: datetime,
    telephones: Mapping[str, str],
) -> Emergencies:
    """Return the emergencies to open: each once, and again only for a finding that nobody has dealt with.

    `telephones` says for each role that rules name (`ring`) how it is rung up; an unknown one is left out.
    """
    opened: list[WantedItem] = []
    closed: list[ClosingItem] = []
    asked: set[frozenset[str]] = set()
    for judgement in judged:
        rule = rules.rule(judgement.rule_id)
        if rule is None or rule.urgency != "emergency" or judgement.truth == "does_not_apply":
            continue
        findings = _findings(rule, judgement, picture, decisions)
        if not findings:
            continue
        key = _key(rule, findings[-1], ask=judgement.truth != "applies")
        standing = [other for other in already_open if other.startswith(f"{PREFIX}{rule.rule_id}|")]
        questions = [other for other in standing if f"|{_ASK}" in other]
        if judgement.truth != "applies":
            missing = frozenset(judgement.missing)
            if not standing and missing not in asked:
                opened.append(_question(key, rule, judgement, findings, rules, recorded_at, telephones))
            asked.add(missing)  # two rules that wait for the same answers are one question
        elif len(questions) == len(standing):
            opened.append(_emergency(key, rule, judgement, findings, recorded_at, telephones))
            reason = "What was asked is known now, and the emergency itself is open."
            closed += [ClosingItem(question, "replaced", reason) for question in questions]
    return Emergencies(tuple(opened), tuple(closed))


def is_emergency(key: str) -> bool:
    """Whether an open task is an emergency, which no plan closes."""
    return key.startswith(PREFIX)


def _findings(rule: Rule, judgement: Judgement, picture: Picture, decisions: Sequence[Decision]) -> list[Fact]:
    """What was noticed and nobody has dealt with yet, oldest first."""
    names = dict.fromkeys(judgement.rests_on) if judgement.truth == "applies" else _named(rule)
    facts = picture.held
    found = [facts[name].last for name in names if name in facts and _is_finding(rule, name, picture)]
    # Whoever answered the question has not dealt with the emergency, should it turn out to be one.
    made = [one for one in decisions if one.rule_id == rule.rule_id]
    counted = [one for one in made if judgement.truth != "applies" or not one.occurrence.startswith(_ASK)]
    dealt_with = {fact_id for one in counted for fact_id in one.fact_ids}
    return sorted(
        (fact for fact in found if fact is not None and fact.fact_id not in dealt_with),
        key=lambda fact: (fact.occurred_at, fact.seq),
    )


def _named(rule: Rule) -> dict[str, None]:
    conditions = [condition for condition in (rule.condition, rule.asks_when) if condition is not None]
    return dict.fromkeys(name for condition in conditions for name in facts_of(condition))


def _is_finding(rule: Rule, name: str, picture: Picture) -> bool:
    """Whether a fact is something that was noticed, not the background that makes it dangerous."""
    last = picture.held[name].last
    return name not in rule.background and last is not None and last.value is not False and not is_unknown(last.value)


def _key(rule: Rule, newest: Fact, *, ask: bool) -> str:
    return f"{PREFIX}{rule.rule_id}||{_ASK if ask else ''}{newest.fact_id}"


def _emergency(
    key: str,
    rule: Rule,
    judgement: Judgement,
    findings: Sequence[Fact],
    recorded_at: datetime,
    telephones: Mapping[str, str],
) -> WantedItem:
    telephone = telephones.get(rule.ring, "")
    hours = rule.due.hours if rule.due and rule.due.hours is not None else _HOURS_TO_ASK
    due = due_after_hours(findings[0].occurred_at if findings else recorded_at, hours)
    return WantedItem(
        key=key,
        kind="emergency",
        rule_id=rule.rule_id,
        number=rule.number,
        title=f"{rule.title}. Ring {telephone} now" if telephone else rule.title,
        reason=f"{rule.action} Why: {judgement.because}"[:_REASON_LIMIT],
        owner_role=rule.owner,
        due_on=due.due_on,
        due_at=due.due_at,
        urgency="emergency",
        fact_ids=judgement.used,
    )


def _question(
    key: str,
    rule: Rule,
    judgement: Judgement,
    findings: Sequence[Fact],
    rules: Guideline,
    recorded_at: datetime,
    telephones: Mapping[str, str],
) -> WantedItem:
    facts = rules.dictionary.facts
    asked = ", ".join(facts[name].label for name in judgement.missing if name in facts)
    telephone = telephones.get(rule.ring, "")
    ring = f" If in doubt ring {telephone}." if telephone else ""
    due = due_after_hours(findings[0].occurred_at if findings else recorded_at, _HOURS_TO_ASK)
    return WantedItem(
        key=key,
        kind="emergency",
        rule_id=rule.rule_id,
        number=rule.number,
        title=f"Ask now: {asked}. {rule.title}"[:300],
        reason=f"What is missing decides whether this is an emergency.{ring} {rule.action}"[:_REASON_LIMIT],
        owner_role="key_worker",
        due_on=due.due_on,
        due_at=due.due_at,
        urgency="emergency",
        fact_ids=tuple(fact.fact_id for fact in findings),
        missing_fact="+".join(judgement.missing),
        supplied_by="key_worker",
    )

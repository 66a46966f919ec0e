"""Emergencies: which open, from when they count, and that nothing but a clinician ends one."""

from __future__ import annotations

from services.pathway.conditions import facts_of
from services.pathway.guideline import load_shared
from services.pathway.knowledge.urgent import load_urgent
from tests.unit.pathway.person import GUIDELINES


def test_every_red_flag_of_the_dictionary_is_seen_by_an_emergency_rule() -> None:
    urgent = load_urgent(GUIDELINES, load_shared(GUIDELINES))
    assert urgent is not None
    seen = {
        name
        for rule in urgent.rules
        if rule.urgency == "emergency" and rule.condition
        for name in facts_of(rule.condition)
    }
    flagged = {name for name, fact in urgent.dictionary.facts.items() if fact.red_flag}
    assert flagged - seen == set()


def test_every_emergency_says_whom_to_ring_and_within_how_many_hours() -> None:
    urgent = load_urgent(GUIDELINES, load_shared(GUIDELINES))
    assert urgent is not None
    acute = [rule for rule in urgent.rules if rule.urgency == "emergency"]
    assert acute
    assert [rule.number for rule in acute if not rule.ring or rule.due is None or rule.due.hours is None] == []

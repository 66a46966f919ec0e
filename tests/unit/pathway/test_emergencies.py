"""Emergencies: which open, from when they count, and that nothing but a clinician ends one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.pathway.conditions import facts_of
from services.pathway.emergencies import emergencies
from services.pathway.facts import Fact, current
from services.pathway.guideline import load_shared
from services.pathway.knowledge.urgent import judge_urgent, load_urgent
from services.pathway.ladders import Team, load_ladders, next_step
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


def test_weak_legs_on_a_friday_at_ten_to_five_with_the_nurses_gone_are_heard_at_once_and_due_on_saturday() -> None:
    # given Friday 4 December 2026, 16:50: noticed at 16:20, typed now; the breast care nurses leave at 17:00
    friday = datetime(2026, 12, 4, 16, 50, tzinfo=UTC)
    noticed = friday - timedelta(minutes=30)
    urgent = load_urgent(GUIDELINES, load_shared(GUIDELINES))
    assert urgent is not None
    weak = Fact("f", "new_limb_weakness", True, "", noticed, friday, "", "test", "e", 1)
    picture = current([weak], urgent.dictionary, friday)
    telephones = {"mscc_coordinator": "01632 960195", "acute_oncology": "01632 960195"}
    # when it is judged, then the MRI is due by Saturday 16:20, a day that is no working day
    (item,) = emergencies(urgent, judge_urgent(urgent, picture), picture, [], [], friday, telephones).open
    assert (item.number, item.due_at) == ("U-MSCC-A", noticed + timedelta(hours=24))
    assert "Ring 01632 960195" in item.title
    # then a telephone that is answered rings at once, and again and again the evening through
    book, moment, heard = load_ladders(GUIDELINES), friday, []
    for rung in range(4):
        step = next_step(book, item.kind, item.urgency, rung, Team(), moment)
        heard.append((step.phone, step.tell))
        moment = step.next_at
    assert heard == [
        ("duty_desk", ("team",)),
        ("duty_desk", ("deputy", "lead")),
        ("duty_desk", ("lead",)),
        ("duty_desk", ("lead",)),
    ]
    assert moment <= friday + timedelta(minutes=90)

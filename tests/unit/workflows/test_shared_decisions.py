"""What is withheld, who may decide, and which tasks follow from people beside the person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from workflows import shared_decisions, shared_rules
from workflows.effects import take_back, take_effect
from workflows.messages import Actor, Beside, Capacity, GuidelinePin, Notice, PathwayState, Report

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
NURSE = Actor("nurse", "key_worker", "breast_care_nurses")
SHEET = {"topic": "outlook", "title": "T", "form": "email", "outcome": "given", "link": "https://nice.org.uk"}


def a_state(**values: object) -> PathwayState:
    return replace(PathwayState("p1", GuidelinePin("cg81", "2026-06-30", "0" * 64), opened=True), **values)  # type: ignore[arg-type]  # any of its fields


def said(kind: str, **event: object) -> Report:
    return Report("key", "a" * 64, kind, dict(event), [], NURSE, NOW)


def wishes(wants: str, *not_about: str) -> Report:
    return said("involvement_agreed", wants_to_know=wants, not_about=list(not_about), wants_to_decide="together")


def test_what_is_withheld_follows_the_newest_wish() -> None:
    state = a_state()
    take_effect(state, wishes("everything", "outlook", "research"))
    assert state.suppressed == ["information_outlook", "information_research"]
    take_effect(state, wishes("nothing_now", "outlook"))
    assert sorted(state.suppressed) == ["information", "information_outlook"]
    take_effect(state, wishes("everything"))
    assert state.suppressed == []
    # each beginning and each end is told once
    assert [(silence.cause, silence.lifted) for silence in state.silences] == [
        ("information_outlook", False),
        ("information_research", False),
        ("information", False),
        ("information_research", True),
        ("information", True),
        ("information_outlook", True),
    ]


def test_a_death_is_not_touched_by_a_wish_and_what_somebody_else_declines_is_not_hers() -> None:
    state = a_state(suppressed=["death"])
    take_effect(state, said("information_given", **(SHEET | {"outcome": "declined", "related_person_id": "r1"})))
    assert state.suppressed == ["death"]
    take_effect(state, said("information_given", **(SHEET | {"outcome": "declined"})))
    assert state.suppressed == ["death", "information_outlook"]
    take_effect(state, said("information_given", **(SHEET | {"asked_for": True})))
    assert state.suppressed == ["death"]


@pytest.mark.parametrize(
    ("suppressed", "topic", "held"),
    [
        ([], "outlook", False),
        (["information_outlook"], "outlook", True),
        (["information_outlook"], "support", False),
        (["information"], "support", True),
        (["information"], "", False),
        (["preference"], "", True),
        (["death"], "support", True),
    ],
)
def test_a_message_waits_for_the_causes_that_are_about_it(suppressed: list[str], topic: str, held: bool) -> None:
    message = Notice("m1", "information_given", "breast_care_nurses", topic=topic)
    assert shared_decisions.held_back(message, suppressed) is held


def test_only_the_persons_own_address_is_written_to() -> None:
    state = a_state()
    take_effect(state, said("contact_agreed", ways=["telephone"], email="her@example.net"))
    assert state.email == ""
    take_effect(state, said("contact_agreed", ways=["email"], email="her@example.net"))
    (message,) = shared_decisions.sent(state, said("information_given", **SHEET), "e1")
    assert (message.address, message.topic, message.team) == ("her@example.net", "outlook", "breast_care_nurses")
    for other in ({"form": "printed"}, {"outcome": "declined"}):
        assert not shared_decisions.sent(state, said("information_given", **(SHEET | other)), "e1")


@pytest.mark.parametrize(
    ("suppressed", "says"),
    [
        (["death"], "A death was reported"),
        (["preference"], "wants no messages"),
        (["safe_contact"], "Only the safe ways"),
        (["information"], "does not want information"),
        (["information_outlook"], "(outlook)"),
        (["information_support"], ""),
        ([], ""),
    ],
)
def test_what_would_not_be_sent_is_refused_with_what_to_do(suppressed: list[str], says: str) -> None:
    state = a_state(email="her@example.net", suppressed=suppressed)
    refused = shared_rules.refusal(state, said("information_given", **SHEET))
    assert says in refused.message if says and refused else (refused is None) is (says == "")
    # what was said face to face has happened, whatever was agreed
    assert shared_rules.refusal(state, said("information_given", **(SHEET | {"form": "spoken"}))) is None


def decision(**values: object) -> Report:
    return replace(said("decision_made", outcome="OUTCOME_ACCEPTED", **values), treatment="agreed")


@pytest.mark.parametrize(
    ("capacity", "decided_by", "about", "allowed"),
    [
        ({}, "", "agreed", True),
        ({}, "best_interests", "agreed", False),
        ({"treatment": Capacity("a1")}, "person", "agreed", False),
        ({"treatment": Capacity("a1")}, "best_interests", "agreed", False),
        ({"treatment": Capacity("a1", decided=True)}, "best_interests", "agreed", True),
        # capacity is of one kind of decision
        ({"treatment": Capacity("a1")}, "person", "", True),
        ({"care": Capacity("a1")}, "person", "", False),
        ({"where_to_live": Capacity("a1")}, "person", "", True),
    ],
)
def test_who_may_have_decided(capacity: dict[str, Capacity], decided_by: str, about: str, allowed: bool) -> None:
    report = replace(decision(decided_by=decided_by), treatment=about)
    assert (shared_rules.refusal(a_state(capacity=capacity), report) is None) is allowed


def test_a_decision_is_deferred_by_anybody_and_a_report_that_was_not_filed_is_taken_back() -> None:
    state = a_state(capacity={"treatment": Capacity("a1")})
    assert shared_rules.refusal(state, said("decision_made", outcome="OUTCOME_DEFERRED")) is None
    made = said("best_interests_decided", assessment_id="a1", decided_by="team")
    take_effect(state, made)
    assert state.capacity["treatment"].decided
    take_back(state, made)
    assert not state.capacity["treatment"].decided


def test_the_attorney_decides_and_not_the_team() -> None:
    known = {"r1": Beside("sibling", "everything", "attorney"), "r2": Beside("friend", "nothing")}
    state = a_state(capacity={"care": Capacity("a1")}, beside=known)
    team = said("best_interests_decided", assessment_id="a1", decided_by="team", consulted=["r2"])
    refused = shared_rules.refusal(state, team)
    assert refused is not None
    assert "theirs to decide" in refused.message
    for who, allowed in (("r1", True), ("r2", False), ("r3", False)):
        report = said("best_interests_decided", assessment_id="a1", decided_by="attorney", related_person_id=who)
        assert (shared_rules.refusal(state, report) is None) is allowed

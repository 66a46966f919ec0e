"""Whose a person is, and what follows from concerns, wishes and complications."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from workflows import planning, support
from workflows.effects import take_effect
from workflows.messages import Actor, Applied, Entry, GuidelinePin, OpenItem, PathwayState, Plan, PlannedItem, Report

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
NURSE = Actor("nurse", "key_worker", "breast_care_nurses")


def a_state(*items: OpenItem) -> PathwayState:
    state = PathwayState("p1", GuidelinePin("cg81", "2026-06-30", "0" * 64), opened=True)
    state.items = {item.item_id: item for item in items}
    return state


def said(kind: str, team: str = "", **event: object) -> Report:
    return Report("key", "a" * 64, kind, dict(event), [], NURSE, NOW, key_worker_team=team)


def an_item(item_id: str, key: str = "", **values: object) -> OpenItem:
    item = OpenItem(item_id, key or item_id, "recommendation", "Assess needs", "hospital_nurses", "2026-03-05", NOW)
    return replace(item, **values)  # type: ignore[arg-type]  # any of its fields


def planned(role: str) -> PlannedItem:
    return PlannedItem(f"k-{role}", "recommendation", "Talk", "because", role, "", "2026-03-10", NOW)


def opened(state: PathwayState, report: Report, at: datetime = NOW) -> dict[str, str]:
    """The teams of two new tasks, by role."""
    entry = Entry(7, at, "e7", report)
    plan = Plan("ev", [planned("key_worker"), planned("oncology")], [])
    return {item.owner_role: item.owner_team for item in planning.changes(state, entry, plan, []).open}


def test_new_tasks_go_to_the_team_of_the_key_worker_and_of_the_cover_while_it_stands() -> None:
    # given a key worker of the second team that has key workers
    state = a_state()
    take_effect(state, said("key_worker_assigned", "community_nurses", person_id="ann"))
    symptom = said("symptom_reported")
    assert opened(state, symptom) == {"key_worker": "community_nurses", "oncology": ""}
    # when somebody of the first covers for two days, then tasks of those days are theirs, and no others
    cover = said("key_worker_covered", "hospital_nurses", person_id="bea", from_on="2026-03-03", until_on="2026-03-04")
    begins, ends = NOW + timedelta(hours=14), NOW + timedelta(hours=62)
    take_effect(state, replace(cover, cover_begins_at=begins, cover_ends_at=ends))
    assert opened(state, symptom)["key_worker"] == "community_nurses"
    assert opened(state, symptom, begins)["key_worker"] == "hospital_nurses"
    assert opened(state, symptom, ends)["key_worker"] == "community_nurses"


def test_what_is_open_goes_with_the_key_worker_and_what_was_handed_elsewhere_stays() -> None:
    mine, handed = an_item("i1", owner_role="key_worker"), an_item("i2", owner_team="coordination")
    in_hand = an_item("i3", owner_role="oncology", owner_team="oncology", taken=True, taken_by="ann")
    state = a_state(mine, handed, in_hand)
    take_effect(state, said("key_worker_assigned", "hospital_nurses", person_id="ann"))
    change = said("key_worker_assigned", "community_nurses", person_id="bea")
    take_effect(state, change)
    entry = Entry(8, NOW, "e8", change)
    changed = planning.changes(state, entry, Plan("ev", [], []), [])
    planning.take_over(state, entry, changed, Applied({}))
    assert {item_id: item.owner_team for item_id, item in state.items.items()} == {
        "i1": "community_nurses",
        "i2": "coordination",
        "i3": "oncology",
    }
    assert not any(item.taken for item in state.items.values())
    assert state.items["i1"].owner_role == "key_worker"


def test_a_concern_that_is_scored_again_closes_only_what_it_answers() -> None:
    keys = [support.concern_key("p1", "physical", "Stairs", step) for step in ("plan", "care", "again")]
    state = a_state(an_item("i1", keys[1], kind="care_plan"))
    scored = said("needs_assessed", concerns=[{"concern": " stairs", "domain": "physical", "score": 3}])
    moved, closing = support.moves(state, scored)
    assert (moved, [one.key for one in closing]) == ([], [keys[2]])
    gone = said("needs_assessed", concerns=[{"concern": "Stairs", "domain": "physical", "score": 0}])
    assert [one.key for one in support.moves(state, gone)[1]] == [keys[2], keys[0], keys[1]]


def test_what_an_assessment_left_out_is_asked_until_all_is_answered() -> None:
    key_point = an_item("i1", rule_id="needs")
    first = replace(said("needs_assessed", no_concern=["physical", "social"]), answers=["needs"])
    (left,), _ = support.moves(a_state(key_point), first)
    assert left.subject_id == "psychological+spiritual+financial"
    waiting = an_item("i2", support.UNASKED, kind="needs", subject_id=left.subject_id)
    (less,), _ = support.moves(a_state(waiting), replace(first, event={"no_concern": ["spiritual"]}))
    assert less.subject_id == "psychological+financial"
    # between key points one thing may be asked alone
    assert support.moves(a_state(), first) == ([], [])


def test_a_complication_is_opened_once_settled_and_left_to_the_check_of_an_import() -> None:
    there = replace(said("result_received"), watched={"fatigue": True, "lymphoedema": False})
    (look,), closing = support.moves(a_state(), there)
    assert (look.key, [one.key for one in closing]) == (
        support.complication_key("fatigue"),
        [support.complication_key("lymphoedema")],
    )
    assert support.moves(a_state(an_item("i1", look.key)), there)[0] == []
    assert support.moves(a_state(), replace(there, kind="pathway_imported")) == ([], [])

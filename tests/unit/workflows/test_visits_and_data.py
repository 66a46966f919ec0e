"""Missed visits and data that is asked for: what each report opens, closes, counts and takes back."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from workflows import appointments, data_asked
from workflows.effects import take_back, take_effect
from workflows.messages import Actor, DataAsked, Entry, GuidelinePin, OpenItem, PathwayState, Report

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def a_state(*items: OpenItem) -> PathwayState:
    state = PathwayState("p", GuidelinePin("cg81", "2026-06-30", "0" * 64))
    state.items = {item.item_id: item for item in items}
    return state


def an_item(key: str, kind: str = "recommendation", **values: Any) -> OpenItem:
    return OpenItem(key, key, kind, "A task", "oncology", "2026-11-30", NOW, **values)


def a_report(kind: str, facts: tuple[str, ...] = (), **event: Any) -> Report:
    said = [{"name": name, "value": {"flag": True}} for name in facts]
    return Report(str(uuid.uuid4()), "h", kind, event, said, Actor("a", "key_worker"), NOW)


def missed(appointment_id: str, kind: str = "appointment_missed") -> Report:
    return a_report(kind, appointment_id=appointment_id, depends_on="Her son")


def kinds(state: PathwayState, report: Report) -> list[str]:
    take_effect(state, report)
    return [item.kind for item in appointments.moves(state, report)[0]]


def test_visits_missed_in_a_row_are_counted_until_the_person_comes() -> None:
    state = a_state()
    state.appointments = dict.fromkeys("abcd", "booked")
    assert kinds(state, missed("a")) == ["missed_check", "missed_appointment"]
    assert kinds(state, missed("b", "appointment_not_brought")) == ["missed_check", "not_brought", "missed_review"]
    take_back(state, missed("b", "appointment_not_brought"))
    assert (state.missed, state.appointments["b"]) == (1, "booked")
    assert kinds(state, a_report("appointment_attended", appointment_id="c")) == []
    assert kinds(state, missed("d")) == ["missed_check", "missed_appointment"]


def test_what_a_visit_is_stays_with_what_follows_from_it() -> None:
    state = a_state()
    take_effect(state, a_report("appointment_booked", appointment_id="a", visit="bone_health"))
    gone = a_report("appointment_cancelled", appointment_id="a", cancelled_by="person", reason="Ill.")
    ((item,), _) = appointments.moves(state, gone)
    assert (item.visit, item.reason) == ("bone_health", "Cancelled by the person: Ill.")


@pytest.mark.parametrize(
    ("reason", "refused"),
    [
        ("Missed three clinic appointments", True),
        ("missed visits", True),
        ("Patient DNA'd twice", True),
        ("Did not attend; discharged to GP", True),
        ("no-show", True),
        ("Was not brought again", True),
        ("All visits missed since May", True),
        ("Transferred to Leeds", False),
        ("Moved abroad; she misses nothing here", False),
        ("Died at home", False),
        ("DNA sequencing showed another cancer: other pathway", False),
    ],
)
def test_missed_visits_are_no_reason_to_end_the_care(reason: str, *, refused: bool) -> None:
    assert appointments.ends_for_missed_visits(reason) is refused


def asking(item_id: str, *names: str) -> Entry:
    event = {"item_id": item_id, "facts": list(names), "supplied_by": "pathology", "asked": "It"}
    return Entry(1, NOW, str(uuid.uuid4()), replace(a_report("item_data_asked"), event=event))


def filed(state: PathwayState, entry: Entry) -> list[str]:
    """File it as the desk does; return what it opened."""
    assert entry.report is not None
    opened, closed = data_asked.moves(state, entry.report, entry.event_id)
    gone = {ending.key for ending in closed}
    state.items = {key: item for key, item in state.items.items() if item.key not in gone}
    state.items |= {item.key: an_item(item.key, item.kind) for item in opened}
    data_asked.remember(state, entry)
    return [item.key for item in opened]


def test_only_what_nobody_asks_for_yet_is_asked_for() -> None:
    state = a_state(an_item("one"), an_item("two"), an_item("chase|her2_ihc+er_status||", "chase"))
    # a chase asks for a part of it
    (key,) = filed(state, asking("one", "her2_ihc", "ecog", "age_years"))
    assert state.data_asked[key] == DataAsked(["ecog", "age_years"], ["one"])
    # another task that needs a part of that waits for it
    again = asking("two", "ecog")
    assert data_asked.waits_for(state, again) == key
    assert filed(state, again) == []
    assert state.data_asked[key].waiting == ["one", "two"]
    assert data_asked.waits_for(state, asking("two", "her2_ihc")) == "chase|her2_ihc+er_status||"
    # a part arrives, then the rest
    part = Entry(2, NOW, "e2", a_report("result_received", ("ecog",), investigation="Clinic"))
    assert filed(state, part) == []
    assert state.data_asked[key].missing == ["age_years"]
    rest = a_report("result_received", ("age_years", "sex"), investigation="Register")
    assert [ending.how for ending in data_asked.moves(state, rest, "e3")[1]] == ["done"]
    filed(state, Entry(3, NOW, "e3", rest))
    assert (state.data_asked, key in state.items) == ({}, False)


def test_a_question_falls_away_with_the_last_task_that_waits_for_it_and_rests_with_what_rests() -> None:
    state = a_state(an_item("one"), an_item("two"))
    (key,) = filed(state, asking("one", "ecog"))
    filed(state, asking("two", "ecog"))
    assert data_asked.no_longer_waited_for(state, ["one"]) == []
    assert [ending.key for ending in data_asked.no_longer_waited_for(state, ["one", "two"])] == [key]
    state.resting["death"] = [state.items.pop(key)]
    data_asked.remember(state, Entry(4, NOW, "e4"))
    assert key in state.data_asked


def test_the_same_filing_twice_opens_one_question() -> None:
    state = a_state(an_item("one"))
    entry = asking("one", "ecog")
    assert entry.report is not None
    # a run that ended before the plan was applied asks again
    assert data_asked.moves(state, entry.report, entry.event_id) == data_asked.moves(
        state, entry.report, entry.event_id
    )
    filed(state, entry)
    filed(state, replace(entry))
    assert len(state.data_asked) == 1

"""The checker of finished histories: silent on good ones, and it finds every fault that is planted into them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from drills.checking import STORED, check, stories
from drills.histories import PROPERTIES, judged
from drills.mutants import FAULTS, mutants
from drills.traces import Step, trace_of

FILES = sorted(STORED.glob("*.json"))


def test_stored_histories_hold_and_every_planted_fault_is_found_by_its_own_property() -> None:
    checked = check(FILES, plant=True)
    assert checked.violations == []
    assert checked.workflows > 8
    assert set(checked.planted) == {prop.__name__ for prop in PROPERTIES} == set(FAULTS)
    assert checked.found == checked.planted
    assert checked.planted.total() > 500
    assert checked.by_others == 0


def test_every_fault_was_planted_somewhere() -> None:
    planted = {mutant.fault for runs in stories(FILES).values() for mutant in mutants(trace_of(runs))}
    assert planted == {fault.__name__ for faults in FAULTS.values() for fault in faults}


def runs_of(story: str) -> list[dict[str, Any]]:
    runs: Any = stories(FILES)[story]
    return [json.loads(json.dumps(run)) for run in runs]


def activities(run: dict[str, Any], name: str) -> list[str]:
    """The ids of the events that scheduled this activity."""
    asked = [event for event in run["events"] if "activityTaskScheduledEventAttributes" in event]
    named = [e for e in asked if e["activityTaskScheduledEventAttributes"]["activityType"]["name"] == name]
    return [event["eventId"] for event in named]


def without_answer_of(run: dict[str, Any], name: str) -> None:
    scheduled = activities(run, name)[1]
    attributes = "activityTaskCompletedEventAttributes"
    run["events"] = [e for e in run["events"] if e.get(attributes, {}).get("scheduledEventId") != scheduled]


def with_input(run: dict[str, Any], name: str, change: Callable[[dict[str, Any]], bool]) -> None:
    for event in run["events"]:
        attributes = event.get("activityTaskScheduledEventAttributes")
        if not attributes or attributes["activityType"]["name"] != name:
            continue
        payload = attributes["input"]["payloads"][0]
        said = json.loads(base64.b64decode(payload["data"]))
        if change(said):
            payload["data"] = base64.b64encode(json.dumps(said).encode()).decode()
            return
    pytest.fail(f"nothing to change in {name}")


def nameless_closing(said: dict[str, Any]) -> bool:
    said["close"] = [(item_id, how, "") for item_id, how, _ in said["close"]]
    return bool(said["close"])


def nobodys(said: dict[str, Any]) -> bool:
    for item in said["open"]:
        item["due_at"] = ""
    return bool(said["open"])


@pytest.mark.parametrize(
    ("name", "fault", "check"),
    [
        ("append_event", without_answer_of, "filed_once_in_order"),
        ("apply_plan", without_answer_of, "filed_once_in_order"),
        ("apply_plan", nameless_closing, "closed_by_somebody"),
        ("apply_plan", nobodys, "next_step"),
    ],
)
def test_a_fault_in_the_raw_history_is_found(name: str, fault: Callable[..., Any], check: str) -> None:
    runs = runs_of("pathway-endings")
    if fault is without_answer_of:
        without_answer_of(runs[0], name)
    else:
        with_input(runs[0], name, fault)
    assert check in {broken.check for broken in judged(trace_of(runs))}


def test_what_is_no_history_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="temporal workflow show"):
        trace_of([{"facts": []}])


def test_runs_are_read_in_their_order(tmp_path: Path) -> None:
    for number in (10, 9):
        (tmp_path / f"life-{number}.json").write_text(json.dumps({"events": [], "number": number}), encoding="utf-8")
    assert [run["number"] for run in stories(tmp_path.glob("*.json"))["life"]] == [9, 10]


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NINE_HOURS = timedelta(hours=9)


def an_event(kind: str, at: datetime, **attributes: Any) -> dict[str, Any]:
    return {"eventId": "1", "eventTime": f"{at:%FT%TZ}", "eventType": f"EVENT_TYPE_{kind}", "anyAttributes": attributes}


def a_run(*jumps_before: datetime, after: Sequence[datetime] = ()) -> dict[str, Any]:
    """A run that begins at noon and hears a child at midnight; a drill moves its clock before it ran, or after."""
    jumped = "WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED"
    said = base64.b64encode(json.dumps({"event_id": "e1", "kind": "referral_accepted"}).encode()).decode()
    heard = {"signalName": "child_reported", "input": {"payloads": [{"data": said}]}}
    return {
        "events": [
            an_event("WORKFLOW_EXECUTION_STARTED", NOON),
            *[an_event(jumped, NOON, targetTime=f"{to:%FT%TZ}") for to in jumps_before],
            an_event("WORKFLOW_TASK_COMPLETED", NOON),
            *[an_event(jumped, NOON, targetTime=f"{to:%FT%TZ}") for to in after],
            an_event("WORKFLOW_EXECUTION_SIGNALED", NOON + 2 * NINE_HOURS, **heard),
        ]
    }


def test_only_a_jump_before_a_run_could_do_anything_is_held_back() -> None:
    jump = NOON + NINE_HOURS
    assert [step.held for step in trace_of([a_run(after=[jump])])] == [timedelta(0)]
    assert [step.held for step in trace_of([a_run(jump)])] == [NINE_HOURS]
    assert [step.held for step in trace_of([a_run(jump), a_run(jump)])] == [NINE_HOURS, 2 * NINE_HOURS]


def overdue_then_told(held: timedelta, hours: float) -> set[str]:
    said = {"template": "item_overdue", "audience": "all", "outcome": "sent", "items": ["i1"]}
    late = Step("overdue", NOON, 2, "i1", {"title": "Ring the ward"})
    told = Step("told", NOON + timedelta(hours=hours), 0, "m1", said, held)
    return {broken.check for broken in judged([late, told])}


def test_what_is_overdue_is_told_within_an_hour_that_its_workflow_had() -> None:
    assert overdue_then_told(timedelta(0), 0.9) == set()
    assert overdue_then_told(timedelta(0), 1.1) == {"overdue_is_told"}
    assert overdue_then_told(NINE_HOURS, 9.9) == set()
    assert overdue_then_told(NINE_HOURS, 10.1) == {"overdue_is_told"}


def after_a_due_time(*more: Step) -> set[str]:
    """A task is due at noon, and the workflow still does things at noon, and two and four hours later."""
    task = {"title": "Ring the ward", "due": NOON.isoformat(), "owner": "oncology"}
    begun = [
        Step("decided", NOON - NINE_HOURS, 1, "e1"),
        Step("opened", NOON - NINE_HOURS, 1, "i1", task),
        Step("planned", NOON - NINE_HOURS, 1, "e1", {"kind": "", "referral": "", "open": {"i1": task}, "ended": False}),
    ]
    goes_on = [Step("silenced", NOON + timedelta(hours=hours), 0, "consent") for hours in (0, 2, 4)]
    trace = sorted([*begun, *goes_on, *more], key=lambda step: step.at)
    return {broken.check for broken in judged(trace)}


def test_what_falls_due_is_marked_or_told_or_dealt_with() -> None:
    soon = NOON + timedelta(minutes=5)
    said = {"template": "item_overdue", "audience": "all", "outcome": "sent", "items": ["i1"]}
    assert after_a_due_time() == {"due_is_marked"}
    assert after_a_due_time(Step("told", soon, 0, "m1", {**said, "template": "next_step"})) == {"due_is_marked"}
    assert after_a_due_time(Step("told", soon, 0, "m1", said)) == set()
    put_off = Step("moved", soon, 2, "i1", {"change": "moved", "later": True})
    assert after_a_due_time(Step("told", soon, 0, "m1", said), put_off) == {"due_is_marked"}
    brought_forward = Step("moved", soon, 2, "i1", {"change": "moved", "later": False})
    assert after_a_due_time(Step("told", soon, 0, "m1", said), brought_forward) == set()

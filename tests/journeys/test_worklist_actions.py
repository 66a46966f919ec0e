"""The worklist as a coordinator types it: its tabs, and each action with the task before and after."""

from __future__ import annotations

import json
from typing import Any

from handrail.clinical.v1 import events_pb2
from tests.house import COORDINATOR, NURSE, Door, House, fact
from tests.journeys.stories import a_day, diagnosed, new_id, of_kind, the, tired

AS_NURSE = ("--as", "key_worker", "--team", "breast_care_nurses", "--user", "carys.nurse")


def acted(house: House, *words: str) -> dict[str, Any]:
    done: dict[str, Any] = json.loads(house.cli("task", *words, *AS_NURSE, "--json").stdout)
    return done


def tab(house: House, name: str, patient: str) -> set[str]:
    shown = json.loads(house.cli("worklist", "--tab", name, "--patient", patient, "--json").stdout)
    return {item["item_id"] for item in shown["items"]}


async def test_each_action_shows_the_task_before_and_after(house: House, door: Door) -> None:
    # given a task of the nurses
    state = await tired(door)
    patient, task = state.person.patient_id, the(state, "1.10.3").item_id
    # when it is taken, tried, put off, escalated and handed over, then it stays open, and each step shows
    done = acted(house, "take", task)
    assert (done["before"]["taken_by"], done["after"]["taken_by"]) == ("", "carys.nurse")
    done = acted(house, "tried", task, "--how", "telephone", "--note", "No answer.", "--next", a_day(3))
    assert (done["before"]["attempts"], done["after"]["attempts"], done["after"]["due_on"]) == (0, 1, a_day(3))
    done = acted(house, "defer", task, "--until", a_day(9), "--reason", "She is away until then.")
    assert (done["after"]["due_on"], done["after"]["moved"]) == (a_day(9), 1)
    assert acted(house, "escalate", task, "--reason", "Worse than it sounds.")["after"]["status"] == "open"
    done = acted(house, "hand-over", task, "--to", "coordination", "--reason", "Wants a letter instead.")
    assert (done["before"]["owner_team"], done["after"]["owner_team"]) == ("breast_care_nurses", "coordination")
    # when the person declines what is recommended, then the task closes, and why stands in the record
    done = acted(house, "declined", task, "--view", "I walk enough.", "--reason", "She walks every day.")
    assert (done["before"]["status"], done["after"]["status"]) == ("open", "done")
    made = next(one for one in (await door.patient(patient)).decisions if one.number == "1.10.3")
    assert (made.outcome, made.reason_code, made.departure) == ("declined", "person_preference", True)


async def test_done_needs_an_outcome_and_a_stranger_is_told_where_to_look(house: House, door: Door) -> None:
    state = await tired(door)
    task = the(state, "1.10.3").item_id
    missing = house.cli("task", "done", task, check=False)
    assert (missing.returncode, "--outcome" in missing.stderr) == (2, True)
    blank = house.cli("task", "done", task, "--outcome", "  ", check=False)
    assert blank.returncode == 2
    lost = house.cli("task", "take", new_id(), check=False)
    assert (lost.returncode, "worklist --ids" in lost.stderr) == (1, True)
    # a task that no recommendation asks for cannot be declined
    booked = events_pb2.AppointmentBooked(appointment_id=new_id(), purpose="Clinic", starts_at=f"{a_day(1)}T09:30:00Z")
    state = await door.told(COORDINATOR, "BookAppointment", state.person.patient_id, booked)
    (appointment,) = of_kind(state, "appointment")
    words = ("task", "declined", appointment.item_id, "--view", "No.", "--reason", "She said no.")
    assert "about no recommendation" in house.cli(*words, check=False).stderr


async def test_tabs_show_what_waits_for_whom_and_nobody_is_without_a_next_step(house: House, door: Door) -> None:
    # given an emergency, a missed appointment, and a follow-up that is intended and not booked
    patient = await diagnosed(door)
    weak = events_pb2.SymptomReported(told_by="person")
    state = await door.told(NURSE, "ReportSymptom", patient, weak, facts=[fact("new_limb_weakness", True)])
    (emergency,) = of_kind(state, "emergency")
    appointment = new_id()
    booked = events_pb2.AppointmentBooked(
        appointment_id=appointment, purpose="Clinic", starts_at=f"{a_day(1)}T09:30:00Z"
    )
    await door.told(COORDINATOR, "BookAppointment", patient, booked)
    missed = events_pb2.AppointmentMissed(appointment_id=appointment)
    state = await door.told(COORDINATOR, "RecordMissedAppointment", patient, missed)
    (rebook,) = of_kind(state, "missed_appointment")
    due = events_pb2.FollowUpTriggered(purpose="Bone health", occasion=new_id())
    state = await door.told(COORDINATOR, "TriggerFollowUp", patient, due)
    (intended,) = of_kind(state, "follow_up")
    # then each stands on its tab, and the emergency before everything
    assert emergency.item_id in tab(house, "unacknowledged", patient)
    assert tab(house, "missed", patient) == {rebook.item_id}
    assert tab(house, "not-booked", patient) == {intended.item_id}
    assert emergency.item_id not in tab(house, "overdue", patient)
    everything = json.loads(house.cli("worklist", "--patient", patient, "--json").stdout)["items"]
    assert everything[0]["item_id"] == emergency.item_id
    # when somebody takes it on, then it waits for nobody's word any more
    acted(house, "take", emergency.item_id)
    assert emergency.item_id not in tab(house, "unacknowledged", patient)
    # then the empty tab is shown to be empty, and a slip of the pen is answered
    assert "Nobody: every open pathway has a next step." in house.cli("worklist", "--tab", "no-next-step").stdout
    slip = house.cli("worklist", "--tab", "overdu", check=False)
    assert (slip.returncode, "Did you mean overdue?" in slip.stderr) == (1, True)


async def test_when_a_key_worker_leaves_thirty_tasks_have_an_owner_still(house: House, door: Door) -> None:
    # given thirty people with a task that one nurse has in hand
    held = []
    for _ in range(30):
        patient = await door.opened()
        state = await door.patient(patient)
        held.append((patient, state.open_items[0].item_id))
    for patient, task in held:
        taken = events_pb2.ItemTaken(item_id=task)
        await door.told(NURSE, "TakeItem", patient, taken)
    # when all of it goes to coordination at once
    words = (
        "--of",
        state.open_items[0].owner_team,
        "--taken-by",
        "nurse.test",
        "--to",
        "coordination",
        "--reason",
        "She left.",
    )
    handed = json.loads(house.cli("task", "hand-over-all", *words, *AS_NURSE, "--json").stdout)["handed_over"]
    # then none is ownerless, and nobody is said to have in hand what nobody has
    assert {task for _, task in held} <= {one["item_id"] for one in handed}
    for patient, task in held:
        now = next(item for item in (await door.patient(patient)).open_items if item.item_id == task)
        assert (now.owner_team, now.taken_by) == ("coordination", "")

"""The worklist as a coordinator types it: its tabs, and each action with the task before and after."""

from __future__ import annotations

import json
from typing import Any

from handrail.clinical.v1 import events_pb2
from tests.house import COORDINATOR, NURSE, ONCOLOGIST, Door, House, fact
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


async def test_what_is_not_followed_and_what_was_done_close_with_their_reasons(house: House, door: Door) -> None:
    state = await tired(door)
    other = the(state, "1.10.1").item_id
    words = ("--code", "not_available_here", "--reason", "No clinic here.", "--view", "She would have gone.")
    done = acted(house, "not-followed", other, *words)
    assert (done["before"]["status"], done["after"]["status"]) == ("open", "done")
    done = acted(house, "done", the(state, "1.10.3").item_id, "--outcome", "Talked about it, and gave her the leaflet.")
    assert (done["before"]["status"], done["after"]["status"]) == ("open", "done")


async def test_data_is_asked_for_once_and_the_task_says_on_whom_it_waits(house: House, door: Door) -> None:
    # given a task that cannot go on, of somebody whose calcium nobody asked about, and another one beside it
    state = await tired(door)
    patient = state.person.patient_id
    task, other = the(state, "1.10.3").item_id, the(state, "1.10.1").item_id
    # when the nurse asks for it, then its holder has one task, and hers says on whom it waits
    done = acted(house, "ask-for-data", task, "--fact", "adjusted_calcium", "--note", "Before she starts exercise.")
    assert (done["before"]["waiting_on"], done["after"]["status"]) == ("", "open")
    asked = done["waits_for"]
    assert done["after"]["waiting_on"] == asked["owner_team"]
    assert (asked["kind"], asked["status"], "adjusted calcium" in asked["title"].lower()) == (
        "data_request",
        "open",
        True,
    )
    assert "Before she starts exercise." in asked["reason"]
    assert asked["item_id"] in tab(house, "cannot-decide", patient)
    # when it is asked for again, for this task or another, then that one is pointed to
    words = ("task", "ask-for-data", other, "--fact", "adjusted_calcium", *AS_NURSE)
    assert "was asked already" in house.cli(*words).stdout
    assert acted(house, "ask-for-data", task, "--fact", "adjusted_calcium")["waits_for"] == asked
    state = await door.patient(patient)
    assert len(of_kind(state, "data_request")) == 1
    # nobody says "done": it closes when the result is recorded, and then nothing waits on anybody
    refusal = house.cli("task", "done", asked["item_id"], "--outcome", "Did it.", *AS_NURSE, check=False)
    assert "Report the result" in refusal.stderr
    result = events_pb2.ResultReceived(investigation="Bone profile")
    state = await door.told(ONCOLOGIST, "ReceiveResult", patient, result, facts=[fact("adjusted_calcium", 2.4)])
    assert not of_kind(state, "data_request")
    assert {item.waiting_on for item in state.open_items if item.item_id in {task, other}} == {""}
    # when the task itself closes, then nobody is asked any more
    age = events_pb2.ItemDataAsked(item_id=task, facts=["age_years"], supplied_by="whoever", asked="what a client says")
    (asked,) = of_kind(await door.told(NURSE, "AskForData", patient, age), "data_request")
    assert (asked.title, asked.owner_team) == ("Supply: Age", "coordination")
    acted(house, "done", task, "--outcome", "She has a programme.")
    items = {item.item_id: item for item in await door.items(patient)}
    assert (items[asked.item_id].status, items[asked.item_id].closed_reason) == (
        "withdrawn",
        "No open task waits for it any more.",
    )
    # a slip of the pen is answered, and what several hold is asked of each
    slip = house.cli("task", "ask-for-data", other, "--fact", "adjusted_calcum", *AS_NURSE, check=False)
    assert (slip.returncode, "did you mean adjusted_calcium?" in slip.stderr) == (2, True)
    both = ("--fact", "her2_ihc", "--fact", "age_years")
    assert "ask each of them" in house.cli("task", "ask-for-data", other, *both, *AS_NURSE, check=False).stderr


async def test_what_a_chase_asks_for_already_is_not_asked_for_again(house: House, door: Door) -> None:
    # given somebody whose HER2 status is chased
    patient = await door.opened()
    known = [fact("disease_extent", "metastatic"), fact("er_status", "positive"), fact("pr_status", "positive")]
    state = await door.told(ONCOLOGIST, "ConfirmDiagnosis", patient, events_pb2.DiagnosisConfirmed(), facts=known)
    chase = next(item for item in of_kind(state, "chase") if "her2_ihc" in item.missing_fact.split("+"))
    task = next(item for item in state.open_items if item.kind == "recommendation")
    # when somebody asks for it, then their task waits on whoever is asked already
    done = acted(house, "ask-for-data", task.item_id, "--fact", "her2_ihc")
    assert (done["waits_for"]["item_id"], done["after"]["waiting_on"]) == (chase.item_id, chase.supplied_by)
    assert not of_kind(await door.patient(patient), "data_request")


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
    missed_tasks = {item.item_id for kind in ("missed_check", "missed_appointment") for item in of_kind(state, kind)}
    assert len(missed_tasks) == 2
    due = events_pb2.FollowUpTriggered(purpose="Bone health", occasion=new_id())
    state = await door.told(COORDINATOR, "TriggerFollowUp", patient, due)
    (intended,) = of_kind(state, "follow_up")
    # then each stands on its tab, and the emergency before everything
    assert emergency.item_id in tab(house, "unacknowledged", patient)
    assert tab(house, "missed", patient) == missed_tasks
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

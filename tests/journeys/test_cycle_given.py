"""Cycles of a line of treatment: given, deferred with a date, a dose changed; all of it recounted."""

from __future__ import annotations

import json

from handrail.clinical.v1 import events_pb2
from tests.house import ONCOLOGIST, Door, House
from tests.journeys.stories import a_day, accepted, diagnosed, new_id, of_kind, refused, started


async def line_of(door: Door, patient: str) -> str:
    line = new_id()
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    await door.told(ONCOLOGIST, "StartTherapyLine", patient, started(line))
    return line


async def ended(door: Door, patient: str, line: str) -> None:
    over = events_pb2.TherapyLineEnded(line_id=line, stop_reason="progression")
    await door.told(ONCOLOGIST, "EndTherapyLine", patient, over)


async def test_three_lines_with_two_deferrals_are_recounted(door: Door, house: House) -> None:
    # given three lines, one after the other
    patient = await diagnosed(door)
    first = await line_of(door, patient)
    for cycle in (1, 2):
        await door.told(ONCOLOGIST, "GiveCycle", patient, events_pb2.CycleGiven(line_id=first, cycle=cycle))
    # when the third cycle of the first is deferred twice, it is one task, with the newest date
    for days in (7, 14):
        deferred = events_pb2.CycleDeferred(line_id=first, cycle=3, until=a_day(days), reason="Neutrophils 0.8.")
        state = await door.told(ONCOLOGIST, "DeferCycle", patient, deferred)
    (task,) = of_kind(state, "cycle")
    assert (task.owner_team, task.due_on) == ("oncology", a_day(14))
    done = events_pb2.ItemCompleted(item_id=task.item_id, outcome="Given.")
    assert "reported as given" in (await refused(door.report(ONCOLOGIST, "CompleteItem", patient, done))).message
    # when it is given, with a lower dose, then it waits no more
    lower = events_pb2.DoseChanged(line_id=first, agent="ribociclib", change="400 mg", reason="Neutrophils 0.8.")
    await door.told(ONCOLOGIST, "ChangeDose", patient, lower)
    state = await door.told(ONCOLOGIST, "GiveCycle", patient, events_pb2.CycleGiven(line_id=first, cycle=3))
    assert not of_kind(state, "cycle")
    await ended(door, patient, first)
    second = await line_of(door, patient)
    waits = events_pb2.CycleDeferred(line_id=second, cycle=1, until=a_day(7), reason="She has a cold.")
    await door.told(ONCOLOGIST, "DeferCycle", patient, waits)
    # when a line ends, then a cycle that was deferred on it falls away
    await ended(door, patient, second)
    assert not of_kind(await door.patient(patient), "cycle")
    late = events_pb2.CycleGiven(line_id=second, cycle=1)
    assert "under way" in (await refused(door.report(ONCOLOGIST, "GiveCycle", patient, late))).message
    await line_of(door, patient)
    # then all of it is recounted
    lines = json.loads(house.cli("patient", "show", patient, "--json").stdout)["therapy_lines"]
    kinds = [[step["kind"] for step in line["steps"]] for line in lines]
    assert kinds == [
        ["cycle_given", "cycle_given", "cycle_deferred", "cycle_deferred", "dose_changed", "cycle_given"],
        ["cycle_deferred"],
        [],
    ]
    shown = house.cli("patient", "show", patient).stdout
    assert "3 cycles given, 2 deferrals" in shown
    assert "400 mg" in shown

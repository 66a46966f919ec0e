"""Pathway imported: a person who is mid-pathway comes with one task to check them, not with a flood of late ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from handrail.clinical.v1 import events_pb2, terms_pb2
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, ONCOLOGIST, Door, fact
from tests.journeys.stories import LUMINAL, a_day, new_id, of_kind, refused

KEY_WORKER = "carys.nurse"
LONG_AGO = datetime(2024, 3, 1, 9, tzinfo=UTC)


def letrozole(line: str, stop_reason: str = "ongoing", **dates: Any) -> events_pb2.ImportedLine:
    course = terms_pb2.TherapyCourse(
        setting="advanced", line=1, agents=["letrozole", "ribociclib"], stop_reason=stop_reason, **dates
    )
    return events_pb2.ImportedLine(line_id=line, course=course, response_check_weeks=12)


async def imported(door: Door, *lines: events_pb2.ImportedLine, facts: Any = (), key_worker: str = "") -> Any:
    """A person with luminal disease since 2024, imported; returns the whole state."""
    patient = await door.register("Importedperson")
    event = events_pb2.PathwayImported(diagnosed_on="2024-03-01", lines=lines, key_worker=key_worker)
    known = [*LUMINAL[:-1], *facts] if lines else [*LUMINAL, *facts]
    return await door.told(COORDINATOR, "ImportPathway", patient, event, facts=known, occurred_at=LONG_AGO)


async def test_a_person_mid_pathway_comes_with_one_check_and_the_rest_opens_when_it_is_done(door: Door) -> None:
    # given a person who was diagnosed long ago and is on treatment; when they are imported
    line = new_id()
    state = await imported(door, letrozole(line, started_on="2024-04-02"), facts=[fact("fatigue", "significant")])
    patient = state.person.patient_id
    # then the pathway is open since today, and one task asks to check them
    assert (state.pathway.status, state.pathway.guideline) == ("open", "cg81@2026-06-30")
    (check,) = [item for item in state.open_items if item.kind != "response_check"]
    assert (check.kind, check.owner_team) == ("import_check", "breast_care_nurses")
    assert check.title.startswith("Check this person: imported on ")
    assert a_day(4) <= check.due_on <= a_day(14)
    # then the line of treatment goes on here, with a response check that lies ahead
    assert [(x.line_id, x.status) for x in state.therapy_lines] == [(line, "ongoing")]
    state = await door.until(patient, lambda s: of_kind(s, "response_check"), "the next response check is planned")
    assert a_day(-1) < of_kind(state, "response_check")[0].due_on <= a_day(85)
    # then no team had mail of it: whoever imports hundreds of people tells the teams once
    await door.quiet(patient)
    assert await door.messages(patient) == []
    # when something happens while the check is open, then that is not held back
    state = await door.told(ONCOLOGIST, "ReportProgression", patient, events_pb2.ProgressionReported(site="liver"))
    assert of_kind(state, "decision")
    before = {item.key for item in state.open_items}
    # when the check is completed, then what the guideline asks for opens
    done = events_pb2.ItemCompleted(item_id=check.item_id, outcome="Read with the notes; all is right.")
    state = await door.told(NURSE, "CompleteItem", patient, done)
    assert not of_kind(state, "import_check")
    opened = [item for item in state.open_items if item.key not in before]
    assert "fatigue" in " ".join(item.title.lower() for item in opened), opened
    # then the line ends as any other
    over = events_pb2.TherapyLineEnded(line_id=line, stop_reason="progression")
    state = await door.told(ONCOLOGIST, "EndTherapyLine", patient, over)
    assert [(x.status, x.course.stop_reason) for x in state.therapy_lines] == [("ended", "progression")]


async def test_the_next_appointment_comes_with_the_person(door: Door) -> None:
    patient, appointment = await door.register("Importedperson"), new_id()
    booked = events_pb2.AppointmentBooked(
        appointment_id=appointment, purpose="Clinic", starts_at=f"{a_day(9)}T10:30:00Z"
    )
    event = events_pb2.PathwayImported(diagnosed_on="2024-03-01", next_appointment=booked)
    state = await door.told(COORDINATOR, "ImportPathway", patient, event, occurred_at=LONG_AGO)
    assert [(x.appointment_id, x.status) for x in state.appointments] == [(appointment, "booked")]
    assert {item.kind for item in state.open_items} == {"import_check", "appointment"}
    came = events_pb2.AppointmentAttended(appointment_id=appointment)
    state = await door.told(COORDINATOR, "RecordAttendance", patient, came)
    assert {item.kind for item in state.open_items} == {"import_check"}


async def test_an_emergency_in_what_is_imported_opens_at_once(door: Door) -> None:
    state = await imported(door, facts=[fact("new_limb_weakness", True)])
    assert {"import_check", "emergency"} <= {item.kind for item in state.open_items}
    (item,) = [one for one in state.open_items if one.kind == "emergency"]
    # then its team is told at once, of that alone
    await door.quiet(state.person.patient_id)
    told = await door.messages(state.person.patient_id)
    assert item.owner_team in {message.team for message in told}
    assert not [message for message in told if "Check this person" in message.body]


async def test_what_is_new_is_added_to_an_open_pathway_and_checked_again(door: Door) -> None:
    # given an imported person whose check is done
    line = new_id()
    state = await imported(door, letrozole(line, started_on="2024-04-02"), key_worker=KEY_WORKER)
    patient = state.person.patient_id
    assert state.pathway.key_worker == KEY_WORKER
    await door.until(patient, lambda s: of_kind(s, "response_check"), "the next response check is planned")
    (check,) = of_kind(state, "import_check")
    done = events_pb2.ItemCompleted(item_id=check.item_id, outcome="Read.")
    state = await door.told(NURSE, "CompleteItem", patient, done)
    before = {item.key for item in state.open_items}
    # when the list says later that the line ended
    event = events_pb2.PathwayImported(
        lines=[letrozole(line, "progression", started_on="2024-04-02", ended_on="2025-06-30")]
    )
    later = datetime.now(UTC) - timedelta(days=1)
    state = await door.told(COORDINATOR, "ImportPathway", patient, event, occurred_at=later)
    # then it is ended, its response check is gone, and what follows waits for one new check
    assert [(x.status, x.course.ended_on) for x in state.therapy_lines] == [("ended", "2025-06-30")]
    state = await door.until(patient, lambda s: not of_kind(s, "response_check"), "the response check is withdrawn")
    assert [item.kind for item in state.open_items if item.key not in before] == ["import_check"]
    assert len(state.event_ids) == 3


async def test_what_cannot_be_is_refused_by_its_field(door: Door) -> None:
    patient = await door.register()
    backwards = letrozole(new_id(), "other", started_on="2025-02-01", ended_on="2025-01-01")
    wrong = [
        (events_pb2.PathwayImported(diagnosed_on=a_day(3)), "pathway_imported.diagnosed_on"),
        (events_pb2.PathwayImported(key_worker="nobody.known"), "pathway_imported.key_worker"),
        (
            events_pb2.PathwayImported(lines=[letrozole(new_id(), started_on=a_day(3))]),
            "pathway_imported.lines[0].course.started_on",
        ),
        (events_pb2.PathwayImported(lines=[backwards]), "pathway_imported.lines[0].course.ended_on"),
    ]
    for event, field in wrong:
        refusal = await refused(door.report(COORDINATOR, "ImportPathway", patient, event))
        assert (refusal.category, [v.field for v in refusal.violations] or [field]) == (Category.INVALID, [field])
    assert (await door.patient(patient)).pathway.status != "open"

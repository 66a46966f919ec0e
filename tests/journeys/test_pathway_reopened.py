"""A closed pathway goes on: it was closed by mistake, the person came back, or the death was somebody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, ONCOLOGIST, Door, House, fact
from tests.journeys.stories import a_day, new_id, of_kind, refused, treated

CLOSED = events_pb2.PathwayClosed(reason="She moved away.")
BACK = events_pb2.PathwayReopened(reason="She came back; the new address was wrong.")


async def test_a_person_who_came_back_goes_on_where_the_record_left_off(door: Door, house: House) -> None:
    # given a closed pathway
    patient = await door.opened()
    await door.told(NURSE, "AssignKeyWorker", patient, events_pb2.KeyWorkerAssigned(person_id="carys.nurse"))
    assert "open" in (await refused(door.report(COORDINATOR, "ReopenPathway", patient, BACK))).message
    visit = new_id()
    starts = (datetime.now(UTC) + timedelta(days=7)).isoformat(timespec="seconds")
    booked = events_pb2.AppointmentBooked(appointment_id=visit, purpose="clinic", starts_at=starts)
    await door.told(COORDINATOR, "BookAppointment", patient, booked)
    came = events_pb2.AppointmentAttended(appointment_id=visit, outcome="Seen.")
    state = await door.told(COORDINATOR, "RecordAttendance", patient, came)
    for item in [one for one in state.open_items if one.kind not in {"next_contact", "close_pathway"}]:
        done = events_pb2.ItemCompleted(item_id=item.item_id, outcome="Done.")
        await door.told(NURSE, "CompleteItem", patient, done)
    state = await door.told(COORDINATOR, "ClosePathway", patient, CLOSED)
    last = state.pathway.filed_seq
    # when she comes back, twice said
    once: dict[str, Any] = {"key": new_id(), "occurred_at": datetime.now(UTC) - timedelta(minutes=1)}
    once["facts"] = [fact("disease_extent", "metastatic")]
    state = await door.told(COORDINATOR, "ReopenPathway", patient, BACK, **once)
    again = await door.told(COORDINATOR, "ReopenPathway", patient, BACK, **once)
    # then the pathway is open after what was there, and somebody has the next step
    assert (state.pathway.status, state.pathway.closed_reason, state.pathway.filed_seq) == ("open", "", last + 1)
    assert [item.title for item in of_kind(state, "follow_up")] == ["Reopened: plan the next contact"]
    assert [i.item_id for i in again.open_items] == [i.item_id for i in state.open_items]
    assert state.pathway.key_worker == "carys.nurse"
    # then what was known before still counts: a visit that was kept is not kept again, and news is taken
    assert (await refused(door.report(COORDINATOR, "RecordAttendance", patient, came))).category is Category.CONFLICT
    told = events_pb2.SymptomReported(told_by="person")
    state = await door.told(NURSE, "ReportSymptom", patient, told, facts=[fact("fatigue", "significant")])
    assert "1.10.1" in {item.number for item in state.open_items}
    # then why it had been closed stands in its history
    shown = house.cli("patient", "show", patient, "--history").stdout
    assert "She moved away" in shown
    await door.quiet(patient)
    assert {"pathway_closed", "pathway_reopened"} <= {message.template for message in await door.messages(patient)}


async def test_a_death_on_a_namesake_is_undone_even_after_the_pathway_was_closed(door: Door, house: House) -> None:
    # given somebody on treatment whose pathway was closed over a verified death
    patient, line = await treated(door)
    await door.told(COORDINATOR, "ReportDeath", patient, events_pb2.DeathReported(reported_by="gp", died_on=a_day(-1)))
    assert "death reported" in house.cli("patient", "show", patient).stdout.lower()
    sure = events_pb2.DeathVerified(
        identity_checked="nhs_number_and_name", confirmed_with="The GP's practice", died_on=a_day(-1)
    )
    state = await door.told(NURSE, "VerifyDeath", patient, sure)
    assert (state.whereabouts.death, state.whereabouts.died_on) == ("verified", a_day(-1))
    while left := [item for item in state.open_items if item.kind != "close_pathway"]:
        done = events_pb2.ItemCompleted(item_id=left[0].item_id, outcome="Done.")
        state = await door.told(ONCOLOGIST, "CompleteItem", patient, done)
    await door.told(COORDINATOR, "ClosePathway", patient, events_pb2.PathwayClosed(reason="She died."))
    # when she rings, and it is reopened and the death withdrawn
    rang = events_pb2.PathwayReopened(reason="She rang; it was a namesake.")
    state = await door.told(COORDINATOR, "ReopenPathway", patient, rang)
    assert state.whereabouts.death == "verified"
    mistake = events_pb2.DeathWithdrawn(mistake="namesake", reason="Another person of the same name.")
    state = await door.told(COORDINATOR, "WithdrawDeathReport", patient, mistake)
    # then her treatment goes on, with its next check, and nothing is said of a death
    assert [(one.line_id, one.status) for one in state.therapy_lines] == [(line, "ongoing")]
    assert state.whereabouts.death == ""
    state = await door.until(patient, lambda s: of_kind(s, "response_check"), "the response is checked again")
    assert not of_kind(state, "close_pathway") + of_kind(state, "bereavement")
    assert [item.title for item in of_kind(state, "follow_up")] == ["Reopened: plan the next contact"]

"""Lost and found again, opting out and in, and another team in the lead: none of it closes anybody's task."""

from __future__ import annotations

from typing import Any

from handrail.clinical.v1 import events_pb2
from handrail.records.v1 import timeline_pb2
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, PALLIATIVE, Door
from tests.journeys.stories import a_day, of_kind, refused, tired


def clocks(state: Any) -> set[tuple[str, str]]:
    return {(item.item_id, item.due_at.ToJsonString()) for item in state.open_items}


async def test_a_person_who_is_lost_is_looked_for_and_nothing_is_closed(door: Door) -> None:
    before = await tired(door)
    patient = before.person.patient_id
    # when nobody can reach her
    lost = events_pb2.LostToFollowUp(tried="Three calls, a letter, her daughter.", last_contact_on=a_day(-30))
    state = await door.told(NURSE, "RecordLostToFollowUp", patient, lost)
    # then everything stands, and somebody is to find her
    assert clocks(before) < clocks(state)
    (find,) = of_kind(state, "find_person")
    assert (find.title, find.urgency) == ("Find the person: GP, next of kin, NHS Spine", "urgent")
    done = events_pb2.ItemCompleted(item_id=find.item_id, outcome="Looked.")
    assert "was found" in (await refused(door.report(NURSE, "CompleteItem", patient, done))).message
    assert "already" in (await refused(door.report(NURSE, "RecordLostToFollowUp", patient, lost))).message
    # when she is found, then the next contact is planned
    found = events_pb2.FoundAgain(how="Her GP has a new telephone number.")
    state = await door.told(NURSE, "RecordFoundAgain", patient, found)
    assert not of_kind(state, "find_person")
    assert [item.title for item in of_kind(state, "follow_up")] == ["Found again: plan the next contact"]
    assert clocks(before) < clocks(state)
    assert "not reported as lost" in (await refused(door.report(NURSE, "RecordFoundAgain", patient, found))).message


async def test_a_person_who_opts_out_is_sent_nothing_and_the_teams_work_stays(door: Door) -> None:
    before = await tired(door)
    patient = before.person.patient_id
    no = events_pb2.OptedOut(scope="messages", words="Please stop writing to me.")
    state = await door.told(NURSE, "RecordOptOut", patient, no)
    assert clocks(state) == clocks(before)
    assert "already opted out" in (await refused(door.report(NURSE, "RecordOptOut", patient, no))).message
    # a death that was a mistake does not take her own word back
    await door.told(COORDINATOR, "ReportDeath", patient, events_pb2.DeathReported(reported_by="gp"))
    mistake = events_pb2.DeathWithdrawn(mistake="untrue", reason="She is well.")
    await door.told(COORDINATOR, "WithdrawDeathReport", patient, mistake)
    assert await causes(door, patient) == {"death": True, "preference": False}
    yes = events_pb2.OptedIn(words="Letters are fine after all.")
    await door.told(NURSE, "RecordOptIn", patient, yes)
    assert "not opted out" in (await refused(door.report(NURSE, "RecordOptIn", patient, yes))).message
    # one who does not want to be followed like this is asked how the team keeps in touch
    away = events_pb2.OptedOut(scope="follow_up", words="No more calls from the register.")
    state = await door.told(NURSE, "RecordOptOut", patient, away)
    assert [item.owner_team for item in of_kind(state, "opted_out")] == ["breast_care_nurses"]
    state = await door.told(NURSE, "RecordOptIn", patient, yes)
    assert clocks(state) == clocks(before)
    # the words stand in the record
    request = {event.kind: event for event in await events(door, patient)}
    assert request["opted_in"].event.opted_in.words == yes.words


async def test_palliative_care_leads_once_somebody_there_agreed(door: Door) -> None:
    # given a person for whom nothing is open but the next contact
    patient = await door.opened()
    named = events_pb2.KeyWorkerAssigned(person_id="carys.nurse")
    state = await door.told(NURSE, "AssignKeyWorker", patient, named)
    assert [(item.kind, item.owner_team) for item in state.open_items] == [("next_contact", "breast_care_nurses")]
    # when palliative care leads, then the next contact is theirs
    leads = events_pb2.LeadChanged(
        to_team="palliative_care", accepted_by="Dr Palliative", reason="Comfort comes first."
    )
    state = await door.told(PALLIATIVE, "ChangeLead", patient, leads)
    assert [item.owner_team for item in state.open_items] == ["palliative_care"]
    done = events_pb2.ItemCompleted(item_id=state.open_items[0].item_id, outcome="Visited; next week again.")
    state = await door.told(PALLIATIVE, "CompleteItem", patient, done)
    assert [(item.kind, item.owner_team) for item in state.open_items] == [("next_contact", "palliative_care")]
    # and a team that nobody knows, or that leads already, is refused
    assert (
        "leads this person's care already"
        in (await refused(door.report(PALLIATIVE, "ChangeLead", patient, leads))).message
    )
    stranger = events_pb2.LeadChanged(to_team="cosy_corner", accepted_by="X", reason="Because.")
    assert (await refused(door.report(NURSE, "ChangeLead", patient, stranger))).category is Category.INVALID


async def causes(door: Door, patient: str) -> dict[str, bool]:
    """For each cause, whether it was lifted last."""
    await door.quiet(patient)
    database = await door.database("notify_runtime")
    rows = await database.fetch(
        "SELECT DISTINCT ON (cause) cause, lifted FROM notify.suppression WHERE patient_id = $1 "
        "ORDER BY cause, seq DESC",
        patient,
    )
    await database.close()
    return {row["cause"]: row["lifted"] for row in rows}


async def events(door: Door, patient: str) -> list[Any]:
    request = timeline_pb2.ListEventsRequest(patient_id=patient)
    return list((await door.call(COORDINATOR, door.timeline.ListEvents, request)).events)

"""Side effect reported: kept with its grade, and the key worker's team hears of it."""

from __future__ import annotations

import json

from handrail.clinical.v1 import events_pb2
from tests.house import NURSE, Door, House, fact
from tests.journeys.stories import new_id, of_kind, refused, treated


async def test_a_side_effect_is_kept_and_told_to_the_breast_care_nurses(door: Door) -> None:
    # given a person on treatment
    patient, _ = await treated(door)
    # when a serious side effect is reported
    state = await door.told(
        NURSE,
        "ReportAdverseEvent",
        patient,
        events_pb2.AdverseEventReported(suspected_medicine="ribociclib", reaction="Neutropenia", serious=True),
        facts=[fact("adverse_event_grade", 3), fact("neutrophils", 0.8)],
    )
    # then the record holds it, and the nurses are told once
    assert {f.name: f.value.number for f in state.facts if f.name in {"adverse_event_grade", "neutrophils"}} == {
        "adverse_event_grade": 3,
        "neutrophils": 0.8,
    }
    await door.quiet(patient)
    told = [m for m in await door.messages(patient) if m.template == "adverse_event_reported"]
    assert [m.team for m in told] == ["breast_care_nurses"]
    # then the message names neither the medicine nor the reaction of a named person
    assert "Neutropenia" not in told[0].body


async def test_a_serious_reaction_waits_for_its_yellow_card_until_a_person_gives_the_reference(
    door: Door, house: House
) -> None:
    # given a serious reaction that a carer told of, with no medicine named yet
    patient, _ = await treated(door)
    reaction = events_pb2.AdverseEventReported(reaction="Neutropenia", serious=True, told_by="carer")
    state = await door.told(NURSE, "ReportAdverseEvent", patient, reaction)
    # then it is the reporter's team's to submit, and the card is ready but for what is missing
    (task,) = of_kind(state, "yellow_card")
    assert (task.owner_team, task.urgency) == ("breast_care_nurses", "urgent")
    card = json.loads(house.cli("patient", "yellow-card", patient, "--json").stdout)
    assert (card["reaction"], card["sex"], card["told_by"]) == ("Neutropenia", "female", "carer")
    assert card["other_medicines"] == ["letrozole", "ribociclib"]
    assert card["missing"] == ["the suspected medicine or device"]
    assert "Missing of the minimum" in house.cli("patient", "yellow-card", patient).stdout
    # when it is ticked off without a reference, or for another reaction, then it is refused
    done = events_pb2.ItemCompleted(item_id=task.item_id, outcome="Sent.")
    assert "with its reference" in (await refused(door.report(NURSE, "CompleteItem", patient, done))).message
    stray = events_pb2.YellowCardSubmitted(adverse_event_id=new_id(), reference="YC-1")
    assert "No Yellow Card waits" in (await refused(door.report(NURSE, "SubmitYellowCard", patient, stray))).message
    # when a person submitted it
    sent = events_pb2.YellowCardSubmitted(adverse_event_id=task.subject_id, reference="ADR-26-000123")
    state = await door.told(NURSE, "SubmitYellowCard", patient, sent)
    assert not of_kind(state, "yellow_card")
    # then a mild reaction to an old medicine asks for none, and a device's does
    mild = events_pb2.AdverseEventReported(reaction="Hot flushes", suspected_medicine="letrozole")
    assert not of_kind(await door.told(NURSE, "ReportAdverseEvent", patient, mild), "yellow_card")
    # a medicine on the list of additional monitoring asks for one, by its brand too and whoever reports it
    new = events_pb2.AdverseEventReported(reaction="Cough", suspected_medicine="Enhertu 100 mg", told_by="carer")
    (card,) = of_kind(await door.told(NURSE, "ReportAdverseEvent", patient, new), "yellow_card")
    assert "black triangle" in card.reason
    sent = events_pb2.YellowCardSubmitted(adverse_event_id=card.subject_id, reference="ADR-26-000124")
    await door.told(NURSE, "SubmitYellowCard", patient, sent)
    pump = events_pb2.AdverseEventReported(reaction="Skin infection", device="Syringe pump")
    assert of_kind(await door.told(NURSE, "ReportAdverseEvent", patient, pump), "yellow_card")

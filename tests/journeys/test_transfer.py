"""Care goes to another organisation: accepted before we let go, and taken back whole when it falls through."""

from __future__ import annotations

from typing import Any

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, Door
from tests.journeys.stories import new_id, of_kind, refused, tired

GUIDELINES = {"recommendation", "decision", "chase", "follow_on", "review"}


def offered(transfer: str) -> events_pb2.TransferOffered:
    return events_pb2.TransferOffered(
        transfer_id=transfer, to_organisation="Anytown Hospitals", ods_code="RXX", reason="She moves to her daughter."
    )


def clocks(state: Any) -> set[tuple[str, str, str]]:
    return {(item.item_id, item.due_at.ToJsonString(), item.owner_team) for item in state.open_items}


async def test_care_is_let_go_only_when_somebody_there_took_it(door: Door) -> None:
    # given a person with open tasks
    before = await tired(door)
    patient, transfer = before.person.patient_id, new_id()
    assert {item.kind for item in before.open_items} & GUIDELINES
    # when her care is offered to another organisation, then every task stays here, and one says that nobody took her
    state = await door.told(COORDINATOR, "OfferTransfer", patient, offered(transfer))
    assert clocks(before) < clocks(state)
    (waiting,) = of_kind(state, "transfer")
    assert (waiting.title, waiting.owner_team) == ("Transfer to Anytown Hospitals: not accepted yet", "coordination")
    # then it is not closed, ticked off or offered twice meanwhile
    closing = events_pb2.PathwayClosed(reason="She moved to Anytown.")
    assert "Still open" in (await refused(door.report(COORDINATOR, "ClosePathway", patient, closing))).message
    done = events_pb2.ItemCompleted(item_id=waiting.item_id, outcome="Sent.")
    assert "accepted or declined" in (await refused(door.report(NURSE, "CompleteItem", patient, done))).message
    again = await refused(door.report(COORDINATOR, "OfferTransfer", patient, offered(new_id())))
    assert "under way" in again.message
    # when a named person there takes her, then what the guideline asks for is asked there, and closing is what is left
    accepted = events_pb2.TransferAccepted(transfer_id=transfer, accepted_by="Dr Sample, Anytown oncology")
    state = await door.told(COORDINATOR, "AcceptTransfer", patient, accepted)
    assert [item.kind for item in state.open_items] == ["close_pathway"]
    # when it falls through after all, then everything stands as it stood
    declined = events_pb2.TransferDeclined(transfer_id=transfer, reason="Their clinic is full after all.")
    state = await door.told(COORDINATOR, "DeclineTransfer", patient, declined)
    assert clocks(before) < clocks(state)
    assert [item.kind for item in state.open_items if item.item_id not in {i.item_id for i in before.open_items}] == [
        "transfer_declined"
    ]
    # when the next one takes her, then a person closes the pathway, with the reason
    (instead,) = of_kind(state, "transfer_declined")
    done = events_pb2.ItemCompleted(item_id=instead.item_id, outcome="Othertown was asked.")
    await door.told(COORDINATOR, "CompleteItem", patient, done)
    second = new_id()
    await door.told(COORDINATOR, "OfferTransfer", patient, offered(second))
    accepted = events_pb2.TransferAccepted(transfer_id=second, accepted_by="Dr Other")
    state = await door.told(COORDINATOR, "AcceptTransfer", patient, accepted)
    state = await door.told(COORDINATOR, "ClosePathway", patient, closing)
    assert (state.pathway.status, list(state.open_items)) == ("closed", [])


async def test_an_answer_to_no_offer_is_refused(door: Door) -> None:
    patient = await door.opened()
    stray = events_pb2.TransferAccepted(transfer_id=new_id(), accepted_by="Dr Sample")
    assert (await refused(door.report(COORDINATOR, "AcceptTransfer", patient, stray))).category is Category.NOT_FOUND
    transfer = new_id()
    await door.told(COORDINATOR, "OfferTransfer", patient, offered(transfer))
    no = events_pb2.TransferDeclined(transfer_id=transfer, reason="No capacity.")
    await door.told(COORDINATOR, "DeclineTransfer", patient, no)
    assert "already declined" in (await refused(door.report(COORDINATOR, "DeclineTransfer", patient, no))).message

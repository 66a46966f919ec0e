"""Records is down for a while: reports are accepted, and filing catches up in order.

That clocks fire meanwhile is tested in tests/system, on a guideline with a task due soon; the telephone task to the
duty desk in tests/workflows.
"""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from handrail.records.v1 import timeline_pb2
from tests.durability.telling import insist
from tests.house import COORDINATOR, NURSE, Door, House


async def test_reports_are_accepted_while_records_is_down_and_filed_in_order_after(house: House, door: Door) -> None:
    patient_id = await door.opened("Recordsdown")
    house.cli("stop", "records")
    try:
        receipts = [
            await insist(door, NURSE, "ReportSymptom", patient_id, events_pb2.SymptomReported(note=f"report {number}"))
            for number in range(5)
        ]
    finally:
        house.cli("start", "records")
    state = await door.until(patient_id, lambda s: s.pathway.filed_seq >= receipts[-1].seq, "filing caught up", 40)
    request = timeline_pb2.ListEventsRequest(patient_id=patient_id)
    events = (await door.call(COORDINATOR, door.timeline.ListEvents, request)).events
    assert [event.seq for event in events] == [1, *(receipt.seq for receipt in receipts)] == [1, 2, 3, 4, 5, 6]
    assert [event.event_id for event in events][1:] == [receipt.event_id for receipt in receipts]
    assert [event.event.symptom_reported.note for event in events][1:] == [f"report {number}" for number in range(5)]
    assert state.open_items

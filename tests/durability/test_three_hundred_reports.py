"""Three hundred reports to one person: more than one run of the workflow, one timer, no key forgotten, all in order."""

from __future__ import annotations

import asyncio
import time
import uuid

import pytest

from handrail.clinical.v1 import events_pb2, terms_pb2
from handrail.records.v1 import timeline_pb2
from tests.durability.telling import at_rest, insist, pending_timers, runs_of
from tests.house import COORDINATOR, NURSE, Door, House
from workflows import names
from workflows.client import connect

REPORTS = 300
AT_ONCE = 10


@pytest.mark.timeout(400)
async def test_three_hundred_reports_cross_continue_as_new_with_one_timer_and_no_key_forgotten(
    house: House, door: Door
) -> None:
    patient_id = await door.opened("Threehundred")
    places = asyncio.Semaphore(AT_ONCE)

    async def report(number: int) -> terms_pb2.Receipt:
        async with places:
            event = events_pb2.SymptomReported(note=f"report {number}")
            return await insist(door, NURSE, "ReportSymptom", patient_id, event)

    request = door.request(
        "ReportSymptom", patient_id, events_pb2.SymptomReported(note="the first"), key=str(uuid.uuid4())
    )
    began = time.monotonic()
    first = (await door.call(NURSE, door.intake.ReportSymptom, request)).receipt
    receipts = [first, *await asyncio.gather(*(report(number) for number in range(1, REPORTS)))]
    accepted = time.monotonic() - began
    client = await connect(house.running.temporal_address, house.running.temporal_namespace)
    workflow_id = names.pathway_id(patient_id)
    await door.until(patient_id, lambda s: s.pathway.filed_seq >= REPORTS + 1, "all is filed", 240)
    filed = time.monotonic() - began
    await at_rest(client, workflow_id)
    again = (await door.call(NURSE, door.intake.ReportSymptom, request)).receipt
    runs = await runs_of(client, workflow_id)
    timers = pending_timers(runs[-1])
    asked = timeline_pb2.ListEventsRequest(patient_id=patient_id)
    events = (await door.call(COORDINATOR, door.timeline.ListEvents, asked)).events
    print(
        f"\nreports {len(receipts)}, runs {len(runs)}, history events {[len(run) for run in runs]},"
        f" pending timers {timers}, accepted in {accepted:.1f} s, filed in {filed:.1f} s"
    )
    assert len(runs) > 1
    assert timers == 1
    assert again == first
    assert [event.seq for event in events] == list(range(1, REPORTS + 2))
    by_seq = {receipt.seq: receipt.event_id for receipt in receipts}
    assert [event.event_id for event in events][1:] == [by_seq[seq] for seq in range(2, REPORTS + 2)]
    recorded = [event.recorded_at.ToNanoseconds() for event in events]
    assert recorded == sorted(recorded)

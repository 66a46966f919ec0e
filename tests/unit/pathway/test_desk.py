"""The desk answers a report that came twice as it answered the first, even when the record moved between its looks."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from handrail.clinical.v1 import events_pb2, terms_pb2
from handrail.pathway.v1 import intake_pb2
from handrail.records.v1 import timeline_pb2
from services.pathway.desk import Desk
from services.pathway.directory import Directory
from services.pathway.guideline import Guideline
from services.pathway.reports import request_hash
from services.runtime.context import Actor, set_actor
from services.runtime.errors import Conflict
from workflows.messages import Settings

FACT, EVENT = str(uuid.uuid4()), str(uuid.uuid4())


class Filed:
    """A record into which this very report is filed between the first look and the second."""

    def __init__(self, *, by_this_report: bool) -> None:
        self.by_this_report = by_this_report
        self.looks = 0
        self.hash = ""

    async def call(self, method: str, request: Any, **_: Any) -> Any:
        if method == "GetReply":
            self.looks += 1
            found = self.by_this_report and self.looks > 1
            receipt = terms_pb2.Receipt(seq=7, event_id=EVENT)
            return timeline_pb2.GetReplyResponse(found=found, request_hash=self.hash, receipt=receipt)
        if method == "ListFacts":
            fact = terms_pb2.Fact(fact_id=FACT, name="her2_ihc", superseded_by_fact_id=str(uuid.uuid4()))
            return timeline_pb2.ListFactsResponse(facts=[fact])
        return timeline_pb2.ListTeamsResponse()


class Names:
    """Each rpc is its own name."""

    def __getattr__(self, name: str) -> str:
        return name


async def corrected(guideline: Guideline, record: Any) -> terms_pb2.Receipt:
    names: Any = Names()
    desk = Desk(None, record, names, guideline, Settings(), Directory(record, names))  # type: ignore[arg-type]
    request = intake_pb2.CorrectFactRequest(
        idempotency_key=str(uuid.uuid4()),
        patient_id=str(uuid.uuid4()),
        fact_corrected=events_pb2.FactCorrected(fact_id=FACT, reason="It was another person's."),
    )
    request.occurred_at.GetCurrentTime()
    record.hash = request_hash(request, "fact_corrected")
    set_actor(Actor("nurse", "key_worker", "breast_care_nurses"))
    return await desk.accept(request, "fact_corrected")


async def test_a_correction_that_was_filed_meanwhile_is_answered_again(guideline: Guideline) -> None:
    receipt = await corrected(guideline, Filed(by_this_report=True))
    assert (receipt.seq, receipt.event_id) == (7, EVENT)


async def test_somebody_elses_correction_is_refused(guideline: Guideline) -> None:
    record = Filed(by_this_report=False)
    with pytest.raises(Conflict, match="corrected before"):
        await corrected(guideline, record)
    assert record.looks == 2

"""What a closed pathway remembers when it goes on: the record's own events, taken in order as they once were."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC

from google.protobuf.json_format import MessageToDict

from handrail.records.v1 import timeline_pb2
from services.pathway.guideline import Guideline
from services.pathway.reports import treatment_of
from workflows import resting
from workflows.effects import take_effect
from workflows.messages import Actor, GuidelinePin, PathwayState, Report


def before(
    patient: timeline_pb2.GetPatientResponse, events: Iterable[timeline_pb2.RecordedEvent], guideline: Guideline
) -> PathwayState:
    """Return the state of a pathway as its events left it, ready for the report that reopens it.

    Nothing is open and nothing waits to be told: a pathway closes only so. Pin and settings are the caller's to set.
    """
    state = PathwayState(patient.person.patient_id, GuidelinePin("", "", ""))
    for told in events:
        take_effect(state, _report(told, guideline))
    at_rest = {
        resting.DEATH: state.death.status == "verified",
        resting.TRANSFER: "accepted" in state.transfers.values(),
    }
    return replace(
        state,
        seq=patient.pathway.filed_seq,
        reopening=True,
        closed=False,
        silences=[],
        resting={cause: [] for cause, rests in at_rest.items() if rests},
    )


def _report(told: timeline_pb2.RecordedEvent, guideline: Guideline) -> Report:
    event = getattr(told.event, told.kind)
    return Report(
        key="",
        request_hash="",
        kind=told.kind,
        event=MessageToDict(event, preserving_proto_field_name=True),
        facts=[],
        actor=Actor(told.actor.subject, told.actor.role, told.actor.team),
        occurred_at=told.occurred_at.ToDatetime(tzinfo=UTC),
        treatment=treatment_of(event, told.kind, guideline),
    )

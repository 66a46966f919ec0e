"""What the contract refuses is said so that somebody knows what to type instead."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Invalid
from services.runtime.interceptors import _check


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (events_pb2.InvestigationOrdered(modality="MRI", purpose="diagnosis"), "order_id: is missing; copy the id"),
        (events_pb2.TherapyLineStarted(line_id="x"), "line_id: copy the id from the task"),
        (events_pb2.TherapyLineStarted(), "course: is missing"),
        (events_pb2.DecisionMade(), "outcome: is missing"),
        (events_pb2.DecisionMade(), "number: write the number of a recommendation, such as 1.7.16"),
        (events_pb2.ReferralDrafted(), "is missing"),
        (events_pb2.RelatedPersonRecorded(relationship="dog"), "relationship: choose one of partner, parent, child"),
        (events_pb2.CapacityAssessed(review_on="1/2/2026"), "review_on: write a date as 2026-11-22"),
        (events_pb2.TransferOffered(ods_code="a b"), "ods_code: write an ODS code, such as RXX01"),
        (events_pb2.RelatedPersonRecorded(name="n" * 200), "name: must be at most 120 characters"),
    ],
)
def test_a_field_that_does_not_fit_says_what_to_type(event: Message, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        _check(event)
    told = "; ".join(f"{one.field}: {one.description}" for one in refused.value.violations)
    assert said in told
    assert "regex" not in told
    assert "UUID" not in told

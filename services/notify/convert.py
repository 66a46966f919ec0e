"""Between rows and the contract."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message as AnyMessage

from handrail.notify.v1 import notices_pb2 as notices_pb
from services.notify.channels import Outcome
from services.notify.models import Attempt, Inbound, Message

STARTED = "started"


def request_hash(request: AnyMessage, *ignored: str) -> str:
    """Return what tells two requests apart, leaving out the key and the fields named."""
    content = MessageToDict(request, preserving_proto_field_name=True)
    for name in ("idempotency_key", *ignored):
        content.pop(name, None)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def uuid_from_proto(text: str) -> UUID | None:
    """Return the UUID, or nothing where the field is empty."""
    return UUID(text) if text else None


def message_to_proto(message: Message, attempts: Iterable[Attempt], receipts: Iterable[Inbound]) -> notices_pb.Message:
    """Return a message with its attempts and what came back."""
    shown = notices_pb.Message(
        message_id=str(message.message_id),
        template=message.template,
        team=message.team,
        patient_id=str(message.patient_id or ""),
        channel=message.channel,
        status=message.status,
        subject=message.subject,
        event_id=str(message.event_id or ""),
        correlation_id=message.correlation_id,
        body=message.body,
        digest_id=str(message.digest_id or ""),
        attempts=attempts_to_proto(list(attempts)),
        receipts=[_receipt_to_proto(row) for row in receipts],
    )
    shown.created_at.FromDatetime(message.created_at)
    return shown


def attempts_to_proto(steps: Sequence[Attempt]) -> list[notices_pb.Attempt]:
    """Join the start and the end of each attempt; one without an end is in doubt."""
    ends = {step.number: step for step in steps if step.step != STARTED}
    shown = []
    for start in (step for step in steps if step.step == STARTED):
        end = ends.get(start.number)
        outcome = end.step if end else Outcome.IN_DOUBT.value
        attempt = notices_pb.Attempt(number=start.number, outcome=outcome, detail=end.detail if end else "")
        attempt.started_at.FromDatetime(start.at)
        shown.append(attempt)
    return shown


def inbound_to_proto(row: Inbound) -> notices_pb.Inbound:
    """Return what came back, with its place in the order."""
    shown = notices_pb.Inbound(
        cursor=row.cursor,
        inbound_id=str(row.inbound_id),
        kind=row.kind,
        message_id=str(row.message_id),
        owner_id=row.owner_id,
        channel=row.channel,
        detail=row.detail,
    )
    shown.at.FromDatetime(row.at)
    return shown


def _receipt_to_proto(row: Inbound) -> notices_pb.Receipt:
    shown = notices_pb.Receipt(inbound_id=str(row.inbound_id), kind=row.kind, detail=row.detail)
    shown.at.FromDatetime(row.at)
    return shown

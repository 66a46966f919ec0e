"""Information and shared decisions as their events leave them: what is wanted, what was given, who is beside."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.clinical.v1 import events_pb2 as events_pb
from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.records import models
from services.records.convert import actor_to_proto, instant_to_proto

_KINDS = (
    "involvement_agreed",
    "information_given",
    "related_person_recorded",
    "capacity_assessed",
    "best_interests_decided",
)


async def shared_decisions(session: AsyncSession, patient_id: uuid.UUID) -> timeline_pb.SharedDecisions:
    """Return what stands of one person's information and shared decisions."""
    rows = await session.scalars(
        select(models.Event)
        .where(models.Event.patient_id == patient_id, models.Event.kind.in_(_KINDS))
        .order_by(models.Event.seq)
    )
    told = rows.all()
    agreed, given, related, assessed, decided = ([event for event in told if event.kind == kind] for kind in _KINDS)
    standing = timeline_pb.SharedDecisions(
        information=[_given(event) for event in reversed(given)],
        related_people=_related(related),
        capacity=_capacity(assessed, decided),
    )
    if agreed:
        newest = agreed[-1]
        standing.involvement.CopyFrom(
            timeline_pb.Involvement(
                event_id=str(newest.event_id),
                involvement=_said(newest, events_pb.InvolvementAgreed()),
                at=instant_to_proto(newest.occurred_at),
                actor=actor_to_proto(newest),
            )
        )
    return standing


def _said(event: models.Event, into: Message) -> Any:  # noqa: ANN401 - the message it was given
    return ParseDict(event.payload[event.kind], into)


def _given(event: models.Event) -> timeline_pb.GivenInformation:
    return timeline_pb.GivenInformation(
        event_id=str(event.event_id),
        information=_said(event, events_pb.InformationGiven()),
        at=instant_to_proto(event.occurred_at),
        actor=actor_to_proto(event),
    )


def _related(recorded: Sequence[models.Event]) -> list[timeline_pb.RelatedPerson]:
    """Return who is beside the person, each as recorded last; whoever no longer is, is left out."""
    newest: dict[str, timeline_pb.RelatedPerson] = {}
    for event in recorded:
        said = _said(event, events_pb.RelatedPersonRecorded())
        newest[said.related_person_id] = timeline_pb.RelatedPerson(
            related_person=said, at=instant_to_proto(event.occurred_at)
        )
    return [one for one in newest.values() if not one.related_person.no_longer]


def _capacity(assessed: Sequence[models.Event], decided: Sequence[models.Event]) -> list[timeline_pb.Capacity]:
    """Return each assessment, newest first, with the newest decision that stands on it."""
    made = {event.payload[event.kind]["assessment_id"]: event for event in decided}
    newest = {event.payload[event.kind]["about"]: event.event_id for event in assessed}
    found = []
    for event in reversed(assessed):
        said = _said(event, events_pb.CapacityAssessed())
        one = timeline_pb.Capacity(
            assessment=said,
            at=instant_to_proto(event.occurred_at),
            actor=actor_to_proto(event),
            current=newest[said.about] == event.event_id,
        )
        if decision := made.get(said.assessment_id):
            one.decided.CopyFrom(_said(decision, events_pb.BestInterestsDecided()))
            one.decided_at.FromDatetime(decision.occurred_at.astimezone(dt.UTC))
        found.append(one)
    return found

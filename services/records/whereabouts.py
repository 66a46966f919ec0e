"""Who a person is cared for by, and whether they can be reached: what the events of that kind leave standing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.records import models

_KINDS = (
    "death_reported",
    "death_verified",
    "death_withdrawn",
    "lead_changed",
    "lost_to_follow_up",
    "found_again",
    "opted_out",
    "opted_in",
    "transfer_offered",
    "transfer_accepted",
    "transfer_declined",
)


async def whereabouts(session: AsyncSession, patient_id: uuid.UUID) -> timeline_pb.Whereabouts:
    """Return what stands of a person's death, lead, whereabouts, wishes and transfer."""
    told = select(models.Event).where(models.Event.patient_id == patient_id, models.Event.kind.in_(_KINDS))
    standing = timeline_pb.Whereabouts()
    for event in await session.scalars(told.order_by(models.Event.seq)):
        _stand(standing, event.kind, event.payload[event.kind])
    return standing


def _stand(standing: timeline_pb.Whereabouts, kind: str, said: Mapping[str, Any]) -> None:
    match kind:
        case "death_reported" | "death_verified":
            standing.death, standing.died_on = kind.removeprefix("death_"), said.get("died_on", "")
        case "death_withdrawn":
            standing.death = standing.died_on = ""
        case "lead_changed":
            standing.lead_team = said["to_team"]
        case "lost_to_follow_up" | "found_again":
            standing.lost = kind == "lost_to_follow_up"
        case "opted_out" | "opted_in":
            standing.opted_out = said.get("scope", "")
        case "transfer_offered":
            standing.transfer, standing.transfer_to = "offered", said["to_organisation"]
        case "transfer_declined":
            standing.transfer = standing.transfer_to = ""
        case _:
            standing.transfer = "accepted"

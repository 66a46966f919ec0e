"""Supportive care as its events leave it: cover, needs before and after, wishes, research, complications."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from google.protobuf.json_format import ParseDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.clinical.v1 import events_pb2 as events_pb
from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.records import models
from services.records.convert import actor_to_proto, date_to_proto, instant_to_proto
from services.runtime.clock import now

LONDON = ZoneInfo("Europe/London")
KEY_WORKER = "key_worker"
DOMAINS = ("physical", "psychological", "social", "spiritual", "financial")
_OF_KEY_WORKERS = ("key_worker_assigned", "key_worker_covered", "key_worker_left")
_OF_CARE = ("needs_assessed", "goals_changed", "preference_recorded", "research_discussed", "complication_reviewed")


async def support(session: AsyncSession, patient_id: uuid.UUID) -> timeline_pb.Support:
    """Return what stands of one person's supportive care and complications."""
    told = await _told(session, [patient_id], (*_OF_KEY_WORKERS, *_OF_CARE))
    goals = [event for event in told if event.kind == "goals_changed"]
    watched = await session.scalars(
        select(models.Item)
        .where(models.Item.patient_id == patient_id, models.Item.kind == "complication")
        .order_by(models.Item.opened_at, models.Item.closed_at)
    )
    standing = timeline_pb.Support(
        cover=_cover(told),
        needs=_needs([event for event in told if event.kind == "needs_assessed"]),
        wishes=_wishes([event for event in told if event.kind == "preference_recorded"]),
        research=[
            timeline_pb.ResearchTalk(
                event_id=str(event.event_id),
                research=ParseDict(_said(event), events_pb.ResearchDiscussed()),
                at=instant_to_proto(event.occurred_at),
            )
            for event in told
            if event.kind == "research_discussed"
        ],
        complications=_complications(watched.all(), [event for event in told if event.kind == "complication_reviewed"]),
    )
    if goals:
        ParseDict(_said(goals[-1]), standing.goals)
        standing.goals_at.FromDatetime(goals[-1].occurred_at.astimezone(dt.UTC))
    return standing


async def key_workers_today(session: AsyncSession, patient_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return for each person who has a key worker who that is today: the key worker, or who covers."""
    if not patient_ids:
        return {}
    named = await session.execute(
        select(models.Pathway.patient_id, models.Pathway.key_worker).where(
            models.Pathway.patient_id.in_(patient_ids), models.Pathway.key_worker != ""
        )
    )
    found: dict[uuid.UUID, str] = {row.patient_id: row.key_worker for row in named}
    told = await _told(session, list(found), _OF_KEY_WORKERS)
    for patient_id in found:
        cover = _cover([event for event in told if event.patient_id == patient_id])
        if cover is not None and cover.in_force:
            found[patient_id] = cover.person_id
    return found


async def _told(
    session: AsyncSession, patient_ids: Collection[uuid.UUID], kinds: Collection[str]
) -> Sequence[models.Event]:
    rows = await session.scalars(
        select(models.Event)
        .where(models.Event.patient_id.in_(patient_ids), models.Event.kind.in_(kinds))
        .order_by(models.Event.seq)
    )
    return rows.all()


def _said(event: models.Event) -> dict[str, Any]:
    payload: dict[str, Any] = event.payload[event.kind]
    return payload


def _cover(told: Iterable[models.Event]) -> timeline_pb.Cover | None:
    """Return the cover that stands now or is to come; a newly named key worker ends it."""
    newest = next((event for event in reversed([*told]) if event.kind in _OF_KEY_WORKERS), None)
    if newest is None or newest.kind != "key_worker_covered":
        return None
    today = now().astimezone(LONDON).date().isoformat()
    said = _said(newest)
    if said["until_on"] < today:
        return None
    return timeline_pb.Cover(**said, in_force=said["from_on"] <= today)


def _needs(assessments: Sequence[models.Event]) -> list[timeline_pb.NeedsDomain]:
    """Return each domain with its concerns and all their scores; one that nobody asked about is unknown."""
    if not assessments:
        return []
    domains = {name: timeline_pb.NeedsDomain(domain=name, state="unknown") for name in DOMAINS}
    concerns: dict[tuple[str, str], timeline_pb.ScoredConcern] = {}
    for event in assessments:
        said, at = _said(event), event.occurred_at.astimezone(dt.UTC)
        for concern in said.get("concerns", []):
            key = (concern["domain"], concern["concern"].strip().casefold())
            kept = concerns.get(key)
            if kept is None:
                kept = concerns[key] = domains[concern["domain"]].concerns.add(concern=concern["concern"])
            kept.scores.add(score=concern["score"]).at.FromDatetime(at)
            for name in ("plan", "owner_team", "review_on") if concern.get("plan") or not concern["score"] else ():
                setattr(kept, name, concern.get(name, ""))
        for name in {*said.get("no_concern", []), *(concern["domain"] for concern in said.get("concerns", []))}:
            domains[name].asked_at.FromDatetime(at)
            troubled = any(concern.scores[-1].score for concern in domains[name].concerns)
            domains[name].state = "concern" if troubled and name not in said.get("no_concern", []) else "no_concern"
    return list(domains.values())


def _wishes(recorded: Sequence[models.Event]) -> list[timeline_pb.Wish]:
    """Return the wishes, newest first; of each kind the newest is current, unless it was withdrawn."""
    newest = {_said(event)["kind"]: event.event_id for event in recorded}
    return [
        timeline_pb.Wish(
            event_id=str(event.event_id),
            preference=ParseDict(_said(event), events_pb.PreferenceRecorded()),
            recorded_at=instant_to_proto(event.occurred_at),
            actor=actor_to_proto(event),
            current=newest[_said(event)["kind"]] == event.event_id and _said(event)["answer"] != "withdrawn",
        )
        for event in reversed(recorded)
    ]


def _complications(
    looks: Sequence[models.Item], reviews: Sequence[models.Event]
) -> list[timeline_pb.WatchedComplication]:
    """Return each complication once, from the first of its unbroken looks."""
    found: dict[str, timeline_pb.WatchedComplication] = {}
    goes_on: dict[str, bool] = {}
    for item in looks:
        name = item.subject_id
        if not goes_on.get(name):
            found[name] = timeline_pb.WatchedComplication(complication=name, since=instant_to_proto(item.opened_at))
        standing = found[name]
        goes_on[name] = item.status == "replaced"
        standing.state = "watched" if item.status == "open" else "settled"
        standing.next_on = date_to_proto(item.due_on) if item.status == "open" else ""
    for event in reviews:
        said = _said(event)
        known = found.get(said["complication"])
        if known is None or event.recorded_at < known.since.ToDatetime(tzinfo=dt.UTC):
            continue
        known.note = said.get("note", "")
        known.reviewed_at.FromDatetime(event.occurred_at.astimezone(dt.UTC))
        if known.state == "watched":
            known.state = "ongoing"
    return list(found.values())

"""Plans: items opened, moved and settled in one transaction; each change leaves a step with its reason."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.records.v1 import filing_pb2 as filing_pb
from services.records import models
from services.records.convert import date_from_proto, ids_from_proto, instant_from_proto
from services.records.db import new_id, unknown_person
from services.records.replies import filed_before, same_call
from services.records.teams import Owners, owners
from services.runtime.clock import now
from services.runtime.errors import Conflict, NotFound

OPEN = "open"


async def apply_plan(session: AsyncSession, request: filing_pb.ApplyPlanRequest) -> filing_pb.ApplyPlanResponse:
    """Apply a plan once: the same key, or another call for the same place in the order, gets the first answer."""
    patient_id = uuid.UUID(request.patient_id)
    applied = await _applied(session, request, patient_id)
    if applied is not None:
        return _answer(applied.answer["opened"], already_applied=True)
    touched = [change.item_id for changes in (request.close, request.move, request.reopen) for change in changes]
    items = await _items(session, patient_id, touched)
    at = instant_from_proto(request.applied_at)
    for settle in request.close:
        _settle(session, items[uuid.UUID(settle.item_id)], settle, at, request.seq)
    who = await owners(session) if request.open or request.move else None
    for move in request.move:
        _move(session, items[uuid.UUID(move.item_id)], move, at, request.seq)
        if who is not None and move.owner_team:
            items[uuid.UUID(move.item_id)].owner_team = who.owner(move.owner_team, "")
    # Closed before opened: a successor may take the key that its predecessor leaves.
    await session.flush()
    for again in request.reopen:
        _reopen(session, items[uuid.UUID(again.item_id)], again, at, request.seq)
    opened = await _open_all(session, request, who, at) if who is not None else []
    if request.pathway_closed:
        pathway = await session.get(models.Pathway, patient_id)
        if pathway is not None:
            pathway.settled_at = at
    session.add(_call("ApplyPlan", request.idempotency_key, patient_id, request.seq, {"opened": opened}))
    return _answer(opened, already_applied=False)


async def mark_overdue(session: AsyncSession, request: filing_pb.MarkOverdueRequest) -> int:
    """Mark the items that are open and not marked yet; return how many that were. Nothing is closed."""
    patient_id = uuid.UUID(request.patient_id)
    before = await filed_before(session, uuid.UUID(request.idempotency_key), "MarkOverdue")
    if before is not None:
        return int(before.answer["marked"])
    items = await _items(session, patient_id, request.item_ids)
    at = instant_from_proto(request.overdue_at)
    marked = [item for item in items.values() if item.status == OPEN and item.overdue_at is None]
    for item in marked:
        item.overdue_at = at
        session.add(_step(item, "overdue", at, request.seq, ""))
    session.add(_call("MarkOverdue", request.idempotency_key, patient_id, request.seq, {"marked": len(marked)}))
    return len(marked)


async def known_item(session: AsyncSession, patient_id: uuid.UUID, item_id: uuid.UUID, field: str) -> models.Item:
    """Return an item of this person.

    Raises:
        NotFound: there is none.
    """
    item = await session.get(models.Item, item_id)
    if item is None or item.patient_id != patient_id:
        raise _unknown_item(field)
    return item


async def _applied(
    session: AsyncSession, request: filing_pb.ApplyPlanRequest, patient_id: uuid.UUID
) -> models.FiledCall | None:
    """Return what this key, or an earlier call for this place in the order, was answered with.

    Raises:
        NotFound: nobody has this id.
        KeyReused: the key came before with another call.
    """
    key, call = uuid.UUID(request.idempotency_key), models.FiledCall
    same_place = and_(call.rpc == "ApplyPlan", call.patient_id == patient_id, call.seq == request.seq)
    rows = await session.execute(
        select(models.Person.patient_id, call)
        .outerjoin(call, or_(call.idempotency_key == key, same_place))
        .where(models.Person.patient_id == patient_id)
    )
    found = [before for _, before in rows]
    if not found:
        raise unknown_person()
    known = next((before for before in found if before is not None and before.idempotency_key == key), found[0])
    return same_call(known, "ApplyPlan")


async def _items(session: AsyncSession, patient_id: uuid.UUID, item_ids: Iterable[str]) -> dict[uuid.UUID, models.Item]:
    """Return all of these items of this person.

    Raises:
        NotFound: one is not on this person's record.
    """
    wanted = {uuid.UUID(item_id) for item_id in item_ids}
    if not wanted:
        return {}
    found = await session.scalars(
        select(models.Item).where(models.Item.patient_id == patient_id, models.Item.item_id.in_(wanted))
    )
    items = {item.item_id: item for item in found}
    if wanted - items.keys():
        raise _unknown_item("item_id")
    return items


def _settle(
    session: AsyncSession, item: models.Item, settle: filing_pb.ItemToSettle, at: dt.datetime, seq: int
) -> None:
    """Close an open item with its reason; one that is closed already stands as it was closed."""
    if item.status != OPEN:
        return
    item.status, item.closed_at, item.closed_reason = settle.how, at, settle.reason
    session.add(_step(item, settle.how, at, seq, settle.reason))


def _move(session: AsyncSession, item: models.Item, move: filing_pb.ItemToMove, at: dt.datetime, seq: int) -> None:
    """Note what a person did with an open item; a mark of being overdue goes when its due time is later now."""
    if item.status != OPEN:
        message = "This task is closed, so nothing can be done with it. Read the worklist again."
        raise Conflict(message, field="move", reason="item_closed")
    change = move.change or "moved"
    item.due_on = date_from_proto(move.due_on, "move.due_on")
    item.due_at = instant_from_proto(move.due_at)
    item.moved += change == "moved"
    item.attempts += change == "attempted"
    item.calendar_version = move.calendar_version or item.calendar_version
    if move.waits_for_item_id:
        item.waits_for_item_id = uuid.UUID(move.waits_for_item_id)
    if change in {"taken", "handed_over"}:
        item.taken_by = move.taken_by
    if item.overdue_at is not None and item.due_at > at:
        item.overdue_at = None
    session.add(_step(item, change, at, seq, move.reason))


def _reopen(session: AsyncSession, item: models.Item, again: filing_pb.ItemToReopen, at: dt.datetime, seq: int) -> None:
    """Let a closed item stand again as it stood, with its owner and its clock; one that is open stays so."""
    if item.status == OPEN:
        return
    item.status, item.closed_at, item.closed_reason = OPEN, None, ""
    session.add(_step(item, "reopened", at, seq, again.reason))


async def _open_all(
    session: AsyncSession, request: filing_pb.ApplyPlanRequest, who: Owners, at: dt.datetime
) -> list[dict[str, str]]:
    if not request.open:
        return []
    standing = {
        item.item_id: item
        for item in await session.scalars(
            select(models.Item).where(models.Item.item_id.in_([uuid.UUID(item.item_id) for item in request.open]))
        )
    }
    opened: list[dict[str, str]] = []
    followers: list[models.ItemStep | models.ItemFact] = []
    for asked in request.open:
        item = standing.get(uuid.UUID(asked.item_id))
        if item is None:
            item = _item(request, asked, who, at)
            session.add(item)
            followers += [_step(item, "opened", at, request.seq, asked.reason), *_links(item, asked)]
        elif str(item.patient_id) != request.patient_id or item.key != asked.key:
            message = "This item id stands for another item. Open the new item under an id of its own."
            raise Conflict(message, field="open.item_id", reason="item_id_taken")
        opened.append({"item_id": asked.item_id, "owner_team": item.owner_team})
    await session.flush()  # steps and links refer to the items
    session.add_all(followers)
    return opened


def _item(
    request: filing_pb.ApplyPlanRequest, asked: filing_pb.ItemToOpen, who: Owners, at: dt.datetime
) -> models.Item:
    return models.Item(
        item_id=uuid.UUID(asked.item_id),
        patient_id=uuid.UUID(request.patient_id),
        key=asked.key,
        kind=asked.kind,
        rule_id=asked.rule_id,
        number=asked.number,
        title=asked.title,
        reason=asked.reason,
        owner_role=asked.owner_role,
        owner_team=who.owner(asked.owner_team, asked.owner_role),
        due_on=date_from_proto(asked.due_on, "open.due_on"),
        due_at=instant_from_proto(asked.due_at),
        urgency=asked.urgency,
        status=OPEN,
        opened_at=at,
        closed_reason="",
        missing_fact=asked.missing_fact,
        supplied_by=asked.supplied_by,
        subject_id=asked.subject_id,
        opened_by_event_id=uuid.UUID(request.event_id) if request.event_id else None,
        moved=0,
        taken_by="",
        attempts=0,
        calendar_version=asked.calendar_version,
    )


def _links(item: models.Item, asked: filing_pb.ItemToOpen) -> list[models.ItemFact]:
    return [
        models.ItemFact(item_id=item.item_id, fact_id=fact_id, patient_id=item.patient_id)
        for fact_id in ids_from_proto(asked.fact_ids, "open.fact_ids")
    ]


def _step(item: models.Item, change: str, at: dt.datetime, seq: int, reason: str) -> models.ItemStep:
    return models.ItemStep(
        item_step_id=new_id(),
        item_id=item.item_id,
        patient_id=item.patient_id,
        seq=seq,
        change=change,
        at=at,
        due_at=item.due_at,
        reason=reason,
    )


def _call(rpc: str, key: str, patient_id: uuid.UUID, seq: int, answer: dict[str, object]) -> models.FiledCall:
    return models.FiledCall(
        idempotency_key=uuid.UUID(key), rpc=rpc, patient_id=patient_id, seq=seq, answer=answer, filed_at=now()
    )


def _answer(opened: Iterable[dict[str, str]], *, already_applied: bool) -> filing_pb.ApplyPlanResponse:
    return filing_pb.ApplyPlanResponse(
        opened=[filing_pb.OwnedItem(**item) for item in opened], already_applied=already_applied
    )


def _unknown_item(field: str) -> NotFound:
    message = "This person has no such task. Copy the id from their worklist."
    return NotFound(message, field=field, reason="unknown_item")

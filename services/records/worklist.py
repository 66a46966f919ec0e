"""The worklist: its order, and which open items stand on which of its tabs."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, literal, or_, tuple_

from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.records import models, pages
from services.runtime.clock import now

LONDON = ZoneInfo("Europe/London")
ORDER = (models.Item.urgency_rank, models.Item.due_at, models.Item.item_id)
_DATA_MISSING = ("chase", "data_request")
# What follows from a visit to which the person did not come, or was not brought.
_MISSED = ("missed_check", "missed_appointment", "not_brought", "missed_review")
_RANKS = {"emergency": 0, "urgent": 1}


def conditions(request: timeline_pb.ListItemsRequest) -> list[ColumnElement[bool]]:
    """Return what an item must be to be on this page.

    Raises:
        Invalid: an id or the page token was not given by Handrail.
    """
    item = models.Item
    found: list[ColumnElement[bool]] = [] if request.include_closed or request.item_id else [item.status == "open"]
    if request.item_id:
        found.append(item.item_id == pages.an_id(request.item_id, "item_id"))
    if request.patient_id:
        found.append(item.patient_id == pages.an_id(request.patient_id, "patient_id"))
    if request.team:
        found.append(item.owner_team == request.team)
    if request.taken_by:
        found.append(item.taken_by == request.taken_by)
    if request.tab:
        found.append(_tab(request.tab, now()))
    if request.page_token:
        rank, due_at, item_id = pages.read_rank_instant_and_id(request.page_token)
        found.append(tuple_(*ORDER) > tuple_(literal(rank), literal(due_at), literal(item_id)))
    return found


def token_after(item: timeline_pb.Item) -> str:
    """Return the token of the page that begins after this item."""
    return pages.write(str(_RANKS.get(item.urgency, 2)), item.due_at.ToJsonString(), item.item_id)


def _tab(tab: str, moment: dt.datetime) -> ColumnElement[bool]:
    item = models.Item
    end_of_today = dt.datetime.combine(moment.astimezone(LONDON).date() + dt.timedelta(days=1), dt.time(), LONDON)
    tabs = {
        # what falls due before the day is over, by its end
        "due": and_(item.due_at > moment, item.due_at <= end_of_today),
        "overdue": item.due_at <= moment,
        # what should not wait for somebody to look, and nobody said that they have it; referrals that nobody took
        "unacknowledged": and_(
            item.taken_by == "", or_(item.urgency != "routine", item.key.like("track|referral|%|outstanding"))
        ),
        "cannot_decide": or_(item.kind.in_(_DATA_MISSING), item.key.like("urgent|%|ask:%")),
        "missed": item.kind.in_(_MISSED),
        "not_booked": item.kind == "follow_up",
    }
    return tabs[tab]

"""Data that somebody was asked for: one task to whoever holds it, however many tasks wait for it. Pure.

What an open task asks for already is not asked for again: the task that waits is pointed to that one.
"""

from __future__ import annotations

from collections.abc import Collection

from workflows import names
from workflows.messages import Closing, DataAsked, Entry, OpenItem, PathwayState, Report, TrackItem
from workflows.tracks import PREFIX, TrackMoves

KIND, EVENT = "data_request", "item_data_asked"
_CHASE = "chase|"


def moves(state: PathwayState, report: Report, event_id: str) -> TrackMoves:
    """Return the task that a question opens, and those that close because what they asked for is known now."""
    arrived = {str(fact["name"]) for fact in report.facts}
    closed = [
        Closing(key, "done", "What was asked for is recorded.")
        for key, asked in state.data_asked.items()
        if arrived and not set(asked.missing) - arrived
    ]
    item = state.items.get(str(report.event.get("item_id", ""))) if report.kind == EVENT else None
    if item is None or not _not_asked_yet(state, report):
        return [], closed
    event = report.event
    note = f" {event['note']}" if event.get("note") else ""
    return [
        TrackItem(
            key=_key(event_id),
            kind=KIND,
            title=f"Supply: {event['asked']}"[:300],
            reason=f"'{item.title}' cannot go on without it.{note} Record the result, even if it is 'unknown'.",
            owner_role=str(event["supplied_by"]),
            promise="data_supplied",
            urgency="routine" if item.urgency == "routine" else "urgent",
            subject_id=item.item_id,
        )
    ], closed


def remember(state: PathwayState, entry: Entry) -> None:
    """Note what was asked, what has arrived and what closed; only once the tasks are planned."""
    report = entry.report
    open_keys = {item.key for item in state.items.values()}
    # What a death or a transfer set aside may stand again, and then still asks.
    open_keys |= {item.key for items in state.resting.values() for item in items}
    arrived = {str(fact["name"]) for fact in report.facts} if report else set()
    for asked in state.data_asked.values():
        asked.missing = [name for name in asked.missing if name not in arrived]
    if report is not None and report.kind == EVENT:
        item_id, key = str(report.event["item_id"]), _key(entry.event_id)
        if key in open_keys:
            state.data_asked[key] = DataAsked(_not_asked_yet(state, report), [])
        for known, asked in state.data_asked.items():
            if known == key or set(asked.missing) & set(report.event["facts"]):
                asked.waiting = [*asked.waiting, item_id]
    state.data_asked = {key: asked for key, asked in state.data_asked.items() if key in open_keys}


def waits_for(state: PathwayState, entry: Entry) -> str:
    """Return the id of the task that the asking one waits for: the new one, else the one that asks already."""
    report = entry.report
    if report is None or report.kind != EVENT:
        return ""
    if _not_asked_yet(state, report):
        return names.derived_id("item", state.patient_id, _key(entry.event_id), entry.event_id)
    asked = set(report.event["facts"])
    return next((item.item_id for item in state.items.values() if _asks_for(state, item) & asked), "")


def no_longer_waited_for(state: PathwayState, closed: Collection[str]) -> list[Closing]:
    """Return the questions that fall away because every task that waited for them closes (`closed`, by id)."""
    gone = {item_id for item_id in closed if item_id in state.items}
    return [
        Closing(key, "withdrawn", "No open task waits for it any more.")
        for key, asked in state.data_asked.items()
        if gone & set(asked.waiting) and not any(one in state.items and one not in gone for one in asked.waiting)
    ]


def _not_asked_yet(state: PathwayState, report: Report) -> list[str]:
    asked = {name for item in state.items.values() for name in _asks_for(state, item)}
    return [name for name in report.event["facts"] if name not in asked]


def _asks_for(state: PathwayState, item: OpenItem) -> set[str]:
    if item.key.startswith(_CHASE):
        return set(item.key.removeprefix(_CHASE).split("|", maxsplit=1)[0].split("+"))
    known = state.data_asked.get(item.key)
    return set(known.missing) if known else set()


def _key(event_id: str) -> str:
    return f"{PREFIX}data|{event_id}"

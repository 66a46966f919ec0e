"""Which tasks climb their ladder now, and what a rung does: who is told, who is rung up. Pure.

The rungs themselves are data (`guidelines/ladders.yaml`); the workflow asks for the next one and keeps the clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from workflows import names
from workflows.messages import Climb, Closing, Entry, Escalation, Notice, NoticeLine, OpenItem, PathwayState, TrackItem
from workflows.tracks import PREFIX

PHONE_KIND = "phone_task"
# What happens while nobody can say what the ladder is: everybody hears, the desk rings, and it comes again.
_UNKNOWN_WAIT = timedelta(minutes=30)
_DESK = "duty_desk"


def at_once(opened: Iterable[OpenItem]) -> list[Climb]:
    """Return the climbs of what just opened: an emergency does not wait until it is due."""
    return [Climb(item.item_id) for item in opened if item.urgency == "emergency"]


def due_now(state: PathwayState, now: datetime) -> list[OpenItem]:
    """Return the tasks whose next rung has come."""
    waiting = {climb.item_id for climb in state.climbs}
    items = [item for item in state.items.values() if item.item_id not in waiting]
    return [item for item in items if item.rung_at is not None and item.rung_at <= now]


def stops_for_now(item: OpenItem) -> bool:
    """Whether somebody who has it in hand is left to it: until it is due."""
    return item.taken and not item.overdue


def without_answer(rung: int, now: datetime) -> Escalation:
    """Return the rung that is climbed while the pathway service does not answer."""
    return Escalation(["all", "deputy", "lead"], _DESK, rung, now + _UNKNOWN_WAIT)


def climbed(item: OpenItem, step: Escalation) -> OpenItem:
    """Return the task with its clock set to the next rung."""
    return replace(item, rung=step.rung + 1, rung_at=step.next_at)


def notices(patient_id: str, item: OpenItem, climb: Climb, step: Escalation) -> list[Notice]:
    """Return who is told by mail on this rung, the telephone's desk among them."""
    template = "item_escalated" if climb.asked_by else "item_overdue" if item.overdue else "item_unacknowledged"
    occasion = f"{item.due_at.isoformat()}|{step.next_at.isoformat()}"
    # Neither an emergency nor somebody who asked for help waits for a digest.
    budget = 0 if item.urgency == "emergency" or climb.asked_by else step.alerts_a_day
    told = [
        Notice(
            message_id=names.derived_id("rung", item.item_id, audience, occasion),
            template=template,
            team=item.owner_team,
            patient_id=patient_id,
            audience=audience,
            lines=[_line(item, climb)],
            urgency="emergency" if item.urgency == "emergency" else "urgent",
            item_ids=[item.item_id],
            alerts_a_day=budget,
        )
        for audience in step.audiences
    ]
    if not step.phone_team:
        return told
    ring = Notice(
        message_id=names.derived_id("ring", item.item_id, occasion),
        template=PHONE_KIND,
        team=step.phone_team,
        patient_id=patient_id,
        lines=[_line(item, climb)],
        urgency="emergency" if item.urgency == "emergency" else "urgent",
        values={"whom": item.owner_team, "why": _why(item, climb)},
        item_ids=[item.item_id],
        alerts_a_day=budget,
    )
    return [*told, ring]


def phone_task(item: OpenItem, climb: Climb, step: Escalation) -> list[TrackItem]:
    """Return the task of whoever rings: none for a task that is such a one itself."""
    if not step.phone_team or item.kind == PHONE_KIND:
        return []
    ring = TrackItem(
        key=f"{PREFIX}phone|{item.item_id}|{item.due_at.isoformat()}|{step.rung}",
        kind=PHONE_KIND,
        title=f"Telephone {item.owner_team.replace('_', ' ')}: {item.title}"[:300],
        reason=_why(item, climb),
        owner_team=step.phone_team,
        promise="phone_task",
        urgency="urgent",
        subject_id=item.item_id,
        number=item.number,
    )
    return [ring]


def no_longer_rung(state: PathwayState, closed: Iterable[str]) -> list[Closing]:
    """Return the telephone tasks that fall away with the tasks that close: nobody need be rung about them."""
    gone = set(closed)
    calls = [item for item in state.items.values() if item.kind == PHONE_KIND and item.subject_id in gone]
    return [Closing(call.key, "withdrawn", "What it was to be rung about is closed.") for call in calls]


def rings(entry: Entry) -> bool:
    """Whether this opens telephone tasks."""
    return any(item.kind == PHONE_KIND for item in entry.open)


def already_rung(state: PathwayState, entry: Entry) -> bool:
    """Whether a telephone task comes for something that closed meanwhile."""
    calls = [item for item in entry.open if item.kind == PHONE_KIND]
    return bool(calls) and all(call.subject_id not in state.items for call in calls)


def _line(item: OpenItem, climb: Climb) -> NoticeLine:
    return NoticeLine(item.title, item.due_on, climb.why, item.number, item.due_at, item.urgency, item.item_id)


def _why(item: OpenItem, climb: Climb) -> str:
    if climb.asked_by:
        return f"Help was asked for: {climb.why}"[:1900]
    return "It is overdue and nobody did it." if item.overdue else "Nobody said yet that they have it in hand."

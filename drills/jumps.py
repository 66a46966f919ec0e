"""How far a clock may be moved at once, so that what comes due meanwhile can be lived through in seconds. Pure.

A task that nobody touches climbs its ladder for ever: weeks of that say nothing that a few rungs do not.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from drills.acts import Plain

_MOST_RUNGS = 10
# Hours past a due time, so that what is looked at then stands after it.
_A_LITTLE = 0.1
# About how many hours lie between two rungs of each ladder (guidelines/ladders.yaml).
_HOURS_PER_RUNG = {"emergency": 0.4, "urgent": 6.0, "routine": 30.0}


def affordable(state: Plain, moment: datetime, hours: float) -> float:
    """Return the hours to jump: those asked for, or as many as make the open tasks climb ten rungs together."""
    while hours > 1 and rungs(state, moment, hours) > _MOST_RUNGS:
        hours = max(1.0, hours / 2)
    return hours


def until_due(state: Plain, moment: datetime) -> float | None:
    """The hours until the next task falls due, and a little; None when none is to come."""
    dues = [datetime.fromisoformat(item["due_at"]) for item in state.get("open_items") or []]
    hours = [(due - moment).total_seconds() / 3600 for due in dues if due > moment]
    return min(hours) + _A_LITTLE if hours else None


def rungs(state: Plain, moment: datetime, hours: float) -> float:
    """About how many rungs the open tasks climb while these hours go by."""
    return sum(_climbs(item, moment, hours) for item in state.get("open_items") or [])


def _climbs(item: Plain, moment: datetime, hours: float) -> float:
    due = datetime.fromisoformat(item["due_at"])
    until = moment + timedelta(hours=hours)
    # An emergency climbs from the moment it opens; what somebody took on, from when it is due.
    begins = moment if item["urgency"] == "emergency" and not item["taken_by"] else max(due, moment)
    if begins > until:
        return 0.0
    return 1 + (until - begins).total_seconds() / 3600 / _HOURS_PER_RUNG[item["urgency"]]

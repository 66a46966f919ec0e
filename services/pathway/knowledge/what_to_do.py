"""What an urgent rule asks of whom, and by when, for one person: read off the rule, never added to. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from services.pathway.facts import Fact, Picture, is_unknown
from services.pathway.guideline import Rule
from services.pathway.rules import Judgement


def what_to_do(rule: Rule, judgement: Judgement, picture: Picture, at: datetime) -> dict[str, Any]:
    """Return `{urgency, action, ring, owner, decided_by, due, at, noticed_at, act_by}`.

    `noticed_at`, when the first of its findings was noticed, and `act_by` are ISO 8601, null unless the rule applies;
    `act_by` is null too where the rule counts working days, which begin when somebody records it.
    """
    found = [fact for name in judgement.rests_on if (fact := _finding(rule, name, picture))]
    noticed = min((fact.occurred_at for fact in found), default=at) if judgement.truth == "applies" else None
    due = rule.due
    return {
        "urgency": rule.urgency,
        "action": rule.action,
        "ring": rule.ring,
        "owner": rule.owner,
        "decided_by": rule.decided_by,
        "due": {"hours": due.hours, "working_days": due.working_days, "local": due.local} if due else None,
        "at": at.astimezone(UTC).isoformat(),
        "noticed_at": noticed.astimezone(UTC).isoformat() if noticed else None,
        "act_by": _after(noticed, due.hours) if noticed and due and due.hours is not None else None,
    }


def _after(noticed: datetime, hours: int) -> str | None:
    try:
        return (noticed + timedelta(hours=hours)).isoformat()
    except OverflowError:  # the last day that a computer knows
        return None


def _finding(rule: Rule, name: str, picture: Picture) -> Fact | None:
    """The fact of a name that was noticed: not the background that makes it dangerous, and no answer that says no."""
    held = picture.held.get(name)
    last = held.last if held else None
    if last is None or name in rule.background or last.value is False or is_unknown(last.value):
        return None
    return last

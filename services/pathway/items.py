"""What the planner takes and gives: decisions, open items, wanted items, closings. Stdlib only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Kind = Literal["recommendation", "decision", "chase", "follow_on", "review", "next_contact", "emergency"]
Outcome = Literal["accepted", "declined", "deferred", "done"]
Urgency = Literal["routine", "urgent", "emergency"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What people chose about a rule. It stands for one occurrence, and for the facts hashed in `basis`.

    `made_without`: the facts that were missing when it accepted what could not be decided.
    """

    decision_id: str
    rule_id: str
    occurrence: str
    outcome: Outcome
    basis: str
    fact_ids: tuple[str, ...]
    review_on: date | None
    decided_by: str
    made_without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An item that is open now."""

    key: str
    kind: str


@dataclass(frozen=True, slots=True)
class OfferedOption:
    """One choice under a decision item: the rule that offers it, its code and label."""

    rule_id: str
    number: str
    code: str
    label: str


@dataclass(frozen=True, slots=True)
class WantedItem:
    """An item that should be open. `due_on` is a London date, `due_at` a UTC instant."""

    key: str
    kind: Kind
    rule_id: str
    number: str
    title: str
    reason: str
    owner_role: str
    due_on: date
    due_at: datetime
    urgency: Urgency = "routine"
    fact_ids: tuple[str, ...] = ()
    missing_fact: str = ""
    supplied_by: str = ""
    options: tuple[OfferedOption, ...] = ()


@dataclass(frozen=True, slots=True)
class ClosingItem:
    """An open item that should close: done, or withdrawn because it no longer stands."""

    key: str
    how: Literal["done", "withdrawn", "replaced"]
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`open` is new, `close` no longer stands, `keep` is open already (its text may have changed)."""

    open: tuple[WantedItem, ...]
    close: tuple[ClosingItem, ...]
    keep: tuple[WantedItem, ...]
    reevaluate_at: datetime | None

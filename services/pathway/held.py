"""What is held of one name: the facts that were reported, and how the name stands. Plain data, stdlib only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import inf
from operator import attrgetter
from typing import Literal

from services.pathway.dictionary import UNKNOWN_CODES, Therapy, Value


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing reported of a person. `subject` is the specimen or line of treatment; empty: the person."""

    fact_id: str
    name: str
    value: Value
    subject: str
    occurred_at: datetime
    recorded_at: datetime
    recorded_by: str
    source: str
    event_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A base fact that would have to be stated, and why it is not known; `note` says it in words."""

    name: str
    why: Literal["never_recorded", "stated_unknown", "stale", "disagree", "left_open"]
    note: str = ""


@dataclass(slots=True)  # one for each fact of each evaluation: frozen would cost three times as much
class Held:
    """One name as it stands: its value (None: unknown, then `gaps` says why), and the facts it rests on.

    `last` is the newest fact even if stale; `stale_at` the instant at which it goes or went stale. `span`: between
    which two numbers an unknown one must lie.
    """

    name: str
    value: Value | None = None
    fact_ids: tuple[str, ...] = ()
    last: Fact | None = None
    note: str = ""
    gaps: tuple[Gap, ...] = ()
    stale_at: datetime | None = None
    span: tuple[float, float] | None = None


age_of: Callable[[Fact], tuple[datetime, int]] = attrgetter("occurred_at", "seq")
"""By when it was so, then by when it was written: the later of two facts is the newer."""


def is_unknown(value: Value) -> bool:
    """Whether a report says that nobody knows."""
    return isinstance(value, str) and value in UNKNOWN_CODES


def same(left: Value, right: Value) -> bool:
    """Whether two values are one; yes is not 1."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def value_text(value: Value) -> str:
    """A value as people read it: yes, no, not amplified, 12."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Therapy):
        return " + ".join(value.agents) or value.setting
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


def span_text(span: tuple[float, float]) -> str:
    """Between which two numbers a number lies: at least 2, 2 to 3."""
    least, most = span
    return f"at least {least:g}" if most == inf else f"{least:g} to {most:g}"

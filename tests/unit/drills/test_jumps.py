"""How far a drill moves a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drills.jumps import affordable, until_due

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def due_in(*hours: float, urgency: str = "routine") -> dict[str, Any]:
    dues = [(NOON + timedelta(hours=one)).isoformat() for one in hours]
    return {"open_items": [{"due_at": due, "urgency": urgency, "taken_by": ""} for due in dues]}


def test_a_life_waits_until_the_next_task_is_due_and_a_little() -> None:
    assert until_due(due_in(-5, 48, 30), NOON) == pytest.approx(30.1)


def test_nothing_to_wait_for_is_no_wait() -> None:
    assert until_due(due_in(-5), NOON) is None
    assert until_due({}, NOON) is None


def test_a_jump_is_as_long_as_the_ladders_allow() -> None:
    assert affordable(due_in(48), NOON, 96) == 96
    assert affordable(due_in(0, urgency="emergency"), NOON, 360) < 6

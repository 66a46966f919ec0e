"""The one place that asks what time it is."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment as an aware UTC instant."""
    return datetime.now(UTC)

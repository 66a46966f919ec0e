"""A worker with a fault planted in it, to see that a drill finds what it claims to find: `python -m drills.planted`."""

from __future__ import annotations

import asyncio
import atexit
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from workflows import __main__ as worker
from workflows import planning
from workflows.messages import Closing, Entry, PathwayState, Plan, PlannedItem
from workflows.patient_pathway import FAR_AHEAD, PatientPathway

_changes = planning.changes


def skip_timer() -> None:
    """Let no due time ever come."""

    def never(self: PatientPathway) -> datetime:
        return datetime.fromisoformat("2200-01-01T00:00:00+00:00") - FAR_AHEAD + timedelta(days=len(self.state.items))

    PatientPathway._next_due = never  # type: ignore[method-assign]  # noqa: SLF001 - that is the fault


def double_item() -> None:
    """Open every track's task twice."""

    def twice(state: PathwayState, entry: Entry, plan: Plan, closing: Iterable[Closing]) -> Any:  # noqa: ANN401
        changed = _changes(state, entry, plan, closing)
        again = [replace(item, key=f"{item.key}|again") for item in changed.open if item.key.startswith("track|")]
        return replace(changed, open=[*changed.open, *again])

    planning.changes = twice


def drop_owner() -> None:
    """Forget whose the guideline says that a task is."""

    def nobody(item: PlannedItem) -> PlannedItem:
        return replace(item, owner_role="", owner_team="") if item.rule_id else item

    def ownerless(state: PathwayState, entry: Entry, plan: Plan, closing: Iterable[Closing]) -> Any:  # noqa: ANN401
        changed = _changes(state, entry, plan, closing)
        return replace(changed, open=[nobody(item) for item in changed.open])

    planning.changes = ownerless


FAULTS = {"skip-timer": skip_timer, "double-item": double_item, "drop-owner": drop_owner}


if __name__ == "__main__":
    FAULTS[sys.argv[1]]()
    atexit.register(time.sleep, 0.05)
    asyncio.run(worker.main())

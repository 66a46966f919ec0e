"""What the sweep concludes from what it saw: pure, so that every case can be tried without a house."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

# A pathway is filed, planned and given its first task within seconds; before this it is accused of nothing.
JUST_OPENED = timedelta(minutes=1)
# A report that is not filed within five minutes is told by telephone; until then its workflow may be ahead of records.
FILED_WITHIN = timedelta(minutes=5)
DONE_WITHIN = timedelta(hours=2)


class Kind(StrEnum):
    """What can be wrong; each is counted in every sweep, zero included."""

    LOST = "pathways_without_workflow"
    UNRECORDED = "workflows_without_pathway"
    NO_ITEM = "pathways_without_item"
    ASTRAY = "items_without_owner_or_due"
    UNTOLD = "items_overdue_untold"
    STUCK = "workflows_stuck"
    SILENT = "schedules_silent"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong: what, and with whom (a patient id, a workflow id or the id of a schedule)."""

    kind: Kind
    subject: str


@dataclass(frozen=True, slots=True)
class OpenPathway:
    """An open pathway as records counts it."""

    opened_at: datetime
    items: int
    astray: int = 0
    untold: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """All that was seen at one time."""

    at: datetime
    pathways: Mapping[str, OpenPathway] = field(default_factory=dict)
    """By patient id."""
    running: Mapping[str, datetime] = field(default_factory=dict)
    """The pathway workflows that run, by patient id, with when their run began."""
    stuck: frozenset[str] = frozenset()
    """The ids of workflows of any kind whose workflow task keeps failing."""
    silent: frozenset[str] = frozenset()
    """The schedules whose last run is missing or did not complete."""


Found = Mapping[Finding, int]
"""Each finding with how many things it is about: 1, or the number of tasks."""


@dataclass(frozen=True, slots=True)
class Swept:
    """The outcome of one sweep."""

    pathways: int
    running: int
    found: Found

    @property
    def well(self) -> bool:
        """Whether nothing was found."""
        return not self.found

    def counts(self) -> dict[str, int]:
        """Return every count by its name, zero included."""
        counted = dict.fromkeys((kind.value for kind in Kind), 0)
        for finding, number in self.found.items():
            counted[finding.kind.value] += number
        return {"pathways_looked_at": self.pathways, "workflows_running": self.running, **counted}


def silent(last: datetime, at: datetime, every: timedelta) -> bool:
    """Return whether what should be done at an interval is late, with two hours for doing it and for another try."""
    return at - last > every + DONE_WITHIN


def findings(look: Look) -> dict[Finding, int]:
    """Return what seems wrong in one look, by kind and subject."""
    found: dict[Finding, int] = {}
    for patient_id, pathway in look.pathways.items():
        if patient_id not in look.running:
            found[Finding(Kind.LOST, patient_id)] = 1
        if not pathway.items and look.at - pathway.opened_at > JUST_OPENED:
            found[Finding(Kind.NO_ITEM, patient_id)] = 1
        if pathway.astray:
            found[Finding(Kind.ASTRAY, patient_id)] = pathway.astray
        if pathway.untold:
            found[Finding(Kind.UNTOLD, patient_id)] = pathway.untold
    for patient_id, began in look.running.items():
        if patient_id not in look.pathways and look.at - began > FILED_WITHIN:
            found[Finding(Kind.UNRECORDED, patient_id)] = 1
    found |= {Finding(Kind.STUCK, workflow_id): 1 for workflow_id in look.stuck}
    found |= {Finding(Kind.SILENT, schedule_id): 1 for schedule_id in look.silent}
    return dict(sorted(found.items()))


def agreed(first: Found, second: Found) -> dict[Finding, int]:
    """Return what was seen both times, as it was seen last: reports under way explain the rest."""
    return {finding: number for finding, number in second.items() if finding in first}


def without(found: Found, cleared: Iterable[Finding]) -> dict[Finding, int]:
    """Return the findings that are left when some were looked into and are none."""
    gone = frozenset(cleared)
    return {finding: number for finding, number in found.items() if finding not in gone}

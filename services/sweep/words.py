"""How the sweep says what it found: for support staff, with what to do about it. Ids only, never who somebody is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.sweep.compare import Finding, Found, Kind, Swept

_SHORT_ID = 8
_NAMED_IN_MAIL = 20


@dataclass(frozen=True, slots=True)
class Words:
    """What one kind of finding is called, and what to do about it."""

    one: str
    many: str
    do: str


WORDS: Mapping[Kind, Words] = {
    Kind.LOST: Words(
        "open pathway without a running workflow",
        "open pathways without a running workflow",
        "No clock runs for them: nothing becomes overdue and nobody is reminded. Telephone the key worker of each "
        "today, and ask whoever runs Handrail to bring the workflow back from Temporal.",
    ),
    Kind.UNRECORDED: Words(
        "running workflow without an open pathway in the record",
        "running workflows without an open pathway in the record",
        "Either the opening could not be filed, or the pathway was closed and still has something to tell. Show the "
        "person with `handrail patient show`; if nothing is recorded, ask who referred them to report it again.",
    ),
    Kind.NO_ITEM: Words(
        "open pathway without an open task",
        "open pathways without an open task",
        "Nobody has a next step for them. Tell the key worker of each today, who plans the next contact.",
    ),
    Kind.ASTRAY: Words(
        "open task without an owner or a due time",
        "open tasks without an owner or a due time",
        "Nobody sees them on a worklist. Tell the coordinators, who take them on, and report this as a fault.",
    ),
    Kind.UNTOLD: Words(
        "overdue task that nobody was told about",
        "overdue tasks that nobody was told about",
        "They were due ten minutes ago or earlier and are not marked as overdue. See `handrail worklist`, tell the "
        "teams that own them, and look whether the worker runs with `handrail status`.",
    ),
    Kind.STUCK: Words(
        "workflow that is stuck",
        "workflows that are stuck",
        "Its step fails again and again, and is tried for ever: reports wait in it and its clock stands still. Keep "
        "the worker's log, and ask whoever maintains Handrail to mend it; nothing is lost meanwhile.",
    ),
    Kind.SILENT: Words(
        "schedule inside Temporal that has not done its work in time",
        "schedules inside Temporal that have not done their work in time",
        "Timers may not run at all. Look with `handrail status` whether Temporal and the worker run, and start what "
        "is stopped.",
    ),
}
BLIND = {
    "temporal": "Temporal does not answer, so no clock runs and no report can be taken.",
    "records": "records does not answer, so nobody can see the worklist.",
}


def called(kind: Kind, number: int) -> str:
    """Return `3 open pathways without an open task`."""
    return f"{number} {WORDS[kind].one if number == 1 else WORDS[kind].many}"


def blind(part: str) -> str:
    """Return the sentence for a part that the sweep could not ask, and what to do."""
    return (
        f"The sweep could not look: {BLIND[part]} See which part is down with `handrail status`, and start it with "
        f"`handrail start {part}`; nothing that was accepted is lost."
    )


def report(swept: Swept) -> list[str]:
    """Return the lines that a person reads: every count, zero included, then each finding with what to do."""
    counts = swept.counts()
    lines = [f"{counts[name]:>6}  {name.replace('_', ' ')}" for name in ("pathways_looked_at", "workflows_running")]
    lines += [f"{counts[kind.value]:>6}  {WORDS[kind].many}" for kind in Kind]
    if swept.well:
        return [*lines, "", "All is well: every open pathway has a running workflow and a task with an owner."]
    for kind, found in by_kind(swept.found).items():
        lines += ["", f"{called(kind, sum(found.values()))}:"]
        lines += [f"  {finding.subject}" for finding in found]
        lines += [f"  What to do: {WORDS[kind].do}"]
    return lines


def by_kind(found: Found) -> dict[Kind, dict[Finding, int]]:
    """Return the findings of each kind that has any."""
    kinds: dict[Kind, dict[Finding, int]] = {}
    for finding, number in found.items():
        kinds.setdefault(finding.kind, {})[finding] = number
    return kinds


def in_mail(found: Found) -> list[tuple[str, str]]:
    """Return a title and a text for each kind; people are named by the short id that mail shows."""
    lines = []
    for kind, of_kind in by_kind(found).items():
        subjects = [short(finding.subject) for finding in of_kind]
        more = f" and {len(subjects) - _NAMED_IN_MAIL} more" if len(subjects) > _NAMED_IN_MAIL else ""
        named = ", ".join(subjects[:_NAMED_IN_MAIL])
        lines.append((called(kind, sum(of_kind.values())), f"{named}{more}. {WORDS[kind].do}"))
    return lines


def short(subject: str) -> str:
    """Return a patient id, or a workflow id with one in it, as mail shows it."""
    prefix, colon, rest = subject.rpartition(":")
    return subject if prefix == "schedule" else f"{prefix}{colon}{rest[:_SHORT_ID]}"

"""A person taken over mid-pathway: one task to check them, and until it is done none for what lies in the past. Pure.

What an import holds back is remembered by key: what happens after the import is asked for at once, as with anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta

from workflows.messages import Entry, LineInput, OpenItem, PathwayState, PlannedItem, Report, TrackItem

KIND = "pathway_imported"
CHECK = "import_check"
_LINE_CHECK = "response_check"
_TRACK, _CHASE = "track|", "chase|"
_KEY = f"{_TRACK}import-check"


def check(report: Report) -> TrackItem:
    """Return the one task that an import opens."""
    day = date.fromisoformat(str(report.event["imported_on"]))
    return TrackItem(
        key=_KEY,
        kind=CHECK,
        title=f"Check this person: imported on {day:%d-%b-%Y} from the caseload",
        reason=(
            "Read what was imported, with the person's own record beside it; correct and complete it. "
            "What the guideline asks for opens when this task is completed; an emergency has opened already."
        ),
        owner_role="key_worker",
        promise="import_checked",
    )


def held_back(
    before: Collection[str], fresh: Iterable[PlannedItem], staying: Collection[str], *, importing: bool
) -> list[str]:
    """Return the keys that wait for the check; none once no check is open.

    `fresh` would open now; `staying` are the kinds of the tasks that are open and remain so.
    """
    wanted = list(fresh)
    if CHECK not in staying and all(item.kind != CHECK for item in wanted):
        return []
    if not importing:
        return list(before)
    back = [item.key for item in wanted if not item.key.startswith(_TRACK) and item.urgency != "emergency"]
    return sorted({*before, *back})


def is_held(key: str, held: Collection[str]) -> bool:
    """Whether a task waits for the check; one that asks for a part of what a held one asked for does too."""
    if key in held:
        return True
    names = _asked(key)
    return bool(names) and names <= {name for one in held for name in _asked(one)}


def _asked(key: str) -> set[str]:
    """Return the facts that a chase asks for (`chase|<fact>+<fact>||`)."""
    return set(key.removeprefix(_CHASE).split("|", maxsplit=1)[0].split("+")) if key.startswith(_CHASE) else set()


def worth_telling(state: PathwayState, entry: Entry, opened: list[OpenItem]) -> list[OpenItem]:
    """Return the tasks whose teams are told by message: of an import, the emergencies.

    Whoever imports hundreds of people tells the teams once; the tasks stand in the worklist, and are told when late.
    """
    if entry.report is None and any(item.kind == CHECK for item in state.items.values()):
        return [item for item in opened if item.kind != _LINE_CHECK]
    if entry.report is None or entry.report.kind != KIND:
        return opened
    return [item for item in opened if item.urgency == "emergency"]


def take_effect(state: PathwayState, report: Report) -> None:
    """Count the running lines as started, those that ended meanwhile as ended, and the appointment as booked."""
    state.opened = True
    if booked := report.event.get("next_appointment"):
        state.appointments.setdefault(str(booked["appointment_id"]), "booked")
    for line_id, reason in _lines(report).items():
        if reason == "ongoing":
            state.lines.setdefault(line_id, "started")
        elif line_id in state.lines:
            state.lines[line_id] = "ended"


def take_back(state: PathwayState, report: Report) -> None:
    """Undo an import that could not be filed."""
    if report.guideline:  # it was to open the pathway
        state.opened = False
    if booked := report.event.get("next_appointment"):
        state.appointments.pop(str(booked["appointment_id"]), None)
    for line_id, reason in _lines(report).items():
        if reason == "ongoing":
            state.lines.pop(line_id, None)
        elif line_id in state.lines:
            state.lines[line_id] = "started"


def running(state: PathwayState, report: Report, at: datetime) -> list[LineInput]:
    """Return the lines of treatment that go on; their first check falls after the import, never before it."""
    return [
        LineInput(
            line_id=str(line["line_id"]),
            patient_id=state.patient_id,
            counted_from=_counted_from(str(line["course"].get("started_on", "")), _weeks(line), at),
            check_weeks=_weeks(line),
            settings=state.settings,
        )
        for line in report.event.get("lines", [])
        if line["course"]["stop_reason"] == "ongoing" and state.lines.get(str(line["line_id"])) == "started"
    ]


def ended(state: PathwayState, report: Report) -> list[tuple[str, str]]:
    """Return the lines that were known as running and ended according to the import, with the reason."""
    return [
        (line_id, reason)
        for line_id, reason in _lines(report).items()
        if reason != "ongoing" and state.lines.get(line_id) == "ended"
    ]


def _lines(report: Report) -> dict[str, str]:
    lines = report.event.get("lines", [])
    return {str(line["line_id"]): str(line["course"]["stop_reason"]) for line in lines}


def _weeks(line: dict[str, object]) -> int:
    return int(str(line.get("response_check_weeks", 0)))


def _counted_from(started_on: str, weeks: int, at: datetime) -> datetime:
    """Return where the current interval between two checks began: those before the import are not asked for."""
    if not started_on or not weeks:
        return at
    started = datetime.combine(date.fromisoformat(started_on), datetime.min.time(), UTC)
    whole = max(0, (at - started) // timedelta(weeks=weeks))
    return started + whole * timedelta(weeks=weeks)

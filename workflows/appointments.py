"""Visits: intended, booked, kept, cancelled, missed, or the person was not brought; which tasks follow. Pure.

Somebody who did not come may lie in a hospital, or have died: that is looked up before anybody telephones. Missed
visits never end anybody's care.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from workflows.messages import Closing, OpenItem, PathwayState, Report, TrackItem
from workflows.tracks import PREFIX, TrackMoves

FOLLOW_UP, CHECK, TELEPHONE, NOT_BROUGHT, REVIEW = (
    "follow_up",
    "missed_check",
    "missed_appointment",
    "not_brought",
    "missed_review",
)
MISSED_KINDS = frozenset({"appointment_missed", "appointment_not_brought"})
# From so many on, missed in a row, somebody who knows the person looks into why.
REVIEWED_FROM = 2
_REVIEW_KEY = f"{PREFIX}missed-visits|review"
_MISSED_AS_REASON = re.compile(
    r"\b(miss(ed|es|ing)?\b.{0,30}\b(visits?|appointments?|clinics?)|(visits?|appointments?|clinics?)\b.{0,20}\bmissed"
    r"|(did|does) ?n[o']t attend|failed to attend|non[- ]?attend\w*|no[- ]shows?|was(n't| not) brought"
    r"|dnas?\b(?! (anal|damage|profil|repair|result|seq|test)))",
    re.IGNORECASE,
)


def key(appointment_id: str, step: str = "outcome") -> str:
    """Return the key of an appointment's task: its `outcome`, or what follows when it was not kept."""
    return f"{PREFIX}appointment|{appointment_id}|{step}"


def take_effect(state: PathwayState, report: Report) -> None:
    """Count the visits missed in a row, and remember what kind of visit an appointment is."""
    match report.kind:
        case "appointment_missed" | "appointment_not_brought":
            state.missed += 1
        case "appointment_attended":
            state.missed = 0
        case "appointment_booked" if report.event.get("visit"):
            state.visits[str(report.event["appointment_id"])] = str(report.event["visit"])
        case _:
            pass


def take_back(state: PathwayState, report: Report) -> None:
    """Undo what a report did that could not be filed."""
    if report.kind in MISSED_KINDS:
        state.missed = max(0, state.missed - 1)


def moves(state: PathwayState, report: Report) -> TrackMoves:
    """Return the tasks that a visit's event opens and closes."""
    maker = _MOVES.get(report.kind)
    opened, closed = maker(report) if maker else ([], [])
    visit = state.visits.get(str(report.event.get("appointment_id", "")), "")
    opened = [replace(item, visit=item.visit or visit) if item.kind in _BOOKING else item for item in opened]
    if report.kind in MISSED_KINDS and state.missed >= REVIEWED_FROM:
        opened.append(_review(state))
    return opened, closed


def to_check_first(items: Iterable[OpenItem], item: OpenItem) -> bool:
    """Whether nobody looked up yet what may have kept the person: only then is the person telephoned."""
    if item.kind not in {TELEPHONE, NOT_BROUGHT}:
        return False
    return any(other.key == key(item.subject_id, "check") for other in items)


def ends_for_missed_visits(reason: str) -> bool:
    """Whether these words would end somebody's care because they did not come."""
    return _MISSED_AS_REASON.search(reason) is not None


def _booked(report: Report) -> TrackMoves:
    event = report.event
    joint = f", with {str(event['with_team']).replace('_', ' ')}" if event.get("with_team") else ""
    how = f" ({str(event['mode']).replace('_', ' ')}{joint})" if event.get("mode") else joint
    item = TrackItem(
        key=key(event["appointment_id"]),
        kind="appointment",
        title="Record whether the person came to the appointment",
        reason=f"{event['purpose']}{how}",
        owner_role="coordination",
        on_date=str(event["starts_at"])[:10],
        subject_id=event["appointment_id"],
    )
    return [item], []


def _imported(report: Report) -> TrackMoves:
    booked = report.event.get("next_appointment")
    return _booked(replace(report, event=booked)) if booked else ([], [])


def _moved(report: Report) -> TrackMoves:
    event = report.event
    item = TrackItem(
        key=key(event["appointment_id"]),
        kind="appointment",
        title="Record whether the person came to the moved appointment",
        reason=str(event.get("reason") or "The appointment was moved."),
        owner_role="coordination",
        on_date=str(event["starts_at"])[:10],
        subject_id=event["appointment_id"],
    )
    return [item], [Closing(item.key, "replaced", "The appointment was moved.")]


def _cancelled(report: Report) -> TrackMoves:
    event = report.event
    whom = "the person" if event["cancelled_by"] == "person" else "the service"
    item = _task(report, "rebook", FOLLOW_UP, "Appointment cancelled: book another, or record why none is needed")
    item = replace(item, reason=f"Cancelled by {whom}: {event['reason']}", promise="follow_up_booked")
    return [item], [_outcome(report, "replaced", f"Cancelled by {whom}.")]


def _missed(report: Report) -> TrackMoves:
    said = str(report.event.get("note") or "The person did not attend.")
    title = "Missed visit, when that is checked: telephone within one working day"
    call = replace(_task(report, "rebook", TELEPHONE, title), reason=said, promise="missed_appointment")
    return [_check(report, said), call], [_outcome(report, "replaced", "The person did not attend.")]


def _not_brought(report: Report) -> TrackMoves:
    event = report.event
    note = f" {event['note']}" if event.get("note") else ""
    call = replace(
        _task(report, "rebook", NOT_BROUGHT, "Was not brought: find out what stood in the way, and if all is well"),
        reason=(
            f"This person depends on others to come ({event['depends_on']}); it is no fault of theirs.{note} Ask the "
            "person alone where you can, arrange what they need to come, and think of safeguarding: if you are "
            "worried, follow your safeguarding procedure today."
        ),
        owner_role="key_worker",
        promise="not_brought",
        urgency="urgent",
    )
    return [_check(report, "The person was not brought."), call], [_outcome(report, "replaced", "Was not brought.")]


def _check(report: Report, said: str) -> TrackItem:
    title = "Check first: was the person admitted, or have they died?"
    reason = f"{said} Look up the hospital's admissions and the NHS Spine before anybody telephones or writes."
    return replace(_task(report, "check", CHECK, title), reason=reason, promise="missed_checked")


def _review(state: PathwayState) -> TrackItem:
    return TrackItem(
        key=_REVIEW_KEY,
        kind=REVIEW,
        title=f"{state.missed} visits missed in a row: find the reasons with the person, and agree what helps",
        reason="Missed visits never mean discharge. Ask what keeps them (illness, transport, work, care for others, "
        "fear, our own letters), and record the reasons and what was agreed.",
        owner_role="key_worker",
        promise="missed_reviewed",
        urgency="urgent",
    )


def _attended(report: Report) -> TrackMoves:
    seen = Closing(_REVIEW_KEY, "withdrawn", "The person came to a visit.")
    return [], [_outcome(report, "done", "The person attended."), seen]


def _follow_up(report: Report) -> TrackMoves:
    event = report.event
    item = TrackItem(
        key=f"{PREFIX}follow-up|{event['occasion']}",
        kind=FOLLOW_UP,
        title="Book the follow-up: intended, not booked yet",
        reason=str(event["purpose"]),
        owner_role="coordination",
        promise="" if event.get("due_on") else "follow_up_booked",
        on_date=str(event.get("due_on") or ""),
        visit=str(event.get("visit") or ""),
    )
    return [item], []


def _task(report: Report, step: str, kind: str, title: str) -> TrackItem:
    appointment_id = str(report.event["appointment_id"])
    return TrackItem(
        key=key(appointment_id, step),
        kind=kind,
        title=title,
        reason="",
        owner_role="coordination",
        subject_id=appointment_id,
    )


def _outcome(report: Report, how: str, reason: str) -> Closing:
    return Closing(key(str(report.event["appointment_id"])), how, reason)


_BOOKING = frozenset({FOLLOW_UP, TELEPHONE, NOT_BROUGHT})
_MOVES: Mapping[str, Callable[[Report], TrackMoves]] = {
    "appointment_booked": _booked,
    "appointment_moved": _moved,
    "appointment_cancelled": _cancelled,
    "appointment_missed": _missed,
    "appointment_not_brought": _not_brought,
    "appointment_attended": _attended,
    "follow_up_triggered": _follow_up,
    "pathway_imported": _imported,
}

"""How a person is reached: what is agreed with them, and an interpreter for each visit of whoever needs one. Pure."""

from __future__ import annotations

from workflows.messages import Closing, PathwayState, Report, TrackItem
from workflows.tracks import PREFIX, TrackMoves

SAFE = "safe_contact"
_REVIEW = f"{PREFIX}contact|review"
ENGLISH = "en"


def agreed(_: PathwayState, report: Report) -> TrackMoves:
    """Return the task to ask again on the day that was agreed for it."""
    day = str(report.event.get("review_on", ""))
    if not day:
        return [], [Closing(_REVIEW, "withdrawn", "How to reach the person was agreed anew.")]
    item = TrackItem(
        key=_REVIEW,
        kind="contact_review",
        title="Ask again, alone with the person, how to reach them",
        reason="That was agreed with them for this day.",
        owner_role="key_worker",
        on_date=day,
    )
    return [item], [Closing(_REVIEW, "replaced", "How to reach the person was agreed anew.")]


def booked(state: PathwayState, report: Report) -> TrackMoves:
    """Return the task to book an interpreter, never a relative, for a visit of whoever needs one."""
    if not state.interpreter:
        return [], []
    appointment_id, starts_at = str(report.event["appointment_id"]), str(report.event.get("starts_at", ""))
    item = TrackItem(
        key=_interpreter_key(appointment_id),
        kind="interpreter",
        title=f"Book an interpreter ({state.interpreter}) for the appointment of {starts_at[:10]}",
        reason="This person needs one; a relative or friend does not interpret.",
        owner_role="coordination",
        promise="interpreter_booked",
        subject_id=appointment_id,
    )
    return [item], [Closing(item.key, "replaced", "The appointment was moved.")]


def over(_: PathwayState, report: Report) -> TrackMoves:
    """Return that no interpreter is to be booked for what is cancelled or past."""
    appointment_id = str(report.event["appointment_id"])
    return [], [Closing(_interpreter_key(appointment_id), "withdrawn", "The appointment is over, or was cancelled.")]


def _interpreter_key(appointment_id: str) -> str:
    return f"{PREFIX}appointment|{appointment_id}|interpreter"

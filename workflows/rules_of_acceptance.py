"""Whether a report may be accepted in the state that a pathway or referral is in. Pure; refusals say what to do.

A report is judged when it arrives and takes effect on this part of the state at once, so that the next one is
judged by what was accepted, not by what has been filed.
"""

from __future__ import annotations

import json

from workflows import appointments, ending_rules, names, shared_rules, tracks
from workflows.messages import OpenItem, PathwayState, Report
from workflows.refusals import Refusal

_KEYS_KEPT = 64
# What waits to be filed travels to the workflow's next run in one payload, which Temporal takes up to 2 MiB.
_QUEUE_BYTES = 1_000_000
_SURELY_FITS = 10


def seen_otherwise(state: PathwayState, report: Report) -> Refusal | None:
    """Refuse a key that came before with another request."""
    seen = state.seen.get(report.key)
    if seen is not None and seen.request_hash != report.request_hash:
        return Refusal(
            names.KEY_REUSED,
            "This idempotency key was used for another report. Use a new key for a new report.",
        )
    return None


def refusal(state: PathwayState, report: Report) -> Refusal | None:
    """Return why this report cannot be accepted now, or None."""
    if report.kind == "pathway_reopened":
        # Closed a moment ago it is still here, else it was rebuilt from the record for this report.
        may = state.closed or state.reopening
        return None if may else Refusal(names.NOT_IN_THIS_STATE, "This pathway is open: there is nothing to reopen.")
    if state.closed:
        return Refusal(
            names.NOT_IN_THIS_STATE,
            "This pathway is closed, so nothing can be reported on it. "
            "If it was closed by mistake, or the person came back, reopen it with the reason.",
        )
    if len(state.queue) >= state.settings.queue_limit or _too_heavy(state):
        return Refusal(
            names.QUEUE_FULL,
            "Many reports for this person are still being filed. Nothing was taken; send it again in a minute.",
        )
    if report.kind == "pathway_opened" and state.opened:
        return Refusal(names.NOT_IN_THIS_STATE, "This person's pathway is already open.")
    return (
        ending_rules.refusal(state, report)
        or _therapy(state, report)
        or _referral(state, report)
        or _appointment(state, report)
        or _order(state, report)
        or _yellow_card(state, report)
        or shared_rules.refusal(state, report)
        or _item(state, report)
    )


def _too_heavy(state: PathwayState) -> bool:
    if len(state.queue) < _SURELY_FITS:
        return False
    reports = [entry.report for entry in state.queue if entry.report]
    return sum(len(json.dumps([report.event, report.facts])) for report in reports) > _QUEUE_BYTES


_DURING_TREATMENT = frozenset(
    {"therapy_line_ended", "response_assessed", "cycle_given", "cycle_deferred", "dose_changed"}
)


def _therapy(state: PathwayState, report: Report) -> Refusal | None:
    line_id = str(report.event.get("line_id", ""))
    if report.kind == "therapy_line_started":
        if line_id in state.lines:
            return Refusal(names.NOT_IN_THIS_STATE, "This line of treatment was already started.")
        if not state.treatment_agreed:
            return Refusal(
                names.NOT_IN_THIS_STATE,
                "No decision about systemic treatment is recorded. Record who decided, with the person's view, "
                "and then the start.",
            )
    elif report.kind in _DURING_TREATMENT and state.lines.get(line_id) != "started":
        return Refusal(names.NOT_IN_THIS_STATE, "No such line of treatment is under way. Check its id.")
    return None


_BEFORE_REFERRAL = {"referral_agreed": ("draft",), "referral_sent": ("agreed",)}


def _referral(state: PathwayState, report: Report) -> Refusal | None:
    referral_id = str(report.event.get("referral_id", ""))
    known = state.referrals.get(referral_id)
    if report.kind == "referral_drafted" and not report.actor.team:
        return Refusal(names.NOT_ALLOWED, "A referral needs a team that answers for it. Draft it as one of a team.")
    if report.kind == "referral_drafted":
        return Refusal(names.NOT_IN_THIS_STATE, "This referral was already drafted.") if known else None
    allowed = _BEFORE_REFERRAL.get(report.kind)
    if allowed is not None and known is None:
        return Refusal("not_found", "There is no such referral on this pathway. Draft it first.")
    if allowed is not None and known is not None and known.status not in allowed:
        return Refusal(names.NOT_IN_THIS_STATE, _not_yet(report.kind, known.status))
    return None


def _not_yet(kind: str, status: str) -> str:
    if kind == "referral_sent" and status == "draft":
        return (
            "The referral cannot be sent yet: record the person's agreement, or a named best-interests decision, first."
        )
    return f"The referral is already {status.replace('_', ' ')}."


def _appointment(state: PathwayState, report: Report) -> Refusal | None:
    if not report.kind.startswith("appointment_"):
        return None
    status = state.appointments.get(str(report.event.get("appointment_id", "")))
    if report.kind == "appointment_booked":
        return Refusal(names.NOT_IN_THIS_STATE, "This appointment was already booked.") if status else None
    if status is None:
        return Refusal("not_found", "There is no such appointment on this pathway. Book it first.")
    if status != "booked":
        return Refusal(names.NOT_IN_THIS_STATE, f"This appointment is already {status.replace('_', ' ')}.")
    return None


def _yellow_card(state: PathwayState, report: Report) -> Refusal | None:
    """A reference belongs to a reaction that waits for its Yellow Card."""
    if report.kind != "yellow_card_submitted":
        return None
    key = tracks.yellow_card_key(str(report.event["adverse_event_id"]))
    if any(item.key == key for item in state.items.values()):
        return None
    return Refusal("not_found", "No Yellow Card waits for this reaction. Copy the event's id from the task.")


def _order(state: PathwayState, report: Report) -> Refusal | None:
    """An order is placed once, and answered or taken back while it is out; a late second result is still a result."""
    order_id = str(report.event.get("order_id", ""))
    status = state.orders.get(order_id)
    match report.kind:
        case "investigation_ordered" if status:
            return Refusal(names.NOT_IN_THIS_STATE, "This investigation was already ordered.")
        case "investigation_cancelled" | "result_received" if order_id and status is None:
            return Refusal("not_found", "There is no such order on this pathway. Check its id, or leave it out.")
        case "investigation_cancelled" if status != "ordered":
            return Refusal(names.NOT_IN_THIS_STATE, f"This order is already {status}.")
        case _:
            return None


_CLOSED_BY_REPORTS = {
    **ending_rules.CLOSED_BY_REPORTS,
    "investigation": "This task closes when the result is reported with the id of this order, or the order cancelled.",
    **dict.fromkeys(
        ("chase", "data_request"),
        "This task closes by itself when the result is recorded. Report the result, even if it is 'unknown'.",
    ),
    "yellow_card": "This task closes when the Yellow Card is reported as submitted, with its reference.",
    "concern": "This task closes when the plan for the concern is recorded, or that it is none any more: "
    "report the needs assessment.",
    "concern_again": "This task closes when the concern is scored again: report the needs assessment.",
    "involvement": "This task closes when it is reported what the person wants to know: involvement agreed.",
    "information": "This task closes when it is reported that the information was given, or declined.",
    "capacity": "This task closes when capacity is assessed again, or a decision in the person's best interests is "
    "reported.",
    "complication": "This task closes when it is reported how the complication is: complication reviewed.",
    "cycle": "This task closes when the cycle is reported as given or deferred again, or the line as ended.",
    "follow_on": "This task closes by itself when what was agreed is reported: the treatment's start, or the referral.",
    "decision": "This task closes when a decision is recorded, with the person's view.",
    "review": "This task closes when the decision is recorded again.",
    "response_check": "This task closes when the response is reported.",
    "referral": "This task closes with the referral's next step. Report that step.",
}
_CLOSED_BY_BOOKING = frozenset({"follow_up", "next_contact", "missed_appointment", "not_brought"})
_CLINICIANS = frozenset({"oncologist", "key_worker", "nurse", "palliative_clinician"})


def _item(state: PathwayState, report: Report) -> Refusal | None:
    if not report.kind.startswith("item_") and report.kind != "appointment_booked":
        return None
    item = state.items.get(str(report.event.get("item_id", "")))
    if item is not None:
        return _not_like_this(item, report) or _not_yet_done(state, item, report)
    if report.kind == "appointment_booked":
        return None  # an appointment may be for no task, and records knows those that were closed
    if state.queue:
        # The record shows a task the moment it is planned; what files it comes back here a little later.
        return Refusal(
            names.QUEUE_FULL,
            "There is no such open task on this pathway yet, but reports for this person are still being filed. "
            "Nothing was taken; send it again in a moment.",
        )
    return Refusal(
        "not_found",
        "There is no such open task on this pathway. It may have been closed meanwhile; look at the worklist.",
    )


def _not_like_this(item: OpenItem, report: Report) -> Refusal | None:
    """Return why this task cannot be done, put off or booked for by this report; None when it can."""
    closes_by = "" if item.key.endswith(tracks.ANSWER) else _CLOSED_BY_REPORTS.get(item.kind, "")
    if report.kind == "item_completed" and closes_by:
        return Refusal(names.NOT_IN_THIS_STATE, closes_by)
    if report.kind == "appointment_booked" and item.kind not in _CLOSED_BY_BOOKING:
        return Refusal(
            names.NOT_IN_THIS_STATE,
            "Only a task to book something closes by a booking. Book without naming this task; it stays open.",
        )
    return _in_an_emergency(report) if item.urgency == "emergency" else None


def _not_yet_done(state: PathwayState, item: OpenItem, report: Report) -> Refusal | None:
    """Return what comes first after a missed visit, and who says what came of several."""
    if report.kind not in {"item_completed", "appointment_booked"}:
        return None
    if appointments.to_check_first(state.items.values(), item):
        return Refusal(
            names.NOT_IN_THIS_STATE,
            "First check whether the person was admitted or has died, and complete that task with what you found; "
            "then telephone.",
        )
    if item.kind == appointments.REVIEW and report.actor.role not in _CLINICIANS:
        return Refusal(
            names.NOT_ALLOWED,
            "A clinician or the key worker reviews why visits were missed. Ask one to complete this task with the "
            "reasons and what was agreed.",
        )
    return None


def _in_an_emergency(report: Report) -> Refusal | None:
    """Return why an emergency is not put off, nor ended by anybody; who takes it on or hands it over is welcome."""
    if report.kind in {"item_deferred", "item_attempted"}:
        return Refusal(
            names.NOT_IN_THIS_STATE,
            "An emergency is not put off. Act now; hand it to whoever can, and say what was done when it is done.",
        )
    if report.kind == "item_completed" and report.actor.role not in _CLINICIANS:
        return Refusal(
            names.NOT_ALLOWED,
            "A clinician says when an emergency is over. Ask one to complete this task with its outcome.",
        )
    return None


def forget_old_keys(state: PathwayState) -> None:
    """Keep the newest filed keys; one that waits to be filed is never forgotten."""
    waiting = {entry.report.key for entry in state.queue if entry.report}
    filed = [key for key in state.seen if key not in waiting]
    filed.sort(key=lambda key: state.seen[key].receipt.seq)  # a new run reads the keys back in another order
    for key in filed[: max(0, len(filed) - _KEYS_KEPT)]:
        del state.seen[key]

"""What an accepted report changes at once in what later reports are judged by, and how that is taken back. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from workflows import appointments, endings, imports, shared_decisions, support
from workflows.messages import PathwayState, ReferralRef, Report


class _Moves(NamedTuple):
    """Which of the state's tables a report moves, by which id, to which status; `back` is the one before."""

    table: str
    name: str
    status: str
    back: str = ""


_MOVES = {
    "therapy_line_started": _Moves("lines", "line_id", "started"),
    "therapy_line_ended": _Moves("lines", "line_id", "ended", "started"),
    "investigation_ordered": _Moves("orders", "order_id", "ordered"),
    "investigation_cancelled": _Moves("orders", "order_id", "cancelled", "ordered"),
    "result_received": _Moves("orders", "order_id", "answered", "ordered"),
    "appointment_booked": _Moves("appointments", "appointment_id", "booked"),
    "appointment_moved": _Moves("appointments", "appointment_id", "booked", "booked"),
    "appointment_cancelled": _Moves("appointments", "appointment_id", "cancelled", "booked"),
    "appointment_attended": _Moves("appointments", "appointment_id", "attended", "booked"),
    "appointment_missed": _Moves("appointments", "appointment_id", "missed", "booked"),
    "appointment_not_brought": _Moves("appointments", "appointment_id", "not_brought", "booked"),
    "transfer_offered": _Moves("transfers", "transfer_id", "offered"),
    "transfer_accepted": _Moves("transfers", "transfer_id", "accepted", "offered"),
    "transfer_declined": _Moves("transfers", "transfer_id", "declined", "offered"),
}


def take_effect(state: PathwayState, report: Report) -> None:
    """Change what later reports are judged by."""
    event = report.event
    _move(state, report)
    appointments.take_effect(state, report)
    endings.take_effect(state, report)
    support.take_effect(state, report)
    shared_decisions.take_effect(state, report)
    match report.kind:
        case "pathway_opened" | "pathway_closed":
            state.opened, state.closed = True, report.kind == "pathway_closed"
        case "pathway_reopened":
            state.closed = state.reopening = False
            state.reopened = True
        case "pathway_imported":
            imports.take_effect(state, report)
        case "decision_made":
            if report.treatment:  # the newest decision counts, a change of mind too
                state.treatment_agreed = report.treatment == "agreed"
        case "therapy_line_started":
            state.treatment_agreed = False
        case "referral_drafted":
            state.referrals[event["referral_id"]] = ReferralRef(
                "draft", report.actor.team, event["to_team"], event.get("urgency", "routine")
            )
        case kind if kind.startswith("referral_"):
            known = state.referrals.get(event["referral_id"])
            if known is not None:
                state.referrals[event["referral_id"]] = replace(known, status=kind.removeprefix("referral_"))
        case _:
            pass


def take_back(state: PathwayState, report: Report) -> None:
    """Undo what a report did that could not be filed, so that it can be reported again."""
    _move_back(state, report)
    appointments.take_back(state, report)
    endings.take_back(state, report)
    shared_decisions.take_back(state, report)
    match report.kind:
        case "pathway_opened":
            state.opened = False
        case "pathway_imported":
            imports.take_back(state, report)
        case "pathway_closed":
            state.closed = False
        case "pathway_reopened":
            state.closed = True
        case "therapy_line_started":
            state.treatment_agreed = True
        case "decision_made" if report.treatment == "agreed":
            state.treatment_agreed = False
        case "referral_drafted":
            state.referrals.pop(report.event["referral_id"], None)
        case _:
            pass


def _move(state: PathwayState, report: Report) -> None:
    moves = _MOVES.get(report.kind)
    subject = str(report.event.get(moves.name, "")) if moves else ""
    if moves and subject:
        getattr(state, moves.table)[subject] = moves.status


def _move_back(state: PathwayState, report: Report) -> None:
    moves = _MOVES.get(report.kind)
    subject = str(report.event.get(moves.name, "")) if moves else ""
    if not moves or not subject:
        return
    if moves.back:
        getattr(state, moves.table)[subject] = moves.back
    else:
        getattr(state, moves.table).pop(subject, None)

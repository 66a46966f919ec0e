"""Whether a pathway may end like this now: a death, a transfer, an opting out, being lost, and closing. Pure."""

from __future__ import annotations

from workflows import appointments, names
from workflows.messages import OpenItem, PathwayState, Report
from workflows.refusals import Refusal
from workflows.resting import CLOSE_PATHWAY

REFERRAL_OUT = frozenset({"sent", "delivered", "undelivered", "acknowledged", "information_asked", "accepted"})
CLOSED_BY_REPORTS = {
    "death_verification": "This task closes when a second person verifies the death, or the report of it is withdrawn.",
    "referral_after_death": "This task closes when the referral is closed, with its outcome. Report that.",
    "transfer": "This task closes when the transfer is accepted or declined by the organisation that was asked.",
    "find_person": "This task closes when it is reported that the person was found.",
    CLOSE_PATHWAY: "This task closes when the pathway is closed, with the reason.",
}
# What waits only because a pathway is never without a next step.
_NO_OBSTACLE = frozenset({"next_contact", CLOSE_PATHWAY})
_URGENCIES = ("emergency", "urgent", "routine")
_TITLES = 3
_NOT_AFTER_DEATH = frozenset(
    {
        "therapy_line_started",
        "investigation_ordered",
        "appointment_booked",
        "referral_drafted",
        "referral_agreed",
        "referral_sent",
        "transfer_offered",
        "lost_to_follow_up",
        "found_again",
    }
)


def refusal(state: PathwayState, report: Report) -> Refusal | None:
    """Return why a pathway cannot end like this now, or None."""
    if state.death.status == "verified" and report.kind in _NOT_AFTER_DEATH:
        return _conflict("This person's death was verified. If that is a mistake, withdraw it first, with the reason.")
    match report.kind.partition("_")[0]:
        case "death":
            return _death(state, report)
        case "transfer":
            return _transfer(state, report)
        case "pathway" if report.kind == "pathway_closed":
            return _closing(state, report)
        case _:
            return _whereabouts(state, report)


def _conflict(message: str) -> Refusal:
    return Refusal(names.NOT_IN_THIS_STATE, message)


def _death(state: PathwayState, report: Report) -> Refusal | None:
    death = state.death
    match report.kind:
        case "death_reported" if death.status:
            return _conflict(
                f"This person's death is already {death.status}. Verify it, or withdraw it if it is untrue."
            )
        case "death_verified" if death.status == "verified":
            return _conflict("This person's death was already verified.")
        case "death_verified" if not death.status:
            return _conflict("No death is reported of this person. Report it first; a second person then verifies it.")
        case "death_verified" if report.actor.subject == death.reported_by:
            return Refusal(
                names.NOT_ALLOWED,
                "Whoever reported a death does not verify it. Ask somebody else to make sure who died.",
            )
        case "death_withdrawn" if not death.status and "death" not in state.suppressed:
            return _conflict("No death is reported of this person, so there is nothing to withdraw.")
        case _:
            return None


def _transfer(state: PathwayState, report: Report) -> Refusal | None:
    transfer_id = str(report.event.get("transfer_id", ""))
    status = state.transfers.get(transfer_id)
    under_way = [known for known, how in state.transfers.items() if how != "declined"]
    if report.kind == "transfer_offered":
        if status or under_way:
            return _conflict("A transfer of this person's care is under way. Report its answer before another offer.")
        return None
    if status is None:
        return Refusal("not_found", "There is no such transfer on this pathway. Offer it first, or check its id.")
    if status == "declined" or (report.kind == "transfer_accepted" and status == "accepted"):
        return _conflict(f"This transfer is already {status}.")
    return None


def _whereabouts(state: PathwayState, report: Report) -> Refusal | None:
    """Opting out and in, being lost and found, and who leads."""
    out = "preference" in state.suppressed
    team = str(report.event.get("to_team", ""))
    wrong = {
        "opted_out": (out, "This person has already opted out. What they say further is for the record's notes."),
        "opted_in": (not out, "This person has not opted out, so there is nothing to take back."),
        "lost_to_follow_up": (state.lost, "This person is already reported as lost. Report when they are found."),
        "found_again": (not state.lost, "This person was not reported as lost."),
        "lead_changed": (state.lead == team, f"{team.replace('_', ' ')} leads this person's care already."),
    }
    refused, sentence = wrong.get(report.kind, (False, ""))
    return _conflict(sentence) if refused else None


def _closing(state: PathwayState, report: Report) -> Refusal | None:
    """A pathway closes only when nothing is open: somebody waits for each thing that is. Never for missed visits."""
    if not state.resting and appointments.ends_for_missed_visits(str(report.event.get("reason", ""))):
        return _conflict(
            "Missed visits are no reason to close a pathway. Find out with the person what keeps them from coming, and "
            "report what follows: opted out, transferred, lost to follow-up, died. Close it with that reason."
        )
    out = next((referral for referral in state.referrals.values() if referral.status in REFERRAL_OUT), None)
    if out is not None:
        team = out.to_team.replace("_", " ")
        return _conflict(
            f"A referral to {team} is under way. Close the referral first, with its outcome; then the pathway."
        )
    if "started" in state.lines.values():
        return _conflict(
            "A line of treatment is under way. Report its end first, with the reason; then close the pathway."
        )
    if state.queue:
        return Refusal(
            names.QUEUE_FULL, "Reports for this person are still being filed. Close the pathway when they are."
        )
    return _still_open([item for item in state.items.values() if item.kind not in _NO_OBSTACLE])


def _still_open(items: list[OpenItem]) -> Refusal | None:
    if not items:
        return None
    items.sort(key=lambda item: (_URGENCIES.index(item.urgency), item.due_at, item.key))
    titles = "; ".join(f"'{item.title}'" for item in items[:_TITLES])
    more = f"; and {len(items) - _TITLES} more" if len(items) > _TITLES else ""
    return _conflict(
        f"A pathway closes only when nothing is open. Still open: {titles}{more}. Do, decide or transfer what is "
        "open first; then close the pathway."
    )

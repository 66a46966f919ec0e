"""Which step may follow which, and who is responsible then. Pure."""

from __future__ import annotations

from workflows import names
from workflows.messages import ReferralState, ReferralStep, Report
from workflows.refusals import Refusal

NEXT_OF_REFERRER = {"draft": "agreed", "agreed": "sent"}
_OUT = frozenset({"sent", "delivered", "undelivered"})
_TAKEN = frozenset({"acknowledged", "information_asked"})
_SEEN = frozenset({"first_contact"})
_BEFORE: dict[str, frozenset[str]] = {
    "referral_acknowledged": _OUT,
    "referral_information_asked": _TAKEN,
    "referral_accepted": _TAKEN,
    "referral_declined": _TAKEN | _OUT | {"accepted"},
    "referral_first_contact": frozenset({"accepted"}),
    "referral_closed": _TAKEN | _OUT | {"accepted", "first_contact", "declined", "draft", "agreed"},
}
# Sent is not told: until somebody at the receiving team took it, the referrer owns the next action.
_RECEIVER_OWNS = frozenset({"acknowledged", "accepted", "first_contact"})
_WORDS = ("taken_by", "question", "plan", "reason", "how", "outcome", "words")


def refusal(state: ReferralState, report: Report) -> Refusal | None:
    """Return why this act is not possible now, or not for this team; None when it is."""
    if report.patient_id.lower() not in {"", state.patient_id.lower()}:
        return Refusal(
            "not_found", "This referral is about somebody else. Check the person's id and the referral's id."
        )
    own = report.kind == "referral_closed" and report.actor.team == state.from_team
    if report.actor.team != state.to_team and not own:
        return Refusal(
            names.NOT_ALLOWED,
            "This referral was sent to another team. Only a member of the receiving team can answer it.",
        )
    if report.kind == "referral_closed" and not own and state.status not in _SEEN:
        return Refusal(
            names.NOT_ALLOWED,
            "Until the person was met, only those who made the referral close it. Decline it if it is not for you.",
        )
    if state.status not in _BEFORE[report.kind]:
        act = report.kind.removeprefix("referral_").replace("_", " ")
        return Refusal(
            names.NOT_IN_THIS_STATE,
            f"The referral is {state.status.replace('_', ' ')}, so it cannot become {act} now.",
        )
    return None


def responsible_team(state: ReferralState, step: ReferralStep) -> str:
    """Return the one team that owns the next action after a step; closed, it stays with who had the person last."""
    status = step.from_status if step.to_status == "closed" else step.to_status
    if step.to_status == "closed" and status != "first_contact":
        return state.from_team
    return state.to_team if status in _RECEIVER_OWNS else state.from_team


def note(report: Report) -> str:
    """Return the words that were said with a step, for the referral's own history."""
    return "; ".join(str(report.event[word]) for word in _WORDS if report.event.get(word))[:4000]

"""A death, a transfer, opting out, another lead, being lost: what each changes at once, and which tasks follow. Pure.

A reported death silences at once what goes to the person, and sets nothing aside until a second person verified it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from workflows import contact, names, resting, shared_decisions
from workflows.ending_rules import REFERRAL_OUT
from workflows.messages import Closing, Death, PathwayState, Report, Silence, TrackItem
from workflows.resting import DEATH
from workflows.tracks import PREFIX, TrackMoves, referral_key

PREFERENCE = "preference"
REVIEWED_DAYS = 30
VERIFY, FIND = f"{PREFIX}death|verify", f"{PREFIX}lost|find"
OPTED_OUT, LEAD, FOUND = f"{PREFIX}opted-out", f"{PREFIX}lead|contact", f"{PREFIX}found|contact"
REOPENED = f"{PREFIX}reopened|contact"
_OF_DEATH = (
    VERIFY,
    f"{PREFIX}death|family",
    f"{PREFIX}death|arrangements",
    f"{PREFIX}death|review",
    f"{PREFIX}close",
    resting.DOUBT,
)
_NOBODY = frozenset({"draft", "agreed", "declined", "closed"})


# --- at once ----------------------------------------------------------------------------------------------------------


def take_effect(state: PathwayState, report: Report) -> None:
    """Change what later reports are judged by, and what may reach the person."""
    event, death = report.event, state.death
    match report.kind:
        case "therapy_line_ended":
            state.line_ends[event["line_id"]] = report.occurred_at.date().isoformat()
        case "death_reported":
            # A withdrawal that waits to be filed still needs to know what the death before had touched.
            before = death if DEATH in state.resting else Death()
            state.death = replace(
                before, status="reported", reported_by=report.actor.subject, died_on=str(event.get("died_on", ""))
            )
            _silence(state, DEATH)
        case "death_verified":
            death.status, death.died_on = "verified", str(event["died_on"])
            death.lines = [line_id for line_id, status in state.lines.items() if status == "started"]
            death.referrals = [key for key, known in state.referrals.items() if known.status in REFERRAL_OUT]
            state.lines |= dict.fromkeys(death.lines, "ended")
        case "death_withdrawn":
            # Which lines and referrals it had touched is still needed when this is filed.
            state.lines |= dict.fromkeys(death.lines, "started")
            death.status = ""
            _silence(state, DEATH, lifted=True)
        case "opted_out" | "opted_in":
            _silence(state, PREFERENCE, lifted=report.kind == "opted_in")
        case "lead_changed":
            state.lead = str(event["to_team"])
        case "lost_to_follow_up" | "found_again":
            state.lost = report.kind == "lost_to_follow_up"
        case _:
            _as_the_person_wishes(state, report)


def _as_the_person_wishes(state: PathwayState, report: Report) -> None:
    """How they are reached safely, and what they do not want to know."""
    event = report.event
    if report.kind == "contact_agreed":
        needed = event.get("interpreter", False)
        state.interpreter = str(event.get("language") or contact.ENGLISH) if needed else ""
        if event.get("safe_only", False) != (contact.SAFE in state.suppressed):
            _silence(state, contact.SAFE, lifted=contact.SAFE in state.suppressed)
    for cause, begins in shared_decisions.withheld(state, report).items():
        _silence(state, cause, lifted=not begins)


def take_back(state: PathwayState, report: Report) -> None:
    """Undo what a report did that could not be filed; a silence about a death stays until a person has read why."""
    death = state.death
    match report.kind:
        case "death_reported":
            state.death = Death()
        case "death_verified":
            death.status = "reported"
            state.lines |= dict.fromkeys(death.lines, "started")
        case "death_withdrawn":
            death.status = "verified" if DEATH in state.resting else "reported"
            state.lines |= dict.fromkeys(death.lines, "ended")
            _silence(state, DEATH)
        case "opted_out" | "opted_in":
            _silence(state, PREFERENCE, lifted=report.kind == "opted_out")
        case "lead_changed":
            state.lead = ""
        case "lost_to_follow_up" | "found_again":
            state.lost = report.kind == "found_again"
        case _:
            pass


def _silence(state: PathwayState, cause: str, *, lifted: bool = False) -> None:
    """Say that nothing may reach the person any more, or again; notify is told at once, before anything is filed."""
    state.suppressed = [known for known in state.suppressed if known != cause] + ([] if lifted else [cause])
    told = names.derived_id("suppression", state.patient_id, cause, str(state.seq), str(lifted))
    state.silences.append(Silence(told, state.patient_id, cause, state.seq, lifted))


# --- which tasks follow -----------------------------------------------------------------------------------------------


def moves(
    state: PathwayState, report: Report | None, moved: list[TrackItem], closed: list[Closing]
) -> tuple[list[TrackItem], list[Closing]]:
    """Return what opens and closes, with what an ending adds to it and what it holds back."""
    maker = _MOVES.get(report.kind) if report else None
    more = maker(state, report) if maker and report else ([], [])
    closed = [*closed, *more[1]]
    moved = [*moved, *resting.in_doubt(state, report)]
    moved = resting.let_through(state, report, [*moved, *more[0]])
    return [*moved, *resting.last_step(state, report, moved, closed)], closed


def told_too(state: PathwayState, report: Report | None) -> set[str]:
    """Return the teams that hear of an ending although it gives them nothing to do."""
    kind = report.kind if report else ""
    teams = {state.lead} if kind.startswith("death_") else set()
    if kind in {"death_verified", "death_withdrawn"}:
        teams |= {known.to_team for known in state.referrals.values() if known.status not in _NOBODY}
    if kind in {"death_verified", "transfer_accepted"}:
        teams |= {item.owner_team for items in state.resting.values() for item in items}
    return teams - {""}


def _led(state: PathwayState, item: TrackItem) -> TrackItem:
    """Give a task to the team that leads the care, if it is not the key worker's."""
    return replace(item, owner_team=state.lead, owner_role="") if state.lead else replace(item, owner_role="key_worker")


def _reported(_: PathwayState, report: Report) -> TrackMoves:
    item = TrackItem(
        key=VERIFY,
        kind="death_verification",
        title="A death was reported: a second person verifies identity",
        reason=f"Reported by {report.event['reported_by'].replace('_', ' ')}. Nothing is cancelled until somebody else "
        "has made sure who died: compare NHS number, name and birth date with whoever certified it.",
        owner_role="coordination",
        promise="death_verified",
        urgency="urgent",
    )
    return [item], []


def _verified(state: PathwayState, report: Report) -> TrackMoves:
    booked = sum(status == "booked" for status in state.appointments.values())
    family = TrackItem(
        key=_OF_DEATH[1],
        kind="bereavement",
        title="Speak with the family; offer bereavement support",
        reason="The person has died. Handrail writes to nobody: somebody who knew them speaks with the family.",
        promise="family_contacted",
    )
    arrangements = TrackItem(
        key=_OF_DEATH[2],
        kind="arrangements",
        title="Cancel appointments, equipment and transport",
        reason=f"The person has died. Appointments booked here: {booked}; look for others, and for equipment at home.",
        owner_role="coordination",
        promise="arrangements_cancelled",
    )
    opened = [_led(state, family), arrangements, *_review(state, report)]
    opened += [_tell_receivers(state, referral_id) for referral_id in state.death.referrals]
    return opened, [Closing(VERIFY, "done", "A second person verified who died.")]


def _review(state: PathwayState, report: Report) -> list[TrackItem]:
    """A death on treatment or within 30 days of it is reviewed; an end that nobody knows is looked up."""
    died_on = date.fromisoformat(report.event["died_on"])
    ended = [line_id for line_id, status in state.lines.items() if status == "ended"]
    unknown = [line_id for line_id in ended if line_id not in state.line_ends and line_id not in state.death.lines]
    ends = [state.line_ends[line_id] for line_id in ended if line_id in state.line_ends]
    lately = any((died_on - date.fromisoformat(end)).days <= REVIEWED_DAYS for end in ends)
    if not (state.death.lines or lately or unknown):
        return []
    sure = "A line of treatment was under way, or had ended within 30 days."
    item = TrackItem(
        key=_OF_DEATH[3],
        kind="treatment_death_review",
        title="Review: death within 30 days of treatment",
        reason=sure if state.death.lines or lately else "When a line of treatment ended is not known here: look it up.",
        owner_role="oncology",
        promise="treatment_death_reviewed",
    )
    return [item]


def _tell_receivers(state: PathwayState, referral_id: str) -> TrackItem:
    known = state.referrals[referral_id]
    return TrackItem(
        key=referral_key(referral_id, "died"),
        kind="referral_after_death",
        title=f"Close the referral to {known.to_team.replace('_', ' ')}: the person has died",
        reason="Their team was told by message. Make sure that nobody visits, then close the referral.",
        owner_role="" if known.from_team else "coordination",
        owner_team=known.from_team,
        promise="referral_closed_after_death",
        subject_id=referral_id,
    )


def _withdrawn(state: PathwayState, report: Report) -> TrackMoves:
    """What the death opened is taken back; a referral that was closed over it is asked about again."""
    reason = f"The report of the death was withdrawn: {report.event['reason']}"
    keys = [*_OF_DEATH, *(referral_key(referral_id, "died") for referral_id in state.death.referrals)]
    lost = [key for key in state.death.referrals if state.referrals[key].status in {"closed", "declined"}]
    opened = [
        TrackItem(
            key=referral_key(referral_id, "next"),
            kind="follow_up",
            title=f"Refer to {state.referrals[referral_id].to_team.replace('_', ' ')} again, or say why not",
            reason="This referral was closed while a death was recorded, which was a mistake.",
            owner_role="" if state.referrals[referral_id].from_team else "coordination",
            owner_team=state.referrals[referral_id].from_team,
            promise="referral_declined",
            subject_id=referral_id,
        )
        for referral_id in lost
    ]
    return opened, [Closing(key, "withdrawn", reason) for key in keys]


def _referral_closed(_: PathwayState, report: Report) -> TrackMoves:
    reason = f"The referral was closed: {report.event['outcome']}"
    return [], [Closing(referral_key(report.event["referral_id"], "died"), "done", reason)]


def transfer_key(transfer_id: str) -> str:
    """Return the key of the task that a transfer keeps open."""
    return f"{PREFIX}transfer|{transfer_id}"


def _transfer_offered(_: PathwayState, report: Report) -> TrackMoves:
    event = report.event
    item = TrackItem(
        key=transfer_key(event["transfer_id"]),
        kind="transfer",
        title=f"Transfer to {event['to_organisation']}: not accepted yet",
        reason="Responsibility stays here, and every task too, until a named person there accepts.",
        owner_role="" if report.actor.team else "coordination",
        owner_team=report.actor.team,
        promise="transfer_accepted",
        subject_id=event["transfer_id"],
    )
    return [item], []


def _transfer_accepted(_: PathwayState, report: Report) -> TrackMoves:
    event = report.event
    return [], [Closing(transfer_key(event["transfer_id"]), "done", f"Accepted by {event['accepted_by']}.")]


def _transfer_declined(_: PathwayState, report: Report) -> TrackMoves:
    event = report.event
    item = TrackItem(
        key=f"{transfer_key(event['transfer_id'])}|next",
        kind="transfer_declined",
        title="Transfer declined: decide what happens instead",
        reason=str(event["reason"]),
        owner_role="" if report.actor.team else "coordination",
        owner_team=report.actor.team,
        promise="transfer_declined",
        subject_id=event["transfer_id"],
    )
    reason = "They will not take the care over: it stays here."
    keys = (transfer_key(event["transfer_id"]), f"{PREFIX}close")
    return [item], [Closing(key, "replaced", reason) for key in keys]


def _opted_out(state: PathwayState, report: Report) -> TrackMoves:
    if report.event["scope"] == "messages":
        return [], []
    item = TrackItem(
        key=OPTED_OUT,
        kind="opted_out",
        title="The person does not want to be followed up like this: agree how the team keeps in touch",
        reason="What the team has to do stays the team's. Their words stand in the record.",
        promise="opt_out_agreed",
    )
    return [_led(state, item)], []


def _opted_in(_: PathwayState, __: Report) -> TrackMoves:
    return [], [Closing(OPTED_OUT, "withdrawn", "The person opted in again.")]


def _lead_changed(state: PathwayState, report: Report) -> TrackMoves:
    """The team that leads now plans the next contact; nobody else does any more."""
    team = str(report.event["to_team"])
    item = TrackItem(
        key=LEAD,
        kind="follow_up",
        title="You lead this person's care: plan the next contact",
        reason=str(report.event["reason"]),
        owner_team=team,
        promise="lead_contact",
    )
    before = [known.key for known in state.items.values() if known.kind == "next_contact" or known.key == LEAD]
    return [item], [Closing(key, "replaced", f"{team.replace('_', ' ')} leads the care now.") for key in before]


def _lost(state: PathwayState, report: Report) -> TrackMoves:
    item = TrackItem(
        key=FIND,
        kind="find_person",
        title="Find the person: GP, next of kin, NHS Spine",
        reason=f"Nobody can reach them. Tried: {report.event['tried']}",
        promise="person_found",
        urgency="urgent",
    )
    return [_led(state, item)], []


def _found(state: PathwayState, report: Report) -> TrackMoves:
    item = TrackItem(
        key=FOUND,
        kind="follow_up",
        title="Found again: plan the next contact",
        reason=str(report.event["how"]),
        promise="found_contact",
    )
    return [_led(state, item)], [Closing(FIND, "done", "The person was found.")]


def _reopened(state: PathwayState, report: Report) -> TrackMoves:
    item = TrackItem(
        key=REOPENED,
        kind="follow_up",
        title="Reopened: plan the next contact",
        reason=str(report.event["reason"]),
        promise="reopened_contact",
    )
    return [_led(state, item)], []


_MOVES: Mapping[str, Callable[[PathwayState, Report], TrackMoves]] = {
    "death_reported": _reported,
    "death_verified": _verified,
    "death_withdrawn": _withdrawn,
    "referral_closed": _referral_closed,
    "transfer_offered": _transfer_offered,
    "transfer_accepted": _transfer_accepted,
    "transfer_declined": _transfer_declined,
    "opted_out": _opted_out,
    "opted_in": _opted_in,
    "lead_changed": _lead_changed,
    "lost_to_follow_up": _lost,
    "found_again": _found,
    "pathway_reopened": _reopened,
    "contact_agreed": contact.agreed,
    "appointment_booked": contact.booked,
    "appointment_moved": contact.booked,
    "appointment_cancelled": contact.over,
    "appointment_attended": contact.over,
    "appointment_missed": contact.over,
}

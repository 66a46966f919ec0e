"""Which tasks the tracks of a pathway keep open: referrals, orders, cycles, Yellow Cards. Pure.

The guideline's own tasks come from the planner; these follow from promises that people made. Every step of a track
closes its task only together with opening the next one, so that nothing is ever between two chairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from workflows import imports
from workflows.messages import Closing, OpenItem, ReferralRef, Report, TrackItem

TrackMoves = tuple[list[TrackItem], list[Closing]]
PREFIX = "track|"
_URGENT_PROMISES = frozenset({"referral_acknowledged", "referral_first_contact"})


def referral_key(referral_id: str, step: str) -> str:
    """Return the key of a referral's task at one step (`draft`, `send`, `outstanding`, `contact`, `answer`, `next`)."""
    return f"{PREFIX}referral|{referral_id}|{step}"


def response_check_key(line_id: str, number: int) -> str:
    """Return the key of a line's n-th response check."""
    return f"{PREFIX}response-check|{line_id}|{number}"


ANSWER = "|answer"


def answered(item: OpenItem, report: Report, referral: ReferralRef) -> TrackMoves:
    """Return what a referrer's answer to the receiving team's question opens and closes: the next word is theirs."""
    referral_id = item.subject_id
    outstanding = referral_key(referral_id, "outstanding-answer")
    again = TrackItem(
        key=outstanding,
        kind="referral",
        title="Your question was answered: accept, ask or decline",
        reason=str(report.event["outcome"]),
        owner_role="",
        owner_team=referral.to_team,
        promise="referral_accepted",
        subject_id=referral_id,
    )
    return [_of_referral(again, referral)], [Closing(outstanding, "replaced", "The referrer answered the question.")]


def moves(report: Report, referral: ReferralRef | None = None) -> TrackMoves:
    """Return the track tasks that one event opens and closes; `referral` is the one it is about, if any."""
    maker = _MOVES.get(report.kind)
    opened, closed = maker(report) if maker else ([], [])
    return [_of_referral(item, referral) if referral else item for item in opened], closed


def deferred(item: OpenItem, report: Report) -> TrackItem:
    """Return the task again, with the date that a person put it off to, or on which they try again."""
    event = report.event
    if report.kind == "item_attempted":
        on_date = event["next_try_on"]
        reason = f"Tried ({event['how']}): {event['note']} Next try {on_date}."
    else:
        on_date, reason = event["until"], f"Put off until {event['until']}: {event['reason']}"
    return TrackItem(
        key=item.key,
        kind=item.kind,
        title=item.title,
        reason=reason,
        owner_team=item.owner_team,
        on_date=str(on_date),
        urgency=item.urgency,
        subject_id=item.subject_id,
        number=item.number,
        rule_id=item.rule_id,
    )


def _of_referral(item: TrackItem, referral: ReferralRef) -> TrackItem:
    """Give a referral's task the referral's urgency, and one without a team of its own to the referrer."""
    if item.kind != "referral":
        return item
    if referral.urgency == "urgent":
        promise = f"{item.promise}_urgent" if item.promise in _URGENT_PROMISES else item.promise
        item = replace(item, urgency="urgent", promise=promise)
    if not item.owner_team and referral.from_team:
        item = replace(item, owner_team=referral.from_team, owner_role="")
    return item


def _referral_item(report: Report, step: str, title: str, reason: str, promise: str, team: str) -> TrackItem:
    referral_id = report.event["referral_id"]
    return TrackItem(
        key=referral_key(referral_id, step),
        kind="referral",
        title=title,
        reason=reason,
        owner_role="" if team else "coordination",
        owner_team=team,
        promise=promise,
        subject_id=referral_id,
    )


def _close(report: Report, how: str, reason: str, *steps: str) -> list[Closing]:
    return [Closing(referral_key(report.event["referral_id"], step), how, reason) for step in steps]


def _drafted(report: Report) -> TrackMoves:
    item = _referral_item(
        report,
        "draft",
        "Ask the person whether they agree to the referral",
        "A referral is drafted; it leaves only with the person's recorded agreement.",
        "referral_agreed",
        report.actor.team,
    )
    return [item], []


def _agreed(report: Report) -> TrackMoves:
    item = _referral_item(
        report, "send", "Send the agreed referral", "The person agreed.", "referral_sent", report.actor.team
    )
    return [item], _close(report, "done", "The agreement was recorded.", "draft")


def _sent(report: Report) -> TrackMoves:
    item = _referral_item(
        report,
        "outstanding",
        "Referral outstanding: nobody has acknowledged it yet",
        "Sent is not told: the referral counts when a person at the receiving team takes it.",
        "referral_acknowledged",
        report.actor.team,
    )
    return [item], _close(report, "done", "The referral was sent.", "send")


def _undelivered(report: Report) -> TrackMoves:
    event = report.event
    item = _referral_item(
        report,
        "undelivered",
        "The referral could not be delivered: reach the team another way",
        str(event.get("reason") or "The message came back."),
        "referral_undelivered",
        report.actor.team,
    )
    return [item], []


def _acknowledged(report: Report) -> TrackMoves:
    event = report.event
    item = _referral_item(
        report,
        "outstanding-answer",
        "Referral acknowledged: accept, ask or decline",
        f"Taken by {event['taken_by']}; responsibility stays with the referrer until first contact.",
        "referral_accepted",
        report.actor.team,
    )
    reason = "The receiving team acknowledged the referral."
    return [item], _close(report, "replaced", reason, "outstanding", "undelivered")


def _information_asked(report: Report) -> TrackMoves:
    event = report.event
    item = _referral_item(
        report,
        "answer",
        "Answer the receiving team's question about the referral",
        str(event["question"]),
        "referral_information_asked",
        "",
    )
    return [item], []


def _accepted(report: Report) -> TrackMoves:
    item = _referral_item(
        report,
        "contact",
        "Make first contact with the person",
        "The referral was accepted; responsibility stays with the referrer until first contact.",
        "referral_first_contact",
        report.actor.team,
    )
    closing = _close(
        report, "replaced", "The referral was accepted.", "outstanding", "outstanding-answer", "answer", "undelivered"
    )
    return [item], closing


def _declined(report: Report) -> TrackMoves:
    event = report.event
    item = _referral_item(
        report,
        "next",
        "Referral declined: decide what happens instead",
        str(event["reason"]),
        "referral_declined",
        "",
    )
    steps = ("outstanding", "outstanding-answer", "answer", "contact", "undelivered")
    return [item], _close(
        report, "replaced", "The receiving team declined; ownership is back with the referrer.", *steps
    )


def _first_contact(report: Report) -> TrackMoves:
    reason = "The receiving team met the person; responsibility has passed."
    steps = ("outstanding", "outstanding-answer", "answer", "contact", "undelivered")
    return [], _close(report, "done", reason, *steps)


def _closed(report: Report) -> TrackMoves:
    event = report.event
    steps = ("draft", "send", "outstanding", "outstanding-answer", "answer", "contact", "next", "undelivered")
    return [], _close(report, "done", f"The referral was closed: {event['outcome']}", *steps)


def _taken_over(report: Report) -> TrackMoves:
    return [imports.check(report)], []


def order_key(order_id: str, step: str) -> str:
    """Return the key of an ordered investigation's task: its `result` is awaited, then `read`."""
    return f"{PREFIX}investigation|{order_id}|{step}"


def _ordered(report: Report) -> TrackMoves:
    event = report.event
    asked = f"{event['modality'].replace('_', ' ')}, for {event['purpose'].replace('_', ' ')}"
    cautions = f" Cautions that could not be decided: {'; '.join(report.undecided)}." if report.undecided else ""
    aside = ", ".join(one.number for one in report.set_aside)
    because = f" Ordered although {aside} advises against it: {event['override_reason']}" if aside else ""
    item = TrackItem(
        key=order_key(event["order_id"], "result"),
        kind="investigation",
        title=f"Result awaited: {asked}",
        reason=f"Ordered, and no result is recorded yet.{cautions}{because}",
        owner_role="" if report.actor.team else "key_worker",
        owner_team=report.actor.team,
        promise="investigation_resulted",
        subject_id=event["order_id"],
    )
    return [item], []


def _order_cancelled(report: Report) -> TrackMoves:
    event = report.event
    reason = f"The order was cancelled: {event['reason']}"
    return [], [Closing(order_key(event["order_id"], "result"), "withdrawn", reason)]


def _resulted(report: Report) -> TrackMoves:
    """A result that was ordered here is read by a person, and the task says who told whom what."""
    event = report.event
    if not event.get("order_id"):
        return [], []
    item = TrackItem(
        key=order_key(event["order_id"], "read"),
        kind="result_to_read",
        title=f"Read the result and say what follows: {event['investigation']}",
        reason="The result of an ordered investigation arrived. Nobody has said yet that it was read.",
        owner_role="key_worker",
        promise="result_read",
        subject_id=event["order_id"],
    )
    return [item], [Closing(order_key(event["order_id"], "result"), "done", "The result arrived.")]


def yellow_card_key(adverse_event_id: str) -> str:
    """Return the key of the task to submit a Yellow Card."""
    return f"{PREFIX}yellow-card|{adverse_event_id}"


def yellow_card(report: Report, event_id: str) -> TrackItem | None:
    """Return the task to submit a Yellow Card: serious reactions, black-triangle medicines, devices; else nothing."""
    event = report.event
    why = [
        text
        for holds, text in (
            (event.get("serious"), "the reporter calls it serious"),
            (event.get("black_triangle"), "the medicine carries the black triangle"),
            (event.get("device"), "a device is suspected"),
        )
        if holds
    ]
    if not why:
        return None
    return TrackItem(
        key=yellow_card_key(event_id),
        kind="yellow_card",
        title="Submit a Yellow Card for the suspected reaction",
        reason=f"A reaction was reported: {' and '.join(why)}. `handrail patient yellow-card` has the report ready.",
        owner_role="" if report.actor.team else "key_worker",
        owner_team=report.actor.team,
        promise="yellow_card_submitted",
        urgency="urgent",
        subject_id=event_id,
    )


def _yellow_card_submitted(report: Report) -> TrackMoves:
    event = report.event
    reason = f"Submitted; reference {event['reference']}."
    return [], [Closing(yellow_card_key(str(event["adverse_event_id"])), "done", reason)]


def _cycle_key(report: Report) -> str:
    return f"{PREFIX}cycle|{report.event['line_id']}|{report.event['cycle']}"


def _cycle_deferred(report: Report) -> TrackMoves:
    event = report.event
    item = TrackItem(
        key=_cycle_key(report),
        kind="cycle",
        title=f"Cycle {event['cycle']} was deferred: give it, or decide otherwise",
        reason=str(event["reason"]),
        owner_role="oncology",
        on_date=str(event["until"]),
        subject_id=str(event["line_id"]),
    )
    return [item], [Closing(item.key, "replaced", "The cycle was deferred again.")]


def _cycle_given(report: Report) -> TrackMoves:
    return [], [Closing(_cycle_key(report), "done", "The cycle was given.")]


def line_ended(report: Report, items: Iterable[OpenItem]) -> list[Closing]:
    """Return the cycles that need not be given any more when a line ends."""
    line_id = str(report.event["line_id"])
    cycles = [item for item in items if item.kind == "cycle" and item.subject_id == line_id]
    return [Closing(item.key, "withdrawn", "The line of treatment ended.") for item in cycles]


def treatment_to_review(report: Report) -> TrackItem:
    """Return the prescriber's task when a fact that treatment is chosen by was corrected during treatment."""
    return TrackItem(
        key=f"{PREFIX}treatment-review|{report.event['fact_id']}",
        kind="treatment_review",
        title="A receptor result was corrected during treatment: decide today whether the treatment still fits",
        reason=f"{report.event['reason']} The treatment goes on until a person decides otherwise.",
        owner_role="oncology",
        promise="treatment_reviewed",
        urgency="urgent",
        subject_id=str(report.event["fact_id"]),
    )


_MOVES: Mapping[str, Callable[[Report], TrackMoves]] = {
    "referral_drafted": _drafted,
    "referral_agreed": _agreed,
    "referral_sent": _sent,
    "referral_undelivered": _undelivered,
    "referral_acknowledged": _acknowledged,
    "referral_information_asked": _information_asked,
    "referral_accepted": _accepted,
    "referral_declined": _declined,
    "referral_first_contact": _first_contact,
    "referral_closed": _closed,
    "investigation_ordered": _ordered,
    "investigation_cancelled": _order_cancelled,
    "result_received": _resulted,
    "yellow_card_submitted": _yellow_card_submitted,
    "cycle_deferred": _cycle_deferred,
    "cycle_given": _cycle_given,
    "pathway_imported": _taken_over,
}

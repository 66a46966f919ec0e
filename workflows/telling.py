"""Who is told what: notices to teams, each with one id for good. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from workflows import names
from workflows.messages import Entry, Notice, NoticeLine, OpenItem, PathwayState, Plan

# Told to the key worker's team even when no new task comes of them.
ALWAYS_TOLD = frozenset(
    {
        "progression_reported",
        "result_received",
        "fact_corrected",
        "adverse_event_reported",
        "referral_acknowledged",
        "referral_information_asked",
        "referral_accepted",
        "referral_declined",
        "referral_first_contact",
        "referral_undelivered",
        "appointment_missed",
        "appointment_not_brought",
        "pathway_closed",
        "pathway_reopened",
        "death_reported",
        "death_verified",
        "death_withdrawn",
        "transfer_accepted",
        "transfer_declined",
        "opted_out",
        "opted_in",
        "lead_changed",
        "lost_to_follow_up",
        "found_again",
    }
)
KEY_WORKERS = "breast_care_nurses"
DUTY_DESK = "duty_desk"
PHONE_TASK = "phone_task"
# Events that open tasks without being news to anybody share one template.
QUIET = "items_opened"
_URGENCIES = ("routine", "urgent", "emergency")
_OWN_TEMPLATE = ALWAYS_TOLD | {
    "pathway_opened",
    "diagnosis_confirmed",
    "decision_made",
    "therapy_line_started",
    "therapy_line_ended",
    "response_assessed",
    "symptom_reported",
    "key_worker_assigned",
    "follow_up_triggered",
}

# Which fields of an event its template may repeat to staff.
_SAID = {
    "lead_changed": ("to_team",),
    "result_received": ("investigation",),
    "decision_made": ("number",),
    "response_assessed": ("response",),
    "therapy_line_ended": ("stop_reason",),
    "follow_up_triggered": ("purpose", "due_on"),
    "referral_acknowledged": ("referral_id", "taken_by"),
    "referral_information_asked": ("referral_id", "question"),
    "referral_accepted": ("referral_id",),
    "referral_declined": ("referral_id", "reason"),
    "referral_first_contact": ("referral_id", "how"),
    "referral_undelivered": ("referral_id", "channel", "reason"),
}


def marked_overdue(item: OpenItem) -> OpenItem:
    """Return the task marked overdue; it stays open."""
    return replace(item, overdue=True)


def notices(
    patient_id: str,
    entry: Entry,
    plan: Plan,
    opened: list[OpenItem],
    fact_ids: list[str],
    to_team: str = "",
    also: Collection[str] = (),
) -> list[Notice]:
    """Return one notice for each team that has something new to do, and the key worker's team where it is news.

    `to_team` is the receiving team of the referral that the event is about, if it is about one; `also` hear of it
    though they have nothing to do.
    """
    kind = entry.report.kind if entry.report else QUIET
    own = kind if kind in _OWN_TEMPLATE else QUIET
    reasons = {item.key: item.reason for item in plan.open}
    teams = sorted({item.owner_team for item in opened} | ({KEY_WORKERS} if kind in ALWAYS_TOLD else set()) | {*also})
    made = []
    for team in teams:
        mine = [item for item in opened if item.owner_team == team]
        # What is news of a referral to those who made it is none to those who took it: they hear of their tasks.
        template = QUIET if team == to_team else own
        made.append(
            Notice(
                message_id=names.derived_id("notice", entry.event_id, team),
                template=template,
                team=team,
                patient_id=patient_id,
                event_id=entry.event_id if entry.report else "",
                lines=[_line(item, reasons.get(item.key, "")[:500]) for item in mine],
                urgency=max((item.urgency for item in mine), key=_URGENCIES.index, default="routine"),
                values={} if template == QUIET else _said(entry, to_team),
                correlation_id=entry.report.correlation_id if entry.report else "",
                fact_ids=fact_ids,
                item_ids=[item.item_id for item in mine],
            )
        )
    return made


def told_again(patient_id: str, entry: Entry, made: list[Notice]) -> list[Notice]:
    """Return, for a correction, the notice to whoever was told of the wrong fact and hears nothing else of this."""
    report = entry.report
    if report is None or report.kind != "fact_corrected":
        return []
    again = Notice(
        message_id=names.derived_id("notice-again", entry.event_id),
        template=report.kind,
        team="",
        patient_id=patient_id,
        event_id=entry.event_id,
        correlation_id=report.correlation_id,
        again_for=str(report.event["fact_id"]),
        told_now=sorted({notice.team for notice in made}),
    )
    return [again]


def _line(item: OpenItem, reason: str) -> NoticeLine:
    return NoticeLine(item.title, item.due_on, reason, item.number, item.due_at, item.urgency)


def _said(entry: Entry, to_team: str) -> dict[str, str]:
    """Return what the event's template may say, beside its tasks."""
    report = entry.report
    if report is None:
        return {}
    said = {name: str(report.event[name])[:1900] for name in _SAID.get(report.kind, ()) if report.event.get(name)}
    if to_team and report.kind in _OWN_TEMPLATE:
        said["to_team"] = to_team
    return said


def overdue_notices(patient_id: str, late: list[OpenItem]) -> list[Notice]:
    """Return, for each overdue task, one notice to its team and one to the team's lead."""
    return [
        Notice(
            # A task that was put off and became overdue again is told again.
            message_id=names.derived_id("overdue", item.item_id, audience, item.due_at.isoformat()),
            template="item_overdue",
            team=item.owner_team,
            patient_id=patient_id,
            audience=audience,
            lines=[_line(item, "")],
            urgency="emergency" if item.urgency == "emergency" else "urgent",
            item_ids=[item.item_id],
        )
        for item in late
        for audience in ("all", "lead")
    ]


def next_up(outbox: list[Notice]) -> Notice:
    """Return the notice to send next: the most urgent; telling goes before linking in the record what was told."""
    return max(outbox, key=lambda notice: (not notice.told, _URGENCIES.index(notice.urgency or "routine")))


def left_over(notice: Notice, sent: str | None) -> list[Notice]:
    """Return what goes to the end of the outbox: a notice that could not be sent now, or not be linked yet."""
    if sent == names.UNLINKED:
        return [replace(notice, told=True)]
    return [] if sent else [notice]


def instead_of(notice: Notice, why: str) -> list[Notice]:
    """Return the telephone task that replaces a notice which was refused for good; nothing replaces that one."""
    if notice.template == PHONE_TASK:
        return []
    return [
        Notice(
            message_id=names.derived_id("phone", notice.message_id),
            template=PHONE_TASK,
            team=DUTY_DESK,
            patient_id=notice.patient_id,
            urgency="urgent",
            values={"why": f"{notice.template.replace('_', ' ')}, for {notice.team}, could not be sent: {why}"[:1900]},
            correlation_id=notice.correlation_id,
        )
    ]


def unfiled_alarms(state: PathwayState, now: datetime) -> list[Notice]:
    """Return a notice to the duty desk for each report that has waited too long to be filed, once."""
    made = []
    for entry in state.queue:
        if entry.report is None or entry.alarmed:
            continue
        limits = state.settings
        limit = limits.unfiled_urgent_seconds if entry.report.urgency != "routine" else limits.unfiled_seconds
        if now - entry.accepted_at >= timedelta(seconds=limit):
            entry.alarmed = True
            values = {
                "event": entry.report.kind.replace("_", " "),
                "reported_by": entry.report.actor.role,
                "reporter_team": entry.report.actor.team,
            }
            if entry.filed is not None:
                values["problem"] = "It stands in the record, but what follows from it could not be worked out."
            made.append(
                Notice(
                    message_id=names.derived_id("unfiled", entry.event_id),
                    template="report_not_filed",
                    team=DUTY_DESK,
                    patient_id=state.patient_id,
                    values=values,
                    urgency="urgent",
                    correlation_id=entry.report.correlation_id,
                )
            )
    return made

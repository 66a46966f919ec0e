"""What each step of filing asks for, worked out from where the pathway stands: moves, the judgement, the news. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from workflows import (
    appointments,
    data_asked,
    endings,
    imports,
    ladder,
    planning,
    resting,
    shared_decisions,
    support,
    telling,
    tracks,
)
from workflows.messages import (
    Applied,
    Climb,
    Closing,
    DecideInput,
    Entry,
    Escalation,
    Filed,
    ItemKey,
    Notice,
    OpenItem,
    PathwayState,
    Plan,
    ReferralRef,
    Report,
    TrackItem,
)


@dataclass(frozen=True)
class FileAndTell:
    """Record, decide and plan one entry in one go, and tell it if it opens no task.

    `tell` is false while other notices wait to be sent.
    """

    state: PathwayState
    entry: Entry
    as_of: datetime
    tell: bool


@dataclass(frozen=True)
class Told:
    """A notice that notify took, so that history says who was told; its words stand with notify."""

    message_id: str
    template: str
    team: str
    audience: str
    outcome: str
    item_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Planned:
    """What the record applied, what a death holds back since, who was told, and which notices are left to be sent."""

    changed: planning.Changes
    applied: Applied
    held: list[TrackItem]
    told: list[Told] = field(default_factory=list)
    untold: list[Notice] = field(default_factory=list)


@dataclass(frozen=True)
class FiledAndTold:
    """How far one entry came; what is not there is insisted on, step by step.

    What the plan opens stands there only until it is applied: then it stands in what was `planned`.
    """

    filed: Filed | None = None
    plan: Plan | None = None
    planned: Planned | None = None


@dataclass(frozen=True)
class ClimbAndTell:
    """Ask for the next rung of a task and tell those who stand on it; `tell` as above."""

    patient_id: str
    item: OpenItem
    climb: Climb
    at: datetime
    tell: bool


@dataclass(frozen=True)
class ClimbedAndTold:
    """The rung, who was told, and which notices are left to be sent."""

    step: Escalation
    told: list[Told]
    untold: list[Notice]


def as_it_stands(state: PathwayState) -> PathwayState:
    """Return what filing one entry needs of the state: neither what waits, nor which keys were seen."""
    return replace(state, queue=[], outbox=[], climbs=[], seen={}, child_reports=[], silences=[], silenced=[])


def filed_before(entry: Entry) -> bool:
    """Whether the same report had been filed in an earlier turn."""
    filed = entry.filed
    return filed is not None and filed.already_filed and filed.seq not in {0, entry.seq}


def referral_of(state: PathwayState, entry: Entry) -> ReferralRef | None:
    """Return the referral that a report is about, if any."""
    report = entry.report
    return state.referrals.get(str(report.event.get("referral_id", ""))) if report else None


def moves(state: PathwayState, entry: Entry, *, ringing: bool = True) -> tuple[list[TrackItem], list[Closing]]:
    """Return which tasks of the tracks one entry opens and closes; what a death holds back is kept in the state.

    `ringing`: somebody is rung up after a death or a transfer too, for what that is about was not set aside.
    """
    if entry.report is None:
        if ringing and state.resting and ladder.rings(entry):
            return entry.open, entry.close
        return endings.moves(state, None, entry.open, entry.close)
    return _of_report(state, entry, entry.report)


def _of_report(state: PathwayState, entry: Entry, report: Report) -> tuple[list[TrackItem], list[Closing]]:
    occasion = str(report.event.get("occasion", ""))
    if report.kind == "follow_up_triggered" and occasion in state.occasions:
        return [], []
    moved, closing = tracks.moves(report, referral_of(state, entry))
    for more in (appointments.moves(state, report), data_asked.moves(state, report, entry.event_id)):
        moved, closing = [*moved, *more[0]], [*closing, *more[1]]
    item = state.items.get(str(report.event.get("item_id", "")))
    if report.kind == "therapy_line_ended":
        closing = [*closing, *tracks.line_ended(report, state.items.values())]
    if report.kind == "adverse_event_reported" and (card := tracks.yellow_card(report, entry.event_id)):
        moved = [*moved, card]
    if report.chooses_treatment and "started" in state.lines.values():
        moved = [*moved, tracks.treatment_to_review(report)]
    if report.kind in {"item_deferred", "item_attempted"} and item is not None:
        moved = [tracks.deferred(item, report)]
    if report.kind == "item_completed" and item is not None and item.key.endswith(tracks.ANSWER):
        moved, closing = tracks.answered(item, report, state.referrals[item.subject_id])
    for more in (support.moves(state, report), shared_decisions.moves(state, report)):
        moved, closing = [*moved, *more[0]], [*closing, *more[1]]
    closing = [*closing, *_closed_by_people(state, report)]
    return endings.moves(state, report, moved, closing)


def _closed_by_people(state: PathwayState, report: Report) -> list[Closing]:
    item = state.items.get(str(report.event.get("item_id", "")))
    if item is None:
        return []
    if report.kind == "item_completed":
        return [Closing(item.key, "done", str(report.event["outcome"]))]
    if report.kind == "appointment_booked":
        return [Closing(item.key, "done", "An appointment was booked.")]
    return []


def to_decide(
    state: PathwayState, entry: Entry, moved: list[TrackItem], closing: list[Closing], as_of: datetime
) -> DecideInput:
    """Return what the guideline is asked, with what is open once this entry is filed."""
    # What this very event closes is not open for the planner: it must see when nothing would be left.
    going = {ending.key for ending in closing} | {item.key for item in moved}
    standing = resting.standing(state, entry.report)
    items = [ItemKey(item.key, item.kind) for item in standing if item.key not in going]
    tracked = [item for item in items if item.key.startswith(tracks.PREFIX)]
    # A telephone task is about another one: it is nobody's next step by itself.
    others = [kind for kind in [i.kind for i in tracked] + [i.kind for i in moved] if kind != ladder.PHONE_KIND]
    return DecideInput(
        patient_id=state.patient_id,
        seq=entry.seq,
        event_id=entry.event_id,
        as_of=as_of,
        recorded_at=entry.accepted_at,
        pin=state.pin,
        open_items=[item for item in items if item not in tracked],
        other_open=len(others),
        tracks=moved,
        correlation_id=entry.report.correlation_id if entry.report else "",
    )


def news(
    state: PathwayState, entry: Entry, plan: Plan, opened: list[OpenItem], filed: Filed, *, rung_once: bool = True
) -> list[Notice]:
    """Return who is told what of one entry, once its plan is applied.

    `rung_once`: nobody is told of a telephone task by this, for the desk was told as it was to ring.
    """
    referral = referral_of(state, entry)
    opened = imports.worth_telling(state, entry, opened)
    opened = [*opened, *planning.handed_over(state, entry)]
    if rung_once:
        opened = [item for item in opened if item.kind != ladder.PHONE_KIND]
    also = endings.told_too(state, entry.report)
    to_team = referral.to_team if referral else ""
    made = telling.notices(state.patient_id, entry, plan, opened, filed.fact_ids, to_team, also)
    made += telling.told_again(state.patient_id, entry, made)
    return [*made, *shared_decisions.sent(state, entry.report, entry.event_id)]


def told(notice: Notice, outcome: str) -> Told:
    """Return what history keeps of a notice that notify took."""
    return Told(notice.message_id, notice.template, notice.team, notice.audience, outcome, notice.item_ids)

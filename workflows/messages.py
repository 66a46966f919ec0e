"""What travels to, from and between workflows: plain dataclasses, each small enough for history.

Instants are aware UTC datetimes. `event` holds a clinical event as its protobuf JSON form with the contract's own
field names, because a workflow passes it on without reading more than a few of its fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Actor:
    """Who reported or acted; verified at the edge, carried as payload."""

    subject: str
    role: str
    team: str = ""


@dataclass(frozen=True)
class Settings:
    """Time limits in seconds, fixed when a pathway starts so that a replay sees the same ones."""

    activity_seconds: float = 10.0
    window_seconds: float = 30.0
    unfiled_seconds: float = 300.0
    unfiled_urgent_seconds: float = 30.0
    queue_limit: int = 100
    history_events: int = 1000


@dataclass(frozen=True)
class GuidelinePin:
    """The guideline version that this pathway follows, by content."""

    guideline: str
    version: str
    content_hash: str


@dataclass(frozen=True)
class SetAside:
    """A caution that a person set aside with a reason, or a decision that what was started departs from."""

    rule_id: str
    number: str
    reason_code: str = "other"
    # Empty: the reason stands in the report.
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """One clinical event as somebody reported it; `kind` is the event's one name."""

    key: str
    request_hash: str
    kind: str
    event: dict[str, Any]
    facts: list[dict[str, Any]]
    actor: Actor
    occurred_at: datetime
    source: str = ""
    correlation_id: str = ""
    urgency: str = "routine"
    rule_id: str = ""
    # What a decision says of systemic treatment: agreed, not_agreed, or nothing.
    treatment: str = ""
    guideline: str = ""
    # Set when another workflow already gave the event its id.
    event_id: str = ""
    # A corrected fact that treatment is chosen by: a receptor of a specimen.
    chooses_treatment: bool = False
    # The cautions that whoever reports this set aside, and in words those that a missing fact left open.
    set_aside: list[SetAside] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    # The rules that name this kind of event among what closes them.
    answers: list[str] = field(default_factory=list)
    # The complications that its facts speak of: still there (True), or settled.
    watched: dict[str, bool] = field(default_factory=dict)
    # The team of the person whom it names as key worker or as their cover, and when that cover begins and ends.
    key_worker_team: str = ""
    cover_begins_at: datetime | None = None
    cover_ends_at: datetime | None = None
    # Whom a receiving team's act is said to be about; the referral knows whom it is about.
    patient_id: str = ""


@dataclass(frozen=True)
class Receipt:
    """Durably accepted, and where it stands in the order."""

    seq: int
    event_id: str
    accepted_at: datetime


@dataclass(frozen=True)
class TrackItem:
    """A task that a track of the pathway keeps open: what, whose, and the promise its due time follows from."""

    key: str
    kind: str
    title: str
    reason: str
    owner_role: str = ""
    owner_team: str = ""
    promise: str = ""
    on_date: str = ""
    urgency: str = "routine"
    subject_id: str = ""
    number: str = ""
    rule_id: str = ""
    # What kind of visit is to be booked: the task says how it may be held.
    visit: str = ""
    # A response check counts its weeks from here (0: the service's usual interval), in the place of a promise or date.
    checked_from: datetime | None = None
    check_weeks: int = 0


@dataclass(frozen=True)
class Closing:
    """A task that should not be open any more: done, withdrawn or replaced, and why."""

    key: str
    how: str
    reason: str


@dataclass
class Entry:
    """One thing that waits to be filed: a report, a change of a track, or a tick of the clock."""

    seq: int
    accepted_at: datetime
    event_id: str
    report: Report | None = None
    open: list[TrackItem] = field(default_factory=list)
    close: list[Closing] = field(default_factory=list)
    overdue: list[str] = field(default_factory=list)
    alarmed: bool = False
    # How far it has come, so that a new run of the workflow goes on from there.
    filed: Filed | None = None
    plan: Plan | None = None
    # When the guideline was first asked about it: whoever asks again asks the same.
    asked_at: datetime | None = None


@dataclass(frozen=True)
class OpenItem:
    """An open task as the workflow remembers it: enough to keep its clock and to tell its owner."""

    item_id: str
    key: str
    kind: str
    title: str
    owner_team: str
    due_on: str
    due_at: datetime
    urgency: str = "routine"
    number: str = ""
    subject_id: str = ""
    rule_id: str = ""
    overdue: bool = False
    # Somebody has it in hand.
    taken: bool = False
    taken_by: str = ""
    # The role that it was meant for; empty once a person handed it to another team.
    owner_role: str = ""
    # How many rungs of the ladder were climbed, and when the next one is.
    rung: int = 0
    rung_at: datetime | None = None


@dataclass(frozen=True)
class Seen:
    """A key that was seen, with the hash of what came with it and the reply."""

    request_hash: str
    receipt: Receipt


@dataclass(frozen=True)
class NoticeLine:
    """One task inside a notice."""

    title: str
    due_on: str
    reason: str = ""
    number: str = ""
    due_at: datetime | None = None
    urgency: str = "routine"
    item_id: str = ""


@dataclass(frozen=True)
class Notice:
    """One logical message to one team, with the id it keeps on every retry."""

    message_id: str
    template: str
    team: str
    patient_id: str = ""
    event_id: str = ""
    audience: str = "all"
    values: dict[str, str] = field(default_factory=dict)
    lines: list[NoticeLine] = field(default_factory=list)
    urgency: str = "routine"
    owner_id: str = ""
    correlation_id: str = ""
    fact_ids: list[str] = field(default_factory=list)
    item_ids: list[str] = field(default_factory=list)
    # A fact that was corrected: whoever was told of it before is told again, but for these teams, who were told now.
    again_for: str = ""
    told_now: list[str] = field(default_factory=list)
    # It is an alert: beyond so many a day it waits for a digest, unless it is an emergency.
    alerts_a_day: int = 0
    # Its team was told; what is left is to link it in the record to what it stood on.
    told: bool = False
    # For a message to the person: the address that is theirs, and what it speaks of.
    address: str = ""
    topic: str = ""


@dataclass(frozen=True)
class Climb:
    """A rung of the ladder that a task must climb now; `why` is a person's reason when one asked for it."""

    item_id: str
    why: str = ""
    asked_by: str = ""


@dataclass(frozen=True)
class Digested:
    """How many digests of alerts left, and the teams whose digest was refused for good."""

    digests: int
    refused_teams: list[str]


@dataclass(frozen=True)
class MdtWaiting:
    """Who waits for the MDT's meeting, by short id, and the team that is told."""

    team: str
    decisions: list[str]
    questions: list[str]


@dataclass(frozen=True)
class ReferralRef:
    """What the pathway knows of one of its referrals."""

    status: str
    from_team: str
    to_team: str
    urgency: str = "routine"


@dataclass(frozen=True)
class Silence:
    """A cause to send this person nothing, or its end; `seq` is the place of the report that says so."""

    suppression_id: str
    patient_id: str
    cause: str
    seq: int
    lifted: bool = False


@dataclass
class Death:
    """What is known of a person's death, and what it set aside: `reported`, then `verified` by somebody else."""

    status: str = ""
    reported_by: str = ""
    died_on: str = ""
    # The lines of treatment that it ended, and the referrals that were out; a mistake gives them back.
    lines: list[str] = field(default_factory=list)
    referrals: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Cover:
    """Who stands in for the key worker, in which team, between two instants."""

    person: str
    team: str
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Beside:
    """Somebody beside the person: what they may be told, and the authority of theirs that was seen."""

    relationship: str
    may_be_told: str
    authority: str = ""


@dataclass(frozen=True)
class Capacity:
    """An assessment by which the person cannot make one kind of decision, and whether it was made for them."""

    assessment_id: str
    decided: bool = False


@dataclass
class DataAsked:
    """Which facts a task still asks for, and the tasks that wait for them."""

    missing: list[str]
    waiting: list[str]


@dataclass
class PathwayState:
    """All that a pathway remembers; the only argument of `PatientPathway`, carried over continue-as-new."""

    patient_id: str
    pin: GuidelinePin
    settings: Settings = field(default_factory=Settings)
    seq: int = 0
    queue: list[Entry] = field(default_factory=list)
    outbox: list[Notice] = field(default_factory=list)
    climbs: list[Climb] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)
    items: dict[str, OpenItem] = field(default_factory=dict)
    referrals: dict[str, ReferralRef] = field(default_factory=dict)
    occasions: list[str] = field(default_factory=list)
    lines: dict[str, str] = field(default_factory=dict)
    appointments: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    # What kind of visit an appointment is, where that was said, and how many were missed in a row.
    visits: dict[str, str] = field(default_factory=dict)
    missed: int = 0
    # What was asked for so that a task can go on, by the key of the task that asks.
    data_asked: dict[str, DataAsked] = field(default_factory=dict)
    child_reports: list[str] = field(default_factory=list)
    treatment_agreed: bool = False
    # The keys of what the guideline asks for and an import holds back until the person is checked.
    waiting_for_check: list[str] = field(default_factory=list)
    reevaluate_at: datetime | None = None
    opened: bool = False
    # Closed: nothing more is accepted. Ended: the closing itself has been filed, and nothing more is opened.
    closed: bool = False
    ended: bool = False
    # Rebuilt from the record after it was closed: it waits for the report that reopens it, and then remembers that its
    # lines of treatment have no workflows any more.
    reopening: bool = False
    reopened: bool = False
    # How it comes to an end. What a death or a transfer sets aside rests here by its cause, and stands again if it was
    # a mistake; `held` is what came meanwhile.
    death: Death = field(default_factory=Death)
    resting: dict[str, list[OpenItem]] = field(default_factory=dict)
    held: list[TrackItem] = field(default_factory=list)
    line_ends: dict[str, str] = field(default_factory=dict)
    transfers: dict[str, str] = field(default_factory=dict)
    lead: str = ""
    lost: bool = False
    # The language for which an interpreter is needed; empty: none is.
    interpreter: str = ""
    # Who the key worker is, in which team, who stands in, and who no longer is.
    key_worker: str = ""
    key_worker_team: str = ""
    cover: Cover | None = None
    former_key_workers: list[str] = field(default_factory=list)
    # The address that is the person's own, who is beside them, and which kinds of decisions they cannot make.
    email: str = ""
    beside: dict[str, Beside] = field(default_factory=dict)
    capacity: dict[str, Capacity] = field(default_factory=dict)
    # Why the person is sent nothing, what notify is still to be told of it, and what it holds back.
    suppressed: list[str] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    silenced: list[Notice] = field(default_factory=list)
    schema: int = 1


# --- what activities take and give ------------------------------------------------------------------------------


@dataclass(frozen=True)
class FileReport:
    """Append this report to the record."""

    patient_id: str
    seq: int
    event_id: str
    accepted_at: datetime
    report: Report


@dataclass(frozen=True)
class Filed:
    """The report stands in the record, now or since earlier."""

    event_id: str
    already_filed: bool
    fact_ids: list[str] = field(default_factory=list)
    # Where it stands in the record: another place than was asked for means that it had been filed before.
    seq: int = 0


@dataclass(frozen=True)
class RefusedReport:
    """A report that records refused for good; its payload is kept."""

    patient_id: str
    seq: int
    report: Report
    reason: str


@dataclass(frozen=True)
class ItemKey:
    """The identity of an open task, and its kind."""

    key: str
    kind: str


@dataclass(frozen=True)
class DecideInput:
    """Ask what should be open now, and when the tracks' promises fall due."""

    patient_id: str
    seq: int
    event_id: str
    as_of: datetime
    recorded_at: datetime
    pin: GuidelinePin
    open_items: list[ItemKey]
    other_open: int
    tracks: list[TrackItem]
    correlation_id: str = ""


@dataclass(frozen=True)
class PlannedItem:
    """A task to open, with its due time worked out."""

    key: str
    kind: str
    title: str
    reason: str
    owner_role: str
    owner_team: str
    due_on: str
    due_at: datetime
    urgency: str = "routine"
    rule_id: str = ""
    number: str = ""
    fact_ids: list[str] = field(default_factory=list)
    missing_fact: str = ""
    supplied_by: str = ""
    subject_id: str = ""
    # The calendar of working days that decided when it is due.
    calendar_version: str = ""


@dataclass(frozen=True)
class Plan:
    """What to open and to close, and when the answer could change by time alone."""

    evaluation_id: str
    open: list[PlannedItem]
    close: list[Closing]
    reevaluate_at: datetime | None = None


@dataclass(frozen=True)
class Moved:
    """What a person did with an open task: put off, taken, attempted, handed over or escalated, and when it is due."""

    due_on: str
    due_at: datetime
    reason: str
    change: str = "moved"
    owner_team: str = ""
    taken_by: str = ""
    # The task that it waits for from now on.
    waits_for: str = ""
    calendar_version: str = ""
    # It changes hands with its role, because the key worker changed.
    with_role: bool = False


@dataclass(frozen=True)
class ApplyInput:
    """Open and close tasks in one transaction."""

    patient_id: str
    seq: int
    event_id: str
    applied_at: datetime
    open: list[PlannedItem]
    close: list[tuple[str, str, str]]
    # What people did with open tasks, by the task's id.
    move: dict[str, Moved] = field(default_factory=dict)
    overdue: list[str] = field(default_factory=list)
    correlation_id: str = ""
    pathway_closed: bool = False
    # Tasks that stand again, with their clock and owner: the task's id, and why.
    reopen: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class EscalationInput:
    """Ask who hears next of a task that nobody did."""

    kind: str
    urgency: str
    owner_team: str
    rung: int
    at: datetime


@dataclass(frozen=True)
class Escalation:
    """Whom to tell (`all`, `deputy`, `lead` of the owning team), which desk is to ring, and when the next comes."""

    audiences: list[str]
    phone_team: str
    rung: int
    next_at: datetime
    # How many single alerts a day each of them gets; 0: as many as there are.
    alerts_a_day: int = 0


@dataclass(frozen=True)
class Applied:
    """Which team owns each opened task, by task id."""

    owners: dict[str, str]


@dataclass
class ReferralState:
    """All that a referral remembers."""

    referral_id: str
    patient_id: str
    from_team: str
    to_team: str
    urgency: str
    reason: str
    settings: Settings = field(default_factory=Settings)
    status: str = "draft"
    seq: int = 0
    queue: list[ReferralStep] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)
    outbox: list[Notice] = field(default_factory=list)
    seen_inbound: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ReferralStep:
    """One step of a referral that waits to be set in the record and told to the pathway."""

    to_status: str
    report: Report
    event_id: str
    at: datetime
    from_status: str = ""
    note: str = ""


@dataclass(frozen=True)
class SetStatusInput:
    """Compare-and-set a referral's status in the record."""

    referral_id: str
    step: ReferralStep
    responsible_team: str


@dataclass(frozen=True)
class LineInput:
    """A line of treatment under way; `checks` counts the response checks that were planned."""

    line_id: str
    patient_id: str
    counted_from: datetime
    check_weeks: int
    settings: Settings = field(default_factory=Settings)
    checks: int = 0
    # An assessment that came while the check before it was still being planned.
    assessed_at: datetime | None = None


@dataclass(frozen=True)
class ResponseCheckInput:
    """Ask when the next response check falls due."""

    counted_from: datetime
    weeks: int


@dataclass(frozen=True)
class TrackChange:
    """A child tells the pathway which tasks its track needs open or closed; the same id twice is one change."""

    change_id: str
    open: list[TrackItem] = field(default_factory=list)
    close: list[Closing] = field(default_factory=list)


@dataclass(frozen=True)
class InboundPage:
    """What came back to notify since a cursor."""

    receipts: list[InboundReceipt]
    cursor: int


@dataclass(frozen=True)
class InboundReceipt:
    """One receipt or bounce, and whose it is."""

    inbound_id: str
    kind: str
    message_id: str
    owner_id: str
    channel: str
    at: datetime
    detail: str = ""

"""One person's pathway without any server: the workflow's own code over the pure rules, with a record in memory.

What it runs is `PatientPathway` as it is: acceptance, the steps of filing, the tick of the clock. Beneath it stand the
guideline's pure functions where the services are, and lists where the record is, so that a step costs milliseconds.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVar

from services.pathway import items
from services.pathway.dictionary import Value
from services.pathway.due_dates import DueTime, due_after_hours, due_after_working_days, end_of
from services.pathway.emergencies import emergencies, is_emergency
from services.pathway.facts import Fact, Picture, current
from services.pathway.guideline import Guideline, load_guideline, load_shared
from services.pathway.knowledge.urgent import judge_urgent, load_urgent
from services.pathway.plan import plan
from services.pathway.promises import Promises, load_promises
from services.pathway.rules import Judgement, judge
from services.runtime.settings import REPOSITORY
from workflows import names
from workflows.messages import (
    Actor,
    Applied,
    ApplyInput,
    Closing,
    DecideInput,
    Entry,
    Filed,
    FileReport,
    GuidelinePin,
    OpenItem,
    PathwayState,
    Plan,
    PlannedItem,
    Report,
    TrackItem,
)
from workflows.patient_pathway import PatientPathway
from workflows.persistence import persist
from workflows.rules_of_acceptance import refusal

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
PIN = GuidelinePin("cg81", "2026-06-30", "0" * 64)
NURSE = Actor("nurse.drill", "key_worker", "breast_care_nurses")
_DIRECTORY = REPOSITORY / "guidelines"
_STEP = timedelta(minutes=10)
_REFERRED = frozenset({"agreed", "sent", "delivered", "acknowledged", "information_asked", "accepted", "draft"})
Arg = TypeVar("Arg")
Answer = TypeVar("Answer")


class Knowledge(NamedTuple):
    """What a house starts with."""

    guideline: Guideline
    urgent: Guideline
    promises: Promises


@cache
def knowledge() -> Knowledge:
    """Read the guideline, the rules for emergencies, and the promises.

    Raises:
        FileNotFoundError: the rules for emergencies are missing.
    """
    urgent = load_urgent(_DIRECTORY, load_shared(_DIRECTORY))
    if urgent is None:
        message = "guidelines/urgent.yaml is missing; put it back."
        raise FileNotFoundError(message)
    return Knowledge(load_guideline(_DIRECTORY, PIN.guideline, PIN.version), urgent, load_promises(_DIRECTORY))


class Shown(NamedTuple):
    """What a judgement said when it was last made: a decision binds to it."""

    occurrence: str
    basis: str
    used: tuple[str, ...]
    missing: tuple[str, ...] = ()


class Judged(NamedTuple):
    """What a guideline says of some facts at a moment."""

    picture: Picture
    judgements: Sequence[Judgement]
    urgent: Sequence[Judgement]
    shown: Mapping[str, Shown]


@lru_cache(maxsize=64)
def _judged(facts: tuple[Fact, ...], as_of: datetime) -> Judged:
    """Judge some facts; most reports bring none, so that what comes after the same reports is judged once."""
    known = knowledge()
    picture = current(facts, known.guideline.dictionary, as_of)
    judgements, urgent = judge(known.guideline, picture), judge_urgent(known.urgent, picture)
    read = [judgement for judgement in (*judgements, *urgent) if judgement.truth != "does_not_apply"]
    shown = {j.rule_id: Shown(j.occurrence, j.basis, j.used, j.missing) for j in read}
    return Judged(picture, judgements, urgent, shown)


class Closed(NamedTuple):
    """A task that closed: how, why, by which kind of report (empty: a clock), and whether the planner said so."""

    item: PlannedItem
    how: str
    reason: str
    kind: str
    planned: bool


@dataclass
class Record:
    """What stands in the record: facts, decisions, the tasks that are open, and those that closed since last looked."""

    facts: list[Fact] = field(default_factory=list)
    superseded: set[str] = field(default_factory=set)
    decisions: list[items.Decision] = field(default_factory=list)
    shown: Mapping[str, Shown] = field(default_factory=dict)
    open: dict[str, PlannedItem] = field(default_factory=dict)
    gone: dict[str, PlannedItem] = field(default_factory=dict)
    closed: list[Closed] = field(default_factory=list)
    planned_gone: frozenset[str] = frozenset()


class PurePerson(PatientPathway):
    """The workflow of one person, with its clock and its services replaced by a moment and by pure functions."""

    def __init__(self) -> None:
        super().__init__(PathwayState("00000000-0000-4000-8000-000000000001", PIN))
        self.record = Record()
        self.moment = START

    # --- what happens to the person -----------------------------------------------------------------------------------

    def said(self, kind: str, by: Actor = NURSE, facts: Mapping[str, Value] | None = None, **event: Any) -> bool:  # noqa: ANN401 - any field
        """Report something; False when it is refused, and nothing changed."""
        report = self._report(kind, by, facts or {}, event)
        if refusal(self.state, report) is not None:
            return False
        self.moment += _STEP
        self._accept(report)
        self._file_all()
        self._let_come_due(self.moment)  # what opens late, or comes back late, is late at once
        return True

    def days_go_by(self, days: int) -> None:
        """Let the clock run, with every due time that comes; what climbs its ladder is told, and comes again."""
        until = self.moment + timedelta(days=days)
        self._let_come_due(until)
        self.moment = until

    def _let_come_due(self, until: datetime) -> None:
        """Do what the clock does at each due time that comes."""
        while (due := self._next_due()) <= until:
            self.moment = max(due, self.moment)
            self._tick(self.moment)
            self._file_all()
            for climb in self.state.climbs:
                if item := self.state.items.get(climb.item_id):
                    self.state.items[item.item_id] = replace(item, rung_at=None)
            self.state.climbs.clear()

    def planned_again(self) -> Plan:
        """Ask the planner once more, with nothing changed; it should want nothing."""
        entry = Entry(self.state.seq, self.moment, "again")
        plan_made = _run(self._decide(entry, [], []))
        if plan_made is None:
            message = "the pure planner always answers"
            raise AssertionError(message)
        return plan_made

    def _report(self, kind: str, by: Actor, facts: Mapping[str, Value], event: Mapping[str, Any]) -> Report:
        guideline = knowledge().guideline
        rule = guideline.by_number(str(event.get("number", ""))) if kind == "decision_made" else None
        treated = rule is not None and rule.section == "systemic_therapy" and event["outcome"] == "accepted"
        implied = guideline.events[kind].implied(facts) if kind in guideline.events else {}
        return Report(
            key=str(uuid.UUID(int=self.state.seq + 1)),
            request_hash="a" * 64,
            kind=kind,
            event={name: value for name, value in event.items() if value is not None},
            facts=[{"name": name, "value": value} for name, value in {**facts, **implied}.items()],
            actor=by,
            occurred_at=self.moment,
            treatment="agreed" if treated else "",
            rule_id=rule.rule_id if rule else "",
        )

    def _file_all(self) -> None:
        while self.state.queue:
            _run(self._file(self.state.queue[0]))
            self.state.queue.pop(0)
        self.state.outbox.clear()

    # --- the clock and the services -----------------------------------------------------------------------------------

    def _now(self) -> datetime:
        return self.moment

    def _has_ladder(self) -> bool:
        return True

    async def _in_one_go(self, entry: Entry) -> list[OpenItem] | None:
        """Each step is a pure function here: there is nothing to gather into one activity."""

    async def _wake_children(self, entry: Entry) -> None:
        """Lines of treatment and referrals are workflows of their own."""

    async def _insist(
        self, activity: Callable[[Any, Arg], Awaitable[Answer]], argument: Arg, ask: Callable[..., Any] = persist
    ) -> Answer | None:
        del ask
        answers: Mapping[str, Callable[[Any], Any]] = {
            "append_event": self._append,
            "decide_next_steps": self._judge,
            "apply_plan": self._apply,
        }
        answer: Answer = answers[activity.__name__](argument)
        return answer

    def _append(self, asked: FileReport) -> Filed:
        """Keep the facts of a report, and the decision that it is."""
        report, record = asked.report, self.record
        if report.kind == "fact_corrected":
            record.superseded.add(report.event["fact_id"])
        for place, fact in enumerate(report.facts):
            fact_id = f"f{asked.seq}-{place}"
            subject = str(report.event.get("line_id", "")) if fact["name"] == "prior_therapy" else ""
            at = report.occurred_at
            record.facts.append(
                Fact(fact_id, fact["name"], fact["value"], subject, at, at, "drill", "drill", asked.event_id, asked.seq)
            )
        if report.kind == "decision_made":
            self._decided(asked, report.rule_id, report.event["outcome"], None)
        item = self.state.items.get(str(report.event.get("item_id", "")))
        if report.kind == "item_completed" and item is not None and item.rule_id:
            self._decided(asked, item.rule_id, "done", item.item_id)
        return Filed(asked.event_id, already_filed=False, seq=asked.seq)

    def _decided(self, asked: FileReport, rule_id: str, outcome: items.Outcome, item_id: str | None) -> None:
        shown = self.record.shown.get(rule_id, Shown("", "", ()))
        item = self.record.open.get(item_id or "")
        occurrence = item.key.split("|")[3] if item else shown.occurrence
        used = tuple(item.fact_ids) if item and item.fact_ids else shown.used
        review = asked.report.event.get("review_on")
        self.record.decisions.append(
            items.Decision(
                f"d{asked.seq}",
                rule_id,
                occurrence,
                outcome,
                shown.basis,
                used,
                date.fromisoformat(review) if review else None,
                asked.report.actor.subject,
                shown.missing if outcome == "accepted" else (),
            )
        )

    def _judge(self, asked: DecideInput) -> Plan:
        """Decide as the pathway service does, over the facts of this record."""
        known, record = knowledge(), self.record
        facts = tuple(fact for fact in record.facts if fact.fact_id not in record.superseded)
        picture, judgements, urgent, shown = _judged(facts, asked.as_of)
        standing = [item.key for item in asked.open_items if is_emergency(item.key)]
        acute = emergencies(known.urgent, urgent, picture, record.decisions, standing, asked.recorded_at, {})
        referrals = {known.to_team for known in self.state.referrals.values() if known.status in _REFERRED}
        planned = plan(
            known.guideline,
            judgements,
            record.decisions,
            [items.OpenItem(item.key, item.kind) for item in asked.open_items if not is_emergency(item.key)],
            asked.other_open + len(standing) + len(acute.open),
            asked.as_of,
            asked.recorded_at,
            superseded_fact_ids=record.superseded,
            open_referrals=referrals,
            unknown=picture.unknown_of(name for made in record.decisions for name in made.made_without),
        )
        wanted: Sequence[items.WantedItem] = (*acute.open, *planned.open)
        closing = [Closing(item.key, item.how, item.reason) for item in (*acute.close, *planned.close)]
        if asked.event_id != "again":
            record.shown = shown
            record.planned_gone = frozenset(ending.key for ending in closing)
        promised = [_promised(track, asked.recorded_at) for track in asked.tracks]
        return Plan("e", [_planned(item) for item in wanted] + promised, closing, planned.reevaluate_at)

    def _apply(self, asked: ApplyInput) -> Applied:
        """Open and close in the record, as it would: a task that is not open cannot close."""
        record, report = self.record, self.state.queue[0].report
        for item_id, how, reason in asked.close:
            item = record.gone[item_id] = record.open.pop(item_id)
            planned = item.key in record.planned_gone
            record.closed.append(Closed(item, how, reason, report.kind if report else "", planned))
        for item_id, _ in asked.reopen:
            record.open[item_id] = record.gone.pop(item_id)
        owners = {}
        for item in asked.open:
            item_id = names.derived_id("item", asked.patient_id, item.key, asked.event_id)
            record.open[item_id] = item
            owners[item_id] = item.owner_team or item.owner_role
        return Applied(owners)


def _run(steps: Coroutine[Any, Any, Answer]) -> Answer:
    """Run code of the workflow to its end: with pure services it never waits."""
    try:
        steps.send(None)
    except StopIteration as finished:
        answer: Answer = finished.value
        return answer
    message = "pure code waited for something"
    raise AssertionError(message)


def _planned(item: items.WantedItem) -> PlannedItem:
    return PlannedItem(
        key=item.key,
        kind=item.kind,
        title=item.title,
        reason=item.reason,
        owner_role=item.owner_role,
        owner_team="",
        due_on=item.due_on.isoformat(),
        due_at=item.due_at,
        urgency=item.urgency,
        rule_id=item.rule_id,
        number=item.number,
        fact_ids=list(item.fact_ids),
    )


def _promised(track: TrackItem, start: datetime) -> PlannedItem:
    due = _due(track, start)
    return PlannedItem(
        key=track.key,
        kind=track.kind,
        title=track.title,
        reason=track.reason,
        owner_role=track.owner_role,
        owner_team=track.owner_team,
        due_on=due.due_on.isoformat(),
        due_at=due.due_at,
        urgency=track.urgency,
        rule_id=track.rule_id,
        number=track.number,
        subject_id=track.subject_id,
    )


def _due(track: TrackItem, start: datetime) -> DueTime:
    if track.on_date:
        day = date.fromisoformat(track.on_date)
        return DueTime(day, end_of(day))
    due = knowledge().promises.promises[track.promise]
    if due.hours is not None:
        return due_after_hours(start, due.hours)
    return due_after_working_days(start, due.working_days or 0)

"""One person's pathway: reports come in, and each is recorded, decided upon, planned and told, in the order it came.

Three things go on side by side and never wait for each other: the door (an update is accepted without awaiting
anything), the desk (one task files what was accepted, in order), and the clock (one timer, at the earliest due time).
What is to be told waits in an outbox of its own, so that a broken mail server delays neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from workflows import (
        appointments,
        data_asked,
        endings,
        imports,
        ladder,
        names,
        planning,
        resting,
        shared_decisions,
        support,
        telling,
        tracks,
    )
    from workflows.activities.decisions import DecisionActivities
    from workflows.activities.notify import NotifyActivities
    from workflows.activities.records import RecordsActivities
    from workflows.children import ChildTracks
    from workflows.effects import take_back, take_effect
    from workflows.escalations import Escalations
    from workflows.messages import (
        Climb,
        Closing,
        DecideInput,
        Entry,
        Filed,
        FileReport,
        ItemKey,
        OpenItem,
        PathwayState,
        Plan,
        Receipt,
        ReferralRef,
        RefusedReport,
        Report,
        Seen,
        TrackChange,
        TrackItem,
    )
    from workflows.persistence import persist, persist_or_wait
    from workflows.rules_of_acceptance import forget_old_keys, refusal, seen_otherwise
    from workflows.silence import Silencing

FAR_AHEAD = timedelta(days=3650)
Arg = TypeVar("Arg")
Answer = TypeVar("Answer")


@workflow.defn
class PatientPathway(ChildTracks, Escalations, Silencing):
    """The durable memory of one person's pathway (id `pathway:<patient id>`)."""

    @workflow.init
    def __init__(self, state: PathwayState) -> None:
        self.state = state
        self._leaving = False
        self._tasks: list[asyncio.Task[None]] = []

    @workflow.run
    async def run(self, state: PathwayState) -> None:  # noqa: ARG002 - Temporal gives it to __init__ and to run
        """Keep the clock until the pathway is closed and all is filed and told."""
        kept = (self._keep_desk(), self._keep_post(), self._keep_silence(), self._keep_ladder())
        self._tasks = [asyncio.create_task(task) for task in kept]
        while not self._must_leave():
            await self._keep_clock()
        self._leaving = True
        for task in self._tasks:
            await task
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._finished():
            workflow.continue_as_new(self.state)

    # --- the door -------------------------------------------------------------------------------------------------

    @workflow.update
    def report(self, report: Report) -> Receipt:
        """Accept one report durably; it is filed in its turn."""
        seen = self.state.seen.get(report.key)
        return seen.receipt if seen else self._accept(report)

    @report.validator
    def _may_report(self, report: Report) -> None:
        refused = seen_otherwise(self.state, report)
        if refused is None and report.key not in self.state.seen:
            refused = refusal(self.state, report)
        if refused is not None:
            raise ApplicationError(refused.message, type=refused.code, non_retryable=True)

    @workflow.signal
    def child_reported(self, report: Report) -> None:
        """A referral tells what the receiving team did; the same event twice is one event."""
        if report.event_id not in self.state.child_reports:
            self._remember_child(report.event_id)
            self._accept(report)

    @workflow.signal
    def track_changed(self, change: TrackChange) -> None:
        """A line of treatment tells which tasks it needs; the same change twice is one change."""
        if change.change_id not in self.state.child_reports:
            self._remember_child(change.change_id)
            self._enqueue(Entry(0, workflow.now(), change.change_id, open=change.open, close=change.close))

    @workflow.query
    def standing(self) -> dict[str, int]:
        """Counts for support staff: seq, what waits to be filed and told, open tasks."""
        state = self.state
        return {
            "seq": state.seq,
            "to_file": len(state.queue),
            "to_tell": len(state.outbox),
            "to_climb": len(state.climbs),
            "open_items": len(state.items),
        }

    def _accept(self, report: Report) -> Receipt:
        event_id = report.event_id or names.derived_id("event", self.state.patient_id, report.key)
        entry = self._enqueue(Entry(0, self._now(), event_id, report))
        receipt = Receipt(entry.seq, event_id, entry.accepted_at)
        self.state.seen[report.key] = Seen(report.request_hash, receipt)
        take_effect(self.state, report)
        return receipt

    def _enqueue(self, entry: Entry) -> Entry:
        self.state.seq += 1
        entry.seq = self.state.seq
        self.state.queue.append(entry)
        return entry

    def _remember_child(self, change_id: str) -> None:
        self.state.child_reports = [*self.state.child_reports[-199:], change_id]

    # --- the desk: record, decide, plan, tell ---------------------------------------------------------------------

    async def _keep_desk(self) -> None:
        while not self._leaving:
            await workflow.wait_condition(lambda: bool(self.state.queue) or self._leaving)
            if self.state.queue and not self._leaving and await self._file(self.state.queue[0]):
                self.state.queue.pop(0)
                forget_old_keys(self.state)

    async def _file(self, entry: Entry) -> bool:
        """Take one entry through the four steps; False when the workflow had to leave before they were done."""
        entry.filed = entry.filed or await self._record(entry)
        if entry.filed is None:
            return False
        if ladder.already_rung(self.state, entry):
            return True
        if entry.filed.already_filed and entry.filed.seq not in {0, entry.seq}:
            return True  # the same report had been filed in an earlier turn
        moved, closing = self._track_moves(entry)
        entry.plan = entry.plan or await self._decide(entry, moved, closing)
        if entry.plan is None:
            return False
        opened = await self._plan(entry, entry.plan, closing)
        if opened is None:
            return False
        self._remember_occasion(entry)
        self._tell(entry, entry.plan, opened, entry.filed)
        self._climb_at_once(entry, opened)
        await self._wake_children(entry)
        return True

    async def _record(self, entry: Entry) -> Filed | None:
        report = entry.report
        if report is None:
            return Filed(entry.event_id, already_filed=False)
        try:
            return await self._insist(
                RecordsActivities.append_event,
                FileReport(self.state.patient_id, entry.seq, entry.event_id, entry.accepted_at, report),
            )
        except ApplicationError as refused:
            kept = await self._keep_refused(entry, report, refused.message)
            return Filed(entry.event_id, already_filed=False) if kept else None

    async def _keep_refused(self, entry: Entry, report: Report, reason: str) -> bool:
        """A report that cannot be filed is kept whole, and becomes somebody's task."""
        kept = RefusedReport(self.state.patient_id, entry.seq, report, reason)
        if await self._insist(RecordsActivities.keep_refused_report, kept, persist_or_wait) is None:
            return False
        take_back(self.state, report)
        entry.report = None
        # The refused report may bear the id of an earlier event (its key came twice): this entry is another.
        entry.event_id = names.derived_id("refused", self.state.patient_id, str(entry.seq))
        entry.open = [
            TrackItem(
                key=f"{tracks.PREFIX}refused|{entry.event_id}",
                kind="report_not_filed",
                title="A report could not be filed: read it and report it again",
                reason=f"{report.kind.replace('_', ' ')}: {reason}",
                owner_role="coordination",
                promise="report_not_filed",
                urgency="urgent",
            )
        ]
        return True

    async def _decide(self, entry: Entry, moved: list[TrackItem], closing: list[Closing]) -> Plan | None:
        state = self.state
        # What this very event closes is not open for the planner: it must see when nothing would be left.
        going = {ending.key for ending in closing} | {item.key for item in moved}
        standing = resting.standing(state, entry.report)
        items = [ItemKey(item.key, item.kind) for item in standing if item.key not in going]
        tracked = [item for item in items if item.key.startswith(tracks.PREFIX)]
        # A telephone task is about another one: it is nobody's next step by itself.
        others = [kind for kind in [i.kind for i in tracked] + [i.kind for i in moved] if kind != ladder.PHONE_KIND]
        asked = DecideInput(
            patient_id=state.patient_id,
            seq=entry.seq,
            event_id=entry.event_id,
            as_of=self._now(),
            recorded_at=entry.accepted_at,
            pin=state.pin,
            open_items=[item for item in items if item not in tracked],
            other_open=len(others),
            tracks=moved,
            correlation_id=entry.report.correlation_id if entry.report else "",
        )
        return await self._insist(DecisionActivities.decide_next_steps, asked, persist_or_wait)

    async def _plan(self, entry: Entry, plan: Plan, closing: list[Closing]) -> list[OpenItem] | None:
        changed = planning.changes(self.state, entry, plan, closing)
        asked = planning.to_apply(self.state, entry, changed)
        applied = await self._insist(RecordsActivities.apply_plan, asked, persist_or_wait)
        if applied is None:
            return None
        self.state.reevaluate_at = plan.reevaluate_at
        return planning.take_over(self.state, entry, changed, applied)

    def _tell(self, entry: Entry, plan: Plan, opened: list[OpenItem], filed: Filed) -> None:
        referral = self._referral_of(entry)
        to_team = referral.to_team if referral else ""
        opened = imports.worth_telling(self.state, entry, opened)
        opened = [*opened, *planning.handed_over(self.state, entry)]
        if any(item.kind == ladder.PHONE_KIND for item in opened) and workflow.patched("rung-once"):
            opened = [item for item in opened if item.kind != ladder.PHONE_KIND]  # the desk was told as it was to ring
        also = endings.told_too(self.state, entry.report)
        patient_id = self.state.patient_id
        made = telling.notices(patient_id, entry, plan, opened, filed.fact_ids, to_team, also)
        self.state.outbox += made + telling.told_again(patient_id, entry, made)
        self.state.outbox += shared_decisions.sent(self.state, entry.report, entry.event_id)

    def _referral_of(self, entry: Entry) -> ReferralRef | None:
        report = entry.report
        return self.state.referrals.get(str(report.event.get("referral_id", ""))) if report else None

    def _track_moves(self, entry: Entry) -> tuple[list[TrackItem], list[Closing]]:
        if entry.report is None:
            as_asked = self._rings_while_resting(entry)
            return (entry.open, entry.close) if as_asked else endings.moves(self.state, None, entry.open, entry.close)
        report = entry.report
        occasion = str(report.event.get("occasion", ""))
        if report.kind == "follow_up_triggered" and occasion in self.state.occasions:
            return [], []
        referral = self._referral_of(entry)
        moved, closing = tracks.moves(report, referral)
        for more in (appointments.moves(self.state, report), data_asked.moves(self.state, report, entry.event_id)):
            moved, closing = [*moved, *more[0]], [*closing, *more[1]]
        item = self.state.items.get(str(report.event.get("item_id", "")))
        if report.kind == "therapy_line_ended":
            closing = [*closing, *tracks.line_ended(report, self.state.items.values())]
        if report.kind == "adverse_event_reported" and (card := tracks.yellow_card(report, entry.event_id)):
            moved = [*moved, card]
        if report.chooses_treatment and "started" in self.state.lines.values():
            moved = [*moved, tracks.treatment_to_review(report)]
        if report.kind in {"item_deferred", "item_attempted"} and item is not None:
            moved = [tracks.deferred(item, report)]
        if report.kind == "item_completed" and item is not None and item.key.endswith(tracks.ANSWER):
            moved, closing = tracks.answered(item, report, self.state.referrals[item.subject_id])
        for more in (support.moves(self.state, report), shared_decisions.moves(self.state, report)):
            moved, closing = [*moved, *more[0]], [*closing, *more[1]]
        closing = [*closing, *self._closed_by_people(report)]
        return endings.moves(self.state, report, moved, closing)

    def _remember_occasion(self, entry: Entry) -> None:
        """Only once its task is planned: a run that ends before that must find it new again."""
        data_asked.remember(self.state, entry)
        if entry.report is not None and entry.report.kind == "follow_up_triggered":
            self.state.occasions = [*self.state.occasions[-99:], str(entry.report.event.get("occasion", ""))]

    def _closed_by_people(self, report: Report) -> list[Closing]:
        item = self.state.items.get(str(report.event.get("item_id", "")))
        if item is None:
            return []
        if report.kind == "item_completed":
            return [Closing(item.key, "done", str(report.event["outcome"]))]
        if report.kind == "appointment_booked":
            return [Closing(item.key, "done", "An appointment was booked.")]
        return []

    # --- the clock ------------------------------------------------------------------------------------------------

    async def _keep_clock(self) -> None:
        """Wait for the earliest due time on the one timer; wake early only when an earlier one appears."""
        armed = self._next_due()
        wait = max(armed - workflow.now(), timedelta(0))
        try:
            await workflow.wait_condition(lambda: self._must_leave() or self._next_due() < armed, timeout=wait)
        except TimeoutError:
            self._tick(workflow.now())

    def _next_due(self) -> datetime:
        climbing = {climb.item_id for climb in self.state.climbs}
        items = self.state.items.values()
        dues = [item.due_at for item in items if not item.overdue]
        dues += [item.rung_at for item in items if item.rung_at is not None and item.item_id not in climbing]
        if self.state.reevaluate_at is not None:
            dues.append(self.state.reevaluate_at)
        return min(dues, default=self._now() + FAR_AHEAD)

    def _tick(self, now: datetime) -> None:
        """What is overdue is marked and told; it is never closed."""
        late = [item for item in self.state.items.values() if not item.overdue and item.due_at <= now]
        self.state.climbs += [Climb(item.item_id) for item in ladder.due_now(self.state, now)]
        asked_again = self.state.reevaluate_at is not None and self.state.reevaluate_at <= now
        if not late and not asked_again:
            return
        self.state.reevaluate_at = None
        for item in late:
            self.state.items[item.item_id] = telling.marked_overdue(item)
        tick = self._enqueue(Entry(0, now, "", overdue=[item.item_id for item in late]))
        tick.event_id = names.derived_id("tick", self.state.patient_id, str(tick.seq))
        if self._has_ladder():
            waiting = {climb.item_id for climb in self.state.climbs}
            self.state.climbs += [Climb(item.item_id) for item in late if item.item_id not in waiting]
        else:
            self.state.outbox += telling.overdue_notices(self.state.patient_id, late)

    # --- the post -------------------------------------------------------------------------------------------------

    async def _keep_post(self) -> None:
        while not self._leaving:
            await workflow.wait_condition(lambda: bool(self.state.outbox) or self._leaving)
            if self.state.outbox and not self._leaving:
                notice = telling.next_up(self.state.outbox)
                try:
                    sent = await persist(NotifyActivities.send_notice, notice, self.state.settings)
                    instead = telling.left_over(notice, sent)
                    if sent == names.SUPPRESSED:
                        self.state.silenced.append(notice)
                    if sent == "failed":
                        instead = telling.instead_of(notice, "the mail server refused it for good")
                except ApplicationError as refused:
                    instead = telling.instead_of(notice, refused.message)
                self.state.outbox.remove(notice)
                self.state.outbox += instead

    # --- insisting ------------------------------------------------------------------------------------------------

    async def _insist(
        self, activity: Callable[[Any, Arg], Awaitable[Answer]], argument: Arg, ask: Callable[..., Any] = persist
    ) -> Answer | None:
        """Run an activity until it succeeds; None only when this run must end first (the next one asks again).

        Raises:
            ApplicationError: the service refused for good, and `ask` does not wait that out.
        """
        while True:
            answer: Answer | None = await ask(activity, argument, self.state.settings)
            if answer is not None:
                return answer
            self.state.outbox += telling.unfiled_alarms(self.state, workflow.now())
            if self._leaving:
                return None

    def _must_leave(self) -> bool:
        """Whether this run is over, be it that the desk or the post broke: their error then stops the workflow task."""
        return self._finished() or self._too_long() or any(task.done() for task in self._tasks)

    def _too_long(self) -> bool:
        info = workflow.info()
        events = info.get_current_history_length()
        return events > self.state.settings.history_events or info.is_continue_as_new_suggested()

    def _finished(self) -> bool:
        state = self.state
        return state.closed and not (state.queue or state.outbox or state.climbs or state.silences)

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
    from workflows import data_asked, filing, ladder, names, planning, telling, tracks
    from workflows.activities.decisions import DecisionActivities
    from workflows.activities.in_one_go import InOneGo
    from workflows.activities.notify import NotifyActivities
    from workflows.activities.records import RecordsActivities
    from workflows.children import ChildTracks
    from workflows.effects import take_back, take_effect
    from workflows.escalations import Escalations
    from workflows.filing import FileAndTell
    from workflows.messages import (
        Climb,
        Closing,
        Entry,
        Filed,
        FileReport,
        OpenItem,
        PathwayState,
        Plan,
        Receipt,
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
        if ladder.already_rung(self.state, entry):
            return True
        opened = await self._in_one_go(entry)
        if opened is None and not filing.filed_before(entry):
            opened = await self._step_by_step(entry)
        if filing.filed_before(entry):
            return True
        if opened is None:
            return False
        self._remember_occasion(entry)
        self._climb_at_once(entry, opened)
        await self._wake_children(entry)
        return True

    async def _in_one_go(self, entry: Entry) -> list[OpenItem] | None:
        """Have one activity do what it can; None when something did not answer, and must be insisted on."""
        if entry.filed is not None or not self._goes_in_one():
            return None
        entry.asked_at = entry.asked_at or self._now()
        asked = FileAndTell(filing.as_it_stands(self.state), entry, entry.asked_at, tell=not self.state.outbox)
        went = await persist(InOneGo.file_and_tell, asked, self.state.settings)
        if went is None:
            return None
        entry.filed, entry.plan = went.filed, went.plan
        if went.plan is None or went.planned is None:
            return None
        opened = planning.take_over(self.state, entry, went.planned.changed, went.planned.applied)
        self.state.held = went.planned.held
        self.state.reevaluate_at = went.plan.reevaluate_at
        self.state.outbox += went.planned.untold
        return opened

    async def _step_by_step(self, entry: Entry) -> list[OpenItem] | None:
        """Insist on each step that is left; None when the workflow had to leave first, or another had filed it."""
        entry.filed = entry.filed or await self._record(entry)
        if entry.filed is None or filing.filed_before(entry):
            return None
        moved, closing = filing.moves(self.state, entry, ringing=self._rings_while_resting(entry))
        entry.plan = entry.plan or await self._decide(entry, moved, closing)
        if entry.plan is None:
            return None
        opened = await self._plan(entry, entry.plan, closing)
        if opened is not None:
            self._tell(entry, entry.plan, opened, entry.filed)
        return opened

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
        entry.asked_at = entry.asked_at or self._now()
        asked = filing.to_decide(self.state, entry, moved, closing, entry.asked_at)
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
        ring = any(item.kind == ladder.PHONE_KIND for item in opened) and workflow.patched("rung-once")
        self.state.outbox += filing.news(self.state, entry, plan, opened, filed, rung_once=ring)

    def _remember_occasion(self, entry: Entry) -> None:
        """Only once its task is planned: a run that ends before that must find it new again."""
        data_asked.remember(self.state, entry)
        if entry.report is not None and entry.report.kind == "follow_up_triggered":
            self.state.occasions = [*self.state.occasions[-99:], str(entry.report.event.get("occasion", ""))]

    # --- the clock ------------------------------------------------------------------------------------------------

    async def _keep_clock(self) -> None:
        """Wait for the earliest due time on the one timer; wake early only when an earlier one appears."""
        if self._may_be_moved() and self._goes_in_one():
            await workflow.wait_condition(lambda: self._must_leave() or not self._may_be_moved())
            return
        armed = self._next_due()
        wait = max(armed - workflow.now(), timedelta(0))
        try:
            await workflow.wait_condition(lambda: self._must_leave() or self._next_due() < armed, timeout=wait)
        except TimeoutError:
            self._tick(workflow.now())

    def _may_be_moved(self) -> bool:
        """Whether what is being filed or climbed may set an earlier due time, before the one that there is can come.

        While a service does not answer, each try ends within a window, and this is asked again.
        """
        soon = 2 * timedelta(seconds=self.state.settings.window_seconds)
        return bool(self.state.queue or self.state.climbs) and self._next_due() - workflow.now() > soon

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
                    if sent == names.FAILED:
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

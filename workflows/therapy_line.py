"""One line of treatment: it plans its response checks, one after the other, until a person says that it ended.

It has no timer of its own: each check is a task of the person's pathway, which keeps the one clock.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from workflows import names
    from workflows.activities.scheduling import SchedulingActivities
    from workflows.messages import Closing, LineInput, ResponseCheckInput, TrackChange, TrackItem
    from workflows.persistence import persist_or_wait
    from workflows.tracks import response_check_key


@workflow.defn
class TherapyLine:
    """The durable memory of one line of treatment (id `therapy-line:<line id>`)."""

    @workflow.init
    def __init__(self, line: LineInput) -> None:
        self.line = line
        self._assessed_at: datetime | None = line.assessed_at
        self._stop_reason = ""

    @workflow.run
    async def run(self, line: LineInput) -> str:  # noqa: ARG002 - Temporal gives it to __init__ and to run
        """Plan the next check, wait until it was done, and again; return why the line ended."""
        while not self._stop_reason:
            await self._plan_check()
            await workflow.wait_condition(lambda: self._assessed_at is not None or bool(self._stop_reason))
            if self._assessed_at is not None and not self._stop_reason:
                self.line = replace(self.line, counted_from=self._assessed_at, checks=self.line.checks + 1)
                self._assessed_at = None
                self._renew()
        # The check before may still be open, when the line ended before the next one could be planned.
        closing = [self._closing("done", "The response was assessed.")] if self.line.checks else []
        closing.append(self._closing("withdrawn", f"The line ended: {self._stop_reason}."))
        await self._tell_pathway("ended", [], closing)
        return self._stop_reason

    @workflow.signal
    def response_assessed(self, assessed_at: datetime) -> None:
        """The response was assessed; the next check counts from then."""
        self._assessed_at = assessed_at

    @workflow.signal
    def ended(self, stop_reason: str) -> None:
        """A person recorded why the line ended."""
        self._stop_reason = stop_reason

    async def _plan_check(self) -> None:
        """Open the next check with the pathway, which works out its date as it files it."""
        item = TrackItem(
            key=response_check_key(self.line.line_id, self.line.checks + 1),
            kind="response_check",
            title="Assess the response to treatment",
            reason=f"A line of treatment is under way; its response is checked {self._often()}.",
            owner_role="oncology",
            subject_id=self.line.line_id,
            number="1.5.1",
        )
        if workflow.patched("dated-as-filed"):
            item = replace(item, checked_from=self.line.counted_from, check_weeks=self.line.check_weeks)
        else:
            due_on = await self._due_on()
            if due_on is None:
                return
            item = replace(item, on_date=due_on)
        closing = [self._closing("done", "The response was assessed.")] if self.line.checks else []
        await self._tell_pathway(str(self.line.checks), [item], closing)

    async def _due_on(self) -> str | None:
        """Ask for the date of the next check; None when the line ended before there was an answer."""
        asked = ResponseCheckInput(self.line.counted_from, self.line.check_weeks)
        due_on = None
        while due_on is None and not self._stop_reason:
            due_on = await persist_or_wait(SchedulingActivities.plan_response_check, asked, self.line.settings)
            if due_on is None:
                self._renew()
        return due_on

    def _often(self) -> str:
        weeks = self.line.check_weeks
        return f"every {weeks} weeks, as the team stated" if weeks else "at the service's usual interval"

    def _renew(self) -> None:
        if workflow.info().is_continue_as_new_suggested() and not self._stop_reason:
            workflow.continue_as_new(replace(self.line, assessed_at=self._assessed_at))

    def _closing(self, how: str, reason: str) -> Closing:
        done = self.line.checks if how == "done" else self.line.checks + 1
        return Closing(response_check_key(self.line.line_id, done), how, reason)

    async def _tell_pathway(self, step: str, opened: list[TrackItem], closed: list[Closing]) -> None:
        pathway = workflow.get_external_workflow_handle(names.pathway_id(self.line.patient_id))
        # A line that is taken up again after its pathway was reopened counts its checks from the start.
        began = workflow.info().first_execution_run_id
        change = TrackChange(names.derived_id("line", self.line.line_id, began, step), opened, closed)
        try:
            await pathway.signal("track_changed", change)
        except FailureError:
            # The pathway was closed by a person; a closed pathway plans no more checks.
            self._stop_reason = self._stop_reason or "pathway_closed"

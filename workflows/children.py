"""How a pathway starts its lines of treatment and referrals, and passes on to them what concerns them.

Children outlive a run of their parent (ABANDON), have a fixed id, and answer by signal to the pathway's workflow id.
"""

from __future__ import annotations

import contextlib
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, FailureError, WorkflowAlreadyStartedError
from temporalio.workflow import ExternalWorkflowHandle

with workflow.unsafe.imports_passed_through():
    from workflows import imports, names, telling
    from workflows.messages import Entry, LineInput, Notice, PathwayState, ReferralState, ReferralStep, Report
    from workflows.referral import ReferralWorkflow
    from workflows.therapy_line import TherapyLine


class ChildTracks:
    """The part of a pathway that has children; they are told of a report only once it is filed."""

    state: PathwayState

    async def _wake_children(self, entry: Entry) -> None:
        report = entry.report
        if report is None:
            return
        match report.kind:
            case "therapy_line_started":
                await self._start_line(report)
            case "pathway_imported":
                await self._take_lines_over(entry, report)
            case "response_assessed":
                line = _line(report.event["line_id"])
                await self._pass_on(entry, line.signal(TherapyLine.response_assessed, report.occurred_at))
            case "therapy_line_ended":
                line = _line(report.event["line_id"])
                await self._pass_on(entry, line.signal(TherapyLine.ended, report.event["stop_reason"]))
            case "death_withdrawn" if self.state.reopened:
                await self._take_lines_up(report)
            case "pathway_closed":
                await self._end_lines(entry)
            case "referral_drafted":
                await self._start_referral(report)
            case "referral_agreed" | "referral_sent":
                referral = _referral(report.event["referral_id"])
                step = ReferralStep(report.kind.removeprefix("referral_"), report, entry.event_id, entry.accepted_at)
                await self._pass_on(entry, referral.signal(ReferralWorkflow.referrer_acted, step))
            case _:
                pass

    async def _end_lines(self, entry: Entry) -> None:
        """Tell the lines under way that the pathway is closed."""
        for line_id in [line_id for line_id, status in self.state.lines.items() if status == "started"]:
            await self._pass_on(entry, _line(line_id).signal(TherapyLine.ended, "pathway_closed"))
        # What a death ended in the record rested until now: it might have been a mistake.
        for line_id in self.state.death.lines if self.state.death.status else []:
            await self._pass_on(entry, _line(line_id).signal(TherapyLine.ended, "other"))

    async def _start_line(self, report: Report) -> None:
        line = LineInput(
            line_id=report.event["line_id"],
            patient_id=self.state.patient_id,
            counted_from=report.occurred_at,
            check_weeks=int(report.event.get("response_check_weeks", 0)),
            settings=self.state.settings,
        )
        await _start(TherapyLine.run, line, names.therapy_line_id(line.line_id))

    async def _take_lines_up(self, report: Report) -> None:
        """The workflows of these lines ended with the pathway; from now on somebody checks the response again."""
        for line_id in self.state.death.lines:
            line = LineInput(line_id, self.state.patient_id, report.occurred_at, 0, self.state.settings)
            again = WorkflowIDReusePolicy.ALLOW_DUPLICATE
            await _start(TherapyLine.run, line, names.therapy_line_id(line_id), again)

    async def _take_lines_over(self, entry: Entry, report: Report) -> None:
        for running in imports.running(self.state, report, entry.accepted_at):
            await _start(TherapyLine.run, running, names.therapy_line_id(running.line_id))
        for line_id, why in imports.ended(self.state, report):
            await self._pass_on(entry, _line(line_id).signal(TherapyLine.ended, why))

    async def _start_referral(self, report: Report) -> None:
        event = report.event
        referral = ReferralState(
            referral_id=event["referral_id"],
            patient_id=self.state.patient_id,
            from_team=report.actor.team,
            to_team=event["to_team"],
            urgency=event.get("urgency", "routine"),
            reason=event["reason"],
            settings=self.state.settings,
        )
        await _start(ReferralWorkflow.run, referral, names.referral_id(referral.referral_id))

    async def _pass_on(self, entry: Entry, signal: Any) -> None:  # noqa: ANN401 - an awaitable of Temporal's own
        """Signal a child; one that is gone becomes a telephone task, never a failure of the pathway."""
        try:
            await signal
        except (ApplicationError, FailureError):
            self.state.outbox.append(
                Notice(
                    message_id=names.derived_id("phone", entry.event_id),
                    template="phone_task",
                    team=telling.DUTY_DESK,
                    patient_id=self.state.patient_id,
                    urgency="urgent",
                    values={"why": f"{entry.report.kind.replace('_', ' ')} reached nobody" if entry.report else ""},
                )
            )


def _line(line_id: str) -> ExternalWorkflowHandle[TherapyLine]:
    return workflow.get_external_workflow_handle(names.therapy_line_id(line_id))


def _referral(referral_id: str) -> ExternalWorkflowHandle[ReferralWorkflow]:
    return workflow.get_external_workflow_handle(names.referral_id(referral_id))


async def _start(
    run: Any,  # noqa: ANN401 - a workflow's run method
    argument: object,
    workflow_id: str,
    again: WorkflowIDReusePolicy = WorkflowIDReusePolicy.REJECT_DUPLICATE,
) -> None:
    # Started by an earlier try of the same report: done.
    with contextlib.suppress(WorkflowAlreadyStartedError):
        await workflow.start_child_workflow(
            run,
            argument,
            id=workflow_id,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            id_reuse_policy=again,
        )

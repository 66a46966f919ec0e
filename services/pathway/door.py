"""The one door into Temporal: a report becomes an update of the workflow; a refusal comes back in words."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import NoReturn

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from services.runtime.errors import Category, Conflict, HandrailError, NotFound, Unavailable
from workflows import names
from workflows.messages import PathwayState, Receipt, Report
from workflows.patient_pathway import PatientPathway
from workflows.referral import ReferralWorkflow

PATIENCE = timedelta(seconds=8)
_NOT_CONFIRMED = (
    "Handrail could not confirm that this was taken. Send it again with the same idempotency key: "
    "if it was taken, it will not be done twice."
)


class Door:
    """Opens pathways and hands reports to them. A success means: durably accepted."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def open_pathway(self, state: PathwayState, report: Report) -> Receipt:
        """Start a person's workflow together with its first report.

        Raises:
            HandrailError: what the workflow refused, or that acceptance could not be confirmed.
        """
        start = WithStartWorkflowOperation(
            PatientPathway.run,
            state,
            id=names.pathway_id(state.patient_id),
            task_queue=names.TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                return await self._client.execute_update_with_start_workflow(
                    PatientPathway.report, report, start_workflow_operation=start, id=_update_id(report)
                )
        except (WorkflowUpdateFailedError, RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as error:
            _refuse(error)

    async def report(self, patient_id: str, report: Report) -> Receipt:
        """Hand a report to a person's workflow.

        Raises:
            NotFound: no such workflow is running (closed, or lost).
            HandrailError: what the workflow refused, or that acceptance could not be confirmed.
        """
        handle: WorkflowHandle[PatientPathway, None] = self._client.get_workflow_handle(names.pathway_id(patient_id))
        try:
            return await handle.execute_update(
                PatientPathway.report, report, id=_update_id(report), rpc_timeout=PATIENCE
            )
        except (WorkflowUpdateFailedError, RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as error:
            _refuse(error)

    async def act(self, referral_id: str, report: Report) -> Receipt:
        """Hand an act of the receiving team to a referral.

        Raises:
            HandrailError: as `report`.
        """
        handle: WorkflowHandle[ReferralWorkflow, str] = self._client.get_workflow_handle(names.referral_id(referral_id))
        try:
            return await handle.execute_update(
                ReferralWorkflow.act, report, id=_update_id(report), rpc_timeout=PATIENCE
            )
        except (WorkflowUpdateFailedError, RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as error:
            _refuse(error)


def _update_id(report: Report) -> str:
    return f"{report.key}:{report.request_hash[:16]}"


def _refuse(error: Exception) -> NoReturn:
    if isinstance(error, WorkflowUpdateFailedError) and isinstance(error.cause, ApplicationError):
        cause = error.cause
        known = cause.type in set(Category)
        if known:
            raise HandrailError(cause.message, category=Category(str(cause.type))) from error
        raise Unavailable(_NOT_CONFIRMED, reason="not_confirmed") from error
    if isinstance(error, RPCError) and error.status == RPCStatusCode.UNAVAILABLE:
        message = (
            "Temporal does not answer; start it with `handrail start temporal`. "
            "If this report was taken, sending it again with the same idempotency key does nothing twice."
        )
        raise Unavailable(message, reason="temporal_unavailable") from error
    if isinstance(error, RPCError) and error.status == RPCStatusCode.NOT_FOUND:
        message = "No workflow is running under this id."
        raise NotFound(message, reason="workflow_not_running") from error
    raise Unavailable(_NOT_CONFIRMED, reason="not_confirmed") from error


def closed_or_lost(pathway_status: str, *, person_known: bool) -> HandrailError:
    """Say why a person has no running workflow, from what records knows."""
    if not person_known:
        return NotFound(
            "There is no person with this id. Register the person first, or check the id.", field="patient_id"
        )
    if pathway_status == "closed":
        return Conflict(
            "This pathway is closed, so nothing can be reported on it. If it was closed by mistake, or the person came "
            "back, reopen it with the reason."
        )
    if pathway_status == "open":
        return HandrailError(
            "This person's pathway should be running and is not. Tell the support desk at once; report by telephone.",
            reason="workflow_lost",
        )
    return Conflict("This person has no pathway yet. Open the pathway first.")

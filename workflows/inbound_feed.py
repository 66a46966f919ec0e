"""The one feed of what comes back to notify (receipts, bounces): each is handed to its owner, in order, once.

notify has committed each before it acknowledged the peer; the cursor is all that is remembered here.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, FailureError
from temporalio.workflow import ExternalWorkflowHandle

with workflow.unsafe.imports_passed_through():
    from workflows import names
    from workflows.activities.notify import NotifyActivities
    from workflows.messages import InboundReceipt
    from workflows.referral import ReferralWorkflow

_PAGES_A_RUN = 200
_PAUSE = timedelta(seconds=5)


@workflow.defn
class InboundFeed:
    """The singleton with the id `inbound-feed`; its argument is the cursor to go on from."""

    @workflow.run
    async def run(self, cursor: int) -> None:
        """Wait for what comes back, hand it on, remember how far; for ever."""
        for _ in range(_PAGES_A_RUN):
            try:
                page = await workflow.execute_activity_method(
                    NotifyActivities.list_inbound,
                    cursor,
                    start_to_close_timeout=timedelta(minutes=15),
                    heartbeat_timeout=timedelta(seconds=20),
                    retry_policy=RetryPolicy(
                        initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=5)
                    ),
                )
            except ActivityError:  # refused for good, until people put it right
                await workflow.sleep(_PAUSE)
                continue
            for receipt in page.receipts:
                await _hand_on(receipt)
            cursor = page.cursor
            if workflow.info().is_continue_as_new_suggested():
                break
        workflow.continue_as_new(cursor)


async def _hand_on(receipt: InboundReceipt) -> None:
    if not receipt.owner_id:
        return  # mail to our own staff: notify keeps its receipts
    owner: ExternalWorkflowHandle[ReferralWorkflow] = workflow.get_external_workflow_handle(
        names.referral_id(receipt.owner_id)
    )
    try:
        await owner.signal(ReferralWorkflow.receipt_arrived, receipt)
    except FailureError:
        workflow.logger.warning("receipt_without_owner", extra={"inbound_id": receipt.inbound_id})

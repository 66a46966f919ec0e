"""One referral: a hand-over of responsibility, step by step, with one named team responsible for the next action.

The referrer's steps (agreed, sent) arrive from the pathway; the receiving team's arrive here as updates; receipts of
the message arrive from the inbound feed. Every step is compared-and-set in the record and then told to the pathway,
whose one clock runs until somebody has taken the referral.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from workflows import names, referral_steps, telling
    from workflows.activities.notify import NotifyActivities
    from workflows.activities.records import RecordsActivities
    from workflows.messages import (
        Actor,
        InboundReceipt,
        Notice,
        Receipt,
        ReferralState,
        ReferralStep,
        Report,
        Seen,
        SetStatusInput,
    )
    from workflows.persistence import persist

MACHINE = Actor("system:referral", "worker")
LETTER = "referral_sent"


@workflow.defn(name="Referral")
class ReferralWorkflow:
    """The durable memory of one referral (id `referral:<referral id>`)."""

    @workflow.init
    def __init__(self, state: ReferralState) -> None:
        self.state = state
        self._leaving = False

    @workflow.run
    async def run(self, state: ReferralState) -> str:  # noqa: ARG002 - Temporal gives it to __init__ and to run
        """Set and tell each step in order, until the referral is closed; return how it stands."""
        post = asyncio.create_task(self._keep_post())
        while not (self._finished() or self._too_long() or post.done()):
            await workflow.wait_condition(
                lambda: bool(self.state.queue) or self._finished() or self._too_long() or post.done()
            )
            if self.state.queue and await self._take_step(self.state.queue[0]):
                self.state.queue.pop(0)
        self._leaving = True
        await post
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._finished():
            workflow.continue_as_new(self.state)
        return self.state.status

    @workflow.update
    def act(self, report: Report) -> Receipt:
        """Accept one act of the receiving team durably."""
        seen = self.state.seen.get(report.key)
        if seen:
            return seen.receipt
        step = self._take(report.kind.removeprefix("referral_"), report)
        self.state.seq += 1
        receipt = Receipt(self.state.seq, step.event_id, step.at)
        self.state.seen[report.key] = Seen(report.request_hash, receipt)
        return receipt

    @act.validator
    def _may_act(self, report: Report) -> None:
        seen = self.state.seen.get(report.key)
        if seen is not None:
            if seen.request_hash != report.request_hash:
                message = "This idempotency key was used for another report. Use a new key for a new report."
                raise ApplicationError(message, type=names.KEY_REUSED, non_retryable=True)
            return
        refused = referral_steps.refusal(self.state, report)
        if refused is not None:
            raise ApplicationError(refused.message, type=refused.code, non_retryable=True)

    @workflow.signal
    def referrer_acted(self, step: ReferralStep) -> None:
        """The person agreed, or the referrer sent it; the pathway has filed that already."""
        if step.to_status == referral_steps.NEXT_OF_REFERRER.get(self.state.status):
            self.state.queue.append(replace(step, from_status=self.state.status))
            self.state.status = step.to_status

    @workflow.signal
    def receipt_arrived(self, receipt: InboundReceipt) -> None:
        """The referral's message was delivered, or came back; the same receipt twice is one receipt."""
        if receipt.inbound_id in self.state.seen_inbound or self.state.status not in {"sent", "delivered"}:
            return
        self.state.seen_inbound.append(receipt.inbound_id)
        if receipt.kind == "bounced" or self.state.status == "sent":
            self._delivered_or_not(receipt)

    def _delivered_or_not(self, receipt: InboundReceipt) -> None:
        status = "undelivered" if receipt.kind == "bounced" else "delivered"
        event = {"referral_id": self.state.referral_id, "channel": receipt.channel}
        if status == "undelivered":
            event["reason"] = receipt.detail[:1000]
        report = Report(
            key=names.derived_id("inbound", receipt.inbound_id),
            request_hash=names.derived_id("inbound", receipt.inbound_id).replace("-", "") * 2,
            kind=f"referral_{status}",
            event=event,
            facts=[],
            actor=replace(MACHINE, team=self.state.from_team),
            occurred_at=receipt.at,
            source=f"receipt:{receipt.channel}",
        )
        self._take(status, report)

    def _take(self, status: str, report: Report) -> ReferralStep:
        event_id = names.derived_id("referral", self.state.referral_id, report.key)
        step = ReferralStep(status, report, event_id, workflow.now(), self.state.status, referral_steps.note(report))
        self.state.status = status
        self.state.queue.append(step)
        return step

    async def _take_step(self, step: ReferralStep) -> bool:
        """Set a step in the record and tell the pathway; False when this run must end before the record answered."""
        asked = SetStatusInput(self.state.referral_id, step, referral_steps.responsible_team(self.state, step))
        try:
            while await persist(RecordsActivities.set_referral_status, asked, self.state.settings) is None:
                if self._too_long():
                    return False
        except ApplicationError as refused:
            self._phone(step, refused.message)
            return True
        await self._tell(step)
        return True

    async def _tell(self, step: ReferralStep) -> None:
        if step.to_status == "sent":
            self.state.outbox.append(self._letter(step))
        if step.to_status in {"agreed", "sent"}:
            return  # the pathway told us, so it knows
        report = replace(
            step.report,
            key=names.derived_id("filed", step.event_id),
            event_id=step.event_id,
            urgency=self.state.urgency,
        )
        pathway = workflow.get_external_workflow_handle(names.pathway_id(self.state.patient_id))
        try:
            await pathway.signal("child_reported", report)
        except FailureError:
            self._phone(step, "the pathway is closed")

    def _letter(self, step: ReferralStep) -> Notice:
        state = self.state
        return Notice(
            message_id=names.derived_id("referral-sent", state.referral_id),
            template=LETTER,
            team=state.to_team,
            patient_id=state.patient_id,
            event_id=step.event_id,
            values={"reason": state.reason[:1900], "urgency": state.urgency, "from_team": state.from_team},
            urgency=state.urgency,
            owner_id=state.referral_id,
            correlation_id=step.report.correlation_id,
        )

    def _phone(self, step: ReferralStep, why: str) -> None:
        """What cannot be set or told becomes a telephone task for the duty desk."""
        self.state.outbox.append(
            Notice(
                message_id=names.derived_id("phone", step.event_id),
                template="phone_task",
                team=telling.DUTY_DESK,
                patient_id=self.state.patient_id,
                urgency="urgent",
                values={"why": f"{step.report.kind.replace('_', ' ')}: {why}"[:1900]},
                correlation_id=step.report.correlation_id,
            )
        )

    async def _keep_post(self) -> None:
        """Send what is in the outbox; a mail server that is down never holds up the referral's next step."""
        while not self._leaving:
            await workflow.wait_condition(lambda: bool(self.state.outbox) or self._leaving)
            if not self.state.outbox or self._leaving:
                continue
            notice = telling.next_up(self.state.outbox)
            left: list[Notice] = []
            try:
                left = telling.left_over(
                    notice, await persist(NotifyActivities.send_notice, notice, self.state.settings)
                )
            except ApplicationError as refused:
                self._refused(notice, refused.message)
            self.state.outbox.remove(notice)
            self.state.outbox += left

    def _refused(self, notice: Notice, why: str) -> None:
        """A letter that notify refuses for good has reached nobody, as if it had come back."""
        if notice.template != LETTER:
            workflow.logger.error("phone_task_refused", extra={"event_id": notice.event_id})
        elif self.state.status == "sent":
            inbound_id = names.derived_id("refused", self.state.referral_id)
            self._delivered_or_not(
                InboundReceipt(inbound_id, "bounced", "", self.state.referral_id, "notify", workflow.now(), why)
            )

    def _too_long(self) -> bool:
        return workflow.info().is_continue_as_new_suggested()

    def _finished(self) -> bool:
        return self.state.status == "closed" and not self.state.queue and not self.state.outbox

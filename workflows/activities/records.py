"""What workflows file with records."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from google.protobuf.json_format import ParseDict
from temporalio import activity

from handrail.clinical.v1 import events_pb2, terms_pb2
from handrail.records.v1 import filing_pb2
from workflows import names
from workflows.activities import refusals, timestamp
from workflows.messages import (
    Actor,
    Applied,
    ApplyInput,
    Filed,
    FileReport,
    PlannedItem,
    RefusedReport,
    Report,
    SetStatusInput,
)

if TYPE_CHECKING:
    from handrail.records.v1.filing_pb2_grpc import FilingServiceAsyncStub
    from services.runtime.clients import Caller


def _actor(actor: Actor) -> terms_pb2.Actor:
    return terms_pb2.Actor(subject=actor.subject, role=actor.role, team=actor.team)


def clinical_event(report: Report) -> events_pb2.ClinicalEvent:
    """Return a report's event as the contract's own message."""
    return ParseDict({report.kind: report.event}, events_pb2.ClinicalEvent())


class RecordsActivities:
    """Calls `FilingService`; each is idempotent on a key that follows from what it files."""

    def __init__(self, caller: Caller, filing: FilingServiceAsyncStub) -> None:
        self._caller = caller
        self._filing = filing

    @activity.defn
    async def append_event(self, asked: FileReport) -> Filed:
        """Append one report's event and facts to the record."""
        report = asked.report
        request = filing_pb2.AppendEventRequest(
            idempotency_key=report.key,
            caller=report.actor.subject,
            request_hash=report.request_hash,
            patient_id=asked.patient_id,
            seq=asked.seq,
            event_id=asked.event_id,
            event=clinical_event(report),
            facts=[ParseDict(fact, terms_pb2.ReportedFact()) for fact in report.facts],
            occurred_at=timestamp(report.occurred_at),
            accepted_at=timestamp(asked.accepted_at),
            actor=_actor(report.actor),
            source=report.source,
            correlation_id=report.correlation_id,
            rule_id=report.rule_id,
            guideline=report.guideline,
            set_aside=[filing_pb2.SetAside(**asdict(one)) for one in report.set_aside],
        )
        with refusals():
            reply = await self._caller.call(
                self._filing.AppendEvent,
                request,
                on_behalf_of=report.actor.subject,
            )
        return Filed(reply.event_id, reply.already_filed, list(reply.fact_ids), reply.seq)

    @activity.defn
    async def keep_refused_report(self, asked: RefusedReport) -> str:
        """Keep the payload of a report that records refused for good; return the id under which it is kept."""
        request = filing_pb2.KeepRefusedReportRequest(
            idempotency_key=names.derived_id("refused", asked.patient_id, str(asked.seq)),
            patient_id=asked.patient_id,
            seq=asked.seq,
            kind=asked.report.kind,
            payload=json.dumps(asdict(asked.report), default=str).encode()[:60000],
            reason=asked.reason[:2000],
            actor=_actor(asked.report.actor),
        )
        with refusals():
            reply = await self._caller.call(self._filing.KeepRefusedReport, request)
        return reply.refused_report_id

    @activity.defn
    async def apply_plan(self, asked: ApplyInput) -> Applied:
        """Mark what is overdue, then open and close tasks in one transaction; return who owns the opened ones."""
        with refusals():
            if asked.overdue:
                await self._caller.call(
                    self._filing.MarkOverdue,
                    filing_pb2.MarkOverdueRequest(
                        idempotency_key=names.derived_id("overdue", asked.event_id),
                        patient_id=asked.patient_id,
                        seq=asked.seq,
                        item_ids=asked.overdue,
                        overdue_at=timestamp(asked.applied_at),
                    ),
                )
            reply = await self._caller.call(
                self._filing.ApplyPlan,
                filing_pb2.ApplyPlanRequest(
                    idempotency_key=names.derived_id("plan", asked.event_id),
                    patient_id=asked.patient_id,
                    seq=asked.seq,
                    applied_at=timestamp(asked.applied_at),
                    open=[_to_open(asked, item) for item in asked.open],
                    close=[
                        filing_pb2.ItemToSettle(item_id=item_id, how=how, reason=reason[:2000])
                        for item_id, how, reason in asked.close
                    ],
                    move=[
                        filing_pb2.ItemToMove(
                            item_id=item_id,
                            due_on=to.due_on,
                            due_at=timestamp(to.due_at),
                            reason=to.reason[:2000],
                            change=to.change,
                            owner_team=to.owner_team,
                            taken_by=to.taken_by,
                            waits_for_item_id=to.waits_for,
                            calendar_version=to.calendar_version,
                        )
                        for item_id, to in asked.move.items()
                    ],
                    event_id=asked.event_id,
                    pathway_closed=asked.pathway_closed,
                    reopen=[
                        filing_pb2.ItemToReopen(item_id=item_id, reason=reason) for item_id, reason in asked.reopen
                    ],
                ),
            )
        return Applied({item.item_id: item.owner_team for item in reply.opened})

    @activity.defn
    async def set_referral_status(self, asked: SetStatusInput) -> str:
        """Compare-and-set a referral's status; return the team that is responsible now."""
        step = asked.step
        request = filing_pb2.SetReferralStatusRequest(
            idempotency_key=step.report.key,
            referral_id=asked.referral_id,
            from_status=step.from_status,
            to_status=step.to_status,
            responsible_team=asked.responsible_team,
            at=timestamp(step.at),
            actor=_actor(step.report.actor),
            note=step.note,
            event_id=step.event_id,
        )
        if step.to_status not in {"agreed", "sent"}:  # those two were kept with the pathway's own event
            request.caller = step.report.actor.subject
            request.request_hash = step.report.request_hash
        with refusals():
            reply = await self._caller.call(self._filing.SetReferralStatus, request)
        return reply.responsible_team


def _to_open(asked: ApplyInput, item: PlannedItem) -> filing_pb2.ItemToOpen:
    return filing_pb2.ItemToOpen(
        item_id=names.derived_id("item", asked.patient_id, item.key, asked.event_id),
        key=item.key,
        kind=item.kind,
        rule_id=item.rule_id,
        number=item.number,
        title=item.title[:300],
        reason=item.reason[:2000],
        owner_role=item.owner_role,
        owner_team=item.owner_team,
        due_on=item.due_on,
        due_at=timestamp(item.due_at),
        urgency=item.urgency,
        fact_ids=item.fact_ids,
        missing_fact=item.missing_fact,
        supplied_by=item.supplied_by,
        subject_id=item.subject_id,
        calendar_version=item.calendar_version,
    )

"""Asking the pathway service what the guideline says now, and keeping the whole answer in the record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from temporalio import activity

from handrail.pathway.v1 import decisions_pb2
from handrail.records.v1 import filing_pb2
from workflows import names
from workflows.activities import instant, refusals, timestamp
from workflows.messages import Closing, DecideInput, Plan, PlannedItem, ResponseCheckInput, TrackItem

if TYPE_CHECKING:
    from handrail.pathway.v1.decisions_pb2_grpc import DecisionServiceAsyncStub
    from handrail.records.v1.filing_pb2_grpc import FilingServiceAsyncStub
    from services.runtime.clients import Caller

_TRUTHS = {
    decisions_pb2.Judgement.TRUTH_APPLIES: "applies",
    decisions_pb2.Judgement.TRUTH_DOES_NOT_APPLY: "does_not_apply",
    decisions_pb2.Judgement.TRUTH_CANNOT_BE_DECIDED: "cannot_be_decided",
}


class DecisionActivities:
    """Calls `DecisionService`, and `FilingService.FileEvaluation` with what it answered."""

    def __init__(
        self,
        caller: Caller,
        decisions: DecisionServiceAsyncStub,
        filing: FilingServiceAsyncStub,
        plan_response_check: Callable[[ResponseCheckInput], Awaitable[str]],
    ) -> None:
        self._caller = caller
        self._decisions = decisions
        self._filing = filing
        self._plan_response_check = plan_response_check

    @activity.defn
    async def decide_next_steps(self, asked: DecideInput) -> Plan:
        """Judge, keep the evaluation, and return only what the workflow must remember (at most 16 KiB)."""
        with refusals():
            reply = await self._caller.call(self._decisions.DecideNextSteps, _request(asked))
            evaluation_id = names.derived_id("evaluation", asked.event_id)
            await self._caller.call(
                self._filing.FileEvaluation,
                _evaluation(asked, reply, evaluation_id),
            )
            said = {offer.visit: offer.said for offer in reply.visits}
            tracked = [await self._promised(track, asked, said.get(track.visit, "")) for track in asked.tracks]
        return Plan(
            evaluation_id=evaluation_id,
            open=[_planned(item) for item in reply.open] + tracked,
            close=[Closing(item.key, item.how, item.reason) for item in reply.close],
            reevaluate_at=instant(reply.reevaluate_at) if reply.HasField("reevaluate_at") else None,
        )

    async def _promised(self, track: TrackItem, asked: DecideInput, how_held: str) -> PlannedItem:
        """Work out when a track's promise falls due, and return it as a planned task that says how a visit is held."""
        request = decisions_pb2.PlanDueRequest(counted_from=timestamp(asked.recorded_at))
        if track.checked_from is not None:
            check = ResponseCheckInput(track.checked_from, track.check_weeks)
            request.on_date = await self._plan_response_check(check)
        elif track.on_date:
            request.on_date = track.on_date
        else:
            request.promise = track.promise
        due = await self._caller.call(self._decisions.PlanDue, request)
        return PlannedItem(
            key=track.key,
            kind=track.kind,
            title=track.title,
            reason=f"{track.reason} {how_held}".strip(),
            owner_role=track.owner_role,
            owner_team=track.owner_team,
            due_on=due.due_on,
            due_at=instant(due.due_at),
            urgency=track.urgency,
            rule_id=track.rule_id,
            number=track.number,
            subject_id=track.subject_id,
            calendar_version=due.calendar_version,
        )


def _request(asked: DecideInput) -> decisions_pb2.DecideNextStepsRequest:
    return decisions_pb2.DecideNextStepsRequest(
        patient_id=asked.patient_id,
        record_seq=asked.seq,
        as_of=timestamp(asked.as_of),
        guideline=decisions_pb2.GuidelineVersion(
            guideline=asked.pin.guideline, version=asked.pin.version, content_hash=asked.pin.content_hash
        ),
        open_items=[decisions_pb2.OpenItemRef(key=item.key, kind=item.kind) for item in asked.open_items],
        other_open=asked.other_open,
        recorded_at=timestamp(asked.recorded_at),
        visits=sorted({track.visit for track in asked.tracks if track.visit}),
    )


def _evaluation(
    asked: DecideInput, reply: decisions_pb2.DecideNextStepsResponse, evaluation_id: str
) -> filing_pb2.FileEvaluationRequest:
    return filing_pb2.FileEvaluationRequest(
        idempotency_key=evaluation_id,
        evaluation_id=evaluation_id,
        patient_id=asked.patient_id,
        seq=asked.seq,
        as_of=timestamp(asked.as_of),
        guideline=reply.guideline.guideline,
        version=reply.guideline.version,
        content_hash=reply.guideline.content_hash,
        judgements=[_judgement(judged) for judged in reply.judgements],
    )


def _judgement(judged: decisions_pb2.Judgement) -> filing_pb2.FiledJudgement:
    return filing_pb2.FiledJudgement(
        rule_id=judged.rule_id,
        number=judged.number,
        title=judged.title,
        strength=judged.strength,
        section=judged.section,
        truth=_TRUTHS[judged.truth],
        missing=judged.missing,
        supplied_by=judged.supplied_by,
        fact_ids=judged.fact_ids,
        because=judged.because,
        basis=judged.basis,
        occurrence=judged.occurrence,
        action=judged.action,
        source=judged.source,
        option_for=judged.option_for,
        option_codes=[option.code for option in judged.options],
        option_labels=[option.label for option in judged.options],
    )


def _planned(item: decisions_pb2.WantedItem) -> PlannedItem:
    return PlannedItem(
        key=item.key,
        kind=item.kind,
        title=item.title,
        reason=item.reason,
        owner_role=item.owner_role,
        owner_team="",
        due_on=item.due_on,
        due_at=instant(item.due_at),
        urgency=item.urgency,
        rule_id=item.rule_id,
        number=item.number,
        fact_ids=list(item.fact_ids),
        missing_fact=item.missing_fact,
        supplied_by=item.supplied_by,
        calendar_version=item.calendar_version,
    )

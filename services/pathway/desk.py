"""The desk behind every reporting rpc: was it said before, is it well said, then through the door."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handrail.clinical.v1 import terms_pb2
from handrail.records.v1 import timeline_pb2
from services.pathway import data_asked, imports, reopening, support
from services.pathway.cautions import Cautions
from services.pathway.convert import value_from_proto
from services.pathway.directory import Directory
from services.pathway.door import Door, closed_or_lost
from services.pathway.guideline import Guideline
from services.pathway.knowledge.adoption import why_not_adopted
from services.pathway.reports import checked_report
from services.runtime.clients import Caller
from services.runtime.context import current_actor
from services.runtime.errors import Category, Conflict, HandrailError, Invalid, KeyReused, NotFound, Unavailable
from services.runtime.logging import get_logger
from workflows.messages import GuidelinePin, PathwayState, Receipt, Report, Settings

if TYPE_CHECKING:
    from handrail.records.v1.timeline_pb2_grpc import TimelineServiceAsyncStub

log = get_logger()

# Records is asked first; when it does not answer in this time the workflow's own memory of keys decides.
ASK_SECONDS = 1.0
# A pathway closes when all is filed: what was reported a moment ago is given this long, asked so often.
SETTLING_SECONDS, LOOKS = 3.0, 15


class Desk:
    """Takes reports; a reply means durably accepted. Writes nothing itself."""

    def __init__(
        self,
        door: Door,
        caller: Caller,
        timeline: TimelineServiceAsyncStub,
        guideline: Guideline,
        settings: Settings,
        directory: Directory,
    ) -> None:
        self._door = door
        self._caller = caller
        self._timeline = timeline
        self._guideline = guideline
        self._settings = settings
        self._directory = directory
        self._cautions = Cautions(caller, timeline, guideline)

    async def accept(self, request: Any, kind: str) -> terms_pb2.Receipt:  # noqa: ANN401 - any reporting request
        """Accept one report of a pathway.

        Raises:
            HandrailError: it cannot be accepted; the sentence says what to do.
        """
        report = checked_report(request, kind, self._guideline, current_actor())
        known = await self._said_before(report, request.patient_id)
        if known is not None and known.found:
            return known.receipt
        try:
            return await self._taken(request, kind, report, known)
        except HandrailError as refused:
            if refused.category is Category.UNAVAILABLE:
                raise
            # It may be refused for what it did itself: said twice at once, it was filed after we asked.
            known = await self._said_before(report, request.patient_id)
            if known is not None and known.found:
                return known.receipt
            raise

    async def _taken(
        self,
        request: Any,  # noqa: ANN401 - any reporting request
        kind: str,
        report: Report,
        known: timeline_pb2.GetReplyResponse | None,
    ) -> terms_pb2.Receipt:
        """Check a report that was not filed before against the record, and hand it in."""
        await self._directory.check(report)
        if kind == data_asked.KIND:
            report = data_asked.completed(report, self._guideline)
        report = await self._directory.with_key_worker(report)
        if kind == "fact_corrected":
            report = await self._checked_correction(request, report)
        if kind == "item_completed":
            await self._check_completion(request)
        report = await self._cautions.asked(report, request.patient_id)
        try:
            receipt = await self._through(request.patient_id, report)
        except HandrailError as error:
            if error.reason == "workflow_not_running":
                raise self._not_running(known) from error
            raise
        log.info("report_accepted", kind=kind, seq=receipt.seq, event_id=receipt.event_id)
        return _receipt(receipt)

    async def _through(self, patient_id: str, report: Report) -> Receipt:
        """Hand a report in; a closing waits a little for what is still being filed."""
        for _ in range(LOOKS if report.kind == "pathway_closed" else 0):
            try:
                return await self._door.report(patient_id, report)
            except HandrailError as error:
                if error.category is not Category.UNAVAILABLE or error.reason in {
                    "not_confirmed",
                    "temporal_unavailable",
                }:
                    raise
            await asyncio.sleep(SETTLING_SECONDS / LOOKS)
        return await self._door.report(patient_id, report)

    async def open(self, request: Any) -> terms_pb2.Receipt:  # noqa: ANN401 - OpenPathwayRequest
        """Open a pathway, once: only after records says that it was never opened.

        Raises:
            Conflict: nobody new is put on the guideline version of this house.
            Unavailable: records does not answer, and a second opening cannot be ruled out.
            HandrailError: as `accept`.
        """
        report = checked_report(request, "pathway_opened", self._guideline, current_actor())
        known = await self._said_before(report, request.patient_id)
        if known is not None and known.found:
            return known.receipt
        _check_may_open(known)
        return await self._begin(request.patient_id, report)

    async def take_over(self, request: Any) -> terms_pb2.Receipt:  # noqa: ANN401 - ImportPathwayRequest
        """Take over a person who is mid-pathway: open the pathway, or add what is new to one that is open.

        Raises:
            HandrailError: as `open`.
        """
        report = checked_report(request, "pathway_imported", self._guideline, current_actor())
        known = await self._said_before(report, request.patient_id)
        if known is not None and known.found:
            return known.receipt
        _check_may_open(known)
        opening = known is not None and known.pathway_status != "open"
        report = imports.completed(report, self._guideline, opening=opening)
        if opening:
            return await self._begin(request.patient_id, report)
        await self._directory.check(report)
        report = await self._directory.with_key_worker(report)
        receipt = await self._door.report(request.patient_id, report)
        log.info("report_accepted", kind=report.kind, seq=receipt.seq, event_id=receipt.event_id)
        return _receipt(receipt)

    async def _begin(
        self, patient_id: str, report: Report, remembered: PathwayState | None = None
    ) -> terms_pb2.Receipt:
        """Start a person's pathway with its first report, on the guideline version in use."""
        report = await self._on_the_version_in_use(report)
        pin = GuidelinePin(self._guideline.guideline_id, self._guideline.version, self._guideline.content_hash)
        state = replace(remembered or PathwayState(patient_id, pin), pin=pin, settings=self._settings)
        receipt = await self._door.open_pathway(state, report)
        log.info("report_accepted", kind=report.kind, seq=receipt.seq, event_id=receipt.event_id)
        return _receipt(receipt)

    async def _on_the_version_in_use(self, report: Report) -> Report:
        if reason := why_not_adopted(self._guideline):
            raise Conflict(reason, reason="guideline_not_adoptable")
        await self._directory.check(report)
        report = await self._directory.with_key_worker(report)
        return replace(report, guideline=f"{self._guideline.guideline_id}@{self._guideline.version}")

    async def reopen(self, request: Any) -> terms_pb2.Receipt:  # noqa: ANN401 - ReopenPathwayRequest
        """Go on with a pathway that was closed, from what the record tells of it.

        Raises:
            Conflict: it is not closed, or nobody is put on the guideline version of this house.
            Unavailable: records does not answer.
            HandrailError: as `accept`.
        """
        report = checked_report(request, "pathway_reopened", self._guideline, current_actor())
        known = await self._said_before(report, request.patient_id)
        if known is not None and known.found:
            return known.receipt
        if known is None or known.pathway_status != "closed":
            raise self._not_to_reopen(known)
        patient_id = request.patient_id
        try:
            # A workflow that was closed a moment ago may still be filing: the record is whole only once it has ended.
            return _receipt(await self._door.report(patient_id, await self._on_the_version_in_use(report)))
        except NotFound as ended:
            if ended.reason != "workflow_not_running":
                raise
        whole = await self._caller.call(
            self._timeline.GetPatient, timeline_pb2.GetPatientRequest(patient_id=patient_id)
        )
        told = await self._caller.call(self._timeline.ListEvents, timeline_pb2.ListEventsRequest(patient_id=patient_id))
        remembered = reopening.before(whole, told.events, self._guideline)
        remembered.key_worker_team = await self._directory.key_worker_team(remembered.key_worker)
        return await self._begin(patient_id, report, remembered)

    async def act(self, request: Any, kind: str) -> terms_pb2.Receipt:  # noqa: ANN401 - any referral request
        """Accept one act of a referral's receiving team.

        Raises:
            HandrailError: as `accept`.
        """
        report = checked_report(request, kind, self._guideline, current_actor())
        known = await self._said_before(report, request.patient_id)
        if known is not None and known.found:
            return known.receipt
        await self._directory.check(report)
        try:
            about = replace(report, patient_id=request.patient_id)
            receipt = await self._door.act(report.event["referral_id"], about)
        except HandrailError as error:
            if error.reason == "workflow_not_running":
                message = "There is no such referral under way. Check its id; a closed referral takes no more answers."
                raise HandrailError(message, category=Category.NOT_FOUND) from error
            raise
        log.info("referral_act_accepted", kind=kind, event_id=receipt.event_id)
        return _receipt(receipt)

    async def _checked_correction(self, request: Any, report: Report) -> Report:  # noqa: ANN401 - CorrectFactRequest
        """Check a correction's new value by the dictionary; the fact's name is known to records alone.

        Returns the report, urgent if what it corrects to is a red flag.

        Raises:
            Invalid: the dictionary does not allow the value.
            NotFound: this person has no such fact.
            Conflict: it was corrected before.
        """
        corrected = request.fact_corrected
        asked = timeline_pb2.ListFactsRequest(patient_id=request.patient_id, include_superseded=True)
        try:
            kept = await self._caller.call(self._timeline.ListFacts, asked)
        except HandrailError as error:
            if error.category is Category.UNAVAILABLE:
                return report  # records refuses a wrong one when it is filed, and it becomes somebody's task
            raise
        old = next((fact for fact in kept.facts if fact.fact_id == corrected.fact_id), None)
        if old is None:
            message = "This person's record has no such fact. Copy its id from `patient show`."
            raise NotFound(message, field="fact_corrected.fact_id")
        if old.superseded_by_fact_id:
            message = "This fact was corrected before. Correct the newest value instead."
            raise Conflict(message, field="fact_corrected.fact_id")
        if corrected.HasField("value"):
            problem = self._guideline.dictionary.problem_with(old.name, value_from_proto(corrected.value))
            if problem:
                raise Invalid(problem, field="fact_corrected.value")
        known = self._guideline.dictionary.facts.get(old.name)
        red_flag = known is not None and known.red_flag and corrected.value.flag
        receptor = known is not None and known.per_specimen
        urgency = "urgent" if red_flag else report.urgency
        now_so = {"name": old.name, "value": report.event["value"]} if corrected.HasField("value") else None
        watched = support.watched([now_so], self._guideline) if now_so else {}
        return replace(report, urgency=urgency, chooses_treatment=receptor, watched=watched)

    async def _check_completion(self, request: Any) -> None:  # noqa: ANN401 - CompleteItemRequest
        """Check that a person may say "done": some tasks close only with what they ask for.

        Raises:
            Conflict: it closes by another report; the sentence says which.
        """
        asked = timeline_pb2.ListItemsRequest(patient_id=request.patient_id, page_size=500)
        try:
            kept = await self._caller.call(self._timeline.ListItems, asked)
        except HandrailError as error:
            if error.category is Category.UNAVAILABLE:
                return  # while the record is away a person's word is taken
            raise
        item = next((item for item in kept.items if item.item_id == request.item_completed.item_id), None)
        rule = self._guideline.rule(item.rule_id) if item else None
        if rule is None or not rule.closes_with or {"item_completed", "decision_made"} & set(rule.closes_with):
            return
        wanted = " or ".join(kind.replace("_", " ") for kind in rule.closes_with)
        message = f"This task ({rule.number}: {rule.title}) closes when it is reported: {wanted}. Report that instead."
        raise Conflict(message, field="item_completed.item_id")

    async def _said_before(self, report: Report, patient_id: str) -> timeline_pb2.GetReplyResponse | None:
        """Ask records for the reply that this key was given; None when records does not answer.

        Raises:
            KeyReused: the key came before with another request.
        """
        request = timeline_pb2.GetReplyRequest(
            caller=report.actor.subject, idempotency_key=report.key, patient_id=patient_id
        )
        try:
            async with asyncio.timeout(ASK_SECONDS + 0.5):
                known = await self._caller.call(self._timeline.GetReply, request, timeout=ASK_SECONDS)
        except TimeoutError:
            return None
        except HandrailError as error:
            if error.category is Category.UNAVAILABLE:
                log.warning("records_unreachable")
                return None
            raise
        if known.found and known.request_hash != report.request_hash:
            message = "This idempotency key was used for another report. Use a new key for a new report."
            raise KeyReused(message, field="idempotency_key")
        return known

    def _not_to_reopen(self, known: timeline_pb2.GetReplyResponse | None) -> HandrailError:
        if known is not None and known.pathway_status == "open":
            return Conflict("This pathway is open: there is nothing to reopen.")
        return self._not_running(known)

    def _not_running(self, known: timeline_pb2.GetReplyResponse | None) -> HandrailError:
        if known is None:
            return Unavailable("The record does not answer, so this person could not be looked up. Try again shortly.")
        return closed_or_lost(known.pathway_status, person_known=known.person_known)


def _check_may_open(known: timeline_pb2.GetReplyResponse | None) -> None:
    if known is None:
        message = "The record does not answer, so it cannot be checked whether this pathway is open. Try again shortly."
        raise Unavailable(message)
    if not known.person_known or known.pathway_status == "closed":
        raise closed_or_lost(known.pathway_status, person_known=known.person_known)


def _receipt(receipt: Receipt) -> terms_pb2.Receipt:
    reply = terms_pb2.Receipt(seq=receipt.seq, event_id=receipt.event_id)
    reply.accepted_at.FromDatetime(receipt.accepted_at)
    return reply

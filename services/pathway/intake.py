"""Where clinical events enter: one method an event, each checked and handed to the person's workflow."""

from __future__ import annotations

from typing import Any

from grpc.aio import ServicerContext

from handrail.pathway.v1 import intake_pb2, intake_pb2_grpc
from services.pathway.desk import Desk

Context = ServicerContext[Any, Any]


class IntakeService(intake_pb2_grpc.IntakeServiceServicer):
    """Where clinical events enter: one method an event, each checked and handed to the person's workflow."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def OpenPathway(
        self, request: intake_pb2.OpenPathwayRequest, context: Context
    ) -> intake_pb2.OpenPathwayResponse:
        """Opens the pathway of a registered person; once only."""
        return intake_pb2.OpenPathwayResponse(receipt=await self._desk.open(request))

    async def ImportPathway(
        self, request: intake_pb2.ImportPathwayRequest, context: Context
    ) -> intake_pb2.ImportPathwayResponse:
        """A person who is mid-pathway was taken over from another list."""
        return intake_pb2.ImportPathwayResponse(receipt=await self._desk.take_over(request))

    async def ConfirmDiagnosis(
        self, request: intake_pb2.ConfirmDiagnosisRequest, context: Context
    ) -> intake_pb2.ConfirmDiagnosisResponse:
        """Advanced disease was confirmed."""
        return intake_pb2.ConfirmDiagnosisResponse(receipt=await self._desk.accept(request, "diagnosis_confirmed"))

    async def ReceiveResult(
        self, request: intake_pb2.ReceiveResultRequest, context: Context
    ) -> intake_pb2.ReceiveResultResponse:
        """A result arrived."""
        return intake_pb2.ReceiveResultResponse(receipt=await self._desk.accept(request, "result_received"))

    async def CorrectFact(
        self, request: intake_pb2.CorrectFactRequest, context: Context
    ) -> intake_pb2.CorrectFactResponse:
        """A fact was wrong; the correction supersedes it."""
        return intake_pb2.CorrectFactResponse(receipt=await self._desk.accept(request, "fact_corrected"))

    async def AssignKeyWorker(
        self, request: intake_pb2.AssignKeyWorkerRequest, context: Context
    ) -> intake_pb2.AssignKeyWorkerResponse:
        """A named key worker took the person on (CG81 1.1.2)."""
        return intake_pb2.AssignKeyWorkerResponse(receipt=await self._desk.accept(request, "key_worker_assigned"))

    async def MakeDecision(
        self, request: intake_pb2.MakeDecisionRequest, context: Context
    ) -> intake_pb2.MakeDecisionResponse:
        """People decided about a recommendation."""
        return intake_pb2.MakeDecisionResponse(receipt=await self._desk.accept(request, "decision_made"))

    async def StartTherapyLine(
        self, request: intake_pb2.StartTherapyLineRequest, context: Context
    ) -> intake_pb2.StartTherapyLineResponse:
        """A line of treatment began, after a recorded decision."""
        return intake_pb2.StartTherapyLineResponse(receipt=await self._desk.accept(request, "therapy_line_started"))

    async def EndTherapyLine(
        self, request: intake_pb2.EndTherapyLineRequest, context: Context
    ) -> intake_pb2.EndTherapyLineResponse:
        """A line of treatment stopped, with the reason."""
        return intake_pb2.EndTherapyLineResponse(receipt=await self._desk.accept(request, "therapy_line_ended"))

    async def AssessResponse(
        self, request: intake_pb2.AssessResponseRequest, context: Context
    ) -> intake_pb2.AssessResponseResponse:
        """Response to treatment was assessed."""
        return intake_pb2.AssessResponseResponse(receipt=await self._desk.accept(request, "response_assessed"))

    async def ReportProgression(
        self, request: intake_pb2.ReportProgressionRequest, context: Context
    ) -> intake_pb2.ReportProgressionResponse:
        """The disease has progressed."""
        return intake_pb2.ReportProgressionResponse(receipt=await self._desk.accept(request, "progression_reported"))

    async def ReportSymptom(
        self, request: intake_pb2.ReportSymptomRequest, context: Context
    ) -> intake_pb2.ReportSymptomResponse:
        """A symptom was reported."""
        return intake_pb2.ReportSymptomResponse(receipt=await self._desk.accept(request, "symptom_reported"))

    async def ReportAdverseEvent(
        self, request: intake_pb2.ReportAdverseEventRequest, context: Context
    ) -> intake_pb2.ReportAdverseEventResponse:
        """A suspected reaction was reported."""
        return intake_pb2.ReportAdverseEventResponse(receipt=await self._desk.accept(request, "adverse_event_reported"))

    async def GiveCycle(self, request: intake_pb2.GiveCycleRequest, context: Context) -> intake_pb2.GiveCycleResponse:
        """A cycle of a line of treatment was given."""
        return intake_pb2.GiveCycleResponse(receipt=await self._desk.accept(request, "cycle_given"))

    async def DeferCycle(
        self, request: intake_pb2.DeferCycleRequest, context: Context
    ) -> intake_pb2.DeferCycleResponse:
        """A cycle was not given on its day; it waits until a date."""
        return intake_pb2.DeferCycleResponse(receipt=await self._desk.accept(request, "cycle_deferred"))

    async def ChangeDose(
        self, request: intake_pb2.ChangeDoseRequest, context: Context
    ) -> intake_pb2.ChangeDoseResponse:
        """A dose was changed, with the reason."""
        return intake_pb2.ChangeDoseResponse(receipt=await self._desk.accept(request, "dose_changed"))

    async def SubmitYellowCard(
        self, request: intake_pb2.SubmitYellowCardRequest, context: Context
    ) -> intake_pb2.SubmitYellowCardResponse:
        """A person submitted the Yellow Card, with the reference."""
        return intake_pb2.SubmitYellowCardResponse(receipt=await self._desk.accept(request, "yellow_card_submitted"))

    async def CompleteItem(
        self, request: intake_pb2.CompleteItemRequest, context: Context
    ) -> intake_pb2.CompleteItemResponse:
        """Somebody did what a task asked."""
        return intake_pb2.CompleteItemResponse(receipt=await self._desk.accept(request, "item_completed"))

    async def DeferItem(self, request: intake_pb2.DeferItemRequest, context: Context) -> intake_pb2.DeferItemResponse:
        """Somebody put a task off, with a reason and a date."""
        return intake_pb2.DeferItemResponse(receipt=await self._desk.accept(request, "item_deferred"))

    async def TakeItem(self, request: intake_pb2.TakeItemRequest, context: Context) -> intake_pb2.TakeItemResponse:
        """Somebody took a task on; it stays open."""
        return intake_pb2.TakeItemResponse(receipt=await self._desk.accept(request, "item_taken"))

    async def AttemptItem(
        self, request: intake_pb2.AttemptItemRequest, context: Context
    ) -> intake_pb2.AttemptItemResponse:
        """Somebody tried and could not; the task waits for the next try."""
        return intake_pb2.AttemptItemResponse(receipt=await self._desk.accept(request, "item_attempted"))

    async def AskForData(
        self, request: intake_pb2.AskForDataRequest, context: Context
    ) -> intake_pb2.AskForDataResponse:
        """Whoever has a task asks for the data that it cannot go on without."""
        return intake_pb2.AskForDataResponse(receipt=await self._desk.accept(request, "item_data_asked"))

    async def HandOverItem(
        self, request: intake_pb2.HandOverItemRequest, context: Context
    ) -> intake_pb2.HandOverItemResponse:
        """A task went to another team, with the reason."""
        return intake_pb2.HandOverItemResponse(receipt=await self._desk.accept(request, "item_handed_over"))

    async def EscalateItem(
        self, request: intake_pb2.EscalateItemRequest, context: Context
    ) -> intake_pb2.EscalateItemResponse:
        """Somebody asked the next rung for help."""
        return intake_pb2.EscalateItemResponse(receipt=await self._desk.accept(request, "item_escalated"))

    async def DraftReferral(
        self, request: intake_pb2.DraftReferralRequest, context: Context
    ) -> intake_pb2.DraftReferralResponse:
        """A referral was drafted; nothing leaves yet."""
        return intake_pb2.DraftReferralResponse(receipt=await self._desk.accept(request, "referral_drafted"))

    async def AgreeReferral(
        self, request: intake_pb2.AgreeReferralRequest, context: Context
    ) -> intake_pb2.AgreeReferralResponse:
        """The person agreed to the referral (or a best-interests decision was made)."""
        return intake_pb2.AgreeReferralResponse(receipt=await self._desk.accept(request, "referral_agreed"))

    async def SendReferral(
        self, request: intake_pb2.SendReferralRequest, context: Context
    ) -> intake_pb2.SendReferralResponse:
        """The referral goes out; its clock starts."""
        return intake_pb2.SendReferralResponse(receipt=await self._desk.accept(request, "referral_sent"))

    async def OrderInvestigation(
        self, request: intake_pb2.OrderInvestigationRequest, context: Context
    ) -> intake_pb2.OrderInvestigationResponse:
        """An investigation was ordered; the guideline's cautions are asked first."""
        receipt = await self._desk.accept(request, "investigation_ordered")
        return intake_pb2.OrderInvestigationResponse(receipt=receipt)

    async def CancelInvestigation(
        self, request: intake_pb2.CancelInvestigationRequest, context: Context
    ) -> intake_pb2.CancelInvestigationResponse:
        """An order was taken back, with the reason."""
        receipt = await self._desk.accept(request, "investigation_cancelled")
        return intake_pb2.CancelInvestigationResponse(receipt=receipt)

    async def ReportDeath(
        self, request: intake_pb2.ReportDeathRequest, context: Context
    ) -> intake_pb2.ReportDeathResponse:
        """Somebody says that the person has died: no message goes to the person from then on."""
        return intake_pb2.ReportDeathResponse(receipt=await self._desk.accept(request, "death_reported"))

    async def VerifyDeath(
        self, request: intake_pb2.VerifyDeathRequest, context: Context
    ) -> intake_pb2.VerifyDeathResponse:
        """A second person made sure who died; the family's path begins."""
        return intake_pb2.VerifyDeathResponse(receipt=await self._desk.accept(request, "death_verified"))

    async def WithdrawDeathReport(
        self, request: intake_pb2.WithdrawDeathReportRequest, context: Context
    ) -> intake_pb2.WithdrawDeathReportResponse:
        """The person who died was somebody else: everything stands again."""
        return intake_pb2.WithdrawDeathReportResponse(receipt=await self._desk.accept(request, "death_withdrawn"))

    async def OfferTransfer(
        self, request: intake_pb2.OfferTransferRequest, context: Context
    ) -> intake_pb2.OfferTransferResponse:
        """Another organisation is asked to take the care over."""
        return intake_pb2.OfferTransferResponse(receipt=await self._desk.accept(request, "transfer_offered"))

    async def AcceptTransfer(
        self, request: intake_pb2.AcceptTransferRequest, context: Context
    ) -> intake_pb2.AcceptTransferResponse:
        """A named person there took the care over."""
        return intake_pb2.AcceptTransferResponse(receipt=await self._desk.accept(request, "transfer_accepted"))

    async def DeclineTransfer(
        self, request: intake_pb2.DeclineTransferRequest, context: Context
    ) -> intake_pb2.DeclineTransferResponse:
        """They will not take the care over, or no longer."""
        return intake_pb2.DeclineTransferResponse(receipt=await self._desk.accept(request, "transfer_declined"))

    async def RecordOptOut(
        self, request: intake_pb2.RecordOptOutRequest, context: Context
    ) -> intake_pb2.RecordOptOutResponse:
        """The person wants no messages, or not to be followed through Handrail."""
        return intake_pb2.RecordOptOutResponse(receipt=await self._desk.accept(request, "opted_out"))

    async def RecordOptIn(
        self, request: intake_pb2.RecordOptInRequest, context: Context
    ) -> intake_pb2.RecordOptInResponse:
        """The person wants messages again."""
        return intake_pb2.RecordOptInResponse(receipt=await self._desk.accept(request, "opted_in"))

    async def ChangeLead(
        self, request: intake_pb2.ChangeLeadRequest, context: Context
    ) -> intake_pb2.ChangeLeadResponse:
        """Another team leads the care, and agreed to."""
        return intake_pb2.ChangeLeadResponse(receipt=await self._desk.accept(request, "lead_changed"))

    async def RecordLostToFollowUp(
        self, request: intake_pb2.RecordLostToFollowUpRequest, context: Context
    ) -> intake_pb2.RecordLostToFollowUpResponse:
        """Nobody can reach the person; somebody is to find them."""
        return intake_pb2.RecordLostToFollowUpResponse(receipt=await self._desk.accept(request, "lost_to_follow_up"))

    async def RecordFoundAgain(
        self, request: intake_pb2.RecordFoundAgainRequest, context: Context
    ) -> intake_pb2.RecordFoundAgainResponse:
        """The person was found."""
        return intake_pb2.RecordFoundAgainResponse(receipt=await self._desk.accept(request, "found_again"))

    async def AgreeContact(
        self, request: intake_pb2.AgreeContactRequest, context: Context
    ) -> intake_pb2.AgreeContactResponse:
        """How the person is to be reached, and how not, was agreed with them."""
        return intake_pb2.AgreeContactResponse(receipt=await self._desk.accept(request, "contact_agreed"))

    async def CoverKeyWorker(
        self, request: intake_pb2.CoverKeyWorkerRequest, context: Context
    ) -> intake_pb2.CoverKeyWorkerResponse:
        """Somebody stands in for the key worker from one day to another."""
        return intake_pb2.CoverKeyWorkerResponse(receipt=await self._desk.accept(request, "key_worker_covered"))

    async def RecordKeyWorkerLeft(
        self, request: intake_pb2.RecordKeyWorkerLeftRequest, context: Context
    ) -> intake_pb2.RecordKeyWorkerLeftResponse:
        """The key worker no longer has this person; another is to be named."""
        return intake_pb2.RecordKeyWorkerLeftResponse(receipt=await self._desk.accept(request, "key_worker_left"))

    async def AssessNeeds(
        self, request: intake_pb2.AssessNeedsRequest, context: Context
    ) -> intake_pb2.AssessNeedsResponse:
        """Needs were gone through with the person (CG81 1.1.1)."""
        return intake_pb2.AssessNeedsResponse(receipt=await self._desk.accept(request, "needs_assessed"))

    async def ChangeGoals(
        self, request: intake_pb2.ChangeGoalsRequest, context: Context
    ) -> intake_pb2.ChangeGoalsResponse:
        """What matters to the person, or what care is for, has changed."""
        return intake_pb2.ChangeGoalsResponse(receipt=await self._desk.accept(request, "goals_changed"))

    async def RecordPreference(
        self, request: intake_pb2.RecordPreferenceRequest, context: Context
    ) -> intake_pb2.RecordPreferenceResponse:
        """A wish for later, or a document about one, was recorded."""
        return intake_pb2.RecordPreferenceResponse(receipt=await self._desk.accept(request, "preference_recorded"))

    async def DiscussResearch(
        self, request: intake_pb2.DiscussResearchRequest, context: Context
    ) -> intake_pb2.DiscussResearchResponse:
        """Research was talked about (CG81 1.2.1)."""
        return intake_pb2.DiscussResearchResponse(receipt=await self._desk.accept(request, "research_discussed"))

    async def ReviewComplication(
        self, request: intake_pb2.ReviewComplicationRequest, context: Context
    ) -> intake_pb2.ReviewComplicationResponse:
        """A complication that is watched was looked at again."""
        return intake_pb2.ReviewComplicationResponse(receipt=await self._desk.accept(request, "complication_reviewed"))

    async def AgreeInvolvement(
        self, request: intake_pb2.AgreeInvolvementRequest, context: Context
    ) -> intake_pb2.AgreeInvolvementResponse:
        """How much the person wants to know, and to decide, was asked."""
        return intake_pb2.AgreeInvolvementResponse(receipt=await self._desk.accept(request, "involvement_agreed"))

    async def GiveInformation(
        self, request: intake_pb2.GiveInformationRequest, context: Context
    ) -> intake_pb2.GiveInformationResponse:
        """Information was given, or offered and declined; what goes by e-mail is sent."""
        return intake_pb2.GiveInformationResponse(receipt=await self._desk.accept(request, "information_given"))

    async def RecordRelatedPerson(
        self, request: intake_pb2.RecordRelatedPersonRequest, context: Context
    ) -> intake_pb2.RecordRelatedPersonResponse:
        """A carer, a child, an attorney or an advocate was recorded beside the person."""
        receipt = await self._desk.accept(request, "related_person_recorded")
        return intake_pb2.RecordRelatedPersonResponse(receipt=receipt)

    async def AssessCapacity(
        self, request: intake_pb2.AssessCapacityRequest, context: Context
    ) -> intake_pb2.AssessCapacityResponse:
        """Whether the person can make one decision was assessed."""
        return intake_pb2.AssessCapacityResponse(receipt=await self._desk.accept(request, "capacity_assessed"))

    async def RecordBestInterests(
        self, request: intake_pb2.RecordBestInterestsRequest, context: Context
    ) -> intake_pb2.RecordBestInterestsResponse:
        """A decision was made in the best interests of somebody who could not make it."""
        receipt = await self._desk.accept(request, "best_interests_decided")
        return intake_pb2.RecordBestInterestsResponse(receipt=receipt)

    async def ReopenPathway(
        self, request: intake_pb2.ReopenPathwayRequest, context: Context
    ) -> intake_pb2.ReopenPathwayResponse:
        """A closed pathway goes on: it was closed by mistake, or the person came back."""
        return intake_pb2.ReopenPathwayResponse(receipt=await self._desk.reopen(request))

    async def ClosePathway(
        self, request: intake_pb2.ClosePathwayRequest, context: Context
    ) -> intake_pb2.ClosePathwayResponse:
        """A person closed the pathway, with the reason."""
        return intake_pb2.ClosePathwayResponse(receipt=await self._desk.accept(request, "pathway_closed"))

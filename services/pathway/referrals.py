"""What the receiving team does with a referral; the caller's team must be the one it was sent to."""

from __future__ import annotations

from typing import Any

from grpc.aio import ServicerContext

from handrail.pathway.v1 import referrals_pb2, referrals_pb2_grpc
from services.pathway.desk import Desk

Context = ServicerContext[Any, Any]


class ReferralService(referrals_pb2_grpc.ReferralServiceServicer):
    """What the receiving team does with a referral; the caller's team must be the one it was sent to."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def AcknowledgeReferral(
        self, request: referrals_pb2.AcknowledgeReferralRequest, context: Context
    ) -> referrals_pb2.AcknowledgeReferralResponse:
        """A person at the receiving team took the referral."""
        return referrals_pb2.AcknowledgeReferralResponse(receipt=await self._desk.act(request, "referral_acknowledged"))

    async def AskReferralInformation(
        self, request: referrals_pb2.AskReferralInformationRequest, context: Context
    ) -> referrals_pb2.AskReferralInformationResponse:
        """The receiving team needs to know more."""
        return referrals_pb2.AskReferralInformationResponse(
            receipt=await self._desk.act(request, "referral_information_asked")
        )

    async def AcceptReferral(
        self, request: referrals_pb2.AcceptReferralRequest, context: Context
    ) -> referrals_pb2.AcceptReferralResponse:
        """The receiving team will see the person."""
        return referrals_pb2.AcceptReferralResponse(receipt=await self._desk.act(request, "referral_accepted"))

    async def DeclineReferral(
        self, request: referrals_pb2.DeclineReferralRequest, context: Context
    ) -> referrals_pb2.DeclineReferralResponse:
        """The receiving team cannot take the person; ownership returns."""
        return referrals_pb2.DeclineReferralResponse(receipt=await self._desk.act(request, "referral_declined"))

    async def RecordFirstContact(
        self, request: referrals_pb2.RecordFirstContactRequest, context: Context
    ) -> referrals_pb2.RecordFirstContactResponse:
        """The receiving team met the person; responsibility passes."""
        return referrals_pb2.RecordFirstContactResponse(receipt=await self._desk.act(request, "referral_first_contact"))

    async def CloseReferral(
        self, request: referrals_pb2.CloseReferralRequest, context: Context
    ) -> referrals_pb2.CloseReferralResponse:
        """The referral ended, with its outcome."""
        return referrals_pb2.CloseReferralResponse(receipt=await self._desk.act(request, "referral_closed"))

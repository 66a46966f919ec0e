"""Asking the pathway service for dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import activity

from handrail.pathway.v1 import scheduling_pb2
from workflows.activities import instant, refusals, timestamp
from workflows.messages import Escalation, EscalationInput, ResponseCheckInput

if TYPE_CHECKING:
    from handrail.pathway.v1.scheduling_pb2_grpc import SchedulingServiceAsyncStub
    from services.runtime.clients import Caller


class SchedulingActivities:
    """Calls `SchedulingService`."""

    def __init__(self, caller: Caller, scheduling: SchedulingServiceAsyncStub) -> None:
        self._caller = caller
        self._scheduling = scheduling

    @activity.defn
    async def plan_response_check(self, asked: ResponseCheckInput) -> str:
        """Return the London date (ISO) by which the next response check is due."""
        request = scheduling_pb2.PlanResponseCheckRequest(counted_from=timestamp(asked.counted_from), weeks=asked.weeks)
        with refusals():
            reply = await self._caller.call(self._scheduling.PlanResponseCheck, request)
        return reply.due_on

    @activity.defn
    async def plan_escalation(self, asked: EscalationInput) -> Escalation:
        """Return who hears next of a task that nobody did."""
        request = scheduling_pb2.PlanEscalationRequest(
            kind=asked.kind,
            urgency=asked.urgency,
            owner_team=asked.owner_team,
            rung=asked.rung,
            at=timestamp(asked.at),
        )
        with refusals():
            reply = await self._caller.call(self._scheduling.PlanEscalation, request)
        return Escalation(
            list(reply.audiences), reply.phone_team, reply.rung, instant(reply.next_at), reply.alerts_a_day
        )

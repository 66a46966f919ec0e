"""What is booked, moved, kept and missed; what outside schedulers trigger; when a response check falls due."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from grpc.aio import ServicerContext

from handrail.pathway.v1 import scheduling_pb2, scheduling_pb2_grpc
from services.pathway.desk import Desk
from services.pathway.directory import Directory
from services.pathway.due_dates import calendar_for, end_of, london_date
from services.pathway.ladders import Ladders, next_step
from services.pathway.promises import Promises
from services.pathway.visits import Visits
from services.runtime.errors import Invalid
from services.runtime.logging import get_logger

Context = ServicerContext[Any, Any]
log = get_logger()
# The audience of a message that goes to a whole team.
_WHOLE_TEAM = {"team": "all"}


class SchedulingService(scheduling_pb2_grpc.SchedulingServiceServicer):
    """What is booked, moved, kept and missed; what outside schedulers trigger; when a response check falls due."""

    def __init__(self, desk: Desk, promises: Promises, ladders: Ladders, visits: Visits, directory: Directory) -> None:
        self._desk = desk
        self._promises = promises
        self._ladders = ladders
        self._visits = visits
        self._directory = directory

    async def BookAppointment(
        self, request: scheduling_pb2.BookAppointmentRequest, context: Context
    ) -> scheduling_pb2.BookAppointmentResponse:
        """An appointment was booked."""
        self._check_visit(request.appointment_booked.visit, "appointment_booked.visit")
        return scheduling_pb2.BookAppointmentResponse(receipt=await self._desk.accept(request, "appointment_booked"))

    async def MoveAppointment(
        self, request: scheduling_pb2.MoveAppointmentRequest, context: Context
    ) -> scheduling_pb2.MoveAppointmentResponse:
        """An appointment was moved."""
        return scheduling_pb2.MoveAppointmentResponse(receipt=await self._desk.accept(request, "appointment_moved"))

    async def CancelAppointment(
        self, request: scheduling_pb2.CancelAppointmentRequest, context: Context
    ) -> scheduling_pb2.CancelAppointmentResponse:
        """An appointment was cancelled."""
        return scheduling_pb2.CancelAppointmentResponse(
            receipt=await self._desk.accept(request, "appointment_cancelled")
        )

    async def RecordAttendance(
        self, request: scheduling_pb2.RecordAttendanceRequest, context: Context
    ) -> scheduling_pb2.RecordAttendanceResponse:
        """The person attended."""
        return scheduling_pb2.RecordAttendanceResponse(receipt=await self._desk.accept(request, "appointment_attended"))

    async def RecordMissedAppointment(
        self, request: scheduling_pb2.RecordMissedAppointmentRequest, context: Context
    ) -> scheduling_pb2.RecordMissedAppointmentResponse:
        """The person did not attend."""
        return scheduling_pb2.RecordMissedAppointmentResponse(
            receipt=await self._desk.accept(request, "appointment_missed")
        )

    async def RecordNotBrought(
        self, request: scheduling_pb2.RecordNotBroughtRequest, context: Context
    ) -> scheduling_pb2.RecordNotBroughtResponse:
        """Somebody who depends on others to come was not brought."""
        return scheduling_pb2.RecordNotBroughtResponse(
            receipt=await self._desk.accept(request, "appointment_not_brought")
        )

    async def TriggerFollowUp(
        self, request: scheduling_pb2.TriggerFollowUpRequest, context: Context
    ) -> scheduling_pb2.TriggerFollowUpResponse:
        """An outside scheduler says that a follow-up is due."""
        self._check_visit(request.follow_up_triggered.visit, "follow_up_triggered.visit")
        return scheduling_pb2.TriggerFollowUpResponse(receipt=await self._desk.accept(request, "follow_up_triggered"))

    async def PlanResponseCheck(
        self, request: scheduling_pb2.PlanResponseCheckRequest, context: Context
    ) -> scheduling_pb2.PlanResponseCheckResponse:
        """Work out when the next response check of a line of treatment falls due.

        CG81 gives no interval (1.5.1): the team's own, else the service's default in `promises.yaml`.
        """
        weeks = request.weeks or self._promises.response_check_weeks
        due_on = london_date(request.counted_from.ToDatetime(tzinfo=UTC)) + timedelta(weeks=weeks)
        reply = scheduling_pb2.PlanResponseCheckResponse(
            due_on=due_on.isoformat(), calendar_version=calendar_for(due_on)
        )
        reply.due_at.FromDatetime(end_of(due_on))
        return reply

    async def PlanEscalation(
        self, request: scheduling_pb2.PlanEscalationRequest, context: Context
    ) -> scheduling_pb2.PlanEscalationResponse:
        """Work out who hears next of a task that nobody did: `ladders.yaml` as it stands now, and the team's people."""
        book = self._ladders.now()
        if self._ladders.problem:
            log.error("ladders_unusable", problem=self._ladders.problem)
        team = await self._directory.team(request.owner_team)
        moment = request.at.ToDatetime(tzinfo=UTC)
        step = next_step(book, request.kind, request.urgency, request.rung, team, moment)
        reply = scheduling_pb2.PlanEscalationResponse(
            audiences=[_WHOLE_TEAM.get(audience, audience) for audience in step.tell],
            phone_team=step.phone,
            rung=step.rung,
            alerts_a_day=book.alerts_a_day,
        )
        reply.next_at.FromDatetime(step.next_at)
        return reply

    def _check_visit(self, code: str, field: str) -> None:
        if code and (problem := self._visits.problem_with(code)):
            message = f"Please correct and send again: {field}: {problem}"
            raise Invalid(message, field=field)

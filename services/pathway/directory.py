"""Who there is to name: the teams and people of the service, asked from records and remembered for a minute."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from handrail.records.v1 import timeline_pb2
from services.runtime.clients import Caller
from services.runtime.errors import HandrailError, Invalid
from workflows.messages import Report

if TYPE_CHECKING:
    from handrail.records.v1.timeline_pb2_grpc import TimelineServiceAsyncStub

REMEMBERED_SECONDS = 60.0


class Directory:
    """Refuses a report that names a team or a key worker whom nobody knows; says nothing while records is away."""

    def __init__(self, caller: Caller, timeline: TimelineServiceAsyncStub) -> None:
        self._caller = caller
        self._timeline = timeline
        self._teams: Sequence[timeline_pb2.Team] = ()
        self._asked_at = -REMEMBERED_SECONDS

    async def check(self, report: Report) -> None:
        """Check whom a report names.

        Raises:
            Invalid: there is no such team, or no such person in any team; the sentence lists who there is.
        """
        if report.kind not in {"key_worker_assigned", "referral_drafted"}:
            return
        teams = await self._known_teams()
        if not teams:
            return
        if report.kind == "referral_drafted":
            known = [team.team_id for team in teams]
            field, named, what = "referral_drafted.to_team", report.event["to_team"], "team"
        else:
            known = [member.person_id for team in teams if "key_worker" in team.roles for member in team.members]
            field, named, what = "key_worker_assigned.person_id", report.event["person_id"], "key worker"
        if named not in known:
            message = f"There is no {what} of this name. Name one of: {', '.join(known)}."
            raise Invalid(message, field=field)

    async def _known_teams(self) -> Sequence[timeline_pb2.Team]:
        if time.monotonic() - self._asked_at > REMEMBERED_SECONDS:
            try:
                reply = await self._caller.call(self._timeline.ListTeams, timeline_pb2.ListTeamsRequest())
            except HandrailError:
                return self._teams
            self._teams, self._asked_at = reply.teams, time.monotonic()
        return self._teams

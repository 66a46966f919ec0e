"""What scheduled workflows ask of the record: counts and short ids, nothing about anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import activity

from handrail.records.v1 import timeline_pb2
from workflows.activities import refusals
from workflows.messages import MdtWaiting

if TYPE_CHECKING:
    from handrail.records.v1.timeline_pb2_grpc import TimelineServiceAsyncStub
    from services.runtime.clients import Caller

_MDT = "breast_mdt"  # the role in the teams file, as guidelines name it
_SHORT_ID = 8
_PAGE = 500


class ScheduledActivities:
    """Calls `TimelineService`."""

    def __init__(self, caller: Caller, timeline: TimelineServiceAsyncStub) -> None:
        self._caller = caller
        self._timeline = timeline

    @activity.defn
    async def who_waits_for_the_mdt(self) -> MdtWaiting:
        """Return the people with an open decision, and those with a question that only the MDT can settle."""
        with refusals():
            teams = (await self._caller.call(self._timeline.ListTeams, timeline_pb2.ListTeamsRequest())).teams
            mdt = {team.team_id for team in teams if _MDT in team.roles}
            decisions: set[str] = set()
            questions: set[str] = set()
            token = ""
            while True:
                request = timeline_pb2.ListItemsRequest(page_size=_PAGE, page_token=token)
                page = await self._caller.call(self._timeline.ListItems, request)
                for item in page.items:
                    if item.kind == "decision":
                        decisions.add(item.patient_id[:_SHORT_ID])
                    elif item.kind == "chase" and (item.owner_team in mdt or item.owner_role == _MDT):
                        questions.add(item.patient_id[:_SHORT_ID])
                token = page.next_page_token
                if not token:
                    return MdtWaiting(min(mdt, default=""), sorted(decisions), sorted(questions))

    @activity.defn
    async def count_open_pathways(self) -> int:
        """Return how many pathways are open."""
        number, token = 0, ""
        with refusals():
            while True:
                request = timeline_pb2.ListPathwaysRequest(page_size=_PAGE, page_token=token)
                page = await self._caller.call(self._timeline.ListPathways, request)
                number += len(page.pathways)
                token = page.next_page_token
                if not token:
                    return number

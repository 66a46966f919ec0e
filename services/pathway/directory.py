"""Who there is to name: the teams and people of the service, asked from records and remembered for a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from handrail.records.v1 import timeline_pb2
from services.pathway.due_dates import end_of, start_of
from services.pathway.ladders import Team
from services.runtime.clients import Caller
from services.runtime.errors import HandrailError, Invalid
from workflows.messages import Report

if TYPE_CHECKING:
    from handrail.records.v1.timeline_pb2_grpc import TimelineServiceAsyncStub

REMEMBERED_SECONDS = 60.0
# Every report waits for this answer: records has little time to give it, and is left alone a while when it does not.
ASK_SECONDS = 1.0
LEFT_ALONE_SECONDS = 5.0
MOST_TEAMS = 500
_NAMES = frozenset({"key_worker_assigned", "key_worker_covered"})


class Directory:
    """Refuses a report that names, or is signed with, a team or a key worker whom nobody knows.

    Says nothing when records is away and nothing is remembered.
    """

    def __init__(self, caller: Caller, timeline: TimelineServiceAsyncStub) -> None:
        self._caller = caller
        self._timeline = timeline
        self._teams: Sequence[timeline_pb2.Team] = ()
        self._ask_at = 0.0
        self._asking = asyncio.Lock()

    async def check(self, report: Report) -> None:
        """Check whom a report names, and which team signs it: records refuses a stranger's report only when it files.

        Raises:
            Invalid: there is no such team, or no such person in any team; the sentence lists who there is.
        """
        teams = await self._known_teams()
        if not teams:
            return
        known = [team.team_id for team in teams]
        signed = report.actor.team
        if signed and signed not in known:
            message = f"There is no team {signed} to act for. The teams are {', '.join(known)}."
            raise Invalid(message, field="team")
        if report.kind == "referral_drafted":
            to_team = report.event["to_team"]
            _check_named(to_team, known, "team", "referral_drafted.to_team")
            if to_team == signed:
                message = f"A referral goes to another team, and {signed} is your own. Name the team that is asked."
                raise Invalid(message, field="referral_drafted.to_team")
        people = [member.person_id for team in teams if "key_worker" in team.roles for member in team.members]
        for named, field, what in _named(report):
            _check_named(named, people if what == "key worker" else known, what, field)

    async def with_key_worker(self, report: Report) -> Report:
        """Return the report with the team of the key worker or cover that it names, and when the cover stands."""
        person = str(report.event.get("person_id" if report.kind in _NAMES else "key_worker", ""))
        if not person:
            return report
        team = await self.key_worker_team(person)
        if report.kind != "key_worker_covered":
            return replace(report, key_worker_team=team)
        first, last = (date.fromisoformat(report.event[name]) for name in ("from_on", "until_on"))
        return replace(report, key_worker_team=team, cover_begins_at=start_of(first), cover_ends_at=end_of(last))

    async def key_worker_team(self, person: str) -> str:
        """Return the team in which somebody is a key worker; empty if nobody knows."""
        teams = [team for team in await self._known_teams() if "key_worker" in team.roles]
        return next((team.team_id for team in teams if person in {one.person_id for one in team.members}), "")

    async def team(self, team_id: str) -> Team:
        """Return what a ladder asks of a team; one that nobody knows is taken to have all that a team can have."""
        known = {team.team_id: team for team in await self._known_teams()}
        team = known.get(team_id)
        if team is None:
            return Team(team_id=team_id)
        return Team(bool(team.deputy), bool(team.lead), len(team.members), team_id, team.deputy, team.lead)

    async def telephone(self, role: str) -> str:
        """Return how the first team with a role is rung up, `01632 960120 (Breast oncology)`; empty if nobody knows."""
        team = next((team for team in await self._known_teams() if role in team.roles and team.telephone), None)
        return f"{team.telephone} ({team.name})" if team else ""

    async def _known_teams(self) -> Sequence[timeline_pb2.Team]:
        """Return the teams, old ones while records is away: they change only when records starts."""
        if time.monotonic() < self._ask_at:
            return self._teams
        async with self._asking:  # one report asks; those that come meanwhile wait for its answer
            if time.monotonic() >= self._ask_at:
                self._ask_at = time.monotonic() + await self._ask()
        return self._teams

    async def _ask(self) -> float:
        """Ask records for the teams; return after how many seconds to ask again."""
        request = timeline_pb2.ListTeamsRequest(page_size=MOST_TEAMS)
        try:
            reply = await self._caller.call(self._timeline.ListTeams, request, timeout=ASK_SECONDS)
        except HandrailError:
            return LEFT_ALONE_SECONDS
        self._teams = reply.teams
        return REMEMBERED_SECONDS


def _named(report: Report) -> Iterator[tuple[str, str, str]]:
    """Return whom a report names: the name, where it stands, and what it is the name of."""
    event = report.event
    match report.kind:
        case "item_handed_over" | "lead_changed":
            yield event["to_team"], f"{report.kind}.to_team", "team"
        case "appointment_booked" if event.get("with_team"):
            yield event["with_team"], "appointment_booked.with_team", "team"
        case "needs_assessed":
            for place, concern in enumerate(event.get("concerns", [])):
                if team := concern.get("owner_team", ""):
                    yield team, f"needs_assessed.concerns[{place}].owner_team", "team"
        case "key_worker_assigned" | "key_worker_covered":
            yield event["person_id"], f"{report.kind}.person_id", "key worker"
        case "pathway_imported" if event.get("key_worker"):
            yield event["key_worker"], "pathway_imported.key_worker", "key worker"
        case _:
            pass


def _check_named(named: str, known: Sequence[str], what: str, field: str) -> None:
    if named not in known:
        message = f"There is no {what} of this name. Name one of: {', '.join(known)}."
        raise Invalid(message, field=field)

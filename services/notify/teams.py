"""How to reach each team. Records owns who they are; this file of addresses needs nobody else to be up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.runtime.teams_file import Entry, members, read_entries

DUTY_DESK = "duty_desk"


@dataclass(frozen=True, slots=True)
class Team:
    """A team's addresses; `lead` and `deputy` are e-mail addresses, empty where there is none."""

    team_id: str
    name: str
    telephone: str = ""
    addresses: tuple[str, ...] = ()
    lead: str = ""
    deputy: str = ""


@dataclass(frozen=True, slots=True)
class Destination:
    """Who is told, at which addresses, and what the reader must know about that."""

    team: Team
    recipients: tuple[str, ...]
    note: str = ""


class Teams:
    """All teams of the house, and the desk that is told when a team cannot be."""

    def __init__(self, teams: Mapping[str, Team]) -> None:
        self._teams = dict(teams)

    @classmethod
    def from_file(cls, path: Path) -> Teams:
        """Read the teams file.

        Raises:
            SystemExit: with one sentence, when it cannot be used: somebody must always be reachable.
        """
        teams = [_team(entry) for entry in read_entries(path)]
        by_id = {team.team_id: team for team in teams}
        if DUTY_DESK not in by_id or not by_id[DUTY_DESK].addresses:
            message = f"The teams file {path} needs a team {DUTY_DESK} with an email, told when no other can be."
            raise SystemExit(message)
        return cls(by_id)

    def name(self, team_id: str) -> str:
        """Return the name of a team; the id itself where the team is not known."""
        team = self._teams.get(team_id)
        return team.name if team else team_id

    def telephone(self, team_id: str) -> str:
        """Return the telephone number of a team; the duty desk's, saying so, where Handrail has none for it."""
        team = self._teams.get(team_id)
        own = team.telephone if team else ""
        return own or f"{self._teams[DUTY_DESK].telephone} (duty desk)"

    def reach(self, team_id: str, audience: str = "all") -> Destination:
        """Return whom to tell: never nobody."""
        asked = team_id or DUTY_DESK
        team = self._teams.get(asked)
        if team is None:
            return self._duty_desk(f"This was meant for the team “{asked}”, which Handrail does not know.")
        if not team.addresses and not team.lead and not team.deputy:
            return self._duty_desk(f"This was meant for {team.name}, for which Handrail holds no address.")
        one = {"lead": team.lead, "deputy": team.deputy}.get(audience, "")
        if one:
            return Destination(team, (one,))
        everyone = team.addresses or (team.lead or team.deputy,)
        note = ""
        if audience in {"lead", "deputy"}:
            note = f"This is for the {audience} of {team.name}, whose address Handrail lacks: the team is told."
        return Destination(team, everyone, note)

    def _duty_desk(self, why: str) -> Destination:
        desk = self._teams[DUTY_DESK]
        return Destination(desk, desk.addresses, f"{why} The duty desk is told instead: please pass it on.")


def _team(entry: Entry) -> Team:
    mailed = {str(member["person_id"]): str(member["email"]) for member in members(entry) if member.get("email")}
    shared = str(entry.get("email") or "")
    return Team(
        team_id=str(entry["team_id"]),
        name=str(entry["name"]),
        telephone=str(entry.get("telephone") or ""),
        addresses=(shared,) if shared else tuple(dict.fromkeys(mailed.values())),
        lead=mailed.get(str(entry.get("lead") or ""), ""),
        deputy=mailed.get(str(entry.get("deputy") or ""), ""),
    )

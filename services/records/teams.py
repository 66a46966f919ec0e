"""Teams: seeded from a file at every start, and asked who owns what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.records import models
from services.records.db import Database
from services.records.permissions import READERS
from services.runtime.context import Actor
from services.runtime.errors import Invalid
from services.runtime.teams_file import members, read_entries, refused

COORDINATION = "coordination"
# Teams that the product itself turns to, and what for.
NEEDED = {
    COORDINATION: "owns what nobody else does",
    "breast_care_nurses": "hears the news of every person",
    "duty_desk": "is told when no other team can be",
}
# What a team may own: the roles that recommendations name, and the services that referrals go to. A team may also
# have a role of its own name, which nothing asks for.
TEAM_ROLES = (
    "coordination",
    "key_worker",
    "oncology",
    "breast_mdt",
    "radiology",
    "pathology",
    "palliative_care",
    "lymphoedema_service",
    "orthopaedics",
    "wound_care",
    "mscc_coordinator",
    "acute_oncology",
    "duty_desk",
)
# What a member may act as: the people among those who may read a record.
PERSON_ROLES = tuple(sorted(READERS - {"worker", "pathway_service", "scheduler"}))
SEEDER = Actor(subject="system:records", role="records")


@dataclass(frozen=True, slots=True)
class Owners:
    """Which teams there are, in the file's order, and the roles of each."""

    roles: Mapping[str, tuple[str, ...]]

    def owner(self, team: str, role: str) -> str:
        """Return the team that owns: the one named, else the first with the role, else coordination: never nobody."""
        if team in self.roles:
            return team
        return next((name for name, roles in self.roles.items() if role and role in roles), COORDINATION)


async def owners(session: AsyncSession) -> Owners:
    """Return who owns what, as it stands in the database."""
    rows = await session.execute(select(models.Team.team_id, models.Team.roles).order_by(models.Team.position))
    return Owners({team_id: tuple(roles) for team_id, roles in rows})


async def known_team(session: AsyncSession, team_id: str) -> None:
    """Refuse a team that there is not: a typing error must not read as "nothing to do".

    Raises:
        Invalid: there is no such team; the sentence lists those that there are.
    """
    if not team_id:
        return
    known = list(await session.scalars(select(models.Team.team_id).order_by(models.Team.position)))
    if team_id not in known:
        message = f"There is no team {team_id}. The teams are {', '.join(known)}."
        raise Invalid(message, field="team")


def read_teams(path: Path) -> list[dict[str, Any]]:
    """Return the rows that a teams file describes.

    Raises:
        SystemExit: with one sentence, when the file cannot be used: it names the file, the team and what to do.
    """
    entries = read_entries(path)
    rows = [_row(position, team) for position, team in enumerate(entries)]
    _check_needed(path, [row["team_id"] for row in rows])
    for row in rows:
        if problem := _problem_with_roles(row):
            raise refused(path, row["team_id"], problem)
    return rows


def _check_needed(path: Path, known: list[str]) -> None:
    for team_id, why in NEEDED.items():
        if team_id not in known:
            near = get_close_matches(team_id, known, n=1)
            hint = f"; is {near[0]!r} meant?" if near else "."
            message = f"The teams file {path} has no team '{team_id}', which {why}{hint}"
            raise SystemExit(message)


def _problem_with_roles(row: Mapping[str, Any]) -> str:
    """Find a role that nothing asks for: what is meant for the right one would quietly go to another team."""
    for role in row["roles"]:
        if role not in TEAM_ROLES and role != row["team_id"]:
            return _unknown("role", role, TEAM_ROLES)
    for member in row["members"]:
        if member["role"] and member["role"] not in PERSON_ROLES:
            return f"{member['person_id']}: {_unknown('role', member['role'], PERSON_ROLES)}"
    return ""


def _unknown(what: str, given: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(given, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"there is no {what} {given!r}; {hint}The {what}s are {', '.join(known)}"


def _row(position: int, team: Mapping[str, Any]) -> dict[str, Any]:
    people = [
        {
            "person_id": str(member["person_id"]),
            "name": str(member["name"]),
            "role": str(member.get("role", "")),
        }
        for member in members(team)
    ]
    return {
        "team_id": str(team["team_id"]),
        "position": position,
        "name": str(team["name"]),
        "roles": [str(role) for role in team.get("roles") or ()],
        "members": people,
        **{name: str(team.get(name) or "") for name in ("lead", "deputy", "telephone", "email")},
    }


async def seed_teams(database: Database, path: Path) -> int:
    """Write the teams of a file; a team that left the file stays, for what it still owns. Return how many there are."""
    rows = read_teams(path)
    statement = insert(models.Team)
    changed = {name: statement.excluded[name] for name in rows[0] if name != "team_id"}
    async with database.transaction(SEEDER, lock="teams") as session:
        await session.execute(statement.on_conflict_do_update(index_elements=["team_id"], set_=changed), rows)
    return len(rows)

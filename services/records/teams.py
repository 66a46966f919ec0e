"""Teams: seeded from a file at every start, and asked who owns what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.records import models
from services.records.db import Database
from services.runtime.context import Actor
from services.runtime.errors import Invalid

COORDINATION = "coordination"
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
        SystemExit: with one sentence, when the file cannot be read or has no coordination team.
    """
    try:
        described = yaml.safe_load(path.read_text(encoding="utf-8"))["teams"]
        rows = [_row(position, team) for position, team in enumerate(described)]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        message = f"records: the teams file {path} cannot be read ({type(error).__name__}: {error})."
        raise SystemExit(message) from error
    if COORDINATION not in {row["team_id"] for row in rows}:
        message = f"records: the teams file {path} has no team '{COORDINATION}', which owns what nobody else does."
        raise SystemExit(message)
    return rows


def _row(position: int, team: Mapping[str, Any]) -> dict[str, Any]:
    members = [
        {
            "person_id": str(member["person_id"]),
            "name": str(member["name"]),
            "role": str(member.get("role", "")),
        }
        for member in team.get("members") or ()
    ]
    return {
        "team_id": str(team["team_id"]),
        "position": position,
        "name": str(team["name"]),
        "roles": [str(role) for role in team.get("roles") or ()],
        "members": members,
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

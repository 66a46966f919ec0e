"""A team: who owns work, and how it is reached."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import Base, JsonList, TextList, Words


class Team(Base):
    """A team as deploy/teams.yaml describes it; seeded at every start."""

    __tablename__ = "team"

    team_id: Mapped[str] = mapped_column(primary_key=True)
    # The order in the file: the first team that has a role owns the role's work.
    position: Mapped[int]
    name: Mapped[str]
    roles: Mapped[TextList]
    lead: Mapped[Words]
    deputy: Mapped[Words]
    telephone: Mapped[Words]
    email: Mapped[Words]
    members: Mapped[JsonList]

"""A referral: a hand-over of responsibility, with a clock."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import ActedMixin, Base, Instant, TextList, Words

STATUSES = (
    "draft",
    "agreed",
    "sent",
    "delivered",
    "undelivered",
    "acknowledged",
    "information_asked",
    "accepted",
    "declined",
    "first_contact",
    "closed",
)


class Referral(Base):
    """How a referral stands: exactly one named team is responsible for the next action at every instant."""

    __tablename__ = "referral"
    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(repr(s) for s in STATUSES)})", name="status"),
        Index("ix_referral_patient_id", "patient_id"),
        Index("ix_referral_responsible_team", "responsible_team", "drafted_at"),
        Index("ix_referral_to_team", "to_team", "drafted_at"),
    )

    referral_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.patient_id"))
    event_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("event.event_id"))
    from_team: Mapped[str] = mapped_column(ForeignKey("team.team_id"))
    to_team: Mapped[str] = mapped_column(ForeignKey("team.team_id"))
    urgency: Mapped[str]
    reason: Mapped[str]
    numbers: Mapped[TextList]
    status: Mapped[str]
    responsible_team: Mapped[str] = mapped_column(ForeignKey("team.team_id"))
    clinically_responsible_team: Mapped[str] = mapped_column(ForeignKey("team.team_id"))
    next_due_at: Mapped[dt.datetime | None]
    drafted_at: Mapped[Instant]


class ReferralStep(ActedMixin, Base):
    """One step of a referral: its status, who was responsible from then on, who did it; appended."""

    __tablename__ = "referral_step"
    __table_args__ = (
        UniqueConstraint("referral_id", "event_id"),
        UniqueConstraint("referral_id", "position"),
    )

    referral_step_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("referral.referral_id"))
    patient_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.patient_id"))
    position: Mapped[int]
    status: Mapped[str]
    at: Mapped[Instant]
    responsible_team: Mapped[str] = mapped_column(ForeignKey("team.team_id"))
    note: Mapped[Words]
    event_id: Mapped[uuid.UUID]

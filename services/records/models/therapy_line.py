"""A line of therapy: one planned course of systemic treatment."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import Base, Count, Instant, Json, Words


class TherapyLine(Base):
    """One line of therapy; none exists without a recorded decision."""

    __tablename__ = "therapy_line"
    __table_args__ = (
        CheckConstraint("status IN ('ongoing', 'ended')", name="status"),
        ForeignKeyConstraint(["patient_id", "decision_id"], ["decision.patient_id", "decision.decision_id"]),
        Index("ix_therapy_line_patient_id", "patient_id", "started_at"),
    )

    line_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.patient_id"))
    event_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("event.event_id"))
    decision_id: Mapped[uuid.UUID]
    course: Mapped[Json]
    intent: Mapped[Words]
    response_check_weeks: Mapped[Count]
    status: Mapped[str]
    started_at: Mapped[Instant]
    ended_at: Mapped[dt.datetime | None]

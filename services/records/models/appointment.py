"""An appointment: booked, moved, cancelled, attended, missed, or the person was not brought."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import Base, Instant, Words


class Appointment(Base):
    """How one appointment stands now; how it came to stand so is in the events."""

    __tablename__ = "appointment"
    __table_args__ = (
        CheckConstraint("status IN ('booked', 'cancelled', 'attended', 'missed', 'not_brought')", name="status"),
        ForeignKeyConstraint(["patient_id", "item_id"], ["item.patient_id", "item.item_id"]),
        Index("ix_appointment_patient_id", "patient_id", "starts_at"),
    )

    appointment_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.patient_id"))
    purpose: Mapped[str]
    starts_at: Mapped[Instant]
    place: Mapped[Words]
    status: Mapped[str]
    mode: Mapped[Words]
    with_team: Mapped[Words]
    visit: Mapped[Words]
    ended_by: Mapped[Words]
    ended_reason: Mapped[Words]
    item_id: Mapped[uuid.UUID | None]
    booked_by_event_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("event.event_id"))

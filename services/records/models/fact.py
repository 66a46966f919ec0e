"""A fact: one thing known of a person."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import Base, Count, Instant, Json, Words


class Fact(Base):
    """One fact of one event; appended, and superseded by a later row, never changed."""

    __tablename__ = "fact"
    __table_args__ = (
        # Links name patient and fact together, so that a link can never cross from one person to another.
        UniqueConstraint("patient_id", "fact_id"),
        UniqueConstraint("supersedes_fact_id"),
        ForeignKeyConstraint(["patient_id", "supersedes_fact_id"], ["fact.patient_id", "fact.fact_id"]),
        Index("ix_fact_patient_id_seq", "patient_id", "seq", "position"),
        Index("ix_fact_event_id", "event_id"),
    )

    fact_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[uuid.UUID]
    event_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("event.event_id"))
    seq: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[Count]
    name: Mapped[str]
    subject: Mapped[Words]
    value: Mapped[Json | None]
    occurred_at: Mapped[Instant]
    recorded_at: Mapped[Instant]
    supersedes_fact_id: Mapped[uuid.UUID | None]
    entered_in_error: Mapped[bool] = mapped_column(default=False, server_default=false())

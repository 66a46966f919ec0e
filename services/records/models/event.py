"""An event: what happened, when it was so, when we learned of it, and who said so."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import ActedMixin, Base, Instant, Json, Words


class Event(ActedMixin, Base):
    """One clinical event as reported; appended, never changed (PostgreSQL refuses it to the runtime role)."""

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("patient_id", "seq"),)

    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.patient_id"))
    seq: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    payload: Mapped[Json]
    occurred_at: Mapped[Instant]
    recorded_at: Mapped[Instant]
    source: Mapped[Words]
    correlation_id: Mapped[Words]

"""A pathway: one a person."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import Base, Instant, Words


class Pathway(Base):
    """The state of one person's pathway, and how far its reports are filed."""

    __tablename__ = "pathway"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed')", name="status"),
        CheckConstraint("status = 'open' OR (closed_at IS NOT NULL AND closed_reason <> '')", name="closed"),
        Index("ix_pathway_status", "status", "patient_id"),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.patient_id"), primary_key=True)
    status: Mapped[str]
    guideline: Mapped[str]
    opened_at: Mapped[Instant]
    closed_at: Mapped[dt.datetime | None]
    closed_reason: Mapped[Words]
    # When the last item of a closed pathway was settled.
    settled_at: Mapped[dt.datetime | None]
    filed_seq: Mapped[int] = mapped_column(BigInteger)
    key_worker: Mapped[Words]
    # How the person is to be reached: `handrail.clinical.v1.ContactAgreed` as JSON.
    contact: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

"""An evaluation: which rule said what, on which facts, under which version."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import Base, Instant, JsonList


class Evaluation(Base):
    """One whole evaluation of a guideline for one person; appended, never changed."""

    __tablename__ = "evaluation"
    __table_args__ = (
        UniqueConstraint("idempotency_key"),
        Index("ix_evaluation_patient_id_seq", "patient_id", "seq", "filed_at"),
    )

    evaluation_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    idempotency_key: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.patient_id"))
    seq: Mapped[int] = mapped_column(BigInteger)
    as_of: Mapped[Instant]
    guideline: Mapped[str]
    version: Mapped[str]
    content_hash: Mapped[str]
    judgements: Mapped[JsonList]
    filed_at: Mapped[Instant]

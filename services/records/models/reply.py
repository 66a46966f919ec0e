"""Replies, kept for good: the memory of what was answered to an idempotency key."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import Base, Instant, Json


class Reply(Base):
    """What one caller's key was answered with: the same key again is answered the same."""

    __tablename__ = "reply"
    __table_args__ = (Index("ix_reply_patient_id", "patient_id"),)

    caller: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    patient_id: Mapped[uuid.UUID]
    seq: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    event_id: Mapped[uuid.UUID | None]
    accepted_at: Mapped[Instant]
    # What else was said, such as the warnings of a registration.
    answer: Mapped[Json]


class FiledCall(Base):
    """What a filing call of the worker was answered with: the same key, or the same plan, is not applied twice."""

    __tablename__ = "filed_call"
    __table_args__ = (
        Index("uq_filed_call_plan", "patient_id", "seq", unique=True, postgresql_where=text("rpc = 'ApplyPlan'")),
    )

    idempotency_key: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    rpc: Mapped[str]
    patient_id: Mapped[uuid.UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    answer: Mapped[Json]
    filed_at: Mapped[Instant]

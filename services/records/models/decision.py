"""A decision: what people chose about one recommendation."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import ActedMixin, Base, Instant, Words


class Decision(ActedMixin, Base):
    """A choice by people, bound to the rule and to the facts it stood on; appended, never changed."""

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("patient_id", "decision_id"),
        UniqueConstraint("event_id", "rule_id"),
        Index("ix_decision_patient_id_seq", "patient_id", "seq"),
    )

    decision_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("event.event_id"))
    patient_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.patient_id"))
    seq: Mapped[int] = mapped_column(BigInteger)
    rule_id: Mapped[str]
    number: Mapped[str]
    occurrence: Mapped[Words]
    outcome: Mapped[str]
    option: Mapped[Words]
    person_view: Mapped[Words]
    reason_code: Mapped[Words]
    reason: Mapped[Words]
    review_on: Mapped[dt.date | None]
    basis: Mapped[Words]
    decided_at: Mapped[Instant]
    evaluation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("evaluation.evaluation_id"))
    options_shown: Mapped[list[str]] = mapped_column(JSONB)
    decided_by: Mapped[Words]
    decided_with: Mapped[Words]
    made_without: Mapped[list[str]] = mapped_column(JSONB, default=list)
    departure: Mapped[bool]

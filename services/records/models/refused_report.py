"""Reports that could not be filed: kept whole, so that nothing is lost."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import ActedMixin, Base, Instant, Words


class RefusedReport(ActedMixin, Base):
    """The payload of a report that was refused for good; appended (the person may be unknown, so no reference)."""

    __tablename__ = "refused_report"
    __table_args__ = (
        UniqueConstraint("idempotency_key"),
        Index("ix_refused_report_patient_id_seq", "patient_id", "seq"),
    )

    refused_report_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    idempotency_key: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[Words]
    payload: Mapped[bytes]
    reason: Mapped[str]
    kept_at: Mapped[Instant]

"""A person: identity only, never clinical content."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, Index, column, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import Base, Instant, Words


class Person(Base):
    """Somebody who is or may be on a pathway; rows are added and never overwritten."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("nhs_number IS NOT NULL OR local_identifier <> ''", name="identified"),
        Index("uq_person_nhs_number", "nhs_number", unique=True),
        Index(
            "uq_person_local_identifier",
            "local_identifier",
            unique=True,
            postgresql_where=text("nhs_number IS NULL"),
        ),
        Index("ix_person_local_identifier", "local_identifier"),
        Index(
            "ix_person_family_name",
            func.lower(column("family_name")).label("family_name_lower"),
            "birth_date",
            postgresql_ops={"family_name_lower": "text_pattern_ops"},
        ),
    )

    patient_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    nhs_number: Mapped[str | None]
    local_identifier: Mapped[Words]
    given_name: Mapped[str]
    family_name: Mapped[str]
    birth_date: Mapped[dt.date]
    sex: Mapped[Words]
    registered_at: Mapped[Instant]
    registered_by: Mapped[str]

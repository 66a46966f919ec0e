"""An item: anything that waits for somebody."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import Base, Count, Instant, Words

# The most urgent first: emergencies, then what is urgent, then the rest.
_RANK = "CASE urgency WHEN 'emergency' THEN 0 WHEN 'urgent' THEN 1 ELSE 2 END"


class Item(Base):
    """What waits, for whom, until when and why; an open one always has an owner and a due time."""

    __tablename__ = "item"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'done', 'withdrawn', 'replaced')", name="status"),
        CheckConstraint("status = 'open' OR (closed_at IS NOT NULL AND closed_reason <> '')", name="closed"),
        CheckConstraint(
            "status <> 'open' OR (owner_team IS NOT NULL AND due_on IS NOT NULL AND due_at IS NOT NULL)",
            name="owned",
        ),
        UniqueConstraint("patient_id", "item_id"),
        Index("uq_item_open_key", "patient_id", "key", unique=True, postgresql_where=text("status = 'open'")),
        Index("ix_item_worklist", "owner_team", "status", "urgency_rank", "due_at", "item_id"),
        Index("ix_item_open_rank", "urgency_rank", "due_at", "item_id", postgresql_where=text("status = 'open'")),
        Index("ix_item_open_due", "due_at", "item_id", postgresql_where=text("status = 'open'")),
        Index("ix_item_patient_id", "patient_id", "status"),
    )

    item_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.patient_id"))
    key: Mapped[str]
    kind: Mapped[str]
    rule_id: Mapped[Words]
    number: Mapped[Words]
    title: Mapped[str]
    reason: Mapped[Words]
    owner_role: Mapped[Words]
    owner_team: Mapped[str] = mapped_column(ForeignKey("team.team_id"))
    due_on: Mapped[dt.date]
    due_at: Mapped[Instant]
    urgency: Mapped[str]
    urgency_rank: Mapped[int] = mapped_column(Integer, Computed(_RANK, persisted=True))
    status: Mapped[str]
    opened_at: Mapped[Instant]
    closed_at: Mapped[dt.datetime | None]
    closed_reason: Mapped[Words]
    overdue_at: Mapped[dt.datetime | None]
    missing_fact: Mapped[Words]
    supplied_by: Mapped[Words]
    subject_id: Mapped[Words]
    opened_by_event_id: Mapped[uuid.UUID | None]
    moved: Mapped[Count]
    taken_by: Mapped[Words]
    attempts: Mapped[Count]
    calendar_version: Mapped[Words]
    waits_for_item_id: Mapped[uuid.UUID | None]


class ItemStep(Base):
    """One change of an item with its reason: opened, closed, overdue, or what a person did with it; appended."""

    __tablename__ = "item_step"
    __table_args__ = (
        ForeignKeyConstraint(["patient_id", "item_id"], ["item.patient_id", "item.item_id"]),
        Index("ix_item_step_item_id", "item_id", "at"),
    )

    item_step_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    item_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    change: Mapped[str]
    at: Mapped[Instant]
    due_at: Mapped[Instant]
    reason: Mapped[Words]

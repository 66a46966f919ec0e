"""Links: on which facts an item, a decision or a message stood. Corrections live on them; rows are appended."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.records.db import Base, Instant

_FACT = ["fact.patient_id", "fact.fact_id"]
_ITEM = ["item.patient_id", "item.item_id"]


class ItemFact(Base):
    """The item stands on the fact."""

    __tablename__ = "item_fact"
    __table_args__ = (
        ForeignKeyConstraint(["patient_id", "item_id"], _ITEM),
        ForeignKeyConstraint(["patient_id", "fact_id"], _FACT),
        Index("ix_item_fact_fact_id", "fact_id"),
    )

    item_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    fact_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[uuid.UUID]


class DecisionFact(Base):
    """The decision stood on the fact."""

    __tablename__ = "decision_fact"
    __table_args__ = (
        ForeignKeyConstraint(["patient_id", "decision_id"], ["decision.patient_id", "decision.decision_id"]),
        ForeignKeyConstraint(["patient_id", "fact_id"], _FACT),
        Index("ix_decision_fact_fact_id", "fact_id"),
    )

    decision_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    fact_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[uuid.UUID]


class Message(Base):
    """A message that notify sent, by its id; its words and attempts are notify's."""

    __tablename__ = "message"
    __table_args__ = (Index("ix_message_patient_id", "patient_id"),)

    message_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.patient_id"))
    event_id: Mapped[uuid.UUID | None]
    linked_at: Mapped[Instant]


class MessageFact(Base):
    """The message told of the fact."""

    __tablename__ = "message_fact"
    __table_args__ = (
        ForeignKeyConstraint(["patient_id", "fact_id"], _FACT),
        Index("ix_message_fact_fact_id", "fact_id"),
    )

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("message.message_id"), primary_key=True)
    fact_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[uuid.UUID]


class MessageItem(Base):
    """The message told of the item."""

    __tablename__ = "message_item"
    __table_args__ = (
        ForeignKeyConstraint(["patient_id", "item_id"], _ITEM),
        Index("ix_message_item_item_id", "item_id"),
    )

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("message.message_id"), primary_key=True)
    item_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[uuid.UUID]

"""The rows of notify. Attempts, what came back and whom none may reach are only appended; PostgreSQL sees to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, Identity, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.notify.db import SCHEMA


class Base(DeclarativeBase):
    """All tables live in the schema `notify`."""

    metadata = MetaData(schema=SCHEMA)
    type_annotation_map = {datetime: DateTime(timezone=True), str: Text}  # noqa: RUF012 - SQLAlchemy's own form


class Message(Base):
    """One logical message as it was first rendered; status, last channel and digest change."""

    __tablename__ = "message"

    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    request_hash: Mapped[str]
    template: Mapped[str]
    asked_team: Mapped[str]
    team: Mapped[str]
    audience: Mapped[str]
    channel: Mapped[str]
    recipients: Mapped[list[str]] = mapped_column(ARRAY(Text))
    subject: Mapped[str]
    body: Mapped[str]
    status: Mapped[str]
    patient_id: Mapped[UUID | None] = mapped_column(index=True)
    event_id: Mapped[UUID | None] = mapped_column(index=True)
    owner_id: Mapped[str]
    urgency: Mapped[str]
    correlation_id: Mapped[str]
    sent_by: Mapped[str]
    created_at: Mapped[datetime]
    # It counts against a day's alerts; the tasks of one that is gathered, and the digest that tells them.
    alert: Mapped[bool] = mapped_column(default=False)
    tasks: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    digest_id: Mapped[UUID | None]


class Attempt(Base):
    """A step of an attempt: `started` is committed before anything leaves; with no end it is in doubt."""

    __tablename__ = "attempt"

    message_id: Mapped[UUID] = mapped_column(ForeignKey(Message.message_id), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    detail: Mapped[str]
    at: Mapped[datetime]


class Inbound(Base):
    """What came back, in the order in which it was committed."""

    __tablename__ = "inbound"

    cursor: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    inbound_id: Mapped[UUID] = mapped_column(unique=True)
    request_hash: Mapped[str]
    kind: Mapped[str]
    message_id: Mapped[UUID] = mapped_column(ForeignKey(Message.message_id), index=True)
    patient_id: Mapped[UUID | None]
    owner_id: Mapped[str]
    channel: Mapped[str]
    detail: Mapped[str]
    reported_by: Mapped[str]
    at: Mapped[datetime]


class Suppression(Base):
    """That a person is sent nothing for a cause, or that this cause holds no longer."""

    __tablename__ = "suppression"

    suppression_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    request_hash: Mapped[str]
    patient_id: Mapped[UUID]
    cause: Mapped[str]
    lifted: Mapped[bool]
    seq: Mapped[int] = mapped_column(BigInteger)
    set_by: Mapped[str]
    at: Mapped[datetime]

"""Messages, their attempts, and what came back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_WHEN = sa.DateTime(timezone=True)
_STATUSES = "status in ('queued', 'sent', 'delivered', 'failed', 'in_doubt')"
_STEPS = "step in ('started', 'accepted', 'refused', 'unreachable', 'in_doubt')"
_KINDS = "kind in ('delivered', 'bounced', 'read')"


def upgrade() -> None:
    """Make the tables, and let the runtime role append but not rewrite."""
    _message()
    _attempt()
    _inbound()
    op.execute("grant usage on schema notify to notify_runtime")
    op.execute("grant select, insert on notify.message, notify.attempt, notify.inbound to notify_runtime")
    op.execute("grant select on notify.alembic_version to notify_runtime")
    op.execute("grant update (status) on notify.message to notify_runtime")


def _message() -> None:
    op.create_table(
        "message",
        sa.Column("message_id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("asked_team", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("recipients", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("status", sa.Text, sa.CheckConstraint(_STATUSES, "message_status"), nullable=False),
        sa.Column("patient_id", sa.Uuid, index=True),
        sa.Column("event_id", sa.Uuid, index=True),
        sa.Column("owner_id", sa.Text, nullable=False),
        sa.Column("urgency", sa.Text, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
        sa.Column("sent_by", sa.Text, nullable=False),
        sa.Column("created_at", _WHEN, nullable=False),
        schema="notify",
    )


def _attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("message_id", sa.Uuid, sa.ForeignKey("notify.message.message_id"), primary_key=True),
        sa.Column("number", sa.Integer, sa.CheckConstraint("number > 0", "attempt_number"), primary_key=True),
        sa.Column("step", sa.Text, sa.CheckConstraint(_STEPS, "attempt_step"), primary_key=True),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("at", _WHEN, nullable=False),
        schema="notify",
    )
    # An attempt starts once and ends at most once.
    op.execute("create unique index attempt_ends_once on notify.attempt (message_id, number) where step <> 'started'")


def _inbound() -> None:
    op.create_table(
        "inbound",
        sa.Column("cursor", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("inbound_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, sa.CheckConstraint(_KINDS, "inbound_kind"), nullable=False),
        sa.Column("message_id", sa.Uuid, sa.ForeignKey("notify.message.message_id"), nullable=False, index=True),
        sa.Column("patient_id", sa.Uuid),
        sa.Column("owner_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("reported_by", sa.Text, nullable=False),
        sa.Column("at", _WHEN, nullable=False),
        schema="notify",
    )
    # Mail to our own staff has a receipt too, but nobody waits for it: the feed reads what has an owner.
    owned = sa.text("owner_id <> ''")
    op.create_index("ix_inbound_owned", "inbound", ["cursor"], schema="notify", postgresql_where=owned)

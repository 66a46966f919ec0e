"""Whom no message may reach, and since which report: appended, never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_CAUSES = "cause in ('death', 'preference')"


def upgrade() -> None:
    """Make the table; the runtime role appends to it."""
    op.create_table(
        "suppression",
        sa.Column("suppression_id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("patient_id", sa.Uuid, nullable=False),
        sa.Column("cause", sa.Text, sa.CheckConstraint(_CAUSES, "suppression_cause"), nullable=False),
        sa.Column("lifted", sa.Boolean, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        schema="notify",
    )
    op.create_index("ix_suppression_patient_id", "suppression", ["patient_id", "cause", "seq"], schema="notify")
    op.execute("grant select, insert on notify.suppression to notify_runtime")

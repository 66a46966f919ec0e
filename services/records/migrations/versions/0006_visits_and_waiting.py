"""How a visit is held and how it ended; whose calendar decided a due time; the task that another one waits for."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATUSES = "'booked', 'cancelled', 'attended', 'missed', 'not_brought'"
_OF_APPOINTMENT = ("mode", "with_team", "visit", "ended_by", "ended_reason")


def upgrade() -> None:
    """Add the columns, empty in what was there before."""
    op.execute("ALTER TABLE item ADD COLUMN calendar_version VARCHAR NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE item ADD COLUMN waits_for_item_id UUID")
    for name in _OF_APPOINTMENT:
        op.execute(f"ALTER TABLE appointment ADD COLUMN {name} VARCHAR NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE appointment DROP CONSTRAINT ck_appointment_status")
    op.execute(f"ALTER TABLE appointment ADD CONSTRAINT ck_appointment_status CHECK (status IN ({STATUSES}))")


def downgrade() -> None:
    """Take them out again; who was not brought counts as missed."""
    op.execute("UPDATE appointment SET status = 'missed' WHERE status = 'not_brought'")
    op.execute("ALTER TABLE appointment DROP CONSTRAINT ck_appointment_status")
    op.execute(
        "ALTER TABLE appointment ADD CONSTRAINT ck_appointment_status "
        "CHECK (status IN ('booked', 'cancelled', 'attended', 'missed'))"
    )
    for name in _OF_APPOINTMENT:
        op.execute(f"ALTER TABLE appointment DROP COLUMN {name}")
    op.execute("ALTER TABLE item DROP COLUMN waits_for_item_id")
    op.execute("ALTER TABLE item DROP COLUMN calendar_version")

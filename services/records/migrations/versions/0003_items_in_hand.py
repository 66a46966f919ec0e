"""Who has a task in hand, and how often somebody tried without an answer."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both to every task, open or closed."""
    op.execute("ALTER TABLE item ADD COLUMN taken_by VARCHAR DEFAULT '' NOT NULL")
    op.execute("ALTER TABLE item ADD COLUMN attempts INTEGER DEFAULT '0' NOT NULL")


def downgrade() -> None:
    """Refuse: who had a task in hand would be lost."""
    message = "The record is not taken back to an earlier form: restore a backup instead."
    raise RuntimeError(message)

"""Which facts were missing when something was accepted that could not be decided."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, empty in what was there before."""
    op.execute("ALTER TABLE decision ADD COLUMN made_without JSONB NOT NULL DEFAULT '[]'")


def downgrade() -> None:
    """Take it out again."""
    op.execute("ALTER TABLE decision DROP COLUMN made_without")

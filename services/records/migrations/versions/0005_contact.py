"""How a person is to be reached stands beside each of their tasks."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it."""
    op.execute("ALTER TABLE pathway ADD COLUMN contact JSONB")


def downgrade() -> None:
    """Take it out again; the events that say it stay."""
    op.execute("ALTER TABLE pathway DROP COLUMN contact")

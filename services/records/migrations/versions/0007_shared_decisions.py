"""Which options were shown when people decided, who decided, and who took part."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, empty in what was there before."""
    op.execute("ALTER TABLE decision ADD COLUMN options_shown JSONB NOT NULL DEFAULT '[]'")
    op.execute("ALTER TABLE decision ADD COLUMN decided_by VARCHAR NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE decision ADD COLUMN decided_with VARCHAR NOT NULL DEFAULT ''")


def downgrade() -> None:
    """Take them out again."""
    for name in ("decided_with", "decided_by", "options_shown"):
        op.execute(f"ALTER TABLE decision DROP COLUMN {name}")

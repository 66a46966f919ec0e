"""The worklist begins with the most urgent: its pages follow an index in that order."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

RANK = "CASE urgency WHEN 'emergency' THEN 0 WHEN 'urgent' THEN 1 ELSE 2 END"


def upgrade() -> None:
    """Put the order of the worklist into its indexes."""
    op.execute(f"ALTER TABLE item ADD COLUMN urgency_rank INTEGER NOT NULL GENERATED ALWAYS AS ({RANK}) STORED")
    op.execute("DROP INDEX ix_item_worklist")
    op.execute("CREATE INDEX ix_item_worklist ON item (owner_team, status, urgency_rank, due_at, item_id)")
    op.execute("CREATE INDEX ix_item_open_rank ON item (urgency_rank, due_at, item_id) WHERE status = 'open'")


def downgrade() -> None:
    """Take it out again; nothing is lost."""
    op.execute("DROP INDEX ix_item_open_rank")
    op.execute("DROP INDEX ix_item_worklist")
    op.execute("ALTER TABLE item DROP COLUMN urgency_rank")
    op.execute("CREATE INDEX ix_item_worklist ON item (owner_team, status, due_at, item_id)")

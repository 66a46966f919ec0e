"""One event may set several cautions aside: a decision is one of its event and its rule."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen what is unique about a decision."""
    op.execute("ALTER TABLE decision DROP CONSTRAINT uq_decision_event_id")
    op.execute("ALTER TABLE decision ADD CONSTRAINT uq_decision_event_id_rule_id UNIQUE (event_id, rule_id)")


def downgrade() -> None:
    """Refuse: what was set aside would be lost."""
    message = "The record is not taken back to an earlier form: decisions would be lost. Restore a backup instead."
    raise RuntimeError(message)

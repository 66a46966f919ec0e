"""A person who is reached safely in agreed ways only is written nothing by Handrail itself."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

_CHECK = "alter table notify.suppression drop constraint {name}, add constraint {name} check (cause in ({causes}))"
_NAME = "suppression_cause"


def upgrade() -> None:
    """Allow the new cause."""
    op.execute(_CHECK.format(name=_NAME, causes="'death', 'preference', 'safe_contact'"))


def downgrade() -> None:
    """Forbid it again; refused while a row has it."""
    op.execute(_CHECK.format(name=_NAME, causes="'death', 'preference'"))

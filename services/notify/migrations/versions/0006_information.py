"""Somebody who does not want to know, of one topic or of any, is a cause of its own to send them nothing."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

_CHECK = "alter table notify.suppression drop constraint {name}, add constraint {name} check ({causes})"
_NAME = "suppression_cause"
_BEFORE = "cause in ('death', 'preference', 'safe_contact')"


def upgrade() -> None:
    """Allow the new causes."""
    op.execute(_CHECK.format(name=_NAME, causes=f"{_BEFORE} or cause ~ '^information(_[a-z_]+)?$'"))


def downgrade() -> None:
    """Forbid them again; refused while a row has one."""
    op.execute(_CHECK.format(name=_NAME, causes=_BEFORE))

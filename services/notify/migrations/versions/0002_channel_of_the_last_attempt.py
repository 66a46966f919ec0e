"""The channel of a message is that of its last attempt: a mail server may be set, or taken away, in between."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Let the runtime role say by which channel a message went in the end."""
    op.execute("grant update (channel) on notify.message to notify_runtime")

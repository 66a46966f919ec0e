"""Alerts beyond a day's budget are gathered, and told in a digest."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

_STATUSES = "status in ('queued', 'sent', 'delivered', 'failed', 'in_doubt', 'gathered')"


def upgrade() -> None:
    """Say of a message whether it is an alert, which tasks it tells when it is gathered, and in which digest."""
    op.execute("alter table notify.message add column alert boolean not null default false")
    op.execute("alter table notify.message add column tasks jsonb not null default '[]'")
    op.execute("alter table notify.message add column digest_id uuid")
    op.execute("alter table notify.message drop constraint message_status")
    op.execute(f"alter table notify.message add constraint message_status check ({_STATUSES})")
    op.execute("create index ix_message_alert on notify.message (team, audience, created_at) where alert")
    op.execute("create index ix_message_digest_id on notify.message (digest_id) where status = 'gathered'")
    op.execute("grant update (digest_id) on notify.message to notify_runtime")

"""Alembic's entry: runs on the connection that `services.records.migrate` hands over."""

from __future__ import annotations

from alembic import context

import services.records.models  # noqa: F401 - fills the metadata
from services.records.db import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()

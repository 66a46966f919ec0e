"""Runs the migrations on the connection that `services.notify.migrate` hands over."""

from __future__ import annotations

from alembic import context

from services.notify.db import SCHEMA

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema=SCHEMA,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()

"""Bringing the schema `records` to its newest revision, as its owner, one process at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.records.db import REFUSALS, SCHEMA, with_driver
from services.runtime.settings import require_env

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_NAME = "handrail.records.migrate"
WAIT_FOR_OTHERS_MS = 60_000
LOCK_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 60_000


def migrate() -> None:
    """Run every migration that is missing, on HANDRAIL_MIGRATE_URL.

    Raises:
        SystemExit: with one sentence, when the database cannot be reached or refuses.
    """
    try:
        asyncio.run(_migrate(require_env("HANDRAIL_MIGRATE_URL")))
    except REFUSALS as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        message = f"records: the database could not be migrated, and nothing was changed half-way: {cause}"
        raise SystemExit(message) from error


async def _migrate(url: str) -> None:
    engine = create_async_engine(
        with_driver(url),
        poolclass=NullPool,
        connect_args={"timeout": 10, "server_settings": {"search_path": SCHEMA, "timezone": "UTC"}},
    )
    async with engine.connect() as connection:
        await connection.run_sync(_upgrade)
    await engine.dispose()


def _upgrade(connection: Connection) -> None:
    """Take the lock for the whole run (a second process waits, then finds nothing to do), then upgrade."""
    connection.execute(text(f"SET lock_timeout = {WAIT_FOR_OTHERS_MS}"))
    connection.execute(text("SELECT pg_advisory_lock(hashtextextended(:name, 0))"), {"name": LOCK_NAME})
    connection.execute(text(f"SET lock_timeout = {LOCK_TIMEOUT_MS}"))
    connection.execute(text(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}"))
    connection.commit()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()

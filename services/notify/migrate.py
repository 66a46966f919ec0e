"""Brings notify's tables up to date, as their owner, one migrator at a time."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.db import SCHEMA, open_engine

_ADVISORY_LOCK = 0x4861_6E64_0003
_MIGRATIONS = Path(__file__).parent / "migrations"


async def migrate(url: str) -> None:
    """Run every migration that has not run yet.

    Raises:
        SystemExit: with one sentence, when the database cannot be reached or refuses.
    """
    engine = open_engine(url, pooled=False)
    try:
        async with engine.connect() as connection:
            await _under_lock(connection)
    except ProgrammingError as error:
        message = f"notify: the migration was refused: {error.orig}"
        raise SystemExit(message) from None
    except (OSError, TimeoutError, DBAPIError) as error:
        message = f"notify: the database could not be migrated ({type(error).__name__}); is PostgreSQL up and idle?"
        raise SystemExit(message) from None
    finally:
        await engine.dispose()


async def _under_lock(connection: AsyncConnection) -> None:
    await connection.execute(text("set lock_timeout = '30s'"))
    await connection.execute(text(f"select pg_advisory_lock({_ADVISORY_LOCK})"))
    await connection.execute(text("set lock_timeout = '5s'"))
    await connection.execute(text("set statement_timeout = '60s'"))
    if not await connection.scalar(text("select to_regnamespace(:schema) is not null"), {"schema": SCHEMA}):
        await connection.execute(text(f"create schema {SCHEMA}"))
    await connection.commit()
    await connection.run_sync(_upgrade)
    await connection.commit()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

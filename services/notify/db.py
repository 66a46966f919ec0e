"""The database of messages: one engine, and the one opener of transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Select, func, make_url, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from services.runtime.context import current_actor
from services.runtime.errors import Unavailable

SCHEMA = "notify"
HEAD = Path(__file__).parent / "migrations" / "HEAD"
# PostgreSQL's codes for "shutting down", "starting up" and "too many connections".
_PASSING = ("57P0", "53300", "08")


def open_engine(url: str, *, pooled: bool = True) -> AsyncEngine:
    """Return an engine whose errors never show what was in a message."""
    options: dict[str, Any] = (
        {"pool_size": 10, "max_overflow": 10, "pool_timeout": 4} if pooled else {"poolclass": NullPool}
    )
    settings = {"application_name": "handrail-notify", "timezone": "UTC"}
    if pooled:
        settings |= {"statement_timeout": "5000", "lock_timeout": "3000"}
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        hide_parameters=True,
        connect_args={"timeout": 4, "server_settings": settings},
        **options,
    )


@asynccontextmanager
async def transaction(engine: AsyncEngine | AsyncConnection) -> AsyncIterator[AsyncSession]:
    """Open a transaction in the name of whoever calls; leaving by an exception rolls it back.

    Raises:
        Unavailable: the database cannot be reached just now.
    """
    actor, is_local = current_actor(), True
    who = actor.on_behalf_of or actor.subject
    with _reachable():
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            await session.execute(select(func.set_config("handrail.actor", who, is_local)))
            yield session


@asynccontextmanager
async def open_connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Hold one connection across several transactions.

    Raises:
        Unavailable: the database cannot be reached just now.
    """
    with _reachable():
        connection = await engine.connect()
    try:
        yield connection
    finally:
        await connection.close()


async def at_once(connection: AsyncConnection, question: Select[tuple[bool]]) -> bool:
    """Ask one question outside any transaction, on a connection that has none open.

    Raises:
        Unavailable: the database cannot be reached just now.
    """
    with _reachable():
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        answer = await connection.scalar(question)
        await connection.rollback()  # SQLAlchemy's own; PostgreSQL has none to roll back
        await connection.execution_options(isolation_level="READ COMMITTED")
    return bool(answer)


@contextmanager
def _reachable() -> Iterator[None]:
    """Turn what a restart of the database looks like into `Unavailable`."""
    try:
        yield
    except (OSError, TimeoutError, PoolTimeoutError, DBAPIError) as error:
        if isinstance(error, DBAPIError) and not _is_passing(error):
            raise
        message = "Messages cannot be read or kept just now; nothing was lost. Try again in a moment."
        raise Unavailable(message) from error


async def check_database(engine: AsyncEngine) -> None:
    """Make sure that the database answers, with tables that are not behind this build.

    Raises:
        SystemExit: with one sentence.
    """
    wanted = HEAD.read_text(encoding="utf-8").strip()
    found = None
    try:
        async with engine.connect() as connection:
            found = await connection.scalar(text("select version_num from notify.alembic_version"))
    except ProgrammingError:
        pass  # no tables yet, or none that we may see
    except (OSError, TimeoutError, DBAPIError) as error:
        message = f"notify: its database does not answer ({type(error).__name__}); is PostgreSQL up?"
        raise SystemExit(message) from None
    if not found or str(found) < wanted:
        message = (
            f"notify: the database is at revision {found or 'none'} and this build needs {wanted}; "
            "run `python -m services.notify migrate` first."
        )
        raise SystemExit(message)


def _is_passing(error: DBAPIError) -> bool:
    """Say whether the same statement may well succeed a moment later."""
    if error.connection_invalidated or isinstance(error, InterfaceError | OperationalError):
        return True
    code = getattr(error.orig, "sqlstate", None) or ""
    return str(code).startswith(_PASSING)

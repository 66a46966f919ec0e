"""The database of records: the declarative base, column types, and the one opener of transactions."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, ClassVar

from asyncpg import PostgresError  # type: ignore[attr-defined] # asyncpg exports it by a star
from sqlalchemy import DateTime, Integer, MetaData, Row, String, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.runtime.context import Actor
from services.runtime.errors import Conflict, NotFound, Unavailable

SCHEMA = "records"
STATEMENT_TIMEOUT_MS = 10_000
LOCK_TIMEOUT_MS = 5_000

# What a database that is away, or that refuses, raises; asyncpg raises its own while connecting.
REFUSALS = (SQLAlchemyError, OSError, PostgresError)

Instant = Annotated[dt.datetime, mapped_column(DateTime(timezone=True))]
Words = Annotated[str, mapped_column(String, default="", server_default="")]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]
JsonList = Annotated[list[dict[str, Any]], mapped_column(JSONB)]
TextList = Annotated[list[str], mapped_column(ARRAY(String))]
Count = Annotated[int, mapped_column(Integer, default=0, server_default="0")]


class Base(DeclarativeBase):
    """All tables of the schema `records`; the search path names the schema."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {dt.datetime: DateTime(timezone=True)}


class ActedMixin:
    """Who did it, as four columns."""

    actor_subject: Mapped[str]
    actor_role: Mapped[str]
    actor_team: Mapped[Words]
    actor_on_behalf_of: Mapped[Words]


_OPEN = text("SELECT set_config('handrail.actor', :actor, true)").bindparams(bindparam("actor", type_=String))
_OPEN_AND_LOCK = text(
    "SELECT set_config('handrail.actor', :actor, true), pg_advisory_xact_lock(hashtextextended(:lock, 0))"
).bindparams(bindparam("actor", type_=String), bindparam("lock", type_=String))


class Database:
    """The engine of one process, and the only way to open a transaction on it."""

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url)
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._glances = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self, actor: Actor, *, lock: str = "") -> AsyncIterator[AsyncSession]:
        """Open a transaction that writes, tell PostgreSQL who acts, and commit it when the block ends without error.

        `lock` names what is written one at a time, such as a patient id; it is let go at the end.
        """
        async with self._opened(self._engine, actor, lock) as session:
            yield session

    @asynccontextmanager
    async def snapshot(self, actor: Actor) -> AsyncIterator[AsyncSession]:
        """Open a transaction that only reads, and sees one instant throughout."""
        async with self._opened(self._snapshots, actor, "") as session:
            yield session

    async def glance(self, statement: TextClause, values: Mapping[str, object]) -> Row[Any]:
        """Read the one row of a statement that reads no personal detail; without a transaction around it."""
        for last_try in (False, True):
            try:
                async with self._glances.connect() as connection:
                    return (await connection.execute(statement, values)).one()
            except DBAPIError as error:
                if last_try or not error.connection_invalidated:
                    raise _in_words(error) from error
            except REFUSALS as error:
                raise _in_words(error) from error
        raise AssertionError  # pragma: no cover - the second try returns or raises

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _opened(self, engine: AsyncEngine, actor: Actor, lock: str) -> AsyncIterator[AsyncSession]:
        try:
            connection = await _connect(engine, actor, lock)
            try:
                async with AsyncSession(connection, expire_on_commit=False, autoflush=False) as session:
                    yield session
                    await session.commit()  # flushes; the transaction is the connection's
                    await connection.commit()
            finally:
                await connection.close()
        except REFUSALS as error:
            raise _in_words(error) from error


async def _connect(engine: AsyncEngine, actor: Actor, lock: str) -> AsyncConnection:
    """Return a connection with a transaction begun; one that died in the pool is replaced once."""
    statement, values = (
        (_OPEN_AND_LOCK, {"actor": actor.subject, "lock": lock})
        if lock
        else (
            _OPEN,
            {"actor": actor.subject},
        )
    )
    for last_try in (False, True):
        connection = await engine.connect()
        try:
            await connection.execute(statement, values)
        except DBAPIError as error:
            await connection.close()
            if last_try or not error.connection_invalidated:
                raise
        except BaseException:
            await connection.close()
            raise
        else:
            return connection
    raise AssertionError  # pragma: no cover - the second try returns or raises


def _in_words(error: SQLAlchemyError | OSError | PostgresError) -> Exception:
    if isinstance(error, IntegrityError):
        cause = error.orig.__cause__ if error.orig else None
        if str(getattr(cause, "constraint_name", "")).endswith("_patient_id_person"):
            return unknown_person()
        message = "This does not fit what is already on record. Read the record again before repeating it."
        return Conflict(message, reason="does_not_fit_the_record")
    state = str(getattr(getattr(error, "orig", None), "sqlstate", "") or "")
    lost = isinstance(error, OSError | PoolTimeoutError | PostgresError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )
    # 08 connection, 40 serialisation or deadlock, 53 resources, 55 lock timeout, 57 cancelled or shutting down
    if lost or state[:2] in {"08", "40", "53", "55", "57"}:
        message = "The record cannot be reached just now. Try again in a moment; nothing was lost."
        return Unavailable(message, reason="database_unavailable")
    return error


def unknown_person() -> NotFound:
    """Return the refusal that says that nobody has this id."""
    message = "Nobody with this id is registered. Check the id, or register the person first."
    return NotFound(message, field="patient_id", reason="unknown_person")


def with_driver(url: str) -> str:
    """Return a database URL with the driver that Handrail uses."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}" if separator and scheme in {"postgres", "postgresql"} else url


def make_engine(url: str) -> AsyncEngine:
    """Return an engine on `url`, as the runtime role."""
    return create_async_engine(
        with_driver(url),
        hide_parameters=True,  # what a failed statement was given never reaches a log
        pool_size=16,
        max_overflow=0,
        pool_timeout=5,
        connect_args={
            "timeout": 5,
            "server_settings": {
                "application_name": "handrail-records",
                "search_path": SCHEMA,
                "timezone": "UTC",
                "jit": "off",
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
            },
        },
    )


def new_id() -> uuid.UUID:
    """Return a fresh random id."""
    return uuid.uuid4()

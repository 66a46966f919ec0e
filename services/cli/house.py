"""The running house: its parts are started side by side, kept alive, and stopped in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.cli import parts as catalogue
from services.cli.cluster import Cluster
from services.cli.errors import CliError
from services.cli.parts import PARTS, POSTGRES, PYTHON_PARTS, STOP_ORDER, TEMPORAL, Options, Part
from services.cli.processes import Process
from services.cli.temporal import NAMESPACE, find_binary, server_command
from services.runtime.settings import REPOSITORY

if TYPE_CHECKING:
    from services.cli.database import Server  # imports asyncpg: later, while the servers start

_READY_SECONDS = 60.0
_POLL_SECONDS = 0.02
_CALM_SECONDS = 30.0
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 15.0


@dataclass(slots=True)
class Running:
    """One part as it is now."""

    part: Part
    status: str = "waiting"
    process: Process | None = None
    keeper: asyncio.Task[None] | None = None
    ready_at: float = 0.0
    failures: int = 0
    restarts: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def describe(self) -> dict[str, Any]:
        """Return what `status` shows of it."""
        alive = self.process is not None and self.process.exit_code is None
        return {
            "part": self.part.name,
            "status": self.status,
            "pid": self.process.pid if self.process is not None and alive else None,
            "restarts": self.restarts,
        }


class House:
    """Starts, keeps and stops the parts; tells people through `say`, calls `changed` after a change."""

    def __init__(
        self,
        options: Options,
        addresses: Mapping[str, str],
        say: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self.options = options
        self.addresses = addresses
        self.running = {name: Running(part) for name, part in PARTS.items()}
        self._say = say
        self._changed = changed
        self._helpers: list[Process] = []
        self._passwords = options.home.passwords()
        self._environment = catalogue.shared_environment(options, addresses, NAMESPACE)
        self._available = {POSTGRES: asyncio.Event(), TEMPORAL: asyncio.Event()}
        self._began = time.monotonic()
        self._cluster: Cluster | None = None
        self._server: Server | None = None

    def external(self, name: str) -> bool:
        """Whether a part is somebody else's server."""
        given = {POSTGRES: self.options.database_url, TEMPORAL: self.options.temporal_address}
        return bool(given.get(name))

    async def bring_up(self, cluster: Cluster | None) -> None:
        """Start everything; return when all of it answers.

        Raises:
            CliError: something could not be started; the sentence says what and why.
        """
        self._cluster = cluster
        self._began = time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._bring_up_postgres())
                group.create_task(self._bring_up(TEMPORAL))
                for name in PYTHON_PARTS:
                    group.create_task(self._bring_up(name))
        except* CliError as failed:
            raise failed.exceptions[0] from None

    async def _bring_up(self, name: str) -> None:
        running = self.running[name]
        await self._start(running)
        if name in self._available:
            self._available[name].set()
        self._say(f"{name} ready {time.monotonic() - self._began:.1f} s")

    async def _bring_up_postgres(self) -> None:
        if self._cluster is not None:
            await self._cluster.create(self._passwords["postgres"], self._track)
        running = self.running[POSTGRES]
        await self._start(running)
        self._say(f"{POSTGRES} ready {time.monotonic() - self._began:.1f} s")
        from services.cli import database

        revisions = await database.provision(self._database_server(), self._passwords)
        async with asyncio.TaskGroup() as group:
            for schema, revision in revisions.items():
                head = self.options.commands.head(schema)
                if head and head != revision:
                    group.create_task(self._migrate(schema, head))
        self._available[POSTGRES].set()

    async def _migrate(self, schema: str, head: str) -> None:
        url = self._database_server().url_for(f"{schema}_owner", self._passwords[f"{schema}_owner"])
        migration = self._track(
            Process.spawn(
                f"migration of {schema}",
                self.options.commands.migrate[schema],
                env=self._environment | {"HANDRAIL_MIGRATE_URL": url},
                log=self.options.home.log_file(f"migrate-{schema}"),
                cwd=REPOSITORY,
            )
        )
        if await migration.wait() != 0:
            raise CliError(_could_not_start(migration))
        self._say(f"{schema} migrated to {head}")

    async def _start(self, running: Running) -> None:
        """Start one part and wait until it answers; keep it from then on."""
        running.status = "starting"
        name = running.part.name
        if self.external(name):
            await self._reach_external(name)
            running.status = "external"
            return
        try:
            if name == POSTGRES:
                await self._start_postgres(running)
            elif name == TEMPORAL:
                await self._start_temporal(running)
            else:
                await self._start_python(running)
        except OSError as error:
            message = f"{name} could not be started: {error}."
            raise CliError(message) from error
        running.status = "running"
        running.ready_at = time.monotonic()
        self._changed()
        if running.keeper is None:
            running.keeper = asyncio.create_task(self._keep(running), name=f"keep {name}")

    async def _reach_external(self, name: str) -> None:
        if name == POSTGRES:
            return  # provisioning connects, and says what is wrong
        host, _, port = self.options.temporal_address.rpartition(":")
        try:
            await asyncio.wait_for(_knock(host, int(port)), 5)
        except (OSError, ValueError, TimeoutError) as error:
            message = (
                f"No Temporal server answers at TEMPORAL_ADDRESS={self.options.temporal_address}; start it, "
                "or unset the variable to use the embedded one."
            )
            raise CliError(message) from error

    async def _start_postgres(self, running: Running) -> None:
        assert self._cluster is not None  # noqa: S101 - it is only None when PostgreSQL is external
        process = self._begin(running, await self._cluster.start())
        from services.cli.database import wait_until_it_answers

        await wait_until_it_answers(self._database_server(), process)
        if process.exit_code is not None:
            raise CliError(_could_not_start(process))

    async def _start_temporal(self, running: Running) -> None:
        host, _, port = self.addresses[TEMPORAL].rpartition(":")
        home = self.options.home
        for file in home.path.glob(f"{home.temporal_database.name}*"):  # made by an older Handrail, readable to all
            file.chmod(0o600)
        command = server_command(find_binary(), home.temporal_database, int(port))
        process = self._begin(
            running,
            Process.spawn(TEMPORAL, command, env=self._environment, log=home.log_file(TEMPORAL), cwd=home.path),
        )
        limit = time.monotonic() + _READY_SECONDS
        while True:
            try:
                return await asyncio.wait_for(_knock(host, int(port)), 1)
            except (OSError, TimeoutError):
                _check_start(process, limit)
                await asyncio.sleep(_POLL_SECONDS)

    async def _start_python(self, running: Running) -> None:
        name, home = running.part.name, self.options.home
        ready = home.ready_file(name)
        ready.unlink(missing_ok=True)
        environment = self._environment | {"HANDRAIL_READY_FILE": str(ready)}
        process = self._begin(
            running,
            Process.spawn(
                name,
                self.options.commands.run[name],
                env=environment | self._database_environment(name),
                log=home.log_file(name),
                cwd=REPOSITORY,
                gated=True,
            ),
        )
        while not all(self._available[need].is_set() for need in running.part.needs):
            _check_start(process)
            await asyncio.sleep(_POLL_SECONDS)
        process.open_gate()
        limit = time.monotonic() + _READY_SECONDS
        while not ready.exists():
            _check_start(process, limit)
            await asyncio.sleep(_POLL_SECONDS)

    def _database_environment(self, name: str) -> dict[str, str]:
        """Return the database URL of a service that has a schema of its own."""
        role = f"{name}_runtime"
        if role not in self._passwords:
            return {}
        url = self._database_server().url_for(role, self._passwords[role])
        return {f"HANDRAIL_{name.upper()}_DATABASE_URL": url}

    def _database_server(self) -> Server:
        if self._server is None:
            from services.cli.database import Server, server_from_url

            if self._cluster is None:
                self._server = server_from_url(self.options.database_url)
            else:
                self._server = Server(sockets=self._cluster.sockets, password=self._passwords["postgres"])
        return self._server

    def _begin(self, running: Running, process: Process) -> Process:
        running.process = process
        self._changed()
        return process

    def _track(self, process: Process) -> Process:
        self._helpers.append(process)
        return process

    async def _keep(self, running: Running) -> None:
        """Start a part again whenever it ends without being asked to."""
        name = running.part.name
        while running.process is not None:
            await running.process.wait()
            if running.status == "running" and time.monotonic() - running.ready_at > _CALM_SECONDS:
                running.failures = 0
            delay = min(_FIRST_DELAY * 2**running.failures, _LONGEST_DELAY)
            running.failures += 1
            running.restarts += 1
            running.status = "restarting"
            self._say(f"{name} ended ({running.process.how_it_ended()}); starting it again in {delay:g} s")
            self._changed()
            await asyncio.sleep(delay)
            began = time.monotonic()
            try:
                await self._start(running)
            except CliError as error:
                self._say(str(error))
                await running.process.stop(running.part.stop_signal, running.part.patience)
            else:
                self._say(f"{name} ready {time.monotonic() - began:.1f} s")

    async def stop_part(self, name: str, patience: float | None = None) -> bool:
        """Stop one part and leave it stopped; return whether it ran."""
        running = self.running[name]
        async with running.lock:
            if running.keeper is not None:
                running.keeper.cancel()
                running.keeper = None
            process = running.process
            ran = process is not None and process.exit_code is None
            running.status = "stopped"
            if process is not None:
                wait = running.part.patience if patience is None else patience
                await process.stop(running.part.stop_signal, wait)
                running.process = None
            if ran:
                self._say(f"{name} stopped")
            self._changed()
            return ran

    async def start_part(self, name: str) -> bool:
        """Start one part that was stopped; return whether it had to be started."""
        running = self.running[name]
        async with running.lock:
            if running.status == "running" and running.process is not None and running.process.exit_code is None:
                return False
            if running.keeper is not None:
                running.keeper.cancel()
                running.keeper = None
            if running.process is not None:
                await running.process.stop(running.part.stop_signal, running.part.patience)
            running.failures = 0
            began = time.monotonic()
            try:
                await self._start(running)
            except CliError:
                running.status = "failed"
                raise
            self._say(f"{name} ready {time.monotonic() - began:.1f} s")
            return True

    async def take_down(self) -> None:
        """Stop everything in order, within ten seconds, and leave no process."""
        limit = time.monotonic() + catalogue.SHARED_STOP_SECONDS
        for name in STOP_ORDER:
            shared = max(0.2, min(PARTS[name].patience, limit - time.monotonic()))
            await self.stop_part(name, catalogue.SERVER_STOP_SECONDS.get(name, shared))
        for helper in self._helpers:
            helper.kill()


async def _knock(host: str, port: int) -> None:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()


def _check_start(process: Process, limit: float | None = None) -> None:
    """Raise when a process that should become ready has ended, or takes too long."""
    if process.exit_code is not None:
        raise CliError(_could_not_start(process))
    if limit is not None and time.monotonic() > limit:
        message = f"{process.name} did not become ready within {_READY_SECONDS:.0f} s; its log is {process.log}."
        raise CliError(message)


def _could_not_start(process: Process) -> str:
    end = process.last_lines()
    said = f"; the last lines of {process.log}:\n{end}" if end else f"; it wrote nothing to {process.log}."
    return f"{process.name} could not start ({process.how_it_ended()}){said}"

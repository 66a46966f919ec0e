"""`handrail up`: one supervisor per home, in the foreground, until it is asked to stop."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from services.cli import control
from services.cli.cluster import Cluster, make_private, prepare_cluster
from services.cli.errors import CliError
from services.cli.home import Home, command_line
from services.cli.house import House
from services.cli.parts import PARTS, PORT_PARTS, STOP_ORDER, TEMPORAL, Options
from services.cli.ports import HOST, choose_ports
from services.cli.processes import Recorded, end, leftovers, start_mark
from services.cli.temporal import NAMESPACE, find_binary

_LEFTOVER_SECONDS = 3.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def say(line: str) -> None:
    """Print a line at once; a closed terminal is no reason to end."""
    with suppress(OSError):
        print(line, flush=True)


def run(options: Options) -> int:
    """Run the house until it is asked to stop; return the exit code.

    Raises:
        CliError: it could not be started; nothing is left running.
    """
    options.home.prepare()
    with _only_supervisor(options.home):
        options.home.make_identity_key()
        return asyncio.run(_Supervisor(options).run())


@contextmanager
def _only_supervisor(home: Home) -> Iterator[None]:
    with home.lock_file.open("r+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            message = (
                f"Handrail is already running in {home.path}; stop it with `{command_line(home.path)} stop`, "
                "or choose another home with --home."
            )
            raise CliError(message) from error
        yield


class _Supervisor:
    def __init__(self, options: Options) -> None:
        self._began = time.monotonic()
        self._options = options
        self._home = options.home
        self._stop = asyncio.Event()
        self._control_path = options.home.short_directory / "control"
        self._me = Recorded(os.getpid(), start_mark(os.getpid()) or "")
        self._ports: Mapping[str, int] = {}
        self._addresses: dict[str, str] = {}
        self._house: House | None = None
        self._given: Mapping[str, str] = self._home.given()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self._stop.set)
        self._end_leftovers()
        cluster = self._prepare()
        for line in self._options.recalled:
            say(line)
        house = self._house = House(self._options, self._addresses, say, self._record)
        server: asyncio.Server | None = None
        try:
            self._record()
            if cluster is None:
                make_private(self._control_path.parent)
            self._control_path.unlink(missing_ok=True)
            server = await control.listen(self._control_path, self._answer)
            if await self._until_stopped(house.bring_up(cluster)):
                self._given = self._options.given or self._given
                self._record()
                self._announce()
                await self._stop.wait()
            say("stopping")
        finally:
            if server is not None:
                server.close()
                self._control_path.unlink(missing_ok=True)
            await house.take_down()
            shutil.rmtree(self._control_path.parent, ignore_errors=True)
            self._house = None
            self._record()
        return 0

    def _prepare(self) -> Cluster | None:
        """Check whatever can be checked before anything is started, and choose the ports."""
        ported = [name for name in PORT_PARTS if name != TEMPORAL or not self._options.temporal_address]
        remembered = self._home.read_state().get("ports", {})
        self._ports = choose_ports(ported, self._options.ports, remembered)
        self._addresses = {name: f"{HOST}:{port}" for name, port in self._ports.items()}
        if self._options.temporal_address:
            self._addresses[TEMPORAL] = self._options.temporal_address
        else:
            find_binary()
        if self._options.database_url:
            return None
        return prepare_cluster(self._home)

    def _end_leftovers(self) -> None:
        """End what a killed supervisor left; the kernel has told it to end, so this is mostly waiting."""
        left = leftovers(self._home.read_state().get("parts", {}))
        for name in STOP_ORDER:
            if name in left:
                say(f"ending {name}, left by an earlier run (pid {left[name].pid})")
                end(left[name], PARTS[name].stop_signal, _LEFTOVER_SECONDS)

    async def _until_stopped(self, work: Any) -> bool:  # noqa: ANN401 - any coroutine
        """Run something unless a stop comes first; return whether it was done."""
        task = asyncio.ensure_future(work)
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if task.done():
            task.result()
            return True
        task.cancel()
        await asyncio.wait({task})
        return False

    def _record(self) -> None:
        """Write home.json: where things listen while the house runs, and what to use again next time."""
        state: dict[str, Any] = {"ports": dict(self._ports), "given": dict(self._given)}
        if self._house is not None:
            state |= {
                "supervisor": self._me.as_json(),
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
                "addresses": self._addresses,
                "namespace": NAMESPACE,
                "control": str(self._control_path),
                "parts": {
                    name: running.process.recorded.as_json()
                    for name, running in self._house.running.items()
                    if running.process is not None
                },
            }
        self._home.write_state(state)

    async def _answer(self, do: str, part: str) -> control.Answer:
        house = self._house
        if house is None:
            message = "Handrail is stopping."
            raise CliError(message)
        if do == "status":
            return {"parts": [house.running[name].describe() for name in reversed(STOP_ORDER)]}
        if do == "stop" and not part:
            self._stop.set()
            return {"said": "stopping"}
        if part not in PARTS:
            message = f"There is no part {part!r}; the parts are {', '.join(reversed(STOP_ORDER))}."
            raise CliError(message)
        if house.external(part):
            message = f"{part} is not ours to {do}: its address was given."
            raise CliError(message)
        if do == "stop":
            stopped = await house.stop_part(part)
            return {"said": f"{part} stopped" if stopped else f"{part} was stopped already"}
        if do == "start":
            started = await house.start_part(part)
            return {"said": f"{part} ready" if started else f"{part} runs already"}
        message = f"The supervisor does not know {do!r}."
        raise CliError(message)

    def _announce(self) -> None:
        handrail = command_line(self._home.path)
        say(f"\nHandrail is up ({time.monotonic() - self._began:.1f} s), home {self._home.path}")
        for name in PORT_PARTS:
            say(f"  {name:<9} {self._addresses[name]}")
        if not os.environ.get("HANDRAIL_SMTP_URL"):
            say(
                "HANDRAIL_SMTP_URL is not set: nothing is mailed; "
                f"read messages with `{handrail} patient messages PATIENT`"
            )
        say("\nType next, in another terminal:")
        for command, what in (
            ("demo", "one person's story, narrated"),
            ("worklist", "what is due, and for whom"),
            ("status", "the parts of the house"),
        ):
            say(f"  {handrail} {command:<10} # {what}")
        say("Ctrl-C stops everything.\n")

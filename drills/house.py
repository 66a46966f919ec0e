"""A whole house for a drill: real parts, Temporal with clocks that can be moved, and processes to kill."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from services.cli.control import ask
from services.cli.errors import CliError
from services.cli.home import RunningHome
from services.cli.ports import HOST, is_free
from services.cli.temporal import find_binary, server_command
from services.runtime.settings import REPOSITORY

_HANDRAIL = Path(sys.executable).parent / "handrail"
_MOVABLE_CLOCKS = "frontend.WorkflowTimeSkippingEnabled=true"
# A pathway goes on as a new run every few reports: years of that in minutes.
_HISTORY_EVENTS = 120
_PATIENCE_SECONDS = 90.0
WORKER = "worker"


class DrillHouse:
    """`handrail up` in a temporary folder, on a Temporal server whose workflows' clocks can be moved ahead."""

    def __init__(self, plant: str = "", history_events: int = _HISTORY_EVENTS) -> None:
        self._history_events = history_events
        self._folder = Path(tempfile.mkdtemp(prefix="handrail-drill-"))
        self._folder.chmod(0o711)  # PostgreSQL's user must pass through it when root runs the drill
        self._home = self._folder / "home"
        self.planted = plant
        self._processes: list[subprocess.Popen[bytes]] = []
        self.kills = 0

    @property
    def running(self) -> RunningHome:
        """Where it answers."""
        return RunningHome.load(self._home)

    def start(self) -> None:
        """Bring everything up; with a planted fault the worker is one that has it.

        Raises:
            CliError: it did not come up; the end of what it said is in the sentence.
        """
        port = next(port for port in range(32_100, 32_700) if is_free(port))
        command = [*server_command(find_binary(), self._folder / "temporal.db", port)]
        self._processes.append(self._run([*command, "--dynamic-config-value", _MOVABLE_CLOCKS], "temporal"))
        self._wait_for(port)
        environment = {
            "TEMPORAL_ADDRESS": f"{HOST}:{port}",
            "HANDRAIL_CLUSTERS": str(self._folder / "clusters"),
            "HANDRAIL_HISTORY_EVENTS": str(self._history_events),
        }
        (self._folder / "clusters").mkdir(mode=0o711)
        self._processes.append(self._run([str(_HANDRAIL), "up", "--home", str(self._home)], "house", environment))
        self._wait_until_up()
        if self.planted:
            ask(self.running.control, "stop", WORKER)
            self._processes.append(self._planted_worker())

    def stop(self) -> None:
        """Stop what was started, the last first, and throw the folder away."""
        for process in reversed(self._processes):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self, part: str) -> bool:
        """Kill one part as a crash would; the supervisor starts it again. False if there was nothing to kill."""
        parts = ask(self.running.control, "status")["parts"]
        pid = next((one["pid"] for one in parts if one["part"] == part), None)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.kills += 1
        return True

    async def until_ready(self) -> None:
        """Wait until every part runs again.

        Raises:
            CliError: one does not.
        """
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            parts: list[dict[str, Any]] = ask(self.running.control, "status")["parts"]
            waits = [one for one in parts if one["status"] not in {"running", "external"}]
            if not [one for one in waits if not (self.planted and one["part"] == WORKER)]:
                return
            await asyncio.sleep(0.1)
        message = f"These parts did not come back: {', '.join(one['part'] for one in waits)}."
        raise CliError(message)

    def _planted_worker(self) -> subprocess.Popen[bytes]:
        running = self.running
        environment = {
            "TEMPORAL_ADDRESS": running.temporal_address,
            "TEMPORAL_NAMESPACE": running.temporal_namespace,
            "HANDRAIL_RECORDS_ADDRESS": running.records_address,
            "HANDRAIL_PATHWAY_ADDRESS": running.pathway_address,
            "HANDRAIL_NOTIFY_ADDRESS": running.notify_address,
            "HANDRAIL_IDENTITY_KEY_FILE": str(running.home.identity_key_file),
        }
        return self._run([sys.executable, "-m", "drills.planted", self.planted], "planted", environment)

    def _run(self, command: list[str], name: str, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=REPOSITORY,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    @staticmethod
    def _wait_for(port: int) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while is_free(port):
            if time.monotonic() > until:
                message = "The drill's Temporal server did not come up."
                raise CliError(message)
            time.sleep(0.05)

    def _wait_until_up(self) -> None:
        said = self._folder / "house.log"
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            text = said.read_text(encoding="utf-8", errors="replace")
            if "Handrail is up" in text:
                return
            if self._processes[-1].poll() is not None:
                break
            time.sleep(0.1)
        message = f"The drill's house did not come up: {text[-500:]}"
        raise CliError(message)

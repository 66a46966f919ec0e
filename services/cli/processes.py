"""Processes that are ours: started so that they die with the supervisor, known again by pid and start time.

A child has its own session, so that the terminal's Ctrl-C reaches only the supervisor. On Linux it asks the
kernel for a signal when the supervisor dies (PR_SET_PDEATHSIG). The kernel forgets that wish when the user id
changes, so it is made after that, just before exec. What it misses, the next start ends, from home.json.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_POLL_SECONDS = 0.02
_LOG_MODE = 0o600
_UMASK = 0o077  # what a part writes is for its own user


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged user that a process runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A process as home.json remembers it."""

    pid: int
    started: str

    @classmethod
    def parse(cls, value: object) -> Recorded | None:
        """Read one entry of home.json."""
        if not isinstance(value, dict):
            return None
        pid, started = value.get("pid"), value.get("started")
        return cls(pid, started) if isinstance(pid, int) and isinstance(started, str) else None

    def as_json(self) -> dict[str, Any]:
        """Return the entry for home.json."""
        return {"pid": self.pid, "started": self.started}


def start_mark(pid: int) -> str | None:
    """Return what tells this process from a later one with the same pid; None when it has ended."""
    if sys.platform != "linux":
        listed = subprocess.run(
            ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return listed.stdout.strip() or None
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    fields = line.rpartition(")")[2].split()  # the name before it may hold anything
    return None if fields[0] in "ZX" else f"{boot[:8]}:{fields[19]}"


def is_alive(recorded: Recorded, mark: Callable[[int], str | None] = start_mark) -> bool:
    """Return whether the very process that was recorded still runs."""
    return mark(recorded.pid) == recorded.started


def leftovers(parts: Mapping[str, object], mark: Callable[[int], str | None] = start_mark) -> dict[str, Recorded]:
    """Return the recorded parts that still run; a pid that now belongs to somebody else is not ours."""
    found: dict[str, Recorded] = {}
    for name, value in parts.items():
        recorded = Recorded.parse(value)
        if recorded is not None and is_alive(recorded, mark):
            found[name] = recorded
    return found


def end(recorded: Recorded, first: signal.Signals, seconds: float) -> None:
    """End a process that is not our child: ask first, then kill, and wait until it is gone."""
    for number, patience in ((first, seconds), (signal.SIGKILL, 2.0)):
        if not is_alive(recorded):
            return
        try:
            os.kill(recorded.pid, number)
        except ProcessLookupError:
            return
        limit = time.monotonic() + patience
        while time.monotonic() < limit and is_alive(recorded):
            time.sleep(_POLL_SECONDS)


class Process:
    """A child of the supervisor, with its output in a log file."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path, log_start: int) -> None:
        self.name = name
        self.log = log
        self._popen = popen
        self._log_start = log_start
        self.recorded = Recorded(popen.pid, start_mark(popen.pid) or "gone")

    @classmethod
    def spawn(  # noqa: PLR0913 - what a process needs, by name
        cls,
        name: str,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        log: Path,
        cwd: Path,
        account: Account | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
        gated: bool = False,
    ) -> Process:
        """Start a child; `gated` gives it a pipe as its input, through which `open_gate` speaks.

        Raises:
            OSError: it cannot be started.
        """
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _LOG_MODE)
        log_start = os.fstat(descriptor).st_size
        try:
            popen = subprocess.Popen(
                [str(word) for word in argv],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.PIPE if gated else subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
                umask=_UMASK,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                preexec_fn=_die_with_parent(death_signal),  # noqa: PLW1509 - one thread only; the call is a syscall
            )
            return cls(name, popen, log, log_start)
        finally:
            os.close(descriptor)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """What it ended with, negative for a signal; None while it runs."""
        return self._popen.poll()

    def open_gate(self) -> None:
        """Tell a gated child that what it needs is there."""
        if self._popen.stdin is None:
            return
        try:
            self._popen.stdin.write(b"go\n")
            self._popen.stdin.close()
        except OSError:
            pass  # it has ended; whoever waits for it will say so
        self._popen.stdin = None

    async def wait(self) -> int:
        """Wait until it ends, and return what it ended with."""
        while (code := self._popen.poll()) is None:
            if sys.platform == "linux":
                await _wait_for_pid(self._popen.pid)
            else:
                await asyncio.sleep(_POLL_SECONDS)
        return code

    async def stop(self, first: signal.Signals, seconds: float) -> None:
        """Ask it to end, wait, then kill it and what it started."""
        if self.exit_code is None:
            self._popen.send_signal(first)
            try:
                await asyncio.wait_for(self.wait(), seconds)
            except TimeoutError:
                self.kill()
                await self.wait()
        if self._popen.stdin is not None:
            self._popen.stdin.close()

    def kill(self) -> None:
        """End its whole session at once."""
        if self.exit_code is None:
            try:
                os.killpg(self._popen.pid, signal.SIGKILL)
            except ProcessLookupError:
                self._popen.kill()

    def how_it_ended(self) -> str:
        """Return `exit 1` or `SIGKILL`."""
        code = self.exit_code
        if code is None:
            return "still running"
        return f"exit {code}" if code >= 0 else signal.Signals(-code).name

    def last_lines(self, count: int = 12) -> str:
        """Return the end of what this child wrote to its log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(self._log_start, file.seek(0, os.SEEK_END) - 16_384))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(f"    {line}" for line in text.splitlines()[-count:])


async def _wait_for_pid(pid: int) -> None:
    """Sleep until a child has ended, without polling; it is not reaped here."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    descriptor = os.pidfd_open(pid)
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def before_exec() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
            if os.getppid() != parent:  # the supervisor died in between
                os._exit(1)

    return before_exec

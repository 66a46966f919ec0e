"""Where the embedded PostgreSQL keeps its data, who it runs as, and how the data come to be.

PostgreSQL refuses to run as root. As root the cluster therefore lies outside the home, in a folder that an
unprivileged user can reach, and the home remembers which. No user is made, no folder of others is changed.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from services.cli.binaries import Binaries, find_binaries
from services.cli.errors import CliError
from services.cli.home import Home, write_private
from services.cli.processes import Account, Process

SUPERUSER = "postgres"
DEFAULT_CLUSTERS = "/var/lib/handrail"
_POLL_SECONDS = 0.02
_ACCOUNTS = ("postgres", "nobody")
_BUILTIN_LOCALE_SINCE = 17
_ENV = {"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC"}
Track = Callable[[Process], Process]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster on disk and the binaries that serve it."""

    home: Home
    directory: Path
    account: Account | None
    binaries: Binaries

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.directory / "data"

    @property
    def sockets(self) -> Path:
        """The folder of its unix socket, which is the only door to it."""
        return self.home.short_directory / "pg"

    async def create(self, password: str, track: Track) -> None:
        """Run initdb, unless the cluster is there; a half-made one is thrown away and made again."""
        if self.data.exists():
            return
        fresh = self.directory / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password_file = self.directory / "password.new"
        write_private(password_file, password)
        self.give(password_file)
        try:
            initdb = track(self._initdb(fresh, password_file))
            code = await initdb.wait()
        finally:
            password_file.unlink(missing_ok=True)
        if code != 0:
            end_of_log = f"the last lines of {initdb.log}:\n{initdb.last_lines()}"
            message = f"PostgreSQL could not create its data ({initdb.how_it_ended()}); {end_of_log}"
            raise CliError(message)
        fresh.rename(self.data)

    def _initdb(self, fresh: Path, password_file: Path) -> Process:
        locale = ["--locale=C.UTF-8"]
        if self.binaries.major >= _BUILTIN_LOCALE_SINCE:
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        argv: list[str | Path] = [
            self.binaries.program("initdb"),
            "-D",
            fresh,
            "-U",
            SUPERUSER,
            "-A",
            "scram-sha-256",
        ]
        argv += [f"--pwfile={password_file}", "-E", "UTF8", *locale, "--data-checksums"]
        return self.spawn("initdb", argv)

    async def start(self) -> Process:
        """Start the server. It shuts down cleanly by itself when the supervisor dies."""
        await self.clear()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            "logging_collector": "off",
            "log_destination": "stderr",
        }
        argv: list[str | Path] = [self.binaries.program("postgres"), "-D", self.data]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        return self.spawn("postgres", argv)

    def spawn(self, name: str, argv: list[str | Path]) -> Process:
        """Start one of PostgreSQL's programs as the cluster's user."""
        return Process.spawn(
            name,
            argv,
            env=_ENV,
            log=self.home.log_file("postgres"),
            cwd=self.directory,
            account=self.account,
            death_signal=signal.SIGINT,
        )

    async def clear(self) -> None:
        """End what an earlier server left on these data, and remove its lock files.

        They guard against sessions that outlive their server, so they go only once nobody is left. PostgreSQL would
        see by itself that they are stale, unless the pid in them is a zombie's or belongs to another process by now.

        Raises:
            CliError: somebody is left.
        """
        if sys.platform != "linux":
            return
        for number, patience in ((signal.SIGINT, 3.0), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 1.0)):
            for pid in self._inhabitants():
                if number != signal.SIGINT or self._is_server(pid):  # sessions end with their server
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)
            limit = time.monotonic() + patience
            while self._inhabitants() and time.monotonic() < limit:  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(_POLL_SECONDS)
        if self._inhabitants():
            message = f"Another PostgreSQL works on {self.data} and does not end; end it first."
            raise CliError(message)
        for stale in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _inhabitants(self) -> list[int]:
        """Return every process of a server on these data: all of them work inside the data directory."""
        here = str(self.data.resolve())
        found: list[int] = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal():
                with suppress(OSError):
                    if str((folder / "cwd").readlink()) == here:
                        found.append(int(folder.name))
        return found

    def _is_server(self, pid: int) -> bool:
        """Whether a process is the server itself, which alone was started with the folder's name."""
        try:
            return str(self.data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False

    def give(self, path: Path) -> None:
        """Make a file or folder of ours the cluster user's."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)


def prepare_cluster(home: Home) -> Cluster:
    """Find or make the folder of a home's cluster, and check that these binaries can serve it.

    Raises:
        CliError: a part is missing, or the database is broken; the sentence says which and what to do.
    """
    binaries = find_binaries()
    account = _account(home)
    directory = home.path / "postgres" if account is None else _directory_outside(home, account)
    try:
        if not directory.exists():
            directory.mkdir(mode=0o700)
            if account is not None:
                os.chown(directory, account.uid, account.gid)
        _check_data(directory / "data", binaries)
        if account is not None and not _reachable(binaries.directory, account):
            binaries = binaries.copy_to(directory, account)
        cluster = Cluster(home, directory, account, binaries)
        _prepare_sockets(cluster)
    except OSError as error:
        message = f"The database folder {directory} cannot be used ({error}); mend it, or name another home."
        raise CliError(message) from error
    return cluster


def _account(home: Home) -> Account | None:
    """Whom PostgreSQL runs as: us unless we are root, else the owner of the cluster, else a usual one."""
    if os.geteuid() != 0:
        return None
    if home.cluster_file.exists():
        owner = Path(home.cluster_file.read_text(encoding="utf-8").strip())
        if owner.is_dir():
            found = owner.stat()
            return Account(str(found.st_uid), found.st_uid, found.st_gid)
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    message = "PostgreSQL does not run as root, and there is no user `nobody`; run Handrail as another user."
    raise CliError(message)


def _directory_outside(home: Home, account: Account) -> Path:
    if home.cluster_file.exists():
        directory = Path(home.cluster_file.read_text(encoding="utf-8").strip())
        if not directory.is_dir():
            message = f"The database of this home, {directory}, is gone; restore it, or name another home."
            raise CliError(message)
        _refuse_copied_home(home, directory)
        return directory
    clusters = Path(os.environ.get("HANDRAIL_CLUSTERS") or DEFAULT_CLUSTERS).absolute()
    if not clusters.exists():
        clusters.mkdir(parents=True)
        clusters.chmod(0o711)
    if not _reachable(clusters, account):
        message = (
            f"The user {account.name}, as which PostgreSQL runs, cannot reach {clusters}; set "
            "HANDRAIL_CLUSTERS to a folder that it can reach."
        )
        raise CliError(message)
    directory = clusters / f"{home.short_directory.name.rpartition('-')[2]}-{secrets.token_hex(4)}"
    directory.mkdir(mode=0o700)
    write_private(directory / "home", str(home.path.resolve()))
    os.chown(directory, account.uid, account.gid)
    write_private(home.cluster_file, str(directory))
    return directory


def _refuse_copied_home(home: Home, directory: Path) -> None:
    """A home that was moved takes its database along; a copy may not share it."""
    note = directory / "home"
    here = str(home.path.resolve())
    other = note.read_text(encoding="utf-8").strip() if note.exists() else here
    if other == here:
        return
    theirs = Path(other) / home.cluster_file.name
    if theirs.exists() and theirs.read_text(encoding="utf-8").strip() == str(directory):
        message = f"{home.path} is a copy of {other} and would share its database; name a new home."
        raise CliError(message)
    write_private(note, here)


def _check_data(data: Path, binaries: Binaries) -> None:
    if not data.exists():
        return
    try:
        made_by = int((data / "PG_VERSION").read_text(encoding="ascii"))
    except (OSError, ValueError):
        made_by = 0
    if not made_by or not (data / "global" / "pg_control").exists():
        message = f"The database in {data} is broken; restore it from a backup, or name a new home."
        raise CliError(message)
    if made_by != binaries.major:
        message = (
            f"The database in {data} was made by PostgreSQL {made_by}, but this is {binaries.major}; "
            "dump it with the old version and load it into a new home."
        )
        raise CliError(message)


def _prepare_sockets(cluster: Cluster) -> None:
    """Make the short folder: ours alone to list, the cluster's user may pass through it to its own."""
    short = cluster.home.short_directory
    make_private(short)
    if cluster.account is not None:
        short.chmod(0o711)
    cluster.sockets.mkdir(mode=0o700, exist_ok=True)
    cluster.give(cluster.sockets)


def make_private(folder: Path) -> None:
    """Make a folder that is ours alone, or check that it is.

    Raises:
        CliError: somebody else made it.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        message = f"{folder} belongs to somebody else; remove it."
        raise CliError(message)


def _reachable(path: Path, account: Account) -> bool:
    """Whether an account may pass through every folder down to a path, and read it."""
    for folder in (path, *path.parents):
        found = folder.stat()
        bits = found.st_mode >> 6 if found.st_uid == account.uid else found.st_mode
        if not bits & stat.S_IXOTH:
            return False
    return True

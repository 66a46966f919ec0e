"""`handrail up` on the real PostgreSQL and Temporal: start, stop, kill, restart, and what it says when it cannot.

`test_a_day_in_the_house` runs the real Python parts; where they do not matter, and for one that does not exist yet,
a process that only reports itself ready plays them.
"""

import asyncio
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.cli.control import ask
from services.cli.home import Home, RunningHome

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = ["postgres", "temporal", "records", "notify", "pathway", "worker", "sweep"]
MODULES = {"records": "services.records", "notify": "services.notify", "pathway": "services.pathway"}
FAKE = """
import os, pathlib, signal, sys
if sys.stdin.readline():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    pathlib.Path(os.environ["HANDRAIL_READY_FILE"]).write_text(str(os.getpid()))
    signal.pause()
"""
DRIVER = """
import json, os, sys
from services.cli.errors import CliError
from services.cli.home import Home, current_home
from services.cli.parts import PORT_PARTS, Commands, Options
from services.cli.ports import parse_ports
from services.cli.up import run
options = Options(
    home=Home(current_home()),
    ports=parse_ports([], os.environ, PORT_PARTS),
    commands=Commands(run={**Commands().run, **json.loads(sys.argv[1])}),
)
try:
    sys.exit(run(options))
except CliError as error:
    sys.exit(f"handrail: {error}")
"""
READY = "Ctrl-C stops everything."


ALL_FAKES = {name: [sys.executable, "-c", FAKE] for name in (*MODULES, "worker", "sweep")}


def fakes() -> dict[str, list[str]]:
    modules = MODULES | {"worker": "workflows", "sweep": "services.sweep"}
    missing = [name for name, module in modules.items() if importlib.util.find_spec(f"{module}.__main__") is None]
    return {name: [sys.executable, "-c", FAKE] for name in missing}


class House:
    """One home, and the `up` that runs in it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.home = folder / name
        self.output = folder / f"{name}.txt"
        self.environment = {
            **{k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "TEMPORAL_ADDRESS"}},
            "HANDRAIL_HOME": str(self.home),
            "HANDRAIL_CLUSTERS": str(folder / "clusters"),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, parts: dict[str, list[str]] | None = None, **environment: str) -> None:
        changed = fakes() if parts is None else fakes() | parts
        command = ["-c", DRIVER, json.dumps(changed)] if changed else ["-m", "services.cli", "up"]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                env=self.environment | environment,
                cwd=REPOSITORY,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def up(self) -> subprocess.Popen[bytes]:
        assert self.process is not None
        return self.process

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, text: str, seconds: float = 30) -> None:
        eventually(lambda: text in self.said() or self.up.poll() is not None, seconds, self.said)
        assert text in self.said(), self.said()

    def refused(self) -> str:
        """Wait for the end of an `up` that cannot, and return its sentence."""
        assert self.up.wait(20) == 1
        said = self.said()
        assert "Traceback" not in said
        return said

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "services.cli", *words],
            env=self.environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def status(self) -> dict[str, Any]:
        answer = ask(RunningHome.load(self.home).control, "status")
        return {entry["part"]: entry for entry in answer["parts"]}

    def processes(self) -> list[str]:
        """What still runs for this home, the supervisor aside."""
        marks = [f"HANDRAIL_HOME={self.home}\0".encode(), self.data().encode()]
        found = []
        for folder in Path("/proc").iterdir():
            with suppress(OSError):
                if not folder.name.isdecimal() or int(folder.name) in {os.getpid(), self.up.pid}:
                    continue
                command = (folder / "cmdline").read_bytes()
                if any(mark in command + b"\0" + (folder / "environ").read_bytes() for mark in marks):
                    found.append(command.replace(b"\0", b" ").decode())
        return found

    def data(self) -> str:
        where = self.home / "cluster"
        return where.read_text().strip() if where.exists() else str(self.home / "postgres")

    def stop(self, how: Callable[[], object]) -> float:
        began = time.monotonic()
        how()
        assert self.up.wait(10) == 0, self.said()
        assert self.processes() == []
        return time.monotonic() - began


def eventually(what: Callable[[], object], seconds: float, why: Callable[[], str] = str) -> None:
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, why()
        time.sleep(0.05)


@pytest.fixture
def new_house() -> Iterator[Callable[[str], House]]:
    with tempfile.TemporaryDirectory(prefix="handrail-test-") as name:
        Path(name).chmod(0o711)  # PostgreSQL runs as another user when we are root
        houses: list[House] = []

        def make(home: str) -> House:
            houses.append(House(Path(name), home))
            return houses[-1]

        yield make
        for house in houses:
            if house.process is not None and house.process.poll() is None:
                house.process.kill()
                house.process.wait()
            eventually(lambda: house.process is None or not house.processes(), 10)  # noqa: B023 - called at once
            shutil.rmtree(Home(house.home).short_directory, ignore_errors=True)


@pytest.fixture
def house(new_house: Callable[[str], House]) -> House:
    return new_house("home")


async def connect(home: Home, role: str, password: str) -> Any:
    sockets = str(home.short_directory / "pg")
    given = {"host": sockets, "user": role, "password": password, "database": "handrail"}
    return await asyncpg.connect(**given)  # type: ignore[no-untyped-call]


async def try_roles(house: House) -> None:
    home = Home(house.home)
    passwords = home.passwords()
    for schema in ("records", "notify"):
        for role in ("owner", "runtime"):
            name = f"{schema}_{role}"
            connection = await connect(home, name, passwords[name])
            assert await connection.fetchval("SHOW search_path") == schema
            assert await connection.fetchval("SHOW timezone") == "UTC"
            assert await connection.fetchval("SHOW data_checksums") == "on"
            create = await connection.fetchval("SELECT has_schema_privilege($1, 'CREATE')", schema)
            assert create is (role == "owner")
            other = "notify" if schema == "records" else "records"
            assert not await connection.fetchval("SELECT has_schema_privilege($1, 'USAGE')", other)
            await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await connect(home, f"{schema}_owner", "wrong")


def test_a_day_in_the_house(house: House) -> None:
    house.start()
    house.wait_for(READY)
    said = house.command("status", "--json").stdout
    shown = json.loads(said)
    assert said == json.dumps(shown, indent=2, ensure_ascii=False) + "\n"
    assert {path.stat().st_mode & 0o077 for path in house.home.glob("temporal.db*")} == {0}
    first = {entry["part"]: entry for entry in shown["parts"]}
    assert [name for name, entry in first.items() if entry["status"] == "running"] == PARTS
    asyncio.run(try_roles(house))

    second = House(house.home.parent, house.home.name)
    second.output = house.output.with_suffix(".second")
    second.start()
    assert "already running" in second.refused()

    assert house.command("stop", "notify").stdout == "notify stopped\n"
    assert house.status()["notify"]["status"] == "stopped"
    assert house.command("start", "notify").returncode == 0
    assert "no part 'nobody'" in house.command("stop", "nobody").stderr

    for name in ("worker", "postgres"):
        os.kill(house.status()[name]["pid"], signal.SIGKILL)
        house.wait_for(f"{name} ended (SIGKILL); starting it again")
        eventually(lambda: house.status()[name]["status"] == "running", 20, house.said)  # noqa: B023 - called at once

    house.stop(lambda: os.killpg(house.up.pid, signal.SIGINT))
    assert "not running" in house.command("status").stderr

    house.start()
    house.wait_for(READY)
    again = RunningHome.load(house.home)
    assert again.records_address == first["records"]["address"]
    assert again.temporal_address == first["temporal"]["address"]
    house.stop(lambda: house.command("stop"))


def test_kill_of_the_group_leaves_nothing_and_the_next_start_recovers(house: House) -> None:
    house.start(ALL_FAKES)
    house.wait_for(READY)
    os.killpg(house.up.pid, signal.SIGKILL)
    house.up.wait()
    house.start(ALL_FAKES)  # at once, while the parts are still ending
    house.wait_for(READY)
    pids = [entry["pid"] for entry in house.status().values()]
    for pid in [house.up.pid, *pids]:
        os.kill(pid, signal.SIGKILL)  # PostgreSQL too, so that it has to recover
    house.up.wait()
    eventually(lambda: not house.processes(), 5, lambda: str(house.processes()))
    house.start(ALL_FAKES)
    house.wait_for(READY)
    house.stop(house.up.terminate)


def test_two_homes_side_by_side(new_house: Callable[[str], House]) -> None:
    one, two = new_house("one"), new_house("two")
    one.start(ALL_FAKES)
    two.start(ALL_FAKES)
    one.wait_for(READY)
    two.wait_for(READY)
    second = two.status()
    assert RunningHome.load(one.home).records_address != RunningHome.load(two.home).records_address
    one.stop(one.up.terminate)
    assert two.status() == second
    two.stop(two.up.terminate)


def test_what_cannot_start_is_one_sentence(house: House) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        house.start(HANDRAIL_RECORDS_PORT=str(port))
        assert f"Port {port}, asked for records, is taken" in house.refused()

    house.start(ALL_FAKES | {"notify": [sys.executable, "-c", "import sys; sys.exit('no letterbox')"]})
    said = house.refused()
    assert "notify could not start (exit 1)" in said
    assert said.rstrip().endswith("no letterbox")
    assert house.processes() == []

    data = Path(house.data()) / "data"
    if not data.exists():
        (data / "global").mkdir(parents=True)
        (data / "global" / "pg_control").touch()
    (data / "PG_VERSION").write_text("9\n")
    house.start()
    assert "was made by PostgreSQL 9" in house.refused()
    (data / "PG_VERSION").unlink()
    house.start()
    assert "is broken" in house.refused()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"DATABASE_URL": "postgresql://a:b@127.0.0.1:9/care"},
            "The database cannot be used (DATABASE_URL, 127.0.0.1:9/care)",
        ),
        ({"TEMPORAL_ADDRESS": "127.0.0.1:9"}, "No Temporal server answers at TEMPORAL_ADDRESS=127.0.0.1:9"),
        ({"HANDRAIL_HOME": "/dev/null/home"}, "The home /dev/null/home cannot be written"),
        ({"HANDRAIL_PATHWAY_PORT": "x"}, "The port 'x' of pathway is no port number"),
        ({"HANDRAIL_GUIDELINE_DIR": "/nowhere"}, "there is no such folder"),
    ],
)
def test_what_was_given_and_does_not_work(house: House, environment: dict[str, str], sentence: str) -> None:
    house.environment |= environment
    done = house.command("up")
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1

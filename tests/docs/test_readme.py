"""Every command that the README shows is run as it stands there, `make test` excepted: that is what is running."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.cli.home import RunningHome
from tests.house import House

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = [
    [command for line in block.splitlines() if (command := re.sub(r"\s+#.*", "", line).strip())]
    for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
]
ITSELF = "make test"
STORY = ".venv/bin/handrail demo --json"  # whose patient id stands for PATIENT in the commands below it
RUNS_ON = re.compile(r"(^|\s)(make run|\.venv/bin/handrail up)\b")
START_SECONDS, STOP_SECONDS = 60.0, 12.0


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `~` is while the README's commands run, so that nothing of the reader's is touched."""
    return tmp_path_factory.mktemp("reader")


def environment(shelf: Path, home: Path) -> dict[str, str]:
    """The reader's environment: a home folder of its own, and a house."""
    told = {name: value for name, value in os.environ.items() if not name.startswith(("HANDRAIL_", "MAKE", "MFLAGS"))}
    return told | {"HOME": str(shelf), "HANDRAIL_HOME": str(home), "NO_COLOR": "1"}


def run(command: str, told: dict[str, str]) -> str:
    """Run a command that ends by itself; return what it says."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=REPOSITORY, env=told, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def running(command: str, told: dict[str, str], shelf: Path) -> Iterator[None]:
    """Start a house as the README says, and end it with SIGTERM."""
    named = re.search(r"--home ~/(\S+)", command)
    home = shelf / named.group(1) if named else Path(told["HANDRAIL_HOME"])
    said = shelf / "said"
    with said.open("wb") as log:
        started = subprocess.Popen(
            ["bash", "-c", command],
            cwd=REPOSITORY,
            env=told,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + START_SECONDS
        while "Handrail is up" not in said.read_text(encoding="utf-8"):
            assert started.poll() is None, f"{command}: exit {started.returncode}\n{said.read_text(encoding='utf-8')}"
            assert time.monotonic() < until, f"{command}: not up after {START_SECONDS} s"
            time.sleep(0.1)
        yield
        os.kill(RunningHome.load(home).supervisor.pid, signal.SIGTERM)
        assert started.wait(STOP_SECONDS) == 0, command
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait(STOP_SECONDS)


def play(commands: list[str], told: dict[str, str], shelf: Path, patient: str = "PATIENT") -> None:
    """Run the commands of a block in order; a house that one of them starts runs until the block ends."""
    if not commands:
        return
    first, *others = commands
    if RUNS_ON.search(first):
        with running(first, told, shelf):
            play(others, told, shelf, patient)
        return
    said = run(first.replace("PATIENT", patient), told)
    if first == STORY:
        patient = str(json.loads(said)["patient_id"])
    play(others, told, shelf, patient)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block[0])
def test_what_the_readme_says_to_type_works(block: list[str], house: House, shelf: Path) -> None:
    commands = [command for command in block if command != ITSELF]
    starts = any(RUNS_ON.search(command) for command in commands)
    play(commands, environment(shelf, shelf / "first-house" if starts else house.home), shelf)


def test_the_readme_shows_the_two_commands() -> None:
    shown = [command for block in BLOCKS for command in block]
    assert "make run" in shown
    assert ITSELF in shown
    assert len(TEXT.splitlines()) < 175


def test_the_table_of_folders_is_the_tree() -> None:
    listed = re.findall(r"^\| `([\w/]+)/` \|", TEXT, re.MULTILINE)
    assert not [folder for folder in listed if not (REPOSITORY / folder).is_dir()]
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--full-name"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    top = {path.split("/")[0] for path in tracked if "/" in path and not path.startswith(".")}
    services = {"/".join(path.split("/")[:2]) for path in tracked if re.match(r"services/\w+/", path)}
    assert top <= {folder.split("/")[0] for folder in listed}
    assert services <= set(listed)

import json
import os
import stat
from pathlib import Path

import pytest

from services.cli.__main__ import home_first
from services.cli.errors import CliError, NotRunningError
from services.cli.home import Home, RunningHome, write_private
from services.cli.processes import start_mark


def running_state() -> dict[str, object]:
    return {
        "supervisor": {"pid": os.getpid(), "started": start_mark(os.getpid())},
        "addresses": {"records": "a:1", "pathway": "a:2", "notify": "a:3", "temporal": "a:4"},
        "namespace": "default",
        "control": "/tmp/x/control",  # noqa: S108 - never opened
    }


def test_a_running_home_is_found(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.write_state(running_state())
    write_private(home.identity_key_file, "abc\n")
    running = RunningHome.load(tmp_path)
    assert (running.records_address, running.temporal_address) == ("a:1", "a:4")
    assert running.identity_key == "abc"
    assert running.is_running


@pytest.mark.parametrize(
    "change",
    [{"pid": 2**22 + 1, "started": "x"}, {"pid": os.getpid(), "started": "another time"}, {}, None, "damaged"],
)
def test_a_home_whose_supervisor_is_gone_does_not_run(tmp_path: Path, change: object) -> None:
    Home(tmp_path).write_state(running_state() | {"supervisor": change})
    with pytest.raises(NotRunningError, match=r"Handrail is not running in .*; start it with `.* up`"):
        RunningHome.load(tmp_path)
    assert RunningHome.load(tmp_path, required=False) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"'])
def test_a_damaged_state_file_means_not_running(tmp_path: Path, text: str) -> None:
    Home(tmp_path).state_file.write_text(text)
    assert RunningHome.load(tmp_path, required=False) is None


def test_secrets_are_private_random_and_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = home.passwords()
    assert home.passwords() == first
    assert len(set(first.values())) == 5
    assert stat.S_IMODE(home.secrets_file.stat().st_mode) == 0o600
    assert json.loads(home.secrets_file.read_text()) == first
    home.secrets_file.write_text("{")
    with pytest.raises(CliError, match="is damaged"):
        home.passwords()


def test_a_home_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CliError, match="cannot be written"):
        Home(tmp_path / "file" / "home").prepare()


def test_socket_paths_stay_short(tmp_path: Path) -> None:
    deep = Home(tmp_path / ("x" * 200))
    assert len(str(deep.short_directory / "pg" / ".s.PGSQL.5432.lock")) < 100
    assert deep.short_directory != Home(tmp_path).short_directory


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["up", "--home", "h"], ["--home", "h", "up"]),
        (["demo", "--home=h", "--json"], ["--home=h", "demo", "--json"]),
        (["--home", "h", "status"], ["--home", "h", "status"]),
        (["note", "--", "--home"], ["note", "--", "--home"]),
        (["up", "--home"], ["--home", "up"]),
    ],
)
def test_home_may_stand_anywhere(typed: list[str], read: list[str]) -> None:
    assert home_first(typed) == read

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.database import Server, server_from_url
from services.cli.errors import CliError
from services.cli.home import Home
from services.cli.parts import Options, shared_environment
from services.cli.processes import Recorded, end, leftovers, start_mark


def test_only_the_very_process_that_was_recorded_is_a_leftover() -> None:
    marks = {1: "boot:10", 2: "boot:99"}
    parts = {
        "records": {"pid": 1, "started": "boot:10"},
        "notify": {"pid": 2, "started": "boot:20"},  # the pid was given to somebody else
        "pathway": {"pid": 3, "started": "boot:30"},  # gone
        "worker": {"pid": "4"},
        "temporal": None,
    }
    assert leftovers(parts, marks.get) == {"records": Recorded(1, "boot:10")}


def test_a_process_is_known_by_pid_and_start() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mark = start_mark(child.pid)
    assert mark is not None
    assert mark == start_mark(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert start_mark(child.pid) is None  # a zombie
    child.communicate()


def test_a_leftover_that_ignores_the_request_is_killed() -> None:
    program = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        end(Recorded(child.pid, start_mark(child.pid) or ""), signal.SIGTERM, 0.2)
        assert child.wait(2) == -signal.SIGKILL


def test_the_owners_passwords_stay_with_the_supervisor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://owner:secret@host/db")
    monkeypatch.setenv("HANDRAIL_SMTP_URL", "smtp://127.0.0.1:25")
    addresses = {"records": "a:1", "pathway": "a:2", "notify": "a:3", "temporal": "a:4"}
    environment = shared_environment(Options(home=Home(tmp_path)), addresses, "default")
    assert "DATABASE_URL" not in environment
    assert environment["HANDRAIL_SMTP_URL"] == "smtp://127.0.0.1:25"
    assert environment["HANDRAIL_RECORDS_ADDRESS"] == "a:1"


def test_database_urls() -> None:
    embedded = Server(sockets=Path("/tmp/x/pg"), password="p")  # noqa: S106, S108 - never opened
    assert embedded.url_for("r", "pw") == "postgresql+asyncpg://r:pw@/handrail?host=%2Ftmp%2Fx%2Fpg"
    given = server_from_url("postgres://o:secret@db.example:5433/care?sslmode=require")
    assert given.url_for("r", "pw") == "postgresql+asyncpg://r:pw@db.example:5433/care?ssl=require"
    assert given.shown == "db.example:5433/care"
    with pytest.raises(CliError, match="no PostgreSQL URL"):
        server_from_url("mysql://x")

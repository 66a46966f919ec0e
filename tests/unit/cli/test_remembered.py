"""What a home was started with is used again, and a report whose fate is unknown says how to repeat it."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import grpc
import pytest

from services.cli.commands import acting
from services.cli.commands.house import chosen
from services.cli.commands.report import fill, repeat
from services.cli.commands.reporting import Report, request_for
from services.cli.errors import CliError
from services.cli.home import Home, RunningHome
from services.cli.processes import Recorded, start_mark
from services.runtime.errors import Category, HandrailError

GUIDELINES, TEAMS = "--guideline-dir", "--teams-file"


def test_what_was_named_earlier_is_used_again(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    home = Home(tmp_path)
    assert chosen(home, {GUIDELINES: None, TEAMS: None}) == ({}, [])
    home.write_state({"given": {GUIDELINES: str(mine)}})
    given, recalled = chosen(home, {GUIDELINES: None, TEAMS: None})
    assert given == {GUIDELINES: str(mine)}
    assert recalled == [f"guideline data: {mine}, as this home was started with"]
    assert chosen(home, {GUIDELINES: other}) == ({GUIDELINES: str(other)}, [])
    mine.rmdir()
    with pytest.raises(CliError, match=r"no such folder now; put it back, or name another with --guideline-dir\.$"):
        chosen(home, {GUIDELINES: None})
    with pytest.raises(CliError, match="there is no such file"):
        chosen(home, {TEAMS: tmp_path / "nowhere"})


@pytest.mark.parametrize("damaged", [None, [], "x"])
def test_a_damaged_memory_is_none(tmp_path: Path, damaged: object) -> None:
    home = Home(tmp_path)
    home.write_state({"given": damaged})
    assert home.given() == {}


def test_a_report_can_be_repeated_as_it_was() -> None:
    request = request_for(Report("symptom_reported", "p1", {}))
    fill(request, "2026-07-01T09:30", "", str(uuid.UUID(int=7, version=4)))
    key = request.idempotency_key
    said = repeat(request, ["report", "symptom_reported", "999 198 7150"], ["--referral-id", "r1"])
    assert f"Its key was {key}." in said
    command = said.splitlines()[1].strip()
    assert command == (
        f".venv/bin/handrail report symptom_reported '999 198 7150' --key {key} "
        "--occurred-at 2026-07-01T08:30:00Z --referral-id r1"
    )
    again = repeat(request, ["report", "--key", key, "--occurred-at=2026-07-01T09:30"])
    assert again.endswith(f"handrail report --key {key} --occurred-at=2026-07-01T09:30")


def running(tmp_path: Path, started: str) -> RunningHome:
    return RunningHome(Home(tmp_path), "a:1", "a:2", "a:3", "a:4", "default", tmp_path, Recorded(os.getpid(), started))


def test_who_does_not_answer_is_named(tmp_path: Path) -> None:
    alive = running(tmp_path, start_mark(os.getpid()) or "")
    assert "records is not answering; start it with" in str(acting.not_answering("records", alive))
    assert "records did not answer in time" in str(acting.not_answering("records", alive, late=True))
    assert "Handrail is not running" in str(acting.not_answering("records", running(tmp_path, "gone")))


class _Caller:
    def __init__(self, error: HandrailError) -> None:
        self.error = error

    async def call(self, _method: object, _request: object) -> object:
        raise self.error


async def test_what_a_service_says_of_itself_is_kept(tmp_path: Path) -> None:
    alive = running(tmp_path, start_mark(os.getpid()) or "")
    own = HandrailError("Temporal does not answer.", reason="temporal_unavailable", category=Category.UNAVAILABLE)
    desk = acting.Desk(alive, _Caller(own), {})  # type: ignore[arg-type]
    with pytest.raises(HandrailError, match="Temporal does not answer"):
        await desk.ask("pathway", None, None)  # type: ignore[arg-type]
    late = HandrailError("Deadline Exceeded", category=Category.UNAVAILABLE)
    code, nothing = grpc.StatusCode.DEADLINE_EXCEEDED, grpc.aio.Metadata()
    late.__cause__ = grpc.aio.AioRpcError(code, nothing, nothing)
    desk = acting.Desk(alive, _Caller(late), {})  # type: ignore[arg-type]
    with pytest.raises(CliError, match="pathway did not answer in time"):
        await desk.ask("pathway", None, None)  # type: ignore[arg-type]

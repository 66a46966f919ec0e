"""The process: it migrates, serves, stops, and says in one sentence what is wrong."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from pathlib import Path

from handrail.records.v1 import people_pb2 as people_pb
from services.runtime.clients import Caller, open_channel
from services.runtime.context import Actor
from services.runtime.errors import Category
from tests.postgres import ROOT, Cluster
from tests.services.records.conftest import TEAMS_FILE
from tests.services.records.house import House, Refusal, an_id

CUT_CONNECTIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'records_runtime'"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment(tmp_path: Path, url: str) -> dict[str, str]:
    key_file = tmp_path / "identity.key"
    key_file.write_text(secrets.token_hex(32), encoding="utf-8")
    return {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'proto'}",
        "HANDRAIL_RECORDS_ADDRESS": f"127.0.0.1:{free_port()}",
        "HANDRAIL_RECORDS_DATABASE_URL": url,
        "HANDRAIL_MIGRATE_URL": url,
        "HANDRAIL_IDENTITY_KEY_FILE": str(key_file),
        "HANDRAIL_READY_FILE": str(tmp_path / "ready"),
        "HANDRAIL_TEAMS_FILE": str(TEAMS_FILE),
    }


async def start(given: dict[str, str], *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.records", *arguments, cwd=ROOT, env=given, stderr=asyncio.subprocess.PIPE
    )


async def ended(given: dict[str, str], *arguments: str) -> tuple[int | None, str]:
    process = await start(given, *arguments)
    _, errors = await process.communicate()
    return process.returncode, errors.decode()


async def test_it_serves_after_several_migrated_at_once_and_stops_on_sigterm(cluster: Cluster, tmp_path: Path) -> None:
    name = await cluster.create_database()
    given = environment(tmp_path, cluster.url("records_owner", name))
    assert await asyncio.gather(*(ended(given, "migrate") for _ in range(3))) == [(0, "")] * 3

    given["HANDRAIL_RECORDS_DATABASE_URL"] = cluster.url("records_runtime", name)
    process = await start(given)
    while not await asyncio.to_thread((tmp_path / "ready").exists):
        assert process.returncode is None
        await asyncio.sleep(0.05)
    channel = open_channel(given["HANDRAIL_RECORDS_ADDRESS"])
    key = await asyncio.to_thread(Path(given["HANDRAIL_IDENTITY_KEY_FILE"]).read_text, encoding="utf-8")
    house = House(channel, key, cluster, name)
    assert (await house.register()).patient_id
    await channel.close()
    process.send_signal(signal.SIGTERM)
    _, logged = await process.communicate()
    assert process.returncode == 0
    assert b"service_stopped" in logged
    assert b"Sample" not in logged
    assert b"999000" not in logged


async def test_what_is_wrong_is_said_in_one_sentence(cluster: Cluster, tmp_path: Path) -> None:
    name = await cluster.create_database()
    good = cluster.url("records_runtime", name)
    wrong_password = good.replace(f":{cluster.password}@", ":wrong@")
    for url, arguments, says in [
        (good, (), "run `python -m services.records migrate` first"),
        (wrong_password, (), "the database cannot be reached"),
        (good.replace("host=/", "host=/nowhere/"), (), "the database cannot be reached"),
        (wrong_password, ("migrate",), "could not be migrated"),
        (good, ("serve",), "usage"),
    ]:
        code, errors = await ended(environment(tmp_path, url), *arguments)
        assert code == 1
        assert says in errors
        assert "Traceback" not in errors
        assert len(errors.strip().splitlines()) == 1


async def test_connections_that_died_are_replaced_unseen(house: House) -> None:
    story = await house.opened()
    await house.cluster.sql(CUT_CONNECTIONS, house.database_name)
    await story.symptom()
    assert len((await story.state()).event_ids) == 2


async def test_a_database_that_is_away_is_unavailable_and_nothing_is_half_done(house: House) -> None:
    story = await house.opened()
    await house.cluster.sql(f"ALTER DATABASE {house.database_name} ALLOW_CONNECTIONS false")
    await house.cluster.sql(CUT_CONNECTIONS)
    with Refusal(Category.UNAVAILABLE):
        await story.symptom()
    story.seq -= 1
    await house.cluster.sql(f"ALTER DATABASE {house.database_name} ALLOW_CONNECTIONS true")
    await story.symptom()
    assert (await story.state()).pathway.filed_seq == 2


async def test_a_caller_without_a_name_is_refused(house: House) -> None:
    stranger = Caller(Actor(subject="stranger", role="visitor"), secrets.token_hex(32))
    with Refusal(Category.UNAUTHENTICATED):
        await stranger.call(house.people.GetPerson, _get())
    with Refusal(Category.NOT_ALLOWED):
        await house.caller("x", "visitor").call(house.people.GetPerson, _get())


def _get() -> people_pb.GetPersonRequest:
    return people_pb.GetPersonRequest(patient_id=an_id())

"""The same house on a PostgreSQL and a Temporal of somebody else's: other settings, same code."""

from __future__ import annotations

import asyncio
import sys
import uuid
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from handrail.clinical.v1 import events_pb2
from services.cli.temporal import server_command
from tests import postgres
from tests.house import COORDINATOR, House, free_port


@pytest.mark.timeout(180)
async def test_a_house_stands_on_a_database_and_a_temporal_that_it_did_not_start(tmp_path: Path) -> None:
    # given a PostgreSQL server and a Temporal server that run already
    cluster = await postgres.shared()
    database = f"external_{uuid.uuid4().hex[:8]}"
    await cluster.sql(f"CREATE DATABASE {database}")
    port = free_port()
    binary = Path(sys.executable).parent / "temporal"
    command = server_command(binary, tmp_path / "temporal.db", port)
    temporal = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        await answering(f"127.0.0.1:{port}")
        # when a house is started on them
        url = cluster.url("postgres", database).replace("+asyncpg", "")
        house = House(tmp_path / "home", {"DATABASE_URL": url, "TEMPORAL_ADDRESS": f"127.0.0.1:{port}"})
        await asyncio.to_thread(house.start)
        # then it works as any other, and its own home holds neither
        door = house.door()
        patient = await door.opened()
        state = await door.told(COORDINATOR, "ReportSymptom", patient, events_pb2.SymptomReported(note="tired"))
        assert state.open_items
        await door.close()
        assert await asyncio.to_thread(house.stop) == 0
        assert not (house.home / "temporal.db").exists()
        assert not (house.home / "cluster").exists()
    finally:
        temporal.terminate()
        await temporal.wait()


async def answering(address: str) -> None:
    """Wait until a Temporal server answers."""
    for _ in range(100):
        try:
            await Client.connect(address)
        except (RuntimeError, RPCError):
            await asyncio.sleep(0.1)
        else:
            return
    message = f"Temporal does not answer at {address}"
    raise AssertionError(message)

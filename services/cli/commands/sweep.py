"""`sweep`: is every open pathway being kept? Runs outside Temporal, and is for the daily timer of the machine too."""

from __future__ import annotations

import os
import subprocess
import sys

import typer

from services.cli.commands import acting
from services.cli.home import RunningHome


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(sweep)


def sweep(as_json: acting.AsJson = False) -> None:
    """Compare the record with what runs, both ways; exit 1 if somebody is not looked after, 2 if nobody can say."""
    running = RunningHome.load()
    told = {
        "TEMPORAL_ADDRESS": running.temporal_address,
        "TEMPORAL_NAMESPACE": running.temporal_namespace,
        "HANDRAIL_RECORDS_ADDRESS": running.records_address,
        "HANDRAIL_IDENTITY_KEY_FILE": str(running.home.identity_key_file),
    }
    # The sweep speaks to Temporal itself, which no command of this package does.
    done = subprocess.run(
        [sys.executable, "-m", "workflows.sweep", *(["--json"] if as_json else [])],
        check=False,
        env={**os.environ, **told},
    )
    raise typer.Exit(done.returncode)

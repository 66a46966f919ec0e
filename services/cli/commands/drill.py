"""`drill`: proofs that anybody can run; each brings up a house of its own and throws it away afterwards."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

from services.cli.commands import acting
from services.cli.errors import CliError

_app = typer.Typer(help="Proofs to run yourself, in a house that is thrown away afterwards.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(_app, name="drill")


@_app.callback()
def drill() -> None:
    """Proofs to run yourself, in a house that is thrown away afterwards."""


@_app.command()
def lives(
    count: Annotated[int, typer.Option(min=1, help="How many synthetic people.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="The same seed is the same lives.")] = 1,
    events: Annotated[int, typer.Option(min=3, help="How many events each life has at least.")] = 30,
    plant: Annotated[str, typer.Option(help="Plant a fault: skip-timer, double-item or drop-owner.")] = "",
    as_json: acting.AsJson = False,
) -> None:
    """Live random lives against real parts, with duplicates, kills and clocks moved ahead, and check what must hold."""
    if plant not in {"", "skip-timer", "double-item", "drop-owner"}:
        message = f"--plant {plant}: plant skip-timer, double-item or drop-owner."
        raise CliError(message)
    words = ["--count", str(count), "--seed", str(seed), "--events", str(events)]
    words += ["--plant", plant] if plant else []
    # The drill speaks to Temporal itself, which no command of this package does.
    done = subprocess.run([sys.executable, "-m", "drills.lives", *words, *(["--json"] if as_json else [])], check=False)
    raise typer.Exit(done.returncode)

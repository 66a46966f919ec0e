"""`drill`: proofs that anybody can run; each brings up a house of its own and throws it away afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
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
    shrink: Annotated[float, typer.Option(min=0, help="Seconds to look for a shorter way to what was found.")] = 90.0,
    as_json: acting.AsJson = False,
) -> None:
    """Live random lives against real parts, with duplicates, kills and clocks moved ahead, and check what must hold."""
    if plant not in {"", "skip-timer", "double-item", "drop-owner"}:
        message = f"--plant {plant}: plant skip-timer, double-item or drop-owner."
        raise CliError(message)
    words = ["--count", str(count), "--seed", str(seed), "--events", str(events), "--shrink", str(shrink)]
    words += ["--plant", plant] if plant else []
    _run("drills.lives", *words, *(["--json"] if as_json else []))


@_app.command()
def histories(
    files: Annotated[list[Path] | None, typer.Argument(help="Histories as JSON; without any, the stored ones.")] = None,
    plant: Annotated[
        bool, typer.Option("--plant", help="Plant every fault at every place, and count what is found.")
    ] = False,
    as_json: acting.AsJson = False,
) -> None:
    """Check finished histories of workflows: what was accepted, planned and told, in order, and nobody left behind."""
    words = [*(["--plant"] if plant else []), *(["--json"] if as_json else []), *(str(file) for file in files or ())]
    _run("drills.checking", *words)


@_app.command()
def plans(
    depth: Annotated[int, typer.Option(min=1, max=6, help="How many reports a sequence has at most.")] = 3,
    as_json: acting.AsJson = False,
) -> None:
    """Try every sequence of two dozen kinds of reports, to a depth, on the pure planning core; nothing is started."""
    _run("drills.exploring", "--depth", str(depth), *(["--json"] if as_json else []))


def _run(module: str, *words: str) -> None:
    """Run a drill as a process: it speaks to Temporal or imports workflows, which no command of this package does."""
    raise typer.Exit(subprocess.run([sys.executable, "-m", module, *words], check=False).returncode)

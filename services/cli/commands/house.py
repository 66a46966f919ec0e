"""`up`, `stop`, `start` and `status`: the house itself."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from services.cli.commands.shapes import to_json
from services.cli.errors import CliError
from services.cli.home import Home, RunningHome, current_home

_STOP_SECONDS = 15.0
_NAMED = {"--guideline-dir": ("guideline data", "folder"), "--teams-file": ("teams file", "file")}


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(up)
    app.command()(stop)
    app.command()(start)
    app.command()(status)


def up(
    guideline_dir: Annotated[
        Path | None,
        typer.Option(envvar="HANDRAIL_GUIDELINE_DIR", help="Guideline data to decide with; remembered by the home."),
    ] = None,
    teams_file: Annotated[
        Path | None,
        typer.Option(envvar="HANDRAIL_TEAMS_FILE", help="Services, teams and people; remembered by the home."),
    ] = None,
    port: Annotated[
        list[str] | None,
        typer.Option(help="PART=NUMBER (temporal, records, notify, pathway); else free ones, remembered."),
    ] = None,
) -> None:
    """Start the whole system in the foreground; Ctrl-C stops it."""
    from services.cli import up as supervisor
    from services.cli.parts import PORT_PARTS, Options
    from services.cli.ports import parse_ports

    home = Home(current_home())
    given, recalled = chosen(home, {"--guideline-dir": guideline_dir, "--teams-file": teams_file})
    default = Options(home=home)
    options = Options(
        home=home,
        guideline_dir=Path(given.get("--guideline-dir", default.guideline_dir)),
        teams_file=Path(given.get("--teams-file", default.teams_file)),
        ports=parse_ports(port or [], os.environ, PORT_PARTS),
        database_url=os.environ.get("DATABASE_URL", ""),
        temporal_address=os.environ.get("TEMPORAL_ADDRESS", ""),
        given=given,
        recalled=recalled,
    )
    raise typer.Exit(supervisor.run(options))


def chosen(home: Home, named: Mapping[str, Path | None]) -> tuple[dict[str, str], list[str]]:
    """Return the paths to use: those named now, else those that the home was started with, and what to say of these.

    Raises:
        CliError: one is not there.
    """
    earlier = home.given()
    given: dict[str, str] = {}
    recalled = []
    for option, path in named.items():
        what, kind = _NAMED[option]
        if path is not None:
            found = path.expanduser().absolute()
            given[option] = str(found)
            problem = f"{option} {path}: there is no such {kind}."
        elif option in earlier:
            found = Path(earlier[option])
            given[option] = str(found)
            recalled.append(f"{what}: {found}, as this home was started with")
            problem = (
                f"This home was started with the {what} {found}, and there is no such {kind} now; "
                f"put it back, or name another with {option}."
            )
        else:
            continue
        if not (found.is_dir() if kind == "folder" else found.is_file()):
            raise CliError(problem)
    return given, recalled


def stop(part: Annotated[str, typer.Argument(help="One part; without it, everything.")] = "") -> None:
    """Stop the system, or one part of it, which then stays stopped."""
    from services.cli.control import ask

    running = RunningHome.load()
    answer = ask(running.control, "stop", part)
    if part:
        print(answer["said"])
        return
    limit = time.monotonic() + _STOP_SECONDS
    while running.is_running:
        if time.monotonic() > limit:
            message = f"Handrail is still running (pid {running.supervisor.pid}) after {_STOP_SECONDS:.0f} s."
            raise CliError(message)
        time.sleep(0.05)
    print("Handrail stopped.")


def start(part: Annotated[str, typer.Argument(help="The part.")]) -> None:
    """Start a part that was stopped, and wait until it answers."""
    from services.cli.control import ask

    print(ask(RunningHome.load().control, "start", part)["said"])


def status(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show the parts and where they listen."""
    from services.cli.control import ask

    running = RunningHome.load(required=not as_json)
    if running is None:
        print(to_json({"home": str(current_home()), "running": False}))
        raise typer.Exit(1)
    parts = ask(running.control, "status")["parts"]
    addresses = {
        "temporal": running.temporal_address,
        "records": running.records_address,
        "notify": running.notify_address,
        "pathway": running.pathway_address,
    }
    for entry in parts:
        entry["address"] = addresses.get(entry["part"])
    if as_json:
        shown = {"home": str(running.home.path), "running": True, "supervisor": running.supervisor.pid}
        print(to_json({**shown, "parts": parts}))
        return
    for entry in parts:
        columns = [f"{entry['part']:<9}", f"{entry['status']:<11}", f"{entry['address'] or '':<16}"]
        if entry["pid"]:
            columns.append(f"pid {entry['pid']:<8}")
        if entry["restarts"]:
            columns.append(f"restarted {entry['restarts']} times")
        print(" ".join(columns).rstrip())

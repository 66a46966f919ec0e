"""`import caseload`: people who are mid-pathway, from a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.commands import acting, people
from services.cli.commands.shapes import Plain, to_json
from services.cli.commands.words import LONDON

if TYPE_CHECKING:
    from services.cli.caseload.rows import Reading, Refusal
    from services.cli.caseload.run import Result
    from services.pathway.dictionary import Dictionary
    from services.runtime.context import Actor

SOME_REFUSED, UNUSABLE = 1, 2
_app = typer.Typer(help="Bring in what another list holds.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.add_typer(_app, name="import")


@_app.callback()
def bring_in() -> None:
    """Keep `caseload` a command of its own, for others to stand beside it."""


@_app.command()
def caseload(
    file: Annotated[Path | None, typer.Argument(metavar="FILE.csv", help="One row a person; see --template.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and write nothing.")] = False,
    template: Annotated[
        bool, typer.Option("--template", help="Print the header row, and what each column is.")
    ] = False,
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Import people who are mid-pathway; the same file again imports nobody twice.

    Exit code 0: all are in. 1: some rows were refused, or the house stopped answering. 2: the file cannot be used.
    """
    from services.cli.caseload import columns
    from services.cli.caseload.table import FileUnusableError

    if template:
        print(columns.template(_dictionary()), end="")
        return
    if file is None:
        print("handrail: name the file, or ask for --template.", file=sys.stderr)
        raise typer.Exit(UNUSABLE)
    try:
        reading, result = acting.run(_imported(file, acting.actor_from(as_role, team, user), dry=dry_run))
    except FileUnusableError as error:
        for problem in error.problems:
            print(f"handrail: {problem.rstrip('.')}.", file=sys.stderr)
        raise typer.Exit(UNUSABLE) from None
    refused = sorted([*reading.refused, *result.refused], key=lambda one: one.row)
    _tell(refused, result)
    summary = _summary(reading, result, refused)
    if as_json:
        print(to_json(summary))
    else:
        _show(summary, reading, result, dry=dry_run)
    if refused or result.stopped:
        raise typer.Exit(SOME_REFUSED)


async def _imported(file: Path, actor: Actor, *, dry: bool) -> tuple[Reading, Result]:
    """Read the file and take its people over; the file is looked at before anything is written."""
    from services.cli.caseload import columns, rows, table
    from services.cli.caseload.run import Importer

    held = table.read(file)
    dictionary = _dictionary()
    names = columns.named(held.header, dictionary)
    async with acting.services(actor) as services:
        desk = await people.with_team(services)
        teams = await people.teams(desk)
        key_workers = [one["person_id"] for team in teams if "key_worker" in team["roles"] for one in team["members"]]
        reading = rows.read(held, names, dictionary, key_workers, datetime.now(LONDON).date())
        with _progress(len(reading.people)) as progress:
            return reading, await Importer(desk, dictionary, dry).take(reading.people, progress)


def _dictionary() -> Dictionary:
    """Return the data dictionary of the running house, else the one that Handrail comes with."""
    from services.cli.commands.guideline_files import directory_of
    from services.cli.home import Home, current_home
    from services.pathway.guideline import load_shared

    return load_shared(directory_of(Home(current_home()).given().get("--guideline-dir", ""))).dictionary


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], object]]:
    """Show a bar on a terminal; nothing anywhere else."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("people", total=total)
        yield lambda: bar.advance(task)


def _tell(refused: Sequence[Refusal], result: Result) -> None:
    for one in refused:
        print(one.line, file=sys.stderr)
    for note in sorted(result.notes, key=lambda one: one.row):
        print(f"note, {note.line}", file=sys.stderr)
    if result.stopped:
        print(
            f"handrail: stopped: {result.stopped.rstrip('.')}. The other rows were not tried. Run the same command "
            "again: nobody is imported twice.",
            file=sys.stderr,
        )


def _summary(reading: Reading, result: Result, refused: Sequence[Refusal]) -> Plain:
    return {
        "rows": reading.rows,
        "imported": len(result.imported),
        "already_there": len(result.already_there) + reading.repeated,
        "refused": [{"row": one.row, "column": one.column, "problem": one.problem} for one in refused],
    }


def _show(summary: Plain, reading: Reading, result: Result, *, dry: bool) -> None:
    if dry:
        for row in sorted(result.imported):
            print(f"row {row}: {result.imported[row]}")
    would = "would be imported" if dry else "imported"
    bad = len({one["row"] for one in summary["refused"]})
    there = summary["already_there"]
    print(f"{reading.rows} rows: {summary['imported']} {would}, {there} already there, {bad} refused.")
    if dry:
        print("This was a dry run; nothing was written.")

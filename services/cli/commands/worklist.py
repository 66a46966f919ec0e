"""`worklist`: the open tasks, soonest due first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from services.cli.commands import acting, people, screens, words
from services.cli.commands.lines import show
from services.cli.commands.shapes import Plain, to_json, without
from services.cli.errors import CliError

# Set by the clock, so not part of what is the same before and after a restart; `--at` gives the state at an instant.
_BY_THE_CLOCK = ("overdue_at",)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(worklist)


def worklist(
    team: Annotated[str, typer.Option("--team", metavar="TEAM", help="Only the tasks of this team.")] = "",
    patient: Annotated[str, typer.Option(help="Only one person's: patient id or NHS number.")] = "",
    at: Annotated[
        str, typer.Option(metavar="TIME", help="Say which are overdue then: 2026-11-22, 2026-11-22T14:05 or now.")
    ] = "",
    as_role: acting.AsRole = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Show open tasks: whose they are, when they are due, why they are there."""
    instant = _instant(at)

    async def work() -> list[Plain]:
        async with acting.services(acting.actor_from(as_role, "", user)) as desk:
            patient_id = await people.patient_id_of(desk, patient) if patient else ""
            return await people.tasks(desk, patient_id=patient_id, team=team)

    items = acting.run(work())
    if not as_json:
        show(screens.worklist(items, instant or datetime.now(UTC)))
        return
    shown = [without(item, _BY_THE_CLOCK) for item in items]
    if instant is not None:
        for item in shown:
            item["status_at"] = words.due_status(item["due_on"], item["due_at"], instant).lower()
    print(to_json({"items": shown}))


def _instant(at: str) -> datetime | None:
    if not at:
        return None
    try:
        return datetime.now(UTC) if at == "now" else words.moment(at)
    except ValueError as error:
        message = f"--at {at}: write it as 2026-11-22, 2026-11-22T14:05 or now."
        raise CliError(message) from error

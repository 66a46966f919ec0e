"""`worklist`: the open tasks, the most urgent first, and its tabs."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated

import typer

from services.cli.commands import acting, people, screens, words
from services.cli.commands.lines import Line, show
from services.cli.commands.shapes import Plain, to_json, without
from services.cli.errors import CliError

TABS = ("due", "overdue", "unacknowledged", "cannot_decide", "missed", "not_booked", "no_next_step")
NO_NEXT_STEP = "no_next_step"
# Set by the clock, so not part of what is the same before and after a restart; `--at` gives the state at an instant.
_BY_THE_CLOCK = ("overdue_at",)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(worklist)


def worklist(
    team: Annotated[str, typer.Option("--team", metavar="TEAM", help="Only the tasks of this team.")] = "",
    patient: Annotated[str, typer.Option(help="Only one person's: patient id or NHS number.")] = "",
    tab: Annotated[
        str,
        typer.Option(help="due, overdue, unacknowledged, cannot-decide, missed, not-booked or no-next-step; else all."),
    ] = "",
    taken_by: Annotated[str, typer.Option("--taken-by", help="Only what this person has in hand.")] = "",
    ids: Annotated[bool, typer.Option("--ids", help="Show each task's id, for `handrail task`.")] = False,
    at: Annotated[
        str, typer.Option(metavar="TIME", help="Say which are overdue then: 2026-11-22, 2026-11-22T14:05 or now.")
    ] = "",
    as_role: acting.AsRole = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Show open tasks: whose they are, when they are due, why they are there."""
    instant = _instant(at)
    chosen = _tab(tab)
    if chosen == NO_NEXT_STEP:
        _show_without_next_step(as_role, user, as_json=as_json)
        return

    async def work() -> list[Plain]:
        async with acting.services(acting.actor_from(as_role, "", user)) as desk:
            patient_id = await people.patient_id_of(desk, patient) if patient else ""
            return await people.tasks(desk, patient_id=patient_id, team=team, tab=chosen, taken_by=taken_by)

    items = acting.run(work())
    if not as_json:
        show(screens.worklist(items, instant or datetime.now(UTC), with_ids=ids))
        return
    shown = [without(item, _BY_THE_CLOCK) for item in items]
    if instant is not None:
        for item in shown:
            item["status_at"] = words.due_status(item["due_on"], item["due_at"], instant).lower()
    print(to_json({"items": shown}))


def _tab(tab: str) -> str:
    name = tab.strip().lower().replace("-", "_").replace(" ", "_")
    if name and name not in TABS:
        near = get_close_matches(name, TABS, n=1)
        known = ", ".join(known.replace("_", "-") for known in TABS)
        meant = f" Did you mean {near[0].replace('_', '-')}?" if near else ""
        message = f"--tab {tab}: there is no such tab.{meant} The tabs are {known}."
        raise CliError(message)
    return name


def _show_without_next_step(as_role: str, user: str, *, as_json: bool) -> None:
    """Show the people who have nothing open: an empty list, and shown to be empty."""

    async def work() -> list[Plain]:
        async with acting.services(acting.actor_from(as_role, "", user)) as desk:
            return await people.without_next_step(desk)

    found = acting.run(work())
    if as_json:
        print(to_json({"without_next_step": found}))
    elif found:
        show([Line(f"{state['patient_id']}: an open pathway with no open task. Tell support now.") for state in found])
    else:
        show([Line("Nobody: every open pathway has a next step.")])


def _instant(at: str) -> datetime | None:
    if not at:
        return None
    try:
        return datetime.now(UTC) if at == "now" else words.moment(at)
    except ValueError as error:
        message = f"--at {at}: write it as 2026-11-22, 2026-11-22T14:05 or now."
        raise CliError(message) from error

"""`departures`: how often people decided otherwise than recommended, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.commands import acting, words
from services.cli.commands.lines import Line, show, table
from services.cli.commands.shapes import Plain, plain, to_json


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(departures)


def departures(
    since: Annotated[str, typer.Option(metavar="DATE", help="The first day: 2026-01-01; else from the start.")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="The last day; else up to now.")] = "",
    as_role: acting.AsRole = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Count decisions other than the recommended one, by the reason given; nobody is named, and none is blamed."""
    from handrail.records.v1 import timeline_pb2

    request = timeline_pb2.ListDeparturesRequest(since=since, until=until)

    async def work() -> Plain:
        async with acting.services(acting.actor_from(as_role, "", user)) as desk:
            return plain(await desk.records(desk.timeline.ListDepartures, request))

    counted = acting.run(work())
    if as_json:
        print(to_json(counted))
        return
    total = sum(one["departures"] for one in counted["counts"])
    show([Line(f"{counted['decisions']} decisions, {total} of them other than recommended.", "strong")])
    rows = [("Times", "People", "Number", "Reason")] + [
        (
            str(one["departures"]),
            str(one["people"]),
            one["number"],
            words.label(one["reason_code"] or "no_reason_given"),
        )
        for one in counted["counts"]
    ]
    show(table(rows, 2) if counted["counts"] else [])

"""`task key-worker-left`: everybody whose key worker leaves gets another, or a task to name one."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.commands import acting, people, reporting
from services.cli.commands.acting import Desk
from services.cli.commands.shapes import Plain, to_json

_PAGE = 200


def key_worker_left(
    of: Annotated[str, typer.Option("--of", metavar="PERSON", help="Who leaves: their id in the teams file.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    to: Annotated[
        str,
        typer.Option("--to", metavar="PERSON", help="Who is their key worker from now on; else one is to be named."),
    ] = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Report for everybody whose key worker leaves that they have another, or none: then naming one is a task."""

    async def work() -> list[Plain]:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            signed = await people.with_team(desk)
            told = []
            for patient_id in await _of(desk, of):
                event = "key_worker_assigned" if to else "key_worker_left"
                fields = {"person_id": to} if to else {"reason": reason}
                made = reporting.Report(event, patient_id, fields, source=reason if to else "")
                receipt = await reporting.send(signed, event, reporting.request_for(made))
                told.append({"patient_id": patient_id, "event": event, "seq": receipt["seq"]})
            for one in told:
                await people.filed(desk, one["patient_id"], one["seq"])
            return told

    told = acting.run(work())
    if as_json:
        print(to_json({"people": told}))
    else:
        now = f"{to} is the key worker now" if to else "for each, naming a key worker is a task"
        print(f"{len(told)} people had {of} as key worker: {now}.")


async def _of(desk: Desk, person: str) -> list[str]:
    """Return everybody with an open pathway whose key worker this is."""
    from handrail.records.v1 import timeline_pb2

    found: list[str] = []
    request = timeline_pb2.ListPathwaysRequest(key_worker=person, page_size=_PAGE)
    while True:
        reply = await desk.records(desk.timeline.ListPathways, request)
        found += [pathway.patient_id for pathway in reply.pathways]
        if not reply.next_page_token:
            return found
        request.page_token = reply.next_page_token

"""`explain`: what the guideline says about one person, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.commands import acting, judged, people
from services.cli.commands.acting import Desk
from services.cli.commands.lines import BLANK, show
from services.cli.commands.shapes import Plain, to_json


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(explain)


def explain(
    patient: Annotated[str, typer.Argument(help="Patient id or NHS number.")],
    number: Annotated[str, typer.Argument(help="A recommendation, such as 1.7.16; without it, all of them.")] = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Say whether a recommendation applies to a person, why, and what was decided about it."""

    async def work() -> tuple[Plain, list[Plain]]:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            patient_id = await people.patient_id_of(desk, patient)
            evaluation = await people.evaluation(desk, patient_id)
            entries = await entries_for(desk, patient_id, evaluation, number) if number else []
            return {"patient_id": patient_id, **evaluation}, entries

    evaluation, entries = acting.run(work())
    if as_json:
        print(to_json(_as_json(evaluation, entries, number)))
    elif number:
        show([line for entry in entries for line in [*judged.show_explained(entry), BLANK]])
    else:
        show(judged.show_summary(evaluation))


async def entries_for(desk: Desk, patient_id: str, evaluation: Plain, number: str) -> list[Plain]:
    """Return what there is to say about a number.

    Raises:
        NotFound: the guideline has no such number.
    """
    from handrail.records.v1 import timeline_pb2
    from services.cli.commands.shapes import plain
    from services.runtime.errors import NotFound

    known = list(judged.numbers(evaluation))
    if number not in known:
        held = f"{evaluation['guideline']} {evaluation['version']}"
        message = f"{held} has no recommendation {number} here. It has {', '.join(known)}."
        raise NotFound(message)
    facts = await people.facts(desk, patient_id)
    request = timeline_pb2.ListDecisionsRequest(patient_id=patient_id)
    decisions = (await desk.records(desk.timeline.ListDecisions, request)).decisions
    return judged.explained(evaluation, number, facts, [plain(decision) for decision in decisions])


def _as_json(evaluation: Plain, entries: list[Plain], number: str) -> Plain:
    names = ("patient_id", "evaluation_id", "seq", "as_of", "guideline", "version", "content_hash")
    head = {name: evaluation[name] for name in names}
    if number and len(entries) == 1:
        return {**head, "recommendation": entries[0]}
    return {**head, "recommendations": entries if number else judged.summary(evaluation)}

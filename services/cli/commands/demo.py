"""`demo`: one synthetic person's story, through the same calls as everyone's."""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.commands import acting, narration, people
from services.cli.commands.acting import Desk
from services.cli.commands.lines import Line, show
from services.cli.commands.shapes import Plain, to_json
from services.cli.commands.words import guideline
from services.cli.errors import CliError
from services.cli.home import command_line

if TYPE_CHECKING:
    from services.cli.commands.story import Cast

_TRIES = 50


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(demo)


def demo(
    seed: Annotated[
        int | None, typer.Option(help="The same seed chooses the same names; the NHS number is always new.")
    ] = None,
    as_json: acting.AsJson = False,
) -> None:
    """Play one synthetic person's story, from diagnosis to a palliative referral, and narrate it."""
    source = random.Random(seed)  # noqa: S311 - synthetic names and numbers, nothing secret

    async def work() -> Plain:
        async with acting.services(acting.actor_from()) as desk:
            return await _play(desk, source, quiet=as_json)

    played = acting.run(work())
    if as_json:
        print(to_json(played))


async def _play(desk: Desk, source: random.Random, *, quiet: bool) -> Plain:
    from services.cli.commands.stage import Stage, check_house
    from services.cli.commands.story import Story

    await check_house(desk)
    teams = await people.teams(desk)
    cast = _cast(teams)
    desk = desk.acting_as(cast.coordinator.actor)
    person = await _register(desk, source)
    stage = Stage(desk, person["patient_id"], {team["team_id"]: team["name"] for team in teams})
    story = Story(stage, cast, source)
    say = _say_nothing if quiet else show
    first = True
    async for scene in story.scenes():
        if first:
            evaluation = stage.evaluation
            say(narration.opening(person, guideline(f"{evaluation['guideline']}@{evaluation['version']}")))
            first = False
        say(narration.scene(scene))
    await stage.check_record()
    command = command_line(desk.running.home.path)
    told = await people.messages(desk, person["patient_id"])
    say(narration.ending(stage.open_tasks(), told, stage.team_names, stage.expected))
    asked = next((item["number"] for item in stage.open_tasks() if item["number"]), "")
    say(narration.hints(person, command, asked))
    return {
        "patient_id": person["patient_id"],
        "nhs_number": person["nhs_number"],
        "events": stage.told,
        "referral_id": story.referral_id,
        "line_id": story.line_id,
    }


def _cast(teams: list[Plain]) -> Cast:
    """Choose the staff of the story from the teams file."""
    from services.cli.commands.stage import cast
    from services.cli.commands.story import Cast

    return Cast(
        coordinator=cast(teams, "coordination", "coordinator"),
        key_worker=cast(teams, "key_worker", "key_worker"),
        oncologist=cast(teams, "oncology", "oncologist"),
        pathologist=cast(teams, "pathology", "pathologist"),
        palliative=cast(teams, "palliative_care", "palliative_clinician"),
    )


async def _register(desk: Desk, source: random.Random) -> Plain:
    """Register a synthetic person under a number that nobody has yet.

    Raises:
        CliError: none was found.
    """
    from handrail.records.v1 import people_pb2
    from services.cli.commands.story import BORN, FAMILY, GIVEN, synthetic_nhs_number

    given, family = source.choice(GIVEN), source.choice(FAMILY)
    for _ in range(_TRIES):
        number = synthetic_nhs_number(source)
        request = people_pb2.RegisterPersonRequest(
            idempotency_key=str(uuid.uuid4()),
            nhs_number=number,
            given_name=given,
            family_name=family,
            birth_date=BORN,
            sex="female",
        )
        answer = await desk.records(desk.people.RegisterPerson, request)
        if not answer.already_registered:
            registered: Plain = (await people.whole(desk, answer.patient_id))["person"]
            return registered
    message = "Every synthetic number that was tried is taken; use another --seed."
    raise CliError(message)


def _say_nothing(_: list[Line]) -> None:
    """Say nothing: JSON stands alone on stdout."""

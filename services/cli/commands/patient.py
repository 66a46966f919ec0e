"""`patient register`, `find`, `show` and `messages`."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from services.cli.commands import acting, people, screens, words
from services.cli.commands.lines import BLANK, Line, show, wrapped
from services.cli.commands.shapes import Plain, plain, to_json
from services.cli.commands.yellow_card import filled, show_card
from services.cli.errors import CliError

_app = typer.Typer(help="The people: register, find, and read one person's record.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(_app, name="patient")


@_app.command("register")
def register_person(
    given: Annotated[str, typer.Option(help="Given name.")],
    family: Annotated[str, typer.Option(help="Family name.")],
    birth_date: Annotated[str, typer.Option(metavar="YYYY-MM-DD")],
    nhs_number: Annotated[str, typer.Option(help="Ten digits; 999 numbers only, for now.")] = "",
    local_id: Annotated[str, typer.Option(help="For a person without an NHS number.")] = "",
    sex: Annotated[str, typer.Option(help="female, male, other or unknown.")] = "",
    key: Annotated[str, typer.Option(metavar="UUID", help="The same key again registers nobody twice.")] = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Register a person; the same NHS number twice is the same person."""
    from handrail.records.v1 import people_pb2

    request = people_pb2.RegisterPersonRequest(
        idempotency_key=key or str(uuid.uuid4()),
        nhs_number=nhs_number,
        local_identifier=local_id,
        given_name=given,
        family_name=family,
        birth_date=birth_date,
        sex=sex,
    )

    async def work() -> Plain:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            registered = plain(await desk.records(desk.people.RegisterPerson, request))
            return {**registered, "person": await people.person(desk, registered["patient_id"])}

    answer = acting.run(work())
    if as_json:
        print(to_json(answer))
        return
    known = "was registered before" if answer["already_registered"] else "is registered"
    on_file = words.person_name(answer["person"])
    show(
        [
            Line(f"{on_file}, born {words.day(answer['person']['birth_date'])}, {known}."),
            Line(f"Patient id {answer['patient_id']}"),
        ]
    )
    for warning in answer["warnings"]:
        show(wrapped(warning, style="warn"))


@_app.command()
def find(
    text: Annotated[str, typer.Argument(help="An NHS number, a local identifier, the start of a family name or id.")],
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Find people."""

    async def work() -> list[Plain]:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            return await people.find(desk, text)

    found = acting.run(work())
    if as_json:
        print(to_json({"people": found}))
    else:
        show(screens.people(found))


@_app.command("show")
def show_patient(
    patient: Annotated[str, typer.Argument(help="Patient id or NHS number.")],
    history: Annotated[bool, typer.Option("--history", help="Every event in order, corrected values too.")] = False,
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Show one person: what is known, what is open, who is responsible."""

    async def work() -> tuple[Plain, list[Plain]]:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            patient_id = await people.patient_id_of(desk, patient)
            state = await people.whole(desk, patient_id)
            return state, await people.events(desk, patient_id) if history else []

    state, events = acting.run(work())
    if as_json:
        state.pop("being_filed")
        print(to_json({**state, "events": events} if history else state))
        return
    if not history:
        show([*screens.patient(state), Line("Every event: add --history", "quiet")])
        return
    show([Line(words.banner(state["person"]), "title"), *screens.history(events), BLANK])
    show([Line("The whole ids, which a correction needs: add --json", "quiet")])


@_app.command("stood-on")
def show_stood_on(
    patient: Annotated[str, typer.Argument(help="Patient id or NHS number.")],
    fact: Annotated[str, typer.Option("--fact", metavar="ID", help="A result's id: `patient show --history --json`.")],
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Show what stood on a result: tasks, decisions and messages, open or closed; a correction looks at all of it."""

    async def work() -> tuple[Plain, dict[str, str]]:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            patient_id = await people.patient_id_of(desk, patient)
            found = await people.stood_on(desk, patient_id, _fact_id(fact))
            return found, {held["team_id"]: held["name"] for held in await people.teams(desk)}

    found, teams = acting.run(work())
    if as_json:
        print(to_json(found))
    else:
        show(screens.stood_on(found, teams))


def _fact_id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        message = f"--fact {text}: this is not a result's id; `patient show --history --json` has them."
        raise CliError(message) from error


@_app.command("yellow-card")
def show_yellow_card(
    patient: Annotated[str, typer.Argument(help="Patient id or NHS number.")],
    event: Annotated[str, typer.Option("--event", metavar="ID", help="The reaction's event; else the newest.")] = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Show the Yellow Card of a suspected reaction, filled in as far as the record has it; a person submits it."""

    async def work() -> tuple[Plain, list[Plain]]:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            patient_id = await people.patient_id_of(desk, patient)
            return await people.whole(desk, patient_id), await people.events(desk, patient_id)

    state, events = acting.run(work())
    reactions = [one for one in events if one["kind"] == "adverse_event_reported" and event in {"", one["event_id"]}]
    if not reactions:
        message = "No suspected reaction is on this person's record. Report it first: adverse_event_reported."
        raise CliError(message)
    card = filled(state["person"], state["therapy_lines"], reactions[-1])
    if as_json:
        print(to_json(card))
    else:
        show(show_card(card))


@_app.command("messages")
def show_messages(
    patient: Annotated[str, typer.Argument(help="Patient id or NHS number.")],
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Show what teams were told about one person: to whom, when, what became of it, and what it says."""

    async def work() -> tuple[Plain, list[Plain], dict[str, str]]:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            person = await people.person(desk, await people.patient_id_of(desk, patient))
            found = await people.messages(desk, person["patient_id"])
            return person, found, {held["team_id"]: held["name"] for held in await people.teams(desk)}

    person, found, teams = acting.run(work())
    if as_json:
        print(to_json({"patient_id": person["patient_id"], "messages": found}))
    else:
        show([Line(words.banner(person), "title"), *screens.messages(found, teams)])

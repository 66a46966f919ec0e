"""`referral`: where referrals stand, and what the referrer and the receiving team do with them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated

import typer

from services.cli.commands import acting, people, reporting, screens
from services.cli.commands.lines import Line, show
from services.cli.commands.report import Key, OccurredAt, Source, fill, send_or_say_how_to_repeat, show_receipt
from services.cli.commands.shapes import Plain, plain, to_json
from services.cli.errors import CliError

_app = typer.Typer(
    help="Referrals: where they stand; draft, agree and send one; the receiving team's answers (with --as "
    "palliative_clinician, say).",
    no_args_is_help=True,
)
Id = Annotated[str, typer.Argument(metavar="ID", help="The referral's id.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(_app, name="referral")


@_app.command("list")
def list_referrals(
    team: Annotated[str, typer.Option("--team", help="Those this team is responsible for, or that went to it.")] = "",
    patient: Annotated[str, typer.Option(help="Only one person's: patient id or NHS number.")] = "",
    as_role: acting.AsRole = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """List referrals, newest first."""
    from handrail.records.v1 import timeline_pb2

    async def work() -> list[Plain]:
        async with acting.services(acting.actor_from(as_role, "", user)) as desk:
            patient_id = await people.patient_id_of(desk, patient) if patient else ""
            request = timeline_pb2.ListReferralsRequest(team=team, patient_id=patient_id, page_size=500)
            found = [plain(held) for held in (await desk.records(desk.timeline.ListReferrals, request)).referrals]
            persons: dict[str, Plain] = {held["patient_id"]: {} for held in found}
            for known in persons:
                persons[known] = await people.person(desk, known)
            return [{**held, "person": persons[held["patient_id"]]} for held in found]

    found = acting.run(work())
    if as_json:
        print(to_json({"referrals": found}))
    else:
        show(screens.referrals(found))


@_app.command("show")
def show_referral(
    referral: Id,
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Show a referral: its steps, and who is responsible now."""

    async def work() -> Plain:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            return await people.referral(desk, _id(referral))

    found = acting.run(work())
    if as_json:
        print(to_json(found))
    else:
        show(screens.referral(found["referral"], found["person"]))


@_app.command()
def draft(
    patient: Annotated[str, typer.Argument(help="Patient id or NHS number.")],
    to: Annotated[str, typer.Option(metavar="TEAM", help="The team that is asked, such as palliative_care.")],
    reason: Annotated[str, typer.Option(help="Why this person is referred.")],
    urgency: Annotated[str, typer.Option(help="routine or urgent.")] = "routine",
    number: Annotated[list[str] | None, typer.Option(help="A recommendation that asks for it, such as 1.12.3.")] = None,
    referral_id: Annotated[str, typer.Option(metavar="UUID", help="The new referral's id; else one is made.")] = "",
    occurred_at: OccurredAt = "",
    source: Source = "",
    key: Key = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Draft a referral; it goes nowhere until the person agreed and it is sent."""
    made = _id(referral_id) if referral_id else str(uuid.uuid4())
    fields = {"referral_id": made, "to_team": to, "reason": reason, "urgency": urgency, "numbers": number or []}
    request = reporting.request_for(reporting.Report("referral_drafted", "", fields))
    fill(request, occurred_at, source, key)

    async def work() -> Plain:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            request.patient_id = await people.patient_id_of(desk, patient)
            referrer = await people.with_team(desk)
            receipt = await send_or_say_how_to_repeat(referrer, "referral_drafted", request, "--referral-id", made)
            await people.filed(desk, request.patient_id, receipt["seq"])
            return receipt

    receipt = acting.run(work())
    if as_json:
        print(to_json({**receipt, "referral_id": made}))
        return
    show_receipt(receipt, "referral_drafted", as_json=False)
    show([Line(f"Referral id {made}"), Line(f"When the person agreed: referral agree {made} --words …", "quiet")])


@_app.command()
def agree(
    referral: Id,
    said: Annotated[str, typer.Option("--words", help="What the person said, in their words.")],
    by: Annotated[str, typer.Option(help="person or best_interests.")] = "person",
    decided_by: Annotated[str, typer.Option(help="Who decided, when it was in the person's best interests.")] = "",
    occurred_at: OccurredAt = "",
    source: Source = "",
    key: Key = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Say that the person agreed to the referral, or who decided in their best interests."""
    common = (occurred_at, source, key, as_role, team, user, as_json)
    _act("referral_agreed", referral, {"agreed_by": by, "words": said, "decided_by": decided_by}, common)


@_app.command()
def send(
    referral: Id,
    occurred_at: OccurredAt = "",
    source: Source = "",
    key: Key = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Send the agreed referral; the referrer stays responsible until the receiving team meets the person."""
    common = (occurred_at, source, key, as_role, team, user, as_json)
    _act("referral_sent", referral, {}, common)


@_app.command()
def acknowledge(
    referral: Id,
    taken_by: Annotated[str, typer.Option(help="Who took it.")],
    occurred_at: OccurredAt = "",
    source: Source = "",
    key: Key = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Say that a person at the receiving team took it."""
    common = (occurred_at, source, key, as_role, team, user, as_json)
    _act("referral_acknowledged", referral, {"taken_by": taken_by}, common)


@_app.command()
def ask(
    referral: Id,
    question: Annotated[str, typer.Option(help="What the receiving team needs to know.")],
    occurred_at: OccurredAt = "",
    source: Source = "",
    key: Key = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Ask the referrer for more information."""
    common = (occurred_at, source, key, as_role, team, user, as_json)
    _act("referral_information_asked", referral, {"question": question}, common)


@_app.command()
def accept(
    referral: Id,
    plan: Annotated[str, typer.Option(help="What the receiving team will do.")] = "",
    occurred_at: OccurredAt = "",
    source: Source = "",
    key: Key = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Say that the receiving team will see the person."""
    common = (occurred_at, source, key, as_role, team, user, as_json)
    _act("referral_accepted", referral, {"plan": plan}, common)


@_app.command()
def decline(
    referral: Id,
    reason: Annotated[str, typer.Option(help="Why the receiving team cannot take the person.")],
    occurred_at: OccurredAt = "",
    source: Source = "",
    key: Key = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Say that the receiving team cannot take the person; responsibility returns to the referrer."""
    common = (occurred_at, source, key, as_role, team, user, as_json)
    _act("referral_declined", referral, {"reason": reason}, common)


@_app.command("first-contact")
def first_contact(
    referral: Id,
    how: Annotated[str, typer.Option(help="visit, clinic, telephone, video or ward.")],
    note: Annotated[str, typer.Option(help="What there is to say about it.")] = "",
    occurred_at: OccurredAt = "",
    source: Source = "",
    key: Key = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Say that the receiving team met the person; responsibility passes."""
    common = (occurred_at, source, key, as_role, team, user, as_json)
    _act("referral_first_contact", referral, {"how": how, "note": note}, common)


@_app.command()
def close(
    referral: Id,
    outcome: Annotated[str, typer.Option(help="How it ended.")],
    occurred_at: OccurredAt = "",
    source: Source = "",
    key: Key = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Close the referral, with its outcome."""
    common = (occurred_at, source, key, as_role, team, user, as_json)
    _act("referral_closed", referral, {"outcome": outcome}, common)


def _act(
    event: str, referral: str, fields: Mapping[str, str], common: tuple[str, str, str, str, str, str, bool]
) -> None:
    occurred_at, source, key, as_role, team, user, as_json = common
    referral_id = _id(referral)
    request = reporting.request_for(reporting.Report(event, "", {"referral_id": referral_id, **fields}))
    fill(request, occurred_at, source, key)

    async def work() -> Plain:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            request.patient_id = (await people.referral(desk, referral_id))["referral"]["patient_id"]
            return await send_or_say_how_to_repeat(await people.with_team(desk), event, request)

    show_receipt(acting.run(work()), event, as_json=as_json)


def _id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        message = f"{text} is not a referral's id; `handrail referral list` shows them."
        raise CliError(message) from error

"""`report`: any clinical event, from the shell."""

from __future__ import annotations

import shlex
import sys
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from services.cli.commands import acting, people, reporting, words
from services.cli.commands.acting import Desk
from services.cli.commands.lines import Line, show
from services.cli.commands.shapes import Plain, to_json
from services.cli.errors import CliError, NotAnsweringError

OccurredAt = Annotated[
    str, typer.Option(metavar="TIME", help="When it happened: 2026-11-22, or 2026-11-22T14:05; else now.")
]
Source = Annotated[str, typer.Option(help="Where the reporter has it from.")]
Key = Annotated[
    str, typer.Option(metavar="UUID", help="With --occurred-at: the same key again is the same report, taken once.")
]


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(report)


def report(
    event: Annotated[str, typer.Argument(help="What happened, such as symptom_reported; a wrong name lists them all.")],
    patient: Annotated[str, typer.Argument(help="Patient id or NHS number.")],
    fact: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A result: yes/no, a number, a code or words.")
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="What the report itself says.")
    ] = None,
    occurred_at: OccurredAt = "",
    source: Source = "",
    key: Key = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Report what happened to a person; the answer means that it is durably accepted.

    What has several parts is numbered from 1: --set concerns.1.domain=physical --set concerns.1.concern=Stairs
    --set concerns.1.score=7 --set no_concern=spiritual,financial
    """
    request = _request(event, fact or [], field or [])
    fill(request, occurred_at, source, key)
    begun = reporting.begin(request, event)

    async def work() -> Plain:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            request.patient_id = await people.patient_id_of(desk, patient)
            receipt = await send_or_say_how_to_repeat(await people.with_team(desk), event, request)
            return {**receipt, **begun}

    show_receipt(acting.run(work()), event, as_json=as_json)


def fill(request: Any, occurred_at: str, source: str, key: str) -> None:  # noqa: ANN401 - any reporting request
    """Set when it happened, where it comes from, and the key, on a request.

    Raises:
        CliError: the time or the key cannot be read.
    """
    request.source = source
    if key and not occurred_at:
        message = "With --key, say --occurred-at too: the same key stands for the same report, its time included."
        raise CliError(message)
    if occurred_at:
        try:
            request.occurred_at.FromDatetime(words.moment(occurred_at))
        except ValueError as error:
            message = f"--occurred-at {occurred_at}: write it as 2026-11-22 or 2026-11-22T14:05."
            raise CliError(message) from error
    if key:
        try:
            request.idempotency_key = str(uuid.UUID(key))
        except ValueError as error:
            message = f"--key {key}: this is not a UUID."
            raise CliError(message) from error


async def send_or_say_how_to_repeat(desk: Desk, event: str, request: Any, *same: str) -> Plain:  # noqa: ANN401 - as above
    """Send a report; when nobody knows whether it was taken, say how to send the same one again.

    `same` are further options that make it the same report.

    Raises:
        CliError: it was not confirmed.
        HandrailError: it was refused.
    """
    from services.runtime.errors import Category, HandrailError

    try:
        return await reporting.send(desk, event, request)
    except NotAnsweringError as error:
        raise CliError(f"{error}\n{repeat(request, sys.argv[1:], same)}") from error
    except HandrailError as error:
        if error.category is not Category.UNAVAILABLE:
            raise
        raise CliError(f"{error.message}\n{repeat(request, sys.argv[1:], same)}") from error


def repeat(request: Any, typed: Sequence[str], same: Sequence[str] = ()) -> str:  # noqa: ANN401 - any reporting request
    """Say with which key a report was sent, and what to type to send the same one again.

    The time belongs to the report, and the same key with another time would be refused.
    """
    options = ["--key", request.idempotency_key, "--occurred-at", request.occurred_at.ToJsonString(), *same]
    missing = [
        word
        for name, said in zip(options[::2], options[1::2], strict=True)
        if not any(word == name or word.startswith(f"{name}=") for word in typed)
        for word in (name, said)
    ]
    end = typed.index("--") if "--" in typed else len(typed)
    command = shlex.join([".venv/bin/handrail", *typed[:end], *missing, *typed[end:]])
    return (
        f"Its key was {request.idempotency_key}. To send the same report again, which is taken once at most:\n"
        f"  {command}"
    )


def show_receipt(receipt: Plain, event: str, *, as_json: bool) -> None:
    """Print what a report was answered with."""
    if as_json:
        print(to_json(receipt))
        return
    begun = reporting.BEGINS.get(event, "")
    lines = [
        Line(f"Accepted: {words.event(event)}. Number {receipt['seq']} {_of(event)}."),
        Line(f"Event id {receipt['event_id']}", "quiet"),
    ]
    if begun in receipt:
        lines.append(Line(f"{words.label(begun)} {receipt[begun]}: name it in what follows", "quiet"))
    show(lines)


def _of(event: str) -> str:
    """Say what a receipt counts: the receiving team's answers are numbered within their referral."""
    service = reporting.route(event).rpc.containing_service.name
    return "of this referral's answers" if service == "ReferralService" else "on this pathway"


def _request(event: str, facts: list[str], fields: list[str]) -> Any:  # noqa: ANN401 - as above
    request = reporting.request_for(reporting.Report(event, "", {}, [reporting.read_fact(fact) for fact in facts]))
    for text in fields:
        reporting.set_field(getattr(request, event), text)
    return request

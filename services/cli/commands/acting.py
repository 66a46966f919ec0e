"""Who types, and how a command reaches the services: signed calls, refusals as one sentence on stderr."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from services.cli.errors import CliError, NotAnsweringError
from services.cli.home import RunningHome, command_line, not_running

if TYPE_CHECKING:
    import grpc

    from handrail.notify.v1.notices_pb2_grpc import NoticeServiceAsyncStub
    from handrail.pathway.v1.decisions_pb2_grpc import DecisionServiceAsyncStub
    from handrail.records.v1.people_pb2_grpc import PeopleServiceAsyncStub
    from handrail.records.v1.timeline_pb2_grpc import TimelineServiceAsyncStub
    from services.runtime.clients import Caller, Method
    from services.runtime.context import Actor
    from services.runtime.errors import HandrailError

T = TypeVar("T")
Req = TypeVar("Req")
Resp = TypeVar("Resp")

REFUSED = 2
ACTOR = "HANDRAIL_ACTOR"
RUNNING = frozenset({"running", "external"})

AsJson = Annotated[bool, typer.Option("--json", help="For machines: JSON alone on stdout.")]
AsRole = Annotated[
    str, typer.Option("--as", metavar="ROLE", help=f"Act in this role; else as {ACTOR} says (USER:ROLE:TEAM).")
]
OfTeam = Annotated[str, typer.Option("--team", metavar="TEAM", help="Act for this team.")]
User = Annotated[str, typer.Option("--user", metavar="NAME", help="Act as this person.")]


def actor_from(role: str = "", team: str = "", user: str = "") -> Actor:
    """Return who acts: the options, else HANDRAIL_ACTOR, else a coordinator of the team coordination.

    Raises:
        CliError: HANDRAIL_ACTOR cannot be read.
    """
    from services.runtime.context import Actor

    stated = os.environ.get(ACTOR, "")
    parts = [part.strip() for part in stated.split(":")] if stated else [_login(), "coordinator", "coordination"]
    if len(parts) not in {2, 3} or not all(parts[:2]):
        message = (
            f"{ACTOR} is {stated!r}; write it as USER:ROLE:TEAM, such as carys.nurse:key_worker:breast_care_nurses."
        )
        raise CliError(message)
    known_team = parts[2] if len(parts) > 2 and (not role or role == parts[1]) else ""  # noqa: PLR2004 - three parts
    return Actor(user or parts[0], role or parts[1], team or known_team)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; a refusal of a service is one sentence and exit code 2, a failure exit code 1."""
    from services.runtime.errors import HandrailError

    try:
        return asyncio.run(work)
    except HandrailError as error:
        for line in told(error):
            print(line, file=sys.stderr)
        raise typer.Exit(_exit_code(error)) from None


def told(error: HandrailError) -> list[str]:
    """Return what a refusal says, and the path of each field that is at fault and not named in it."""
    lines = [f"handrail: {error.message}"]
    for violation in error.violations:
        if f"{violation.field}: {violation.description}" in error.message:
            continue
        said = "" if violation.description == error.message else f": {violation.description}"
        lines.append(f"  {violation.field}{said}")
    return lines


def _exit_code(error: HandrailError) -> int:
    from services.runtime.errors import Category

    return 1 if error.category in {Category.UNAVAILABLE, Category.INTERNAL} else REFUSED


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "shell"


@dataclass(frozen=True)
class Desk:
    """The services as one actor reaches them."""

    running: RunningHome
    caller: Caller
    channels: dict[str, grpc.aio.Channel]

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return self.caller.actor

    @property
    def people(self) -> PeopleServiceAsyncStub:
        """Who somebody is."""
        from handrail.records.v1.people_pb2_grpc import PeopleServiceStub

        return PeopleServiceStub(self.channels["records"])

    @property
    def timeline(self) -> TimelineServiceAsyncStub:
        """The record."""
        from handrail.records.v1.timeline_pb2_grpc import TimelineServiceStub

        return TimelineServiceStub(self.channels["records"])

    @property
    def notices(self) -> NoticeServiceAsyncStub:
        """Who was told."""
        from handrail.notify.v1.notices_pb2_grpc import NoticeServiceStub

        return NoticeServiceStub(self.channels["notify"])

    @property
    def decisions(self) -> DecisionServiceAsyncStub:
        """What the guideline says."""
        from handrail.pathway.v1.decisions_pb2_grpc import DecisionServiceStub

        return DecisionServiceStub(self.channels["pathway"])

    def acting_as(self, actor: Actor) -> Desk:
        """Return the same services as another actor reaches them."""
        from services.runtime.clients import Caller

        return replace(self, caller=Caller(actor, self.running.identity_key))

    async def records(self, method: Method[Req, Resp], request: Req) -> Resp:
        """Call records."""
        return await self.ask("records", method, request)

    async def notify(self, method: Method[Req, Resp], request: Req) -> Resp:
        """Call notify."""
        return await self.ask("notify", method, request)

    async def pathway(self, method: Method[Req, Resp], request: Req) -> Resp:
        """Call pathway."""
        return await self.ask("pathway", method, request)

    async def ask(self, service: str, method: Method[Req, Resp], request: Req) -> Resp:
        """Call one rpc; a service that cannot be reached is named, and what one says of itself is kept.

        Raises:
            CliError: it does not answer, or the house is not running any more.
            HandrailError: it refused, or said what else it could not reach.
        """
        from services.runtime.errors import Category, HandrailError

        try:
            return await self.caller.call(method, request)
        except HandrailError as error:
            if error.category is Category.UNAVAILABLE and not error.reason:
                raise not_answering(service, self.running, late=_late(error)) from error
            raise


def not_answering(part: str, running: RunningHome, *, late: bool = False) -> CliError:
    """Return the sentence for a part that does not answer, or took too long, or whose house is gone."""
    if not running.is_running:
        return not_running(running.home)
    handrail = command_line(running.home.path)
    if late:
        stopped = _not_running(running)
        if stopped:
            return NotAnsweringError(
                f"{part} did not answer in time, and {stopped} is not running; start it with "
                f"`{handrail} start {stopped}`."
            )
        return NotAnsweringError(f"{part} did not answer in time; `{handrail} status` shows the parts of the house.")
    return NotAnsweringError(f"{part} is not answering; start it with `{handrail} start {part}`.")


def _not_running(running: RunningHome) -> str:
    """Return the first part of the house that does not run, if any; the supervisor knows."""
    from services.cli.control import ask

    try:
        parts = ask(running.control, "status")["parts"]
    except CliError:
        return ""
    return next((str(part["part"]) for part in parts if part["status"] not in RUNNING), "")


def _late(error: HandrailError) -> bool:
    """Whether the service was there, as far as one knows, and took longer than the call may."""
    import grpc

    cause = error.__cause__
    return isinstance(cause, grpc.aio.AioRpcError) and cause.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@asynccontextmanager
async def services(actor: Actor) -> AsyncIterator[Desk]:
    """Find the running house and open its services; they are connected to on first use.

    Raises:
        NotRunningError: there is none.
    """
    from services.runtime.clients import Caller, open_channel

    running = RunningHome.load()
    addresses = {
        "records": running.records_address,
        "pathway": running.pathway_address,
        "notify": running.notify_address,
    }
    channels = {name: open_channel(address) for name, address in addresses.items()}
    try:
        yield Desk(running, Caller(actor, running.identity_key), channels)
    finally:
        for channel in channels.values():
            await channel.close()

"""Where the demo plays: reports go through everybody's calls, and each is waited for until it took effect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from services.cli.commands import people, reporting
from services.cli.commands.acting import RUNNING, Desk, not_answering
from services.cli.commands.narration import SENT, Scene
from services.cli.commands.reporting import Report
from services.cli.commands.shapes import Plain
from services.cli.commands.words import label, listed, value
from services.cli.errors import CliError
from services.runtime.context import Actor

T = TypeVar("T")
PATIENCE = 25.0
TOLD_PATIENCE = 3.0
SENT_PATIENCE = 1.0
# The team that hears the news of every person, and what is news: `workflows.telling` says so, and a test compares them.
NEWS_TEAM = "breast_care_nurses"
NEWS = frozenset(
    {
        "progression_reported",
        "result_received",
        "fact_corrected",
        "adverse_event_reported",
        "referral_acknowledged",
        "referral_information_asked",
        "referral_accepted",
        "referral_declined",
        "referral_first_contact",
        "referral_undelivered",
        "appointment_missed",
        "appointment_not_brought",
        "pathway_closed",
        "pathway_reopened",
        "death_reported",
        "death_verified",
        "death_withdrawn",
        "transfer_accepted",
        "transfer_declined",
        "opted_out",
        "opted_in",
        "lead_changed",
        "lost_to_follow_up",
        "found_again",
    }
)
POLL = 0.05
# A second message about the same report follows the first one within this time.
SETTLE = 0.1
_TRACK = "track|"
_TOLD_APART = frozenset({"person_view", "number", "option"})


@dataclass(frozen=True)
class Player:
    """A member of staff in the story."""

    actor: Actor
    name: str
    team: str

    @property
    def shown(self) -> str:
        """Name, role and team."""
        return f"{self.name}, {self.actor.role.replace('_', ' ')} ({self.team})"


@dataclass(frozen=True)
class Happening:
    """What somebody reports in the story, and which task of a track must be open, or closed, afterwards."""

    title: str
    who: Player
    kind: str
    fields: Mapping[str, object]
    at: datetime
    facts: Sequence[tuple[str, object]] = ()
    about: str = ""
    opens: str = ""
    closes: str = ""
    source: str = ""

    def bringing(self, *facts: tuple[str, object], about: str = "") -> Happening:
        """Return it with results, about the person or about one subject."""
        return replace(self, facts=facts, about=about)

    def expecting(self, *, opens: str = "", closes: str = "") -> Happening:
        """Return it with the task of a track that must open, and the one that must close."""
        return replace(self, opens=opens, closes=closes)

    @property
    def said(self) -> list[str]:
        """What the report itself says, in words; ids, and what the story tells in its own way, are left out."""
        told = {
            name: listed(held) if isinstance(held, list) else value(held)
            for name, held in self.fields.items()
            if held and isinstance(held, str | list) and not name.endswith("_id") and name not in _TOLD_APART
        }
        return [f"{label(name)}: {held}" for name, held in told.items()]


@dataclass
class Stage:
    """The story so far: what was told, and what the system made of it."""

    desk: Desk
    patient_id: str
    team_names: dict[str, str]
    evaluation: Plain = field(default_factory=dict)
    told: list[Plain] = field(default_factory=list)
    tasks: dict[str, Plain] = field(default_factory=dict)
    messages: dict[str, Plain] = field(default_factory=dict)
    narrated: int = 0
    owed: int = 0

    async def play(self, happening: Happening) -> Scene:
        """Report it, wait until it is filed, judged, planned and told, and return what came of it."""
        desk = self.desk.acting_as(happening.who.actor)
        facts = [reporting.fact(name, held, happening.about) for name, held in happening.facts]
        report = Report(happening.kind, self.patient_id, happening.fields, facts, happening.at, happening.source)
        receipt = await reporting.send(desk, happening.kind, reporting.request_for(report))
        event = await self._filed(receipt["event_id"], happening)
        await self._judged(event["seq"], happening)
        opened, closed = self._changed(await self._planned(happening))
        news = {NEWS_TEAM} if happening.kind in NEWS else set()
        told, not_told = await self._messages({item["owner_team"] for item in opened} | news)
        entry = {name: event[name] for name in ("event_id", "kind", "seq")}
        self.told.append({**entry, "told_by": happening.who.actor.subject})
        return Scene(
            number=len(self.told),
            title=happening.title,
            kind=happening.kind,
            on=happening.at.isoformat(),
            who=happening.who.shown,
            said=happening.said,
            facts=happening.facts,
            opened=opened,
            closed=closed,
            told=told,
            not_told=not_told,
            teams=self.team_names,
        )

    async def referral(self, referral_id: str, status: str) -> Plain:
        """Return a referral once it went through a status.

        Raises:
            CliError: it did not.
        """

        async def look() -> Plain | None:
            held: Plain = (await people.referral(self.desk, referral_id))["referral"]
            return held if any(step["status"] == status for step in held["steps"]) else None

        return await self._until(look, f"the referral did not become {status.replace('_', ' ')}")

    async def check_record(self) -> None:
        """See that every event that was told stands in the record.

        Raises:
            CliError: one does not.
        """
        kept = set((await people.whole(self.desk, self.patient_id))["event_ids"])
        lost = [entry for entry in self.told if entry["event_id"] not in kept]
        if lost:
            message = f"The record does not hold the event {lost[0]['event_id']} ({lost[0]['kind']})."
            raise CliError(message)

    def open_tasks(self) -> list[Plain]:
        """Return what is open now, soonest due first."""
        return sorted(
            (i for i in self.tasks.values() if i["status"] == "open"), key=lambda i: (i["due_at"], i["title"])
        )

    async def _filed(self, event_id: str, happening: Happening) -> Plain:
        async def look() -> Plain | None:
            found = await people.events(self.desk, self.patient_id)
            return next((event for event in found if event["event_id"] == event_id), None)

        return await self._until(look, f"the report '{happening.kind}' ({event_id}) was accepted but not filed")

    async def _judged(self, seq: int, happening: Happening) -> None:
        from services.runtime.errors import Category, HandrailError

        async def look() -> Plain | None:
            try:
                found = await people.evaluation(self.desk, self.patient_id)
            except HandrailError as error:
                if error.category is Category.NOT_FOUND:
                    return None
                raise
            return found if found["seq"] >= seq else None

        self.evaluation = await self._until(look, f"the guideline was not judged after '{happening.kind}'")

    async def _planned(self, happening: Happening) -> list[Plain]:
        """Wait until the open tasks are those that the guideline and the tracks want; return all, closed ones too."""

        async def look() -> list[Plain] | None:
            items = await people.tasks(self.desk, patient_id=self.patient_id, closed=True)
            tasks = {item["key"]: item for item in items if item["status"] == "open"}
            waiting[:] = await self._unplanned(list(tasks.values()))
            if happening.opens and happening.opens not in tasks:
                waiting.append(f"{happening.opens} to open")
            if happening.closes in tasks:
                waiting.append(f"{happening.closes} to close")
            return None if waiting else items

        waiting: list[str] = []
        try:
            return await self._until(look, f"the tasks were not brought up to date after '{happening.kind}'")
        except CliError as error:
            message = f"{error} Waited for: {'; '.join(waiting)}."
            raise CliError(message) from error

    async def _unplanned(self, tasks: Sequence[Plain]) -> list[str]:
        """Return what the guideline wants opened or closed now, and is not yet."""
        from handrail.pathway.v1 import decisions_pb2

        own = [item for item in tasks if not item["key"].startswith(_TRACK)]
        request = decisions_pb2.DecideNextStepsRequest(
            patient_id=self.patient_id,
            guideline=decisions_pb2.GuidelineVersion(
                guideline=self.evaluation["guideline"], version=self.evaluation["version"]
            ),
            open_items=[decisions_pb2.OpenItemRef(key=item["key"], kind=item["kind"]) for item in own],
            other_open=len(tasks) - len(own),
        )
        request.as_of.FromDatetime(datetime.now(UTC))
        plan = await self.desk.pathway(self.desk.decisions.DecideNextSteps, request)
        return [f"{item.title} to open" for item in plan.open] + [f"{item.key} to close" for item in plan.close]

    def _changed(self, items: Sequence[Plain]) -> tuple[list[Plain], list[Plain]]:
        """Return the tasks that are newly open, and those that closed, since the last look."""
        before = self.tasks
        self.tasks = {item["item_id"]: item for item in items}
        opened = [item for item in items if item["status"] == "open" and item["item_id"] not in before]
        closed = [
            item
            for item in items
            if item["status"] != "open" and before.get(item["item_id"], {}).get("status") == "open"
        ]
        return opened, closed

    @property
    def expected(self) -> int:
        """How many messages there are at least: notify learns of the later ones only when the earlier ones left."""
        return self.narrated + self.owed

    async def _messages(self, teams: set[str]) -> tuple[list[str], list[str]]:
        """Return the teams that were told since the last look, and those whose message has not left yet.

        It waits a moment for the teams that have a new task or news, and for what is on its way; a shorter one once
        messages are kept waiting, for they leave one after the other.
        """
        began = time.monotonic()
        patience = SENT_PATIENCE if self.owed else TOLD_PATIENCE
        last_look = False
        while True:
            found = await people.messages(self.desk, self.patient_id)
            new = {m["message_id"]: m for m in found if m["message_id"] not in self.messages}
            fresh = self._of_this_report(new.values())
            waited = time.monotonic() - began
            if last_look or waited > patience:
                break
            there = not self._untold(teams, fresh)
            last_look = there and (waited > SENT_PATIENCE or all(m["status"] in SENT for m in fresh))
            await asyncio.sleep(SETTLE if last_look else POLL)
        self.messages |= new
        untold = self._untold(teams, fresh)
        self.narrated += len(fresh)
        self.owed += len(untold)
        waiting = dict.fromkeys([*(m["team"] for m in fresh if m["status"] not in SENT), *untold])
        told = dict.fromkeys(m["team"] for m in fresh if m["team"] not in waiting)
        return list(told), list(waiting)

    def _of_this_report(self, messages: Iterable[Plain]) -> list[Plain]:
        """Leave out what an earlier report's teams are told late: that report was narrated with them not told yet."""
        earlier = {entry["event_id"] for entry in self.told}
        return [message for message in messages if message["event_id"] not in earlier]

    @staticmethod
    def _untold(teams: set[str], fresh: Sequence[Plain]) -> list[str]:
        """Return the teams without a message; where one that cannot be reached is stood in for, the number tells."""
        if len([message for message in fresh if message["event_id"]]) >= len(teams):
            return []
        return sorted(teams - {message["team"] for message in fresh})

    async def _until(self, look: Callable[[], Awaitable[T | None]], failure: str) -> T:
        limit = time.monotonic() + PATIENCE
        while (found := await look()) is None:
            if time.monotonic() > limit:
                logs = self.desk.running.home.path / "logs"
                message = f"The demo stopped: {failure} within {PATIENCE:.0f} s. The logs are in {logs}."
                raise CliError(message)
            await asyncio.sleep(POLL)
        return found


async def check_house(desk: Desk) -> None:
    """See that every part of the house answers.

    Raises:
        CliError: naming the part that does not.
    """
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    from services.cli.control import ask

    parts = {part["part"]: part["status"] for part in ask(desk.running.control, "status")["parts"]}
    for name, status in parts.items():
        if status not in RUNNING:
            raise not_answering(name, desk.running)
    for name in ("records", "pathway", "notify"):
        stub: Any = health_pb2_grpc.HealthStub(desk.channels[name])
        try:
            reply = await stub.Check(health_pb2.HealthCheckRequest(), timeout=3)
        except grpc.aio.AioRpcError as error:
            raise not_answering(name, desk.running) from error
        if reply.status != health_pb2.HealthCheckResponse.SERVING:
            raise not_answering(name, desk.running)


def cast(teams: Sequence[Plain], duty: str, role: str) -> Player:
    """Return the member in a role of the team that has a duty; the team's lead first.

    Raises:
        CliError: there is none in the teams file.
    """
    for team in teams:
        if duty in team["roles"]:
            ordered = sorted(team["members"], key=lambda member: member["person_id"] != team["lead"])
            for member in ordered:
                if member["role"] == role:
                    return Player(Actor(member["person_id"], role, team["team_id"]), member["name"], team["name"])
    message = (
        f"The teams file has no {role.replace('_', ' ')} in a team for {duty.replace('_', ' ')}; the demo needs one."
    )
    raise CliError(message)

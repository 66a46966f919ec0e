"""`python -m bench.patient_year`: what one simulated year of one person costs in durable steps and bytes of history.

The year is lived on real parts, on a Temporal server whose clocks can be moved, and counted from the histories of the
person's workflows, not from what the code is meant to do. Beside it stands the floor: one durable step for each
clinical event, and one for each promise kept (a task that was watched until it was done or told as late).
"""

from __future__ import annotations

import asyncio
import atexit
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError

from drills.acts import COORDINATOR, NURSE, ONCOLOGIST, Said
from drills.house import DrillHouse
from drills.life import Life
from services.cli.commands.acting import Desk
from services.runtime.clients import Caller, open_channel
from services.runtime.context import Actor
from tests.durability.telling import runs_of
from workflows import names

MONTHS = 12
DAYS = 365 / 24
# The server moves no clock of a run that has children; outside a drill a pathway goes on anew after 1000 events.
HISTORY_EVENTS = 300
_STEPS = {
    "workflow_execution_update_accepted_event_attributes": "reports accepted",
    "timer_started_event_attributes": "timers set",
    "start_child_workflow_execution_initiated_event_attributes": "children started",
    "signal_external_workflow_execution_initiated_event_attributes": "signals to or from children",
    "workflow_execution_continued_as_new_event_attributes": "runs begun anew",
}
SAVINGS = (
    "one activity records, decides and plans an entry, and tells it if no task opens; else each is by itself",
    "a rung of a ladder and its notices are one activity",
    "the one timer is not set while what is being filed or climbed may move it, unless it would ring meanwhile",
    "a line's next check is dated where it is filed, and takes no activity of the line's own",
    "all due times, rungs and re-evaluations of a person share one timer; lines and referrals have none",
    "a tick marks all that is due at once, and a telephone task falls away with what it was about",
    "one notice a team, not one a task; what is news to nobody is told to nobody",
    "what is refused or repeated is answered without a step, and nothing is polled",
)
_ACTIVITIES = {
    "file_and_tell": "recorded, decided and planned in one go",
    "climb_and_tell": "rungs of a ladder planned and told in one go",
    # What is insisted on step by step, where something did not answer or refused.
    "append_event": "recorded by itself",
    "decide_next_steps": "decided by itself",
    "apply_plan": "planned by itself",
    "send_notice": "notices sent by themselves",
}
# The door measures by the clock on the wall, which stands still while the year goes by.
LONGEST_DEFERRAL = timedelta(days=360)
LONGEST_WEEKS = 52
# After these the line of treatment plans its next check, of which the team knows before the month goes by.
_THE_LINE_ANSWERS = frozenset({"therapy_line_started", "response_assessed"})
LINE_SECONDS = 1.5
_COURSE = {"setting": "advanced", "line": 1, "agents": ["ribociclib", "letrozole"], "stop_reason": "ongoing"}
_LUMINAL = [
    ("disease_extent", "metastatic"),
    ("er_status", "positive"),
    ("her2_ihc", "0"),
    ("menopausal_status", "post"),
    ("prior_therapies_none", True),
    ("adjusted_calcium", 2.4),
]


@dataclass
class Cost:
    """What a year came to, counted from history."""

    events: int = 0
    promises: int = 0
    bytes: int = 0
    history_events: int = 0
    steps: Counter[str] = field(default_factory=Counter)

    @property
    def floor(self) -> int:
        """One durable step for each clinical event and each promise kept."""
        return self.events + self.promises


class Year(Life):
    """A year of somebody on the first line of treatment whose team does nearly everything in time."""

    _latest: datetime

    async def live_it(self) -> None:
        """Live the year: from the diagnosis through twelve cycles, with scans, symptoms and a side effect."""
        await self._register()
        self._latest = await self._looker.moment() + LONGEST_DEFERRAL
        line, order = str(uuid.uuid4()), str(uuid.uuid4())
        await self._says("pathway_opened", COORDINATOR, referred_by="clinic")
        await self._says("key_worker_assigned", COORDINATOR, person_id="carys.nurse")
        await self._says("diagnosis_confirmed", ONCOLOGIST, facts=_LUMINAL)
        await self._says("decision_made", ONCOLOGIST, number="1.7.16", outcome=1, person_view="It is what she wants.")
        await self._says(
            "therapy_line_started", ONCOLOGIST, line_id=line, course=_COURSE, response_check_weeks=LONGEST_WEEKS
        )
        began, month = await self._looker.moment(), 0
        while await self._looker.moment() < began + timedelta(days=MONTHS * 365 / 12):
            month += 1
            await self._says("cycle_given", ONCOLOGIST, line_id=line, cycle=month)
            if month % 3 == 1:
                await self._clinic(str(uuid.uuid4()), order)
                order = str(uuid.uuid4())
            if month % 3 == 0:
                await self._says("response_assessed", ONCOLOGIST, line_id=line, response="stable")
            if month % 4 == 2:  # noqa: PLR2004 - three times a year
                await self._says(
                    "symptom_reported", NURSE, facts=[("fatigue", "present"), ("ecog", 1)], told_by="person"
                )
            if month == 5:  # noqa: PLR2004 - once
                await self._says("adverse_event_reported", NURSE, reaction="Diarrhoea", serious=False)
            await self._month_goes_by()

    async def promises_kept(self) -> int:
        """Return how many tasks were watched to their end, or told as late while they stay open."""
        seen = await self._looker.snapshot(self._accepted, {})
        return sum(item["status"] != "open" or bool(item["overdue_at"]) for item in seen.items)

    @property
    def workflow_ids(self) -> list[str]:
        """The person's pathway and its line of treatment."""
        lines = [names.therapy_line_id(line["line_id"]) for line in self._person.state["therapy_lines"]]
        return [names.pathway_id(self._person.patient_id), *lines]

    async def _clinic(self, appointment: str, order: str) -> None:
        await self._says("investigation_ordered", ONCOLOGIST, order_id=order, modality="CECT", purpose="response")
        starts_at = (await self._looker.moment() + timedelta(days=3)).isoformat(timespec="seconds")
        booked: dict[str, Any] = {"appointment_id": appointment, "purpose": "Clinic", "starts_at": starts_at}
        await self._says("appointment_booked", COORDINATOR, **booked)
        await self._says("result_received", ONCOLOGIST, investigation="CT", order_id=order)
        await self._says("appointment_attended", COORDINATOR, appointment_id=appointment, outcome="Seen.")

    async def _says(
        self,
        event: str,
        by: tuple[str, str],
        facts: list[tuple[str, Any]] | None = None,
        **fields: Any,  # noqa: ANN401 - the fields of any event
    ) -> None:
        await self._report(Said(event, fields, by, facts or ()))
        await self._seen()
        if event in _THE_LINE_ANSWERS:
            await asyncio.sleep(LINE_SECONDS)
            await self._seen()

    async def _seen(self) -> None:
        await self._looker.settled()
        self._person.state = await self._looker.state()

    async def _month_goes_by(self) -> None:
        """Two fortnights; before each the team does what can be said to be done."""
        for _ in range(2):
            for item in [*self._person.state["open_items"]]:
                if datetime.fromisoformat(item["due_at"]) < await self._looker.moment() + timedelta(days=DAYS):
                    await self._done(item)
            if not await self._looker.clock_is_held():
                await self._jump(24.0 * DAYS)
            await self._seen()

    async def _done(self, item: Mapping[str, Any]) -> None:
        if item["kind"] in {"decision", "recommendation"}:
            number = item["number"]
            await self._says("decision_made", ONCOLOGIST, number=number, outcome=1, person_view="She agrees.")
        if any(one["item_id"] == item["item_id"] for one in self._person.state["open_items"]):
            refused = self.counts.refused
            await self._says("item_completed", ONCOLOGIST, item_id=item["item_id"], outcome="Done, and noted.")
            if self.counts.refused > refused:  # it closes by another report, which has not come yet
                until = min(await self._looker.moment() + timedelta(days=40), self._latest).date().isoformat()
                why = "What it waits for has not come yet."
                await self._says("item_deferred", NURSE, item_id=item["item_id"], until=until, reason=why)


async def count(client: Client, workflow_ids: list[str]) -> Cost:
    """Count what stands in the histories of these workflows, run by run."""
    cost = Cost()
    for workflow_id in workflow_ids:
        try:
            runs = await runs_of(client, workflow_id)
        except RPCError:
            continue  # the line was refused, so it has no workflow
        for events in runs:
            cost.history_events += len(events)
            cost.bytes += sum(event.ByteSize() for event in events)
            _count_run(events, cost)
    return cost


def _count_run(events: list[HistoryEvent], cost: Cost) -> None:
    asked = {
        event.event_id: event.activity_task_scheduled_event_attributes.activity_type.name
        for event in events
        if event.HasField("activity_task_scheduled_event_attributes")
    }
    for event in events:
        which = event.WhichOneof("attributes") or ""
        if which in _STEPS:
            cost.steps[_STEPS[which]] += 1
        if which == "activity_task_completed_event_attributes":
            name = asked[event.activity_task_completed_event_attributes.scheduled_event_id]
            cost.steps[_ACTIVITIES.get(name, name.replace("_", " "))] += 1


async def measure(house: DrillHouse) -> Cost:
    """Live the year and count it."""
    running = house.running
    client = await Client.connect(running.temporal_address, namespace=running.temporal_namespace)
    addresses = {"records": running.records_address, "pathway": running.pathway_address}
    channels = {name: open_channel(address) for name, address in addresses.items()}
    caller = Caller(Actor("coordinator.drill", "coordinator", "coordination"), running.identity_key)
    try:
        year = Year(Desk(running, caller, channels), client, 1)
        await year.live_it()
        cost = await count(client, year.workflow_ids)
        cost.events = year.counts.events
        cost.promises = await year.promises_kept()
    finally:
        for channel in channels.values():
            await channel.close()
    return cost


def show(cost: Cost) -> None:
    """Print the table."""
    total = cost.steps.total()
    print(f"{cost.events} clinical events and {cost.promises} promises kept: a floor of {cost.floor} durable steps")
    for what, number in cost.steps.most_common():
        print(f"  {number:5}  {what}")
    print(f"  {total:5}  durable steps: {total / cost.floor:.2f} times the floor (aim: 2)")
    print(f"  {cost.history_events:5}  events of history, {cost.bytes / 1024:.0f} KiB")
    print("What saves steps:", *SAVINGS, sep="\n  - ")


def main() -> None:
    """Bring up a house whose clocks can be moved, live the year in it, count, print."""
    house = DrillHouse(history_events=HISTORY_EVENTS)
    try:
        house.start()
        cost = asyncio.run(measure(house))
    finally:
        house.stop()
    show(cost)


if __name__ == "__main__":
    atexit.register(time.sleep, 0.05)  # Temporal's bridge may still hold the interpreter when it ends
    main()

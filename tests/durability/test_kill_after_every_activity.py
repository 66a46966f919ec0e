"""Stories side by side in which the worker dies after every activity, and within those of several steps."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from temporalio.client import Client

from handrail.clinical.v1 import events_pb2, terms_pb2
from handrail.records.v1 import timeline_pb2
from services.runtime.errors import Category
from tests.durability.killing_worker import BETWEEN, END, SPARED
from tests.durability.telling import at_rest, insist, runs_of
from tests.house import COORDINATOR, NURSE, ONCOLOGIST, PALLIATIVE, REPOSITORY, Door, House, MailServer, fact
from workflows import names
from workflows.client import connect

# All but `append_event`, which is insisted on by itself only where the record refuses: then there is no effect.
ALL_ACTIVITIES = {
    "file_and_tell",
    "climb_and_tell",
    "keep_refused_report",
    "apply_plan",
    "set_referral_status",
    "decide_next_steps",
    "send_notice",
    "list_inbound",
    "silence",
}


@dataclass
class Story:
    """What is accepted of one person's story; the stories differ, and go on side by side."""

    door: Door
    patient_id: str
    line_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    referral_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    accepted: dict[str, str] = field(default_factory=dict)

    async def say(self, actor: Any, rpc: str, event: Any, *, also: tuple[Category, ...] = (), **values: Any) -> int:
        receipt = await insist(self.door, actor, rpc, self.patient_id, event, also=also, **values)
        self.accepted[receipt.event_id] = rpc
        return receipt.seq

    async def tell(self) -> None:
        """Nothing but the opening."""
        await self.say(COORDINATOR, "OpenPathway", events_pb2.PathwayOpened(referred_by="clinic"))

    async def filed(self, seq: int, patience: float = 150.0) -> None:
        until = time.monotonic() + patience
        while (await self.state()).pathway.filed_seq < seq:
            assert time.monotonic() < until, f"seq {seq} was never filed"
            await asyncio.sleep(0.2)

    async def state(self) -> Any:
        request = timeline_pb2.GetPatientRequest(patient_id=self.patient_id)
        return await self.door.call(COORDINATOR, self.door.timeline.GetPatient, request)

    async def referral_is(self, *statuses: str, patience: float = 150.0) -> None:
        until = time.monotonic() + patience
        while not any(
            r.referral_id == self.referral_id and r.status in statuses for r in (await self.state()).referrals
        ):
            assert time.monotonic() < until, f"the referral never became {statuses}"
            await asyncio.sleep(0.2)


class Treatment(Story):
    """From the diagnosis to a line of treatment and its first check."""

    async def tell(self) -> None:
        await super().tell()
        line = self.line_id
        known = [
            fact("disease_extent", "metastatic"),
            fact("er_status", "positive"),
            fact("pr_status", "positive"),
            fact("her2_ihc", "2+"),
            fact("prior_therapies_none", True),
        ]
        await self.say(ONCOLOGIST, "ConfirmDiagnosis", events_pb2.DiagnosisConfirmed(), facts=known)
        result = [fact("her2_ish", "not_amplified")]
        await self.say(NURSE, "ReceiveResult", events_pb2.ResultReceived(investigation="HER2 ISH"), facts=result)
        decision = events_pb2.DecisionMade(
            number="1.6.1",
            outcome=events_pb2.DecisionMade.OUTCOME_ACCEPTED,
            option="ribociclib_ai",
            person_view="She wants to start soon.",
        )
        await self.say(ONCOLOGIST, "MakeDecision", decision)
        course = terms_pb2.TherapyCourse(
            setting="advanced",
            line=1,
            agents=["ribociclib", "letrozole"],
            classes=["cdk46", "aromatase_inhibitor"],
            stop_reason="ongoing",
        )
        started = events_pb2.TherapyLineStarted(line_id=line, course=course, response_check_weeks=12)
        await self.say(ONCOLOGIST, "StartTherapyLine", started)


class Refused(Story):
    """The record refuses a report for good: it is kept whole and becomes a task, which somebody asks for help with."""

    async def tell(self) -> None:
        await super().tell()
        for_nothing = events_pb2.AppointmentBooked(
            appointment_id=str(uuid.uuid4()),
            purpose="for a task that there is not",
            starts_at=(datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="seconds"),
            item_id=str(uuid.uuid4()),
        )
        receipt = await insist(self.door, NURSE, "BookAppointment", self.patient_id, for_nothing)
        await self.filed(receipt.seq)
        item = await self.to_read()
        help_wanted = events_pb2.ItemEscalated(item_id=item.item_id, reason="Nobody knows which task was meant.")
        await self.say(NURSE, "EscalateItem", help_wanted, also=(Category.NOT_FOUND,))

    async def to_read(self, patience: float = 150.0) -> Any:
        until = time.monotonic() + patience
        while not (found := [i for i in (await self.state()).open_items if i.kind == "report_not_filed"]):
            assert time.monotonic() < until, "the report that was refused never became a task"
            await asyncio.sleep(0.2)
        return found[0]


class Namesake(Story):
    """A death is recorded on the wrong person, verified even, and taken back."""

    async def tell(self) -> None:
        await super().tell()
        await self.say(COORDINATOR, "ReportDeath", events_pb2.DeathReported(reported_by="gp"))
        verified = events_pb2.DeathVerified(
            identity_checked="nhs_number_and_name",
            confirmed_with="The practice",
            died_on=f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}",
        )
        await self.say(NURSE, "VerifyDeath", verified)
        mistake = events_pb2.DeathWithdrawn(mistake="namesake", reason="Another person of that name.")
        await self.say(NURSE, "WithdrawDeathReport", mistake)


class Referred(Story):
    """A referral, from the draft to first contact."""

    async def tell(self) -> None:
        await super().tell()
        referral = {"referral_id": self.referral_id}
        drafted = events_pb2.ReferralDrafted(
            **referral, to_team="palliative_care", reason="fatigue, uncontrolled local disease", urgency="routine"
        )
        await self.say(NURSE, "DraftReferral", drafted)
        agreed = events_pb2.ReferralAgreed(**referral, agreed_by="person", words="Yes, please.")
        await self.say(NURSE, "AgreeReferral", agreed)
        await self.say(NURSE, "SendReferral", events_pb2.ReferralSent(**referral))
        await self.referral_is("sent", "delivered")
        not_yet = (Category.NOT_FOUND, Category.CONFLICT)
        for rpc, event in (
            ("AcknowledgeReferral", events_pb2.ReferralAcknowledged(**referral, taken_by="Maya Sample")),
            ("AcceptReferral", events_pb2.ReferralAccepted(**referral)),
            ("RecordFirstContact", events_pb2.ReferralFirstContact(**referral, how="visit")),
        ):
            await self.say(PALLIATIVE, rpc, event, also=not_yet)
        await self.referral_is("first_contact")


@asynccontextmanager
async def dying_workers(house: House, deaths: Path, log: Path) -> AsyncIterator[list[subprocess.Popen[bytes]]]:
    """Start the killing worker again and again, as a supervisor would."""
    running = house.running
    environment = os.environ | {
        "TEMPORAL_ADDRESS": running.temporal_address,
        "TEMPORAL_NAMESPACE": running.temporal_namespace,
        "HANDRAIL_RECORDS_ADDRESS": running.records_address,
        "HANDRAIL_PATHWAY_ADDRESS": running.pathway_address,
        "HANDRAIL_NOTIFY_ADDRESS": running.notify_address,
        "HANDRAIL_IDENTITY_KEY_FILE": str(running.home.identity_key_file),
        "HANDRAIL_KILL_AFTER": str(deaths),
    }
    processes: list[subprocess.Popen[bytes]] = []

    def spare(output: Any) -> subprocess.Popen[bytes]:  # it imports while the one before it still works
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.durability.killing_worker"],
                env=environment,
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )
        )
        return processes[-1]

    async def supervise() -> None:
        with log.open("ab") as output:
            following = spare(output)
            while True:
                worker, following = following, spare(output)
                assert worker.stdin is not None
                worker.stdin.write(b"work\n")
                worker.stdin.close()
                code = await asyncio.to_thread(worker.wait)
                assert code == -signal.SIGKILL, f"the worker ended by itself; {log} says why"

    keeper = asyncio.create_task(supervise())
    try:
        yield processes
        assert not keeper.done(), keeper.result()
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
            if process.stdin is not None:
                process.stdin.close()


def ids_of(story: Story) -> list[str]:
    ids = [names.pathway_id(story.patient_id)]
    if isinstance(story, Treatment):
        ids.append(names.therapy_line_id(story.line_id))
    if isinstance(story, Referred):
        ids.append(names.referral_id(story.referral_id))
    return ids


async def activities_done(client: Client, story: Story) -> set[str]:
    """Every activity that any run of the story's workflows completed, as the kill log names them."""
    done = set()
    for workflow_id in ids_of(story):
        for events in await runs_of(client, workflow_id):
            run_id = events[0].workflow_execution_started_event_attributes.original_execution_run_id
            asked = {}
            for event in events:
                if event.HasField("activity_task_scheduled_event_attributes"):
                    scheduled = event.activity_task_scheduled_event_attributes
                    asked[event.event_id] = f"{scheduled.activity_id} {scheduled.activity_type.name}"
                elif event.HasField("activity_task_completed_event_attributes"):
                    scheduled_at = event.activity_task_completed_event_attributes.scheduled_event_id
                    done.add(f"{workflow_id} {run_id} {asked[scheduled_at]}")
    return done


def twice(things: Iterable[Any]) -> dict[str, int]:
    """What is there more than once."""
    counted = Counter(json.dumps(thing, sort_keys=True, default=str) for thing in things)
    return {thing: number for thing, number in counted.items() if number > 1}


async def doubled(story: Story) -> dict[str, int]:
    """Events, facts, tasks, referral steps and messages that stand twice for one key."""
    door = story.door
    request = timeline_pb2.ListEventsRequest(patient_id=story.patient_id)
    events = (await door.call(COORDINATOR, door.timeline.ListEvents, request)).events
    everything = timeline_pb2.ListFactsRequest(patient_id=story.patient_id, include_superseded=True)
    facts = (await door.call(COORDINATOR, door.timeline.ListFacts, everything)).facts
    every_item = timeline_pb2.ListItemsRequest(patient_id=story.patient_id, include_closed=True, page_size=500)
    items = (await door.call(COORDINATOR, door.timeline.ListItems, every_item)).items
    messages = await door.messages(story.patient_id)
    steps: list[Any] = []
    if isinstance(story, Referred):
        wanted = timeline_pb2.GetReferralRequest(referral_id=story.referral_id)
        steps = [*(await door.call(COORDINATOR, door.timeline.GetReferral, wanted)).referral.steps]
    return (
        twice(("event", MessageToDict(event.event)) for event in events)
        | twice(("place", event.seq) for event in events)
        | twice(("fact", one.event_id, one.name, one.subject) for one in facts)
        | twice(("item", item.key, item.opened_by_event_id) for item in items)
        | twice(("open item", item.key) for item in items if item.status == "open")
        | twice(("step", step.status) for step in steps)
        | twice(("message", m.template, m.team, m.event_id or m.body, m.subject) for m in messages)
    )


@pytest.mark.timeout(400)  # a minute on an idle machine
async def test_stories_finish_although_the_worker_dies_after_every_activity(
    tmp_path: Path, mail_server: MailServer
) -> None:
    house = House(tmp_path / "home", {"HANDRAIL_SMTP_URL": mail_server.url, "HANDRAIL_ACTIVITY_SECONDS": "1.5"})
    house.start()
    try:
        house.cli("stop", "worker")
        deaths = tmp_path / "deaths"
        door = house.door()
        client = await connect(house.running.temporal_address, house.running.temporal_namespace)
        kinds = (Treatment, Refused, Namesake, Referred)
        stories = [kind(door, await door.register(f"Killpoint{kind.__name__}")) for kind in kinds]
        began = time.monotonic()
        async with dying_workers(house, deaths, tmp_path / "worker.log") as workers:
            await asyncio.gather(*(story.tell() for story in stories))
            await at_rest(client, *(workflow_id for story in stories for workflow_id in ids_of(story)))
        took = time.monotonic() - began
        killed = Counter(deaths.read_text().splitlines())
        done = set().union(*[await activities_done(client, story) for story in stories])
        states = {type(story): await story.state() for story in stories}
        seen_twice = {thing: many for story in stories for thing, many in (await doubled(story)).items()}
        messages = [message for story in stories for message in await door.messages(story.patient_id)]
        await door.close()
    finally:
        house.stop()
    accepted = {event_id: rpc for story in stories for event_id, rpc in story.accepted.items()}
    recorded = {event_id for state in states.values() for event_id in state.event_ids}
    lost = {event_id: rpc for event_id, rpc in accepted.items() if event_id not in recorded}
    ended = {death.rpartition(" ")[0] for death in killed if death.endswith(f" {END}")}
    skipped = done - ended
    between = Counter(tuple(death.rsplit(" ", 2)[1:]) for death in killed if not death.endswith(f" {END}"))
    ours = {message.message_id for message in messages}
    mails = Counter(str(mail["Message-ID"]).strip("<>").partition("@")[0] for mail in mail_server.mail())
    mailed = {message_id: count for message_id, count in mails.items() if message_id in ours}
    repeats = sum(mailed.values()) - len(mailed)
    types = Counter(name.rsplit(" ", 1)[1] for name in ended)
    print(
        f"\nkill points {len(killed)}, doubled {len(seen_twice)}, lost {len(lost)}, skipped {len(skipped)}"
        f" | reports {len(accepted) + 1}, messages {len(messages)}, mails {len(mailed)},"
        f" in-doubt repeats {repeats}"
        f" | {len(workers) - 2} deaths in {took:.0f} s | {dict(sorted(types.items()))}, between {dict(between)}"
    )
    assert max(killed.values()) == 1
    assert set(types) == ALL_ACTIVITIES - SPARED
    assert set(between) == {(kind, place) for kind, places in BETWEEN.items() for place in places}
    assert (seen_twice, lost, skipped) == ({}, {}, set())
    assert set(mailed) == ours
    assert {"first_contact"} == {r.status for r in states[Referred].referrals}
    assert "response_check" in {item.kind for item in states[Treatment].open_items}
    assert "report_not_filed" in {item.kind for item in states[Refused].open_items}

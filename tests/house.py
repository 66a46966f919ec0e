"""A whole house, really running: `handrail up` in a home of its own, with a real mail server beside it."""

from __future__ import annotations

import asyncio
import atexit
import json
import mailbox
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.client import Client

from handrail.clinical.v1 import events_pb2, terms_pb2
from handrail.notify.v1 import notices_pb2, notices_pb2_grpc
from handrail.pathway.v1 import (
    decisions_pb2_grpc,
    intake_pb2,
    intake_pb2_grpc,
    referrals_pb2,
    referrals_pb2_grpc,
    scheduling_pb2,
    scheduling_pb2_grpc,
)
from handrail.records.v1 import people_pb2, people_pb2_grpc, timeline_pb2, timeline_pb2_grpc
from services.cli.home import RunningHome
from services.runtime.clients import Caller, open_channel
from services.runtime.context import Actor
from workflows import names

REPOSITORY = Path(__file__).resolve().parents[1]
HANDRAIL = Path(sys.executable).parent / "handrail"

COORDINATOR = Actor("coordinator.test", "coordinator", "coordination")
NURSE = Actor("nurse.test", "key_worker", "breast_care_nurses")
ONCOLOGIST = Actor("oncologist.test", "oncologist", "oncology")
PALLIATIVE = Actor("palliative.test", "palliative_clinician", "palliative_care")
SCHEDULER = Actor("system:scheduler", "scheduler", "")


@cache
def clusters() -> Path:
    """Where the databases of this run's houses lie when root runs them; gone when the run is over."""
    folder = Path(tempfile.mkdtemp(prefix="handrail-clusters-"))
    folder.chmod(0o711)  # PostgreSQL's user must pass through it, and see nothing
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nhs_number() -> str:
    """A number from the range reserved for testing, with its check digit."""
    while True:
        digits = "999" + f"{random.randrange(10**6):06d}"
        check = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check < 10:
            return f"{digits}{check}"
        if check == 11:
            return f"{digits}0"


def stamp(moment: datetime) -> Timestamp:
    """An instant as protobuf keeps it."""
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def fact(name: str, value: bool | float | str, subject: str = "") -> terms_pb2.ReportedFact:
    """A reported fact; text is taken as a code."""
    if isinstance(value, bool):
        kept = terms_pb2.FactValue(flag=value)
    elif isinstance(value, str):
        kept = terms_pb2.FactValue(code=value)
    else:
        kept = terms_pb2.FactValue(number=value)
    return terms_pb2.ReportedFact(name=name, value=kept, subject=subject)


@dataclass
class House:
    """One house: the supervisor's process, its home, and what speaks to it."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None
    _channels: list[Any] = field(default_factory=list)

    def start(self, patience: float = 60.0) -> RunningHome:
        """Start it and wait until it is up."""
        said_file = self.home.parent / f"{self.home.name}.out"
        with said_file.open("ab") as log:
            offset = log.tell()
            self.process = subprocess.Popen(
                [str(HANDRAIL), "up", "--home", str(self.home), *self.arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=REPOSITORY,
                env=os.environ | {"HANDRAIL_CLUSTERS": str(clusters())} | self.environment,
                start_new_session=True,
            )
        until = time.monotonic() + patience
        while time.monotonic() < until:
            said = said_file.read_bytes()[offset:].decode()
            if "Handrail is up" in said:
                return self.running
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        message = f"the house did not come up:\n{said}"
        raise AssertionError(message)

    @property
    def running(self) -> RunningHome:
        """Where it answers."""
        return RunningHome.load(self.home)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it cleanly; return its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        return self.process.wait(timeout=15)

    def kill(self) -> None:
        """Kill the supervisor's whole process group, as a crash would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=5)

    def cli(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a `handrail` command against this house."""
        done = subprocess.run(
            [str(HANDRAIL), *words, "--home", str(self.home)],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            cwd=REPOSITORY,
            env=os.environ | {"NO_COLOR": "1"},
        )
        if check:
            assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def demo(self) -> dict[str, Any]:
        """Play the demo's story; return what it says of it."""
        played: dict[str, Any] = json.loads(self.cli("demo", "--json").stdout)
        return played

    def door(self) -> Door:
        """A client of all its services, for use inside one event loop."""
        return Door(self.running)


class Door:
    """Calls the services of a house as one actor or another."""

    def __init__(self, running: RunningHome) -> None:
        self.running = running
        self._key = running.identity_key
        self._temporal: Client | None = None
        self.channels = {
            "pathway": open_channel(running.pathway_address),
            "records": open_channel(running.records_address),
            "notify": open_channel(running.notify_address),
        }
        pathway, records = self.channels["pathway"], self.channels["records"]
        self.intake = intake_pb2_grpc.IntakeServiceStub(pathway)
        self.referrals = referrals_pb2_grpc.ReferralServiceStub(pathway)
        self.scheduling = scheduling_pb2_grpc.SchedulingServiceStub(pathway)
        self.decisions = decisions_pb2_grpc.DecisionServiceStub(pathway)
        self.people = people_pb2_grpc.PeopleServiceStub(records)
        self.timeline = timeline_pb2_grpc.TimelineServiceStub(records)
        self.notices = notices_pb2_grpc.NoticeServiceStub(self.channels["notify"])

    async def close(self) -> None:
        """Close the channels."""
        for channel in self.channels.values():
            await channel.close()

    def caller(self, actor: Actor) -> Caller:
        """Sign calls as this actor."""
        return Caller(actor, self._key)

    async def call(self, actor: Actor, method: Any, request: Any, **options: Any) -> Any:
        """Call one rpc as an actor."""
        return await self.caller(actor).call(method, request, **options)

    async def register(self, family: str = "Testperson", **values: str) -> str:
        """Register a synthetic person; return the patient id."""
        request = people_pb2.RegisterPersonRequest(
            idempotency_key=str(uuid.uuid4()),
            nhs_number=values.pop("nhs_number", nhs_number()),
            given_name="Syn",
            family_name=family,
            birth_date=values.pop("birth_date", "1961-04-02"),
            sex=values.pop("sex", "female"),
            **values,
        )
        reply = await self.call(COORDINATOR, self.people.RegisterPerson, request)
        return str(reply.patient_id)

    def request(self, rpc: str, patient_id: str, event: Any, **values: Any) -> Any:
        """The request of a reporting rpc: `rpc` is its name, `event` its event message."""
        module = next(m for m in (intake_pb2, referrals_pb2, scheduling_pb2) if hasattr(m, f"{rpc}Request"))
        made = getattr(module, f"{rpc}Request")(
            idempotency_key=values.pop("key", str(uuid.uuid4())),
            patient_id=patient_id,
            occurred_at=stamp(values.pop("occurred_at", datetime.now(UTC) - timedelta(minutes=1))),
            source=values.pop("source", "test"),
            facts=values.pop("facts", ()),
        )
        kind = next(f.name for f in made.DESCRIPTOR.fields if f.number == 5)
        getattr(made, kind).CopyFrom(event)
        return made

    async def report(self, actor: Actor, rpc: str, patient_id: str, event: Any, **values: Any) -> terms_pb2.Receipt:
        """Report an event and return the receipt."""
        options = {name: values.pop(name) for name in ("correlation",) if name in values}
        request = self.request(rpc, patient_id, event, **values)
        stub = next(s for s in (self.intake, self.referrals, self.scheduling) if hasattr(s, rpc))
        reply = await self.call(actor, getattr(stub, rpc), request, **options)
        return reply.receipt  # type: ignore[no-any-return]

    async def told(self, actor: Actor, rpc: str, patient_id: str, event: Any, **values: Any) -> Any:
        """Report an event, wait until it is filed, and return the person's whole state."""
        receipt = await self.report(actor, rpc, patient_id, event, **values)
        return await self.patient(patient_id, receipt.seq)

    async def patient(self, patient_id: str, min_seq: int = 0) -> Any:
        """One person's whole state once `min_seq` is filed and planned."""
        for _ in range(40):
            request = timeline_pb2.GetPatientRequest(patient_id=patient_id, min_seq=min_seq)
            state = await self.call(COORDINATOR, self.timeline.GetPatient, request)
            if not state.being_filed:
                return state
        message = f"seq {min_seq} was not filed"
        raise AssertionError(message)

    async def temporal(self) -> Client:
        """A client of the house's Temporal server."""
        if self._temporal is None:
            running = self.running
            self._temporal = await Client.connect(running.temporal_address, namespace=running.temporal_namespace)
        return self._temporal

    async def standing(self, patient_id: str) -> dict[str, int]:
        """What the person's workflow says of itself: how much waits to be filed and told."""
        handle = (await self.temporal()).get_workflow_handle(names.pathway_id(patient_id))
        answer: dict[str, int] = await handle.query("standing")
        return answer

    async def quiet(self, *patient_ids: str) -> None:
        """Wait until everything about these people is filed and told."""
        for patient_id in patient_ids:
            for _ in range(200):
                standing = await self.standing(patient_id)
                if standing["to_file"] == standing["to_tell"] == 0:
                    break
                await asyncio.sleep(0.05)
            else:
                message = f"{patient_id} is never quiet: {standing}"
                raise AssertionError(message)

    async def items(self, patient_id: str) -> list[Any]:
        """All tasks of one person, those that are closed too."""
        request = timeline_pb2.ListItemsRequest(patient_id=patient_id, include_closed=True, page_size=500)
        return list((await self.call(COORDINATOR, self.timeline.ListItems, request)).items)

    async def database(self, role: str = "postgres") -> Any:
        """A connection to the house's PostgreSQL as its superuser, or as one of its roles."""
        home = self.running.home
        connect: Any = asyncpg.connect
        return await connect(
            host=str(home.short_directory / "pg"), user=role, password=home.passwords()[role], database="handrail"
        )

    async def until(self, patient_id: str, wanted: Any, what: str, seconds: float = 10.0) -> Any:
        """Wait until the person's state satisfies `wanted`; return the state."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            state = await self.patient(patient_id)
            if wanted(state):
                return state
            await asyncio.sleep(0.1)
        kinds = [(item.kind, item.number, item.title) for item in state.open_items]
        message = f"never happened: {what}; open: {kinds}"
        raise AssertionError(message)

    async def opened(self, family: str = "Testperson", **values: str) -> str:
        """Register a person and open the pathway; return the patient id."""
        patient_id = await self.register(family, **values)
        await self.told(COORDINATOR, "OpenPathway", patient_id, events_pb2.PathwayOpened(referred_by="clinic"))
        return patient_id

    async def messages(self, patient_id: str) -> list[Any]:
        """The messages about one person."""
        request = notices_pb2.ListMessagesRequest(patient_id=patient_id, page_size=500)
        return list((await self.call(COORDINATOR, self.notices.ListMessages, request)).messages)


class MailServer:
    """A real SMTP server in a process of its own, which keeps its mail in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.start()

    def start(self) -> None:
        """Start the server, for the first time or again on the same port."""
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{self.port}"),
                *("-c", "aiosmtpd.handlers.Mailbox", str(self.folder)),
            ]
        )
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        message = "the mail server did not come up"
        raise AssertionError(message)

    @property
    def url(self) -> str:
        """What HANDRAIL_SMTP_URL is set to."""
        return f"smtp://127.0.0.1:{self.port}"

    def mail(self) -> list[mailbox.MaildirMessage]:
        """All mail that was taken."""
        return list(mailbox.Maildir(str(self.folder), create=False))

    def stop(self) -> None:
        """Stop the server."""
        self.process.terminate()
        self.process.wait(timeout=5)

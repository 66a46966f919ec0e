"""What the tests of records say: calls as the roles that make them, and requests with good defaults."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import grpc
import nhs_number
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from handrail.clinical.v1 import events_pb2 as events_pb
from handrail.clinical.v1 import terms_pb2 as terms_pb
from handrail.records.v1 import filing_pb2 as filing_pb
from handrail.records.v1 import filing_pb2_grpc, people_pb2_grpc, timeline_pb2_grpc
from handrail.records.v1 import people_pb2 as people_pb
from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.runtime.clients import Caller
from services.runtime.context import Actor
from services.runtime.errors import Category, HandrailError
from tests.postgres import Cluster

DAWN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
NURSE = terms_pb.Actor(subject="carys.nurse", role="key_worker", team="breast_care_nurses")
ONCOLOGIST = terms_pb.Actor(subject="elena.oncologist", role="oncologist", team="oncology")
HOSPICE = terms_pb.Actor(subject="ruth.intake", role="hospice_intake", team="palliative_care")
RULE = "cg81.palliative.fatigue"

_numbers = (str(n) for n in itertools.count(9990000018) if nhs_number.is_valid(str(n)))


def an_id() -> str:
    return str(uuid.uuid4())


def next_number() -> str:
    return next(_numbers)


def at(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def a_fact(name: str, code: str, **more: Any) -> terms_pb.ReportedFact:
    return terms_pb.ReportedFact(name=name, value=terms_pb.FactValue(code=code), **more)


def a_judgement(fact_ids: Sequence[str] = (), **more: Any) -> filing_pb.FiledJudgement:
    given: dict[str, Any] = {
        "rule_id": RULE,
        "number": "1.6.10",
        "title": "Assess fatigue",
        "truth": "applies",
        "basis": "fatigue=significant",
        "occurrence": "1",
        "option_codes": ["exercise", "refer"],
        "option_labels": ["Exercise", "Refer"],
        "fact_ids": fact_ids,
    }
    return filing_pb.FiledJudgement(**{**given, **more})


def an_item(key: str = "", **more: Any) -> filing_pb.ItemToOpen:
    due = DAWN + timedelta(days=5)
    given: dict[str, Any] = {
        "item_id": an_id(),
        "key": key or f"cg81|{RULE}||{an_id()}",
        "kind": "recommendation",
        "title": "Assess fatigue",
        "reason": "Fatigue was reported.",
        "owner_role": "key_worker",
        "due_on": due.date().isoformat(),
        "due_at": at(due),
        "urgency": "routine",
    }
    return filing_pb.ItemToOpen(**{**given, **more})


class Refusal:
    """Catches what a service refused, so that a test can say what it was."""

    def __init__(self, category: Category, field: str = "") -> None:
        self._category, self._field = category, field
        self._raises = pytest.raises(HandrailError)

    def __enter__(self) -> Self:
        self._caught = self._raises.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> bool:
        caught = self._raises.__exit__(kind, raised, trace)
        assert self.error.category == self._category, self.error.message
        if self._field:
            assert self._field in [violation.field for violation in self.error.violations]
        assert len(self.error.message) > 20
        return bool(caught)

    @property
    def error(self) -> HandrailError:
        return self._caught.value


@dataclass
class Story:
    """One person on a pathway, and the next place in their order of reports."""

    house: House
    patient_id: str
    seq: int = 0

    def report(self, event: events_pb.ClinicalEvent, **more: Any) -> filing_pb.AppendEventRequest:
        """Return the next report of this person; a test states only what matters to it."""
        self.seq += 1
        moment = DAWN + timedelta(minutes=self.seq)
        key = more.pop("idempotency_key", an_id())
        given: dict[str, Any] = {
            "idempotency_key": key,
            "caller": "carys.nurse",
            "request_hash": digest(key),
            "patient_id": self.patient_id,
            "seq": self.seq,
            "event_id": an_id(),
            "event": event,
            "occurred_at": at(moment),
            "accepted_at": at(moment + timedelta(seconds=1)),
            "actor": NURSE,
            "source": "clinic",
            "correlation_id": an_id(),
        }
        return filing_pb.AppendEventRequest(**{**given, **more})

    async def append(
        self, *, facts: Sequence[terms_pb.ReportedFact] = (), **event: Any
    ) -> filing_pb.AppendEventResponse:
        """Report an event, given by its name, and file it."""
        more = {name: event.pop(name) for name in ("rule_id", "guideline", "actor") if name in event}
        return await self.file(self.report(events_pb.ClinicalEvent(**event), facts=facts, **more))

    async def file(self, request: filing_pb.AppendEventRequest) -> filing_pb.AppendEventResponse:
        return await self.house.worker.call(self.house.filing.AppendEvent, request)

    async def symptom(
        self, note: str = "tired", facts: Sequence[terms_pb.ReportedFact] = ()
    ) -> filing_pb.AppendEventResponse:
        return await self.append(symptom_reported=events_pb.SymptomReported(note=note), facts=facts)

    async def decide(self, outcome: str = "ACCEPTED", **more: Any) -> filing_pb.AppendEventResponse:
        made = events_pb.DecisionMade(
            number="1.6.10",
            outcome=events_pb.DecisionMade.Outcome.Value(f"OUTCOME_{outcome}"),
            person_view="Wants this.",
            **more,
        )
        return await self.append(decision_made=made, rule_id=RULE, actor=ONCOLOGIST)

    async def judged(self, *judgements: filing_pb.FiledJudgement) -> str:
        request = filing_pb.FileEvaluationRequest(
            idempotency_key=an_id(),
            evaluation_id=an_id(),
            patient_id=self.patient_id,
            seq=self.seq,
            as_of=at(DAWN),
            guideline="CG81",
            version="2026-06-30",
            content_hash=digest("guideline"),
            judgements=judgements,
        )
        return (await self.house.worker.call(self.house.filing.FileEvaluation, request)).evaluation_id

    def plan(self, **more: Any) -> filing_pb.ApplyPlanRequest:
        self.seq += 1
        given: dict[str, Any] = {
            "idempotency_key": an_id(),
            "patient_id": self.patient_id,
            "seq": self.seq,
            "applied_at": at(DAWN),
        }
        return filing_pb.ApplyPlanRequest(**{**given, **more})

    async def apply(self, **more: Any) -> filing_pb.ApplyPlanResponse:
        return await self.house.worker.call(self.house.filing.ApplyPlan, self.plan(**more))

    async def state(self, min_seq: int = 0) -> timeline_pb.GetPatientResponse:
        request = timeline_pb.GetPatientRequest(patient_id=self.patient_id, min_seq=min_seq)
        return await self.house.nurse.call(self.house.timeline.GetPatient, request)

    async def facts(self, **more: Any) -> list[terms_pb.Fact]:
        request = timeline_pb.ListFactsRequest(patient_id=self.patient_id, **more)
        return list((await self.house.nurse.call(self.house.timeline.ListFacts, request)).facts)

    async def decisions(self) -> list[timeline_pb.Decision]:
        request = timeline_pb.ListDecisionsRequest(patient_id=self.patient_id)
        return list((await self.house.nurse.call(self.house.timeline.ListDecisions, request)).decisions)

    async def items(self, **more: Any) -> list[timeline_pb.Item]:
        request = timeline_pb.ListItemsRequest(patient_id=self.patient_id, **more)
        return list((await self.house.nurse.call(self.house.timeline.ListItems, request)).items)


@dataclass
class House:
    """The running service, and callers in the roles that the tests need."""

    channel: grpc.aio.Channel
    key: str
    cluster: Cluster
    database_name: str
    people: people_pb2_grpc.PeopleServiceAsyncStub = field(init=False)
    filing: filing_pb2_grpc.FilingServiceAsyncStub = field(init=False)
    timeline: timeline_pb2_grpc.TimelineServiceAsyncStub = field(init=False)

    def __post_init__(self) -> None:
        self.people = people_pb2_grpc.PeopleServiceStub(self.channel)
        self.filing = filing_pb2_grpc.FilingServiceStub(self.channel)
        self.timeline = timeline_pb2_grpc.TimelineServiceStub(self.channel)
        self.worker = self.caller("system:worker", "worker")
        self.nurse = self.caller("carys.nurse", "key_worker")

    def caller(self, subject: str, role: str) -> Caller:
        return Caller(Actor(subject=subject, role=role), self.key)

    def a_person(self, **more: Any) -> people_pb.RegisterPersonRequest:
        given: dict[str, Any] = {
            "idempotency_key": an_id(),
            "nhs_number": next_number(),
            "given_name": f"Given{an_id()[:8]}",
            "family_name": "Sample",
            "birth_date": "1960-02-29",
            "sex": "female",
        }
        return people_pb.RegisterPersonRequest(**{**given, **more})

    async def register(self, **more: Any) -> people_pb.RegisterPersonResponse:
        return await self.nurse.call(self.people.RegisterPerson, self.a_person(**more))

    async def opened(self) -> Story:
        """Return a new person whose pathway is open."""
        story = Story(self, (await self.register()).patient_id)
        await story.append(pathway_opened=events_pb.PathwayOpened(referred_by="GP"), guideline="CG81@2026-06-30")
        return story

    async def count(self, table: str) -> int:
        connection = await self.cluster.connect(self.database_name)
        try:
            return int(await connection.fetchval(f"SELECT count(*) FROM records.{table}"))  # noqa: S608 - our names
        finally:
            await connection.close()

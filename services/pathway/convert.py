"""Between the contract's messages and the pure modules' facts: `x_to_proto` and `x_from_proto`, in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date

from handrail.clinical.v1 import terms_pb2
from services.pathway.dictionary import Therapy
from services.pathway.facts import Fact, Value


def value_from_proto(value: terms_pb2.FactValue) -> Value:
    """Return a fact's value as the rules read it; a whole number becomes an int."""
    match value.WhichOneof("value"):
        case "flag":
            return value.flag
        case "number":
            return int(value.number) if value.number.is_integer() else value.number
        case "code":
            return value.code
        case "therapy":
            return therapy_from_proto(value.therapy)
        case _:
            return value.text


def therapy_from_proto(course: terms_pb2.TherapyCourse) -> Therapy:
    """Return a course of therapy as the rules read it."""
    return Therapy(
        setting=course.setting,
        line=course.line,
        agents=tuple(course.agents),
        classes=tuple(course.classes),
        months=None,
        stop_reason=course.stop_reason,
        started_on=date.fromisoformat(course.started_on) if course.started_on else None,
        ended_on=date.fromisoformat(course.ended_on) if course.ended_on else None,
        last_dose_on=date.fromisoformat(course.last_dose_on) if course.last_dose_on else None,
        begun_here=course.begun_here,
    )


def fact_from_proto(fact: terms_pb2.Fact) -> Fact:
    """Return a recorded fact as the rules read it."""
    return Fact(
        fact_id=fact.fact_id,
        name=fact.name,
        value=value_from_proto(fact.value),
        subject=fact.subject,
        occurred_at=fact.occurred_at.ToDatetime(tzinfo=UTC),
        recorded_at=fact.recorded_at.ToDatetime(tzinfo=UTC),
        recorded_by=fact.recorded_by.subject,
        source=fact.source,
        event_id=fact.event_id,
        seq=fact.seq,
    )


def standing_facts(kept: Sequence[terms_pb2.Fact]) -> list[Fact]:
    """Return the facts that stand: not superseded, not entered in error."""
    return [fact_from_proto(fact) for fact in kept if not (fact.superseded_by_fact_id or fact.entered_in_error)]

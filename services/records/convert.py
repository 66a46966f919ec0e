"""Between rows and messages, in pairs: `x_to_proto` and `x_from_proto`."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Row

from handrail.clinical.v1 import events_pb2 as events_pb
from handrail.clinical.v1 import terms_pb2 as terms_pb
from handrail.records.v1 import filing_pb2 as filing_pb
from handrail.records.v1 import people_pb2 as people_pb
from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.records import models
from services.records.db import ActedMixin
from services.records.nhs_numbers import shown
from services.runtime.errors import Invalid

_JUDGEMENT_TEXTS = (
    "rule_id",
    "number",
    "title",
    "strength",
    "section",
    "truth",
    "because",
    "basis",
    "occurrence",
    "action",
    "source",
    "option_for",
)
_JUDGEMENT_LISTS = ("missing", "supplied_by", "fact_ids", "option_codes", "option_labels")


def instant_to_proto(value: dt.datetime | None) -> Timestamp | None:
    """Return a timestamp; an absent time is an absent field."""
    if value is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(value)
    return stamp


def instant_from_proto(stamp: Timestamp) -> dt.datetime:
    """Return an aware UTC instant."""
    return stamp.ToDatetime(tzinfo=dt.UTC)


def date_to_proto(value: dt.date | None) -> str:
    """Return an ISO date, or nothing."""
    return value.isoformat() if value else ""


def date_from_proto(value: str, field: str) -> dt.date:
    """Return a real calendar date.

    Raises:
        Invalid: naming the field, when there is no such day.
    """
    try:
        return dt.date.fromisoformat(value)
    except ValueError as error:
        message = "This is not a day of the calendar. Give the date as YYYY-MM-DD."
        raise Invalid(message, field=field) from error


def moment_from_proto(value: str, field: str) -> dt.datetime:
    """Return the instant that an ISO 8601 text with an offset names.

    Raises:
        Invalid: naming the field, when there is no such moment.
    """
    try:
        return dt.datetime.fromisoformat(value).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        message = "This is not a real date and time. Give it as YYYY-MM-DDTHH:MM with its offset, such as +01:00."
        raise Invalid(message, field=field) from error


def ids_from_proto(values: Sequence[str], field: str) -> list[uuid.UUID]:
    """Return ids, each once, in order.

    Raises:
        Invalid: naming the field, when one is not a UUID.
    """
    try:
        return list(dict.fromkeys(uuid.UUID(value) for value in values))
    except ValueError as error:
        message = "One of these ids is not an id that Handrail gave. Copy it from the record."
        raise Invalid(message, field=field) from error


def actor_to_proto(row: ActedMixin | Row[Any]) -> terms_pb.Actor:
    """Return who acted."""
    return terms_pb.Actor(
        subject=row.actor_subject,
        role=row.actor_role,
        team=row.actor_team,
        on_behalf_of=row.actor_on_behalf_of,
    )


def actor_from_proto(actor: terms_pb.Actor) -> dict[str, str]:
    """Return the four columns that say who acted."""
    return {
        "actor_subject": actor.subject,
        "actor_role": actor.role,
        "actor_team": actor.team,
        "actor_on_behalf_of": actor.on_behalf_of,
    }


def value_to_proto(value: Mapping[str, Any] | None) -> terms_pb.FactValue | None:
    """Return the value of a fact; nothing for one that was entered in error."""
    if not value:
        return None
    if "therapy" in value:
        return terms_pb.FactValue(therapy=course_to_proto(value["therapy"]))
    return terms_pb.FactValue(**value)


def value_from_proto(value: terms_pb.FactValue) -> dict[str, Any] | None:
    """Return a fact's value as it is kept: one entry, named after the kind of value."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    return {kind: course_from_proto(value.therapy) if kind == "therapy" else getattr(value, kind)}


def contact_to_proto(contact: Mapping[str, Any] | None) -> events_pb.ContactAgreed | None:
    """Return how a person is to be reached; None while nothing was agreed."""
    if contact is None:
        return None
    return json_format.ParseDict(dict(contact), events_pb.ContactAgreed(), ignore_unknown_fields=True)


def course_to_proto(course: Mapping[str, Any]) -> terms_pb.TherapyCourse:
    """Return a course of therapy."""
    return json_format.ParseDict(dict(course), terms_pb.TherapyCourse(), ignore_unknown_fields=True)


def course_from_proto(course: terms_pb.TherapyCourse) -> dict[str, Any]:
    """Return a course of therapy as it is kept."""
    return json_format.MessageToDict(course, preserving_proto_field_name=True)


def clinical_event_to_proto(payload: Mapping[str, Any]) -> events_pb.ClinicalEvent:
    """Return what happened."""
    return json_format.ParseDict(dict(payload), events_pb.ClinicalEvent(), ignore_unknown_fields=True)


def clinical_event_from_proto(event: events_pb.ClinicalEvent) -> dict[str, Any]:
    """Return what happened as it is kept: one entry, named after the event."""
    return json_format.MessageToDict(event, preserving_proto_field_name=True)


def judgement_to_proto(kept: Mapping[str, Any]) -> filing_pb.FiledJudgement:
    """Return one rule's judgement."""
    return filing_pb.FiledJudgement(**kept)


def judgement_from_proto(judgement: filing_pb.FiledJudgement) -> dict[str, Any]:
    """Return one rule's judgement as it is kept."""
    kept: dict[str, Any] = {name: getattr(judgement, name) for name in _JUDGEMENT_TEXTS}
    kept.update({name: list(getattr(judgement, name)) for name in _JUDGEMENT_LISTS})
    return kept


def person_to_proto(row: models.Person) -> people_pb.Person:
    """Return a person."""
    return people_pb.Person(
        patient_id=str(row.patient_id),
        nhs_number=row.nhs_number or "",
        nhs_number_shown=shown(row.nhs_number) if row.nhs_number else "",
        local_identifier=row.local_identifier,
        given_name=row.given_name,
        family_name=row.family_name,
        birth_date=date_to_proto(row.birth_date),
        sex=row.sex,
        registered_at=instant_to_proto(row.registered_at),
    )


def pathway_to_proto(patient_id: uuid.UUID, row: models.Pathway | None, planned_seq: int = 0) -> timeline_pb.Pathway:
    """Return a pathway, filed up to its newest plan; one that was never opened has the status none."""
    if row is None:
        return timeline_pb.Pathway(patient_id=str(patient_id), status="none")
    return timeline_pb.Pathway(
        patient_id=str(patient_id),
        status=row.status,
        guideline=row.guideline,
        opened_at=instant_to_proto(row.opened_at),
        closed_at=instant_to_proto(row.closed_at),
        closed_reason=row.closed_reason,
        filed_seq=max(row.filed_seq, planned_seq),
        key_worker=row.key_worker,
    )


def event_to_proto(row: models.Event, facts: Sequence[terms_pb.Fact]) -> timeline_pb.RecordedEvent:
    """Return an event with the facts it carried."""
    return timeline_pb.RecordedEvent(
        event_id=str(row.event_id),
        seq=row.seq,
        kind=row.kind,
        event=clinical_event_to_proto(row.payload),
        occurred_at=instant_to_proto(row.occurred_at),
        recorded_at=instant_to_proto(row.recorded_at),
        actor=actor_to_proto(row),
        source=row.source,
        facts=facts,
        correlation_id=row.correlation_id,
    )


def fact_to_proto(row: Row[Any]) -> terms_pb.Fact:
    """Return a fact from its columns, with its event's actor and source, and `superseded_by`."""
    return terms_pb.Fact(
        fact_id=str(row.fact_id),
        name=row.name,
        value=value_to_proto(row.value),
        subject=row.subject,
        occurred_at=instant_to_proto(row.occurred_at),
        recorded_at=instant_to_proto(row.recorded_at),
        recorded_by=actor_to_proto(row),
        source=row.source,
        event_id=str(row.event_id),
        seq=row.seq,
        supersedes_fact_id=_text(row.supersedes_fact_id),
        superseded_by_fact_id=_text(row.superseded_by),
        entered_in_error=row.entered_in_error,
    )


def item_to_proto(
    row: models.Item,
    fact_ids: Sequence[uuid.UUID],
    person: models.Person | None = None,
    contact: Mapping[str, Any] | None = None,
    waits_for: models.Item | None = None,
    for_person: str = "",
) -> timeline_pb.Item:
    """Return an item: the person beside it when asked, how to reach them, on whom it waits, whose it is in the team."""
    return timeline_pb.Item(
        item_id=str(row.item_id),
        patient_id=str(row.patient_id),
        key=row.key,
        kind=row.kind,
        rule_id=row.rule_id,
        number=row.number,
        title=row.title,
        reason=row.reason,
        owner_role=row.owner_role,
        owner_team=row.owner_team,
        due_on=date_to_proto(row.due_on),
        due_at=instant_to_proto(row.due_at),
        urgency=row.urgency,
        status=row.status,
        opened_at=instant_to_proto(row.opened_at),
        closed_at=instant_to_proto(row.closed_at),
        closed_reason=row.closed_reason,
        overdue_at=instant_to_proto(row.overdue_at),
        fact_ids=[str(fact_id) for fact_id in fact_ids],
        missing_fact=row.missing_fact,
        supplied_by=row.supplied_by,
        subject_id=row.subject_id,
        opened_by_event_id=_text(row.opened_by_event_id),
        person=person_to_proto(person) if person else None,
        moved=row.moved,
        taken_by=row.taken_by,
        attempts=row.attempts,
        calendar_version=row.calendar_version,
        waiting_on=(waits_for.supplied_by or waits_for.owner_team) if waits_for else row.supplied_by,
        waits_for_item_id=str(waits_for.item_id) if waits_for else "",
        contact=contact_to_proto(contact),
        for_person=for_person,
    )


def appointment_to_proto(row: models.Appointment) -> timeline_pb.Appointment:
    """Return an appointment."""
    return timeline_pb.Appointment(
        appointment_id=str(row.appointment_id),
        purpose=row.purpose,
        starts_at=instant_to_proto(row.starts_at),
        place=row.place,
        status=row.status,
        item_id=_text(row.item_id),
        mode=row.mode,
        with_team=row.with_team,
        visit=row.visit,
        ended_by=row.ended_by,
        ended_reason=row.ended_reason,
    )


def therapy_step_to_proto(row: models.Event) -> timeline_pb.TherapyStep:
    """Return one thing that happened on a line of therapy."""
    said = row.payload[row.kind]
    words = [str(said[name]) for name in ("agent", "change", "response", "reason", "note") if said.get(name)]
    until = f"until {said['until']}" if said.get("until") else ""
    return timeline_pb.TherapyStep(
        event_id=str(row.event_id),
        kind=row.kind,
        at=instant_to_proto(row.occurred_at),
        cycle=int(said.get("cycle", 0)),
        note=", ".join([*([until] if until else []), *words]),
    )


def therapy_line_to_proto(row: models.TherapyLine, steps: Sequence[timeline_pb.TherapyStep]) -> timeline_pb.TherapyLine:
    """Return a line of therapy, with what happened on it."""
    return timeline_pb.TherapyLine(
        line_id=str(row.line_id),
        course=course_to_proto(row.course),
        status=row.status,
        started_at=instant_to_proto(row.started_at),
        ended_at=instant_to_proto(row.ended_at),
        decision_id=_text(row.decision_id),
        steps=steps,
    )


def referral_to_proto(row: models.Referral, steps: Sequence[models.ReferralStep]) -> timeline_pb.Referral:
    """Return a referral with its steps in order."""
    return timeline_pb.Referral(
        referral_id=str(row.referral_id),
        patient_id=str(row.patient_id),
        from_team=row.from_team,
        to_team=row.to_team,
        urgency=row.urgency,
        reason=row.reason,
        numbers=row.numbers,
        status=row.status,
        responsible_team=row.responsible_team,
        next_due_at=instant_to_proto(row.next_due_at),
        drafted_at=instant_to_proto(row.drafted_at),
        steps=[referral_step_to_proto(step) for step in steps],
        clinically_responsible_team=row.clinically_responsible_team,
    )


def referral_step_to_proto(row: models.ReferralStep) -> timeline_pb.ReferralStep:
    """Return one step of a referral."""
    return timeline_pb.ReferralStep(
        status=row.status,
        at=instant_to_proto(row.at),
        actor=actor_to_proto(row),
        responsible_team=row.responsible_team,
        note=row.note,
        event_id=str(row.event_id),
    )


def decision_to_proto(row: models.Decision, fact_ids: Sequence[uuid.UUID]) -> timeline_pb.Decision:
    """Return a decision with the facts it stood on."""
    return timeline_pb.Decision(
        decision_id=str(row.decision_id),
        event_id=str(row.event_id),
        rule_id=row.rule_id,
        number=row.number,
        occurrence=row.occurrence,
        outcome=row.outcome,
        option=row.option,
        person_view=row.person_view,
        reason_code=row.reason_code,
        reason=row.reason,
        review_on=date_to_proto(row.review_on),
        basis=row.basis,
        fact_ids=[str(fact_id) for fact_id in fact_ids],
        decided_at=instant_to_proto(row.decided_at),
        actor=actor_to_proto(row),
        evaluation_id=_text(row.evaluation_id),
        departure=row.departure,
        options_shown=row.options_shown,
        decided_by=row.decided_by,
        decided_with=row.decided_with,
        made_without=row.made_without,
    )


def evaluation_to_proto(row: models.Evaluation) -> timeline_pb.GetEvaluationResponse:
    """Return an evaluation with every judgement."""
    return timeline_pb.GetEvaluationResponse(
        evaluation_id=str(row.evaluation_id),
        seq=row.seq,
        as_of=instant_to_proto(row.as_of),
        guideline=row.guideline,
        version=row.version,
        content_hash=row.content_hash,
        judgements=[judgement_to_proto(kept) for kept in row.judgements],
    )


def team_to_proto(row: models.Team) -> timeline_pb.Team:
    """Return a team."""
    return timeline_pb.Team(
        team_id=row.team_id,
        name=row.name,
        roles=row.roles,
        lead=row.lead,
        deputy=row.deputy,
        telephone=row.telephone,
        members=[timeline_pb.TeamMember(**member) for member in row.members],
    )


def _text(value: uuid.UUID | None) -> str:
    return str(value) if value else ""

"""What a row becomes: a registration, one report of all that is new, and a booking; each key follows from what is said.

The same row makes the same requests under the same keys, so that a run which broke off is continued by another.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from services.cli.caseload.cells import ONGOING, Line, start_of
from services.cli.caseload.rows import Appointment, Known, Person
from services.cli.commands.shapes import Plain

if TYPE_CHECKING:
    from handrail.clinical.v1 import events_pb2, terms_pb2
    from handrail.pathway.v1 import intake_pb2, scheduling_pb2
    from handrail.records.v1 import people_pb2
    from services.pathway.dictionary import Dictionary

SOURCE = "imported caseload"
_SPACE = uuid.UUID("5a1c4f5e-3b63-4d0c-9a59-6d0e1f8b7c21")
_SEX_FACTS = frozenset({"female", "male", "other"})


@dataclass(frozen=True, slots=True)
class Record:
    """What the record holds of a person already."""

    patient_id: str = ""
    status: str = "none"
    key_worker: str = ""
    facts: Sequence[Plain] = ()
    appointments: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class New:
    """What a row says that the record does not hold yet."""

    facts: list[Known] = field(default_factory=list)
    lines: list[tuple[str, Line]] = field(default_factory=list)
    key_worker: str = ""
    appointment: tuple[str, Appointment] | None = None
    opens: bool = False

    @property
    def reports(self) -> bool:
        """Whether there is anything to report beside the booking."""
        return bool(self.opens or self.facts or self.lines or self.key_worker)


def registration(person: Person) -> people_pb2.RegisterPersonRequest:
    """Return the request that registers somebody."""
    from handrail.records.v1 import people_pb2

    request = people_pb2.RegisterPersonRequest(
        nhs_number=person.nhs_number,
        local_identifier=person.local_identifier,
        given_name=person.given_name,
        family_name=person.family_name,
        birth_date=person.birth_date,
        sex=person.sex,
    )
    request.idempotency_key = _key(_SPACE, request)
    return request


def what_is_new(person: Person, record: Record, dictionary: Dictionary) -> New:
    """Compare a row with the record: what was reported once is not reported again, corrected or not."""
    opens = record.status == "none"
    appointment = None
    if person.appointment is not None:
        appointment_id = _id(
            record.patient_id, "appointment", person.appointment.at.isoformat(), person.appointment.purpose
        )
        if appointment_id not in record.appointments:
            appointment = (appointment_id, person.appointment)
    facts = list(person.facts)
    if person.sex in _SEX_FACTS and all(fact.name != "sex" for fact in facts):
        facts.append(Known("sex", person.sex, person.as_of))
    return New(
        facts=[fact for fact in facts if not _is_kept(fact, record.facts, dictionary)],
        lines=[(line_id, line) for line_id, line in _with_ids(person, record) if not _line_kept(line_id, line, record)],
        key_worker=person.key_worker if not record.key_worker else "",
        appointment=appointment,
        opens=opens,
    )


def import_request(person: Person, patient_id: str, new: New) -> intake_pb2.ImportPathwayRequest:
    """Return the one report of all that is new."""
    from google.protobuf.timestamp_pb2 import Timestamp

    from handrail.clinical.v1 import events_pb2, terms_pb2
    from handrail.pathway.v1 import intake_pb2

    request = intake_pb2.ImportPathwayRequest(patient_id=patient_id, source=SOURCE)
    request.occurred_at.FromDatetime(start_of(person.as_of))
    event = request.pathway_imported
    event.SetInParent()
    event.key_worker = new.key_worker
    if new.opens:
        event.diagnosed_on = person.diagnosed_on.isoformat()
    if new.appointment is not None:
        event.next_appointment.CopyFrom(_booked(*new.appointment))
    for line_id, line in new.lines:
        weeks = person.response_check_weeks if line.stop_reason == ONGOING else 0
        event.lines.append(events_pb2.ImportedLine(line_id=line_id, course=_course(line), response_check_weeks=weeks))
    for fact in new.facts:
        since = Timestamp()
        since.FromDatetime(start_of(fact.on))
        value = _value(fact.value)
        request.facts.append(terms_pb2.ReportedFact(name=fact.name, value=value, occurred_at=since))
    request.idempotency_key = _key(uuid.UUID(patient_id), request)
    return request


def booking(person: Person, patient_id: str, new: New) -> scheduling_pb2.BookAppointmentRequest | None:
    """Return the request that books the next appointment, where nothing else is new; None if there is none to book."""
    from handrail.pathway.v1 import scheduling_pb2

    if new.appointment is None or new.reports:
        return None
    request = scheduling_pb2.BookAppointmentRequest(patient_id=patient_id, source=SOURCE)
    request.occurred_at.FromDatetime(start_of(person.as_of))
    request.appointment_booked.CopyFrom(_booked(*new.appointment))
    request.idempotency_key = _key(uuid.UUID(patient_id), request)
    return request


def column_of(path: str, request: Any) -> str:  # noqa: ANN401 - any request of this module
    """Return the column that a refused field came from; empty when it is the row as a whole."""
    first, _, rest = path.partition(".")
    if first.startswith("facts["):
        return str(request.facts[int(first.removeprefix("facts[").split("]", maxsplit=1)[0])].name)
    if first in {"pathway_imported", "appointment_booked"}:
        part = rest.rpartition(".")[2]
        if first == "appointment_booked" or rest.startswith("next_appointment"):
            return f"next_appointment_{part}" if part in {"purpose", "place"} else "next_appointment"
        return rest.partition("[")[0].partition(".")[0]
    return first if first in {"nhs_number", "local_identifier", "family_name", "given_name", "birth_date"} else ""


def _with_ids(person: Person, record: Record) -> list[tuple[str, Line]]:
    """Give each line the id under which the record knows it, else one that follows from what it is."""
    kept = [fact for fact in record.facts if fact["name"] == "prior_therapy" and isinstance(fact["value"], Mapping)]
    found = []
    for line in person.lines:
        same = next((str(fact["subject"]) for fact in kept if fact["subject"] and _is_line(line, fact["value"])), "")
        agents = "+".join(sorted(line.agents))
        place = "" if line.started_on else str(person.lines.index(line))
        found.append((same or _id(record.patient_id, "line", line.setting, agents, line.started_on, place), line))
    return found


def _is_line(line: Line, course: Mapping[str, Any]) -> bool:
    same = course["setting"] == line.setting and sorted(course["agents"]) == sorted(line.agents)
    return same and course["started_on"] in {line.started_on, ""}


def _line_kept(line_id: str, line: Line, record: Record) -> bool:
    held = [fact["value"] for fact in record.facts if fact["name"] == "prior_therapy" and fact["subject"] == line_id]
    return any(
        course["stop_reason"] == line.stop_reason and line.ended_on in {course["ended_on"], ""} for course in held
    )


def _is_kept(fact: Known, kept: Sequence[Plain], dictionary: Dictionary) -> bool:
    """Whether the record holds a fact: of this day, or as what stands now and does not grow old."""
    since = start_of(fact.on)
    same = [old for old in kept if old["name"] == fact.name and not old["subject"]]
    if any(old["value"] == fact.value and _at(old) == since for old in same):
        return True
    standing = [old for old in same if not old["superseded_by_fact_id"] and not old["entered_in_error"]]
    last = max(standing, key=_at, default=None)
    lasting = dictionary.facts[fact.name].stale_after_days is None
    return lasting and last is not None and last["value"] == fact.value and _at(last) <= since


def _at(fact: Plain) -> datetime:
    return datetime.fromisoformat(fact["occurred_at"]).astimezone(UTC)


def _course(line: Line) -> terms_pb2.TherapyCourse:
    from handrail.clinical.v1 import terms_pb2

    return terms_pb2.TherapyCourse(
        setting=line.setting,
        line=line.number,
        agents=line.agents,
        stop_reason=line.stop_reason,
        started_on=line.started_on,
        ended_on=line.ended_on,
    )


def _booked(appointment_id: str, appointment: Appointment) -> events_pb2.AppointmentBooked:
    from handrail.clinical.v1 import events_pb2

    return events_pb2.AppointmentBooked(
        appointment_id=appointment_id,
        purpose=appointment.purpose,
        starts_at=f"{appointment.at:%Y-%m-%dT%H:%M:%SZ}",
        place=appointment.place,
    )


def _value(value: bool | float | str) -> terms_pb2.FactValue:
    from handrail.clinical.v1 import terms_pb2

    if isinstance(value, bool):
        return terms_pb2.FactValue(flag=value)
    if isinstance(value, int | float):
        return terms_pb2.FactValue(number=value)
    short = len(value) <= 64 and " " not in value  # noqa: PLR2004 - the contract's limit for a code
    return terms_pb2.FactValue(code=value) if short else terms_pb2.FactValue(text=value)


def _id(patient_id: str, *parts: str) -> str:
    return str(uuid.uuid5(uuid.UUID(patient_id) if patient_id else _SPACE, "|".join(parts)))


def _key(space: uuid.UUID, request: Any) -> str:  # noqa: ANN401 - any request without its key
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
    return str(uuid.uuid5(space, f"{request.DESCRIPTOR.name}|{digest}"))

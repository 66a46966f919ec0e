"""The people service: who somebody is, registered once."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
import uuid
from typing import Any

import grpc
from sqlalchemy import ColumnElement, Select, String, cast, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.records.v1 import people_pb2 as people_pb
from handrail.records.v1 import people_pb2_grpc
from services.records import models, nhs_numbers
from services.records.convert import date_from_proto, person_to_proto
from services.records.db import Database, new_id, unknown_person
from services.records.replies import kept_reply
from services.runtime.clock import now
from services.runtime.context import current_actor
from services.runtime.errors import Invalid
from services.runtime.logging import get_logger

log = get_logger()

AnyContext = grpc.aio.ServicerContext[Any, Any]
DEFAULT_PAGE = 20
OLDEST_BIRTH_YEAR = 1890
_PART_OF_AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f-]*)?")
# Control characters, those that turn the direction of writing round, line ends, and what no character is.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # names are written with them, in Persian for one
_REGISTRATION_LOCK = "register_person"

OTHER_DETAILS = (
    "This person was registered before with other details. Nothing was changed; check that it is the same person."
)
NAMESAKE = "Another person with this name and birth date is registered. Check that they are not the same person."
SAME_LOCAL_IDENTIFIER = "Another person has this local identifier. Check that they are not the same person."


class PeopleService(people_pb2_grpc.PeopleServiceServicer):
    """Registers people and finds them again; identity only, never clinical content."""

    def __init__(self, database: Database, *, production: bool) -> None:
        self._database = database
        self._production = production

    async def RegisterPerson(
        self, request: people_pb.RegisterPersonRequest, _context: AnyContext
    ) -> people_pb.RegisterPersonResponse:
        """Register a person; the same key, or the same NHS number, is the same person."""
        actor = current_actor()
        person = self._read(request)
        digest = _hash(request)
        key = uuid.UUID(request.idempotency_key)
        async with self._database.transaction(actor, lock=_REGISTRATION_LOCK) as session:
            kept = await kept_reply(session, actor.subject, key, digest)
            if kept is not None:
                return people_pb.RegisterPersonResponse(**kept.answer)
            answer = await _register(session, person, actor.subject)
            session.add(
                models.Reply(
                    caller=actor.subject,
                    idempotency_key=key,
                    request_hash=digest,
                    patient_id=uuid.UUID(answer["patient_id"]),
                    seq=0,
                    accepted_at=now(),
                    answer=answer,
                )
            )
        log.info("person_registered", patient_id=answer["patient_id"], already=answer["already_registered"])
        return people_pb.RegisterPersonResponse(**answer)

    async def GetPerson(self, request: people_pb.GetPersonRequest, _context: AnyContext) -> people_pb.GetPersonResponse:
        """Return who somebody is."""
        async with self._database.snapshot(current_actor()) as session:
            person = await known_person(session, uuid.UUID(request.patient_id))
        return people_pb.GetPersonResponse(person=person_to_proto(person))

    async def FindPeople(
        self, request: people_pb.FindPeopleRequest, _context: AnyContext
    ) -> people_pb.FindPeopleResponse:
        """Find people by NHS number, local identifier, or the beginning of a family name."""
        query = _search(_printable(request.text.strip(), "text")).limit(request.page_size or DEFAULT_PAGE)
        async with self._database.snapshot(current_actor()) as session:
            people = (await session.scalars(query)).all()
        return people_pb.FindPeopleResponse(people=[person_to_proto(person) for person in people])

    def _read(self, request: people_pb.RegisterPersonRequest) -> models.Person:
        given = request.nhs_number.strip()
        return models.Person(
            nhs_number=nhs_numbers.checked(given, production=self._production) if given else None,
            local_identifier=_printable(request.local_identifier.strip(), "local_identifier"),
            given_name=_name(request.given_name, "given_name"),
            family_name=_name(request.family_name, "family_name"),
            birth_date=_birth_date(request.birth_date),
            sex=request.sex,
        )


async def known_person(session: AsyncSession, patient_id: uuid.UUID) -> models.Person:
    """Return a registered person.

    Raises:
        NotFound: nobody has this id.
    """
    person = await session.get(models.Person, patient_id)
    if person is None:
        raise unknown_person()
    return person


async def _register(session: AsyncSession, person: models.Person, registered_by: str) -> dict[str, Any]:
    known = await session.scalar(_same(person))
    if known is not None:
        warnings = [] if _details(known) == _details(person) else [OTHER_DETAILS]
        return {"patient_id": str(known.patient_id), "already_registered": True, "warnings": warnings}
    warnings = await _warnings(session, person)
    person.patient_id, person.registered_at, person.registered_by = new_id(), now(), registered_by
    session.add(person)
    return {"patient_id": str(person.patient_id), "already_registered": False, "warnings": warnings}


def _same(person: models.Person) -> Select[tuple[models.Person]]:
    """Return the query for the person that this already is: by NHS number, or without one by local identifier."""
    if person.nhs_number:
        return select(models.Person).where(models.Person.nhs_number == person.nhs_number)
    return select(models.Person).where(
        models.Person.nhs_number.is_(None), models.Person.local_identifier == person.local_identifier
    )


async def _warnings(session: AsyncSession, person: models.Person) -> list[str]:
    namesake = await session.scalar(
        select(models.Person.patient_id)
        .where(
            func.lower(models.Person.family_name) == person.family_name.lower(),
            func.lower(models.Person.given_name) == person.given_name.lower(),
            models.Person.birth_date == person.birth_date,
        )
        .limit(1)
    )
    warnings = [NAMESAKE] if namesake else []
    if person.local_identifier and await session.scalar(
        select(models.Person.patient_id).where(models.Person.local_identifier == person.local_identifier).limit(1)
    ):
        warnings.append(SAME_LOCAL_IDENTIFIER)
    return warnings


def _details(person: models.Person) -> tuple[str, str, dt.date, str]:
    return person.given_name.casefold(), person.family_name.casefold(), person.birth_date, person.sex


def _search(text: str) -> Select[tuple[models.Person]]:
    if not text:
        message = "Give an NHS number, a local identifier, or the beginning of a family name."
        raise Invalid(message, field="text")
    digits = re.sub(r"[\s-]", "", text)
    pattern = re.sub(r"([\\%_])", r"\\\1", text.lower()) + "%"
    if _PART_OF_AN_ID.fullmatch(text.lower()):  # as the mails to staff print it
        by_id: ColumnElement[bool] = cast(models.Person.patient_id, String).like(f"{text.lower()}%")
    else:
        by_id = false()
    return (
        select(models.Person)
        .where(
            or_(
                by_id,
                models.Person.nhs_number == digits,
                models.Person.local_identifier == text,
                func.lower(models.Person.family_name).like(pattern, escape="\\"),
            )
        )
        .order_by(func.lower(models.Person.family_name), models.Person.birth_date, models.Person.patient_id)
    )


def _name(given: str, field: str) -> str:
    name = " ".join(given.split())
    if not name:
        message = "Give the name as the person uses it."
        raise Invalid(message, field=field)
    return _printable(name, field)


def _printable(text: str, field: str) -> str:
    """Let pass what is shown as it was typed: no character that cannot be kept, or that changes how others are read.

    Raises:
        Invalid: it holds such a character.
    """
    for character in text:
        if unicodedata.category(character) in _UNSEEN and character not in _JOINERS:
            message = f"This holds a character that cannot be seen (U+{ord(character):04X}). Type it again without it."
            raise Invalid(message, field=field)
    return text


def _birth_date(given: str) -> dt.date:
    born = date_from_proto(given, "birth_date")
    if born > now().date():
        message = "This birth date is in the future. Check the year."
        raise Invalid(message, field="birth_date")
    if born.year < OLDEST_BIRTH_YEAR:
        message = "This birth date is too long ago. Check the year."
        raise Invalid(message, field="birth_date")
    return born


def _hash(request: people_pb.RegisterPersonRequest) -> str:
    """Return the hash of all but the key, so that the same key with another body is noticed."""
    body = people_pb.RegisterPersonRequest()
    body.CopyFrom(request)
    body.ClearField("idempotency_key")
    return hashlib.sha256(body.SerializeToString(deterministic=True)).hexdigest()

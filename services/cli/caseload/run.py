"""Taking people over: a few at a time, each in order; or, as a dry run, only looking what would happen.

Everything is looked up before it is written, and every key follows from what is said: a run that broke off is continued
by running it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from services.cli.caseload import reports
from services.cli.caseload.reports import New, Record
from services.cli.caseload.rows import Person, Refusal
from services.cli.commands import people, reporting
from services.cli.commands.acting import Desk
from services.cli.commands.shapes import Plain
from services.cli.commands.words import listed
from services.cli.errors import NotAnsweringError

if TYPE_CHECKING:
    from services.pathway.dictionary import Dictionary

T = TypeVar("T")
AT_ONCE = 8
_WAITS = (1.0, 3.0, 8.0)
_NOBODY = "00000000-0000-4000-8000-000000000000"
_OTHER = (
    "this number is registered with another name, birth date or sex, and nothing was imported; check whose it is, "
    "and correct the row or the record"
)
_CLOSED = "this person's pathway is closed, and nothing was imported; tell the coordination team if that is a mistake"
_GONE = "this lies in the past; empty it, or fill in the next one"


class _RefusedError(Exception):
    """Columns, each with what is wrong."""

    def __init__(self, *found: tuple[str, str]) -> None:
        super().__init__(found)
        self.found = found


class _DownError(Exception):
    """The house does not answer."""


@dataclass(slots=True)
class Result:
    """What came of the people of a file: what was new of those imported, by row, and the rows of the others."""

    imported: dict[int, str] = field(default_factory=dict)
    already_there: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    notes: list[Refusal] = field(default_factory=list)
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Importer:
    """Takes people over through one desk; with `dry` it reads and never writes."""

    desk: Desk
    dictionary: Dictionary
    dry: bool

    async def take(self, caseload: Sequence[Person], progress: Callable[[], object]) -> Result:
        """Take everybody over whom the services do not refuse; `progress` is called after each."""
        result = Result()
        waiting = iter(caseload)

        async def work() -> None:
            for person in waiting:  # all workers draw from the one iterator
                if result.stopped:
                    return
                await self._one(person, result)
                progress()

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return result

    async def _one(self, person: Person, result: Result) -> None:
        try:
            said = await self._person(person, result)
        except _RefusedError as refused:
            result.refused += [Refusal(person.row, column, problem) for column, problem in refused.found]
        except (NotAnsweringError, _DownError) as error:
            result.stopped = str(error)
        else:
            if said:
                result.imported[person.row] = said
            else:
                result.already_there.append(person.row)

    async def _person(self, person: Person, result: Result) -> str:
        """Take one person over; return what was new, in words, or nothing."""
        registration = reports.registration(person)
        _check(registration)
        record = await self._record(person, registration)
        if record.status == "closed":
            raise _RefusedError(("", _CLOSED))
        known = bool(record.patient_id)
        if not known:
            _check_new(person, reports.what_is_new(person, record, self.dictionary))
            record = Record(_NOBODY if self.dry else await self._register(person, registration, result))
        new = reports.what_is_new(person, record, self.dictionary)
        for kind, request in _check_new(person, new, record.patient_id):
            if not self.dry:
                await _asked(partial(reporting.send, self.desk, kind, request), request)
        return _said(new, known=known)

    async def _record(self, person: Person, registration: Any) -> Record:  # noqa: ANN401 - RegisterPersonRequest
        """Return what the record holds of the person; an empty one if they are not registered."""
        number, local = person.identity
        found = [
            known
            for known in await _asked(lambda: people.find(self.desk, number or local))
            if known["nhs_number"] == number and (number or known["local_identifier"] == local)
        ]
        if not found:
            return Record()
        if _details(found[0]) != tuple(getattr(registration, name).casefold() for name in _DETAILS):
            raise _RefusedError(("nhs_number" if number else "local_identifier", _OTHER))
        patient_id = str(found[0]["patient_id"])
        held = await _asked(lambda: people.whole(self.desk, patient_id))
        pathway = held["pathway"] or {"status": "none", "key_worker": ""}
        return Record(
            patient_id=patient_id,
            status=pathway["status"],
            key_worker=pathway["key_worker"],
            facts=await _asked(lambda: people.facts(self.desk, patient_id)),
            appointments=frozenset(booked["appointment_id"] for booked in held["appointments"]),
        )

    async def _register(self, person: Person, registration: Any, result: Result) -> str:  # noqa: ANN401 - as above
        answer = await _asked(lambda: self.desk.records(self.desk.people.RegisterPerson, registration), registration)
        if answer.already_registered and answer.warnings:
            raise _RefusedError(("", _OTHER))
        result.notes += [Refusal(person.row, "", warning) for warning in answer.warnings]
        return str(answer.patient_id)


_DETAILS = ("given_name", "family_name", "birth_date", "sex")


def _details(known: Plain) -> tuple[str, ...]:
    return tuple(str(known[name]).casefold() for name in _DETAILS)


def _check_new(person: Person, new: New, patient_id: str = _NOBODY) -> list[tuple[str, Any]]:
    """Return the reports that a row makes, in order, checked as far as the contract tells.

    Raises:
        _RefusedError: one cannot be sent like this.
    """
    if new.appointment is not None and new.appointment[1].at <= datetime.now(UTC):
        raise _RefusedError(("next_appointment", _GONE))
    requests: list[tuple[str, Any]] = []
    if new.reports:
        requests.append(("pathway_imported", reports.import_request(person, patient_id, new)))
    if booking := reports.booking(person, patient_id, new):
        requests.append(("appointment_booked", booking))
    for _, request in requests:
        _check(request)
    return requests


def _check(request: Any) -> None:  # noqa: ANN401 - any request
    """Refuse before anything is written what the contract would refuse."""
    import protovalidate

    from services.runtime.interceptors import violations_of

    try:
        protovalidate.validate(request)
    except protovalidate.ValidationError as error:
        found = violations_of(error)
        raise _RefusedError(*((reports.column_of(v.field, request), v.description) for v in found)) from error


async def _asked(call: Callable[[], Awaitable[T]], request: Any = None) -> T:  # noqa: ANN401 - any request, or none
    """Call a service, again when it does not answer: every call may come twice.

    Raises:
        NotAnsweringError: it does not answer at all.
        _DownError: a part behind it does not.
        _RefusedError: it refused.
    """
    from services.runtime.errors import Category, HandrailError

    for wait in (*_WAITS, None):
        try:
            return await call()
        except NotAnsweringError:
            if wait is None:
                raise
        except HandrailError as error:
            if error.category not in {Category.UNAVAILABLE, Category.INTERNAL}:
                found = [(reports.column_of(v.field, request), v.description) for v in error.violations if request]
                raise _RefusedError(*(found or [("", error.message)])) from error
            if wait is None:
                raise _DownError(error.message) from error
        await asyncio.sleep(wait)
    raise AssertionError  # the last try returns or raises


def _said(new: New, *, known: bool) -> str:
    """Say in words what is new of a person; nothing if nothing is."""
    if not new.reports and new.appointment is None:
        return ""
    running = sum(line.stop_reason == "ongoing" for _, line in new.lines)
    under_way = f" ({running} under way)" if running else ""
    parts = [
        "a pathway" if new.opens else "",
        _counted(len(new.facts), "fact"),
        _counted(len(new.lines), "line", "of treatment") + under_way if new.lines else "",
        "the key worker" if new.key_worker else "",
        "the next appointment" if new.appointment else "",
        "one task to check the person" if new.reports else "",
    ]
    return f"{'known' if known else 'a new person'}: {listed([part for part in parts if part])}"


def _counted(number: int, what: str, rest: str = "") -> str:
    words = f"{number} {what}{'' if number == 1 else 's'} {rest}".rstrip()
    return words if number else ""

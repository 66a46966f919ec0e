"""From a table to people: each row is read cell by cell; what cannot be used is refused by its row and column. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from functools import partial
from typing import Any, TypeVar

from services.cli.caseload import cells
from services.cli.caseload.cells import BadCellError, Line
from services.cli.caseload.columns import DATED, PERSON
from services.cli.caseload.table import Table
from services.pathway.dictionary import Dictionary

T = TypeVar("T")
MOST_FACTS = 70
NO_TREATMENT = "prior_therapies_none"
_APPOINTMENT = "Next appointment, from the imported caseload"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row, or one cell of it, was not taken; it never says who."""

    row: int
    column: str
    problem: str

    @property
    def line(self) -> str:
        """For the person at the keyboard."""
        where = f"row {self.row}, {self.column}" if self.column else f"row {self.row}"
        said = self.problem.rstrip(".")
        return f"{where}: {said}" if said.endswith("?") else f"{where}: {said}."


@dataclass(frozen=True, slots=True)
class Known:
    """A fact of a row, and the day since when it is so."""

    name: str
    value: bool | float | str
    on: date


@dataclass(frozen=True, slots=True)
class Appointment:
    """The next appointment."""

    at: datetime
    purpose: str
    place: str


@dataclass(frozen=True, slots=True)
class Person:
    """One row; `as_of` is the newest day of the past that it speaks of."""

    row: int
    nhs_number: str
    local_identifier: str
    family_name: str
    given_name: str
    birth_date: str
    sex: str
    diagnosed_on: date
    as_of: date
    key_worker: str = ""
    facts: tuple[Known, ...] = ()
    lines: tuple[Line, ...] = ()
    response_check_weeks: int = 0
    appointment: Appointment | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """By what the record knows the person."""
        return (self.nhs_number, "") if self.nhs_number else ("", self.local_identifier)

    @property
    def content(self) -> tuple[Any, ...]:
        """All that the row says, apart from where it stands."""
        return tuple(getattr(self, entry.name) for entry in fields(self) if entry.name != "row")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says: people, refusals, and how many rows repeat an earlier one word for word."""

    rows: int
    people: list[Person]
    refused: list[Refusal]
    repeated: int


def read(
    table: Table, names: Sequence[str], dictionary: Dictionary, key_workers: Sequence[str], today: date
) -> Reading:
    """Read every row; `names` are the columns, `key_workers` those that may be named."""
    people: dict[tuple[str, str], Person] = {}
    refused: list[Refusal] = []
    repeated = 0
    for number, held in table.rows:
        row = _Row(number, names, held, dictionary, today, decimal_comma=table.delimiter == ";")
        person = row.person(key_workers)
        refused += row.refused
        if person is None:
            continue
        first = people.setdefault(person.identity, person)
        if first is not person and first.content == person.content:
            repeated += 1
        elif first is not person:
            problem = f"row {first.row} is about the same person and says something else; keep one row a person"
            refused.append(Refusal(number, "nhs_number" if person.nhs_number else "local_identifier", problem))
    return Reading(len(table.rows), list(people.values()), refused, repeated)


@dataclass(slots=True)
class _Row:
    """One row while it is read; a bad cell is remembered, and the next one is read."""

    number: int
    names: Sequence[str]
    held: Sequence[str]
    dictionary: Dictionary
    today: date
    decimal_comma: bool
    refused: list[Refusal] = field(default_factory=list)

    def person(self, key_workers: Sequence[str]) -> Person | None:
        """Return who the row is about; None if anything in it is refused."""
        if any(self.held[len(self.names) :]) or any(
            cell for name, cell in zip(self.names, self.held, strict=False) if not name
        ):
            self._refuse("", "there is a cell with no column name above it; the cells may have moved sideways")
            return None
        said = {name: cell for name, cell in zip(self.names, self.held, strict=False) if cell}
        for name, (must, _) in PERSON.items():
            if must and name not in said:
                self._refuse(name, "this is needed and is empty; fill it in")
        diagnosed_on = self._cell(said, "diagnosed_on", self._past)
        as_of = self._cell(said, "facts_as_of", self._past)
        identity = self._identity(said)
        facts = list(self._facts(said, as_of))
        lines = self._lines(said, facts, as_of)
        key_worker = self._cell(said, "key_worker", lambda text: _one_of(text, key_workers)) or ""
        weeks = self._cell(said, "response_check_weeks", cells.weeks) or 0
        appointment = self._appointment(said)
        if len(facts) > MOST_FACTS:
            self._refuse(
                "", f"this row has {len(facts)} facts, and {MOST_FACTS} are taken at once; import it in two files"
            )
        if self.refused or diagnosed_on is None:
            return None
        dated = [date.fromisoformat(on) for line in lines for on in (line.started_on, line.ended_on) if on]
        newest = max([diagnosed_on, *([as_of] if as_of else []), *(fact.on for fact in facts), *dated])
        return Person(
            row=self.number,
            **identity,
            diagnosed_on=diagnosed_on,
            as_of=newest,
            key_worker=key_worker,
            facts=tuple(facts),
            lines=tuple(lines),
            response_check_weeks=weeks,
            appointment=appointment,
        )

    def _identity(self, said: Mapping[str, str]) -> dict[str, str]:
        if "nhs_number" not in said and "local_identifier" not in said:
            column = "nhs_number" if "nhs_number" in self.names else "local_identifier"
            self._refuse(column, "give an NHS number, or a local identifier for a person without one")
        born = self._cell(said, "birth_date", lambda text: cells.birth_day(text, self.today))
        return {
            "nhs_number": self._cell(said, "nhs_number", _nhs_number) or "",
            "local_identifier": said.get("local_identifier", ""),
            "family_name": " ".join(said.get("family_name", "").split()),
            "given_name": " ".join(said.get("given_name", "").split()),
            "birth_date": born.isoformat() if born else "",
            "sex": self._cell(said, "sex", cells.sex) or "",
        }

    def _facts(self, said: Mapping[str, str], as_of: date | None) -> Iterator[Known]:
        for name in said:
            fact = self.dictionary.facts.get(name)
            if fact is None or name in PERSON:
                continue
            value = self._cell(
                said, name, partial(cells.result, fact, dictionary=self.dictionary, decimal_comma=self.decimal_comma)
            )
            dated = name + DATED
            on = self._cell(said, dated, self._past) if dated in said else as_of
            if on is None and dated not in said and "facts_as_of" not in said:
                self._refuse(name, f"nobody says since when this is so; fill in facts_as_of, or a column {dated}")
            if value is not None and on is not None:
                yield Known(name, value, on)

    def _lines(self, said: Mapping[str, str], facts: list[Known], as_of: date | None) -> list[Line]:
        if said.get("lines", "").lower() == cells.NO_LINES:
            if as_of is None:
                self._refuse("lines", "nobody says until when there was no treatment; fill in facts_as_of")
            elif NO_TREATMENT not in said:
                facts.append(Known(NO_TREATMENT, value=True, on=as_of))
            return []
        return self._cell(said, "lines", lambda text: cells.lines(text, self.dictionary, self.today)) or []

    def _appointment(self, said: Mapping[str, str]) -> Appointment | None:
        at = self._cell(said, "next_appointment", cells.moment)
        details = {name: said.get(f"next_appointment_{name}", "") for name in ("purpose", "place")}
        if "next_appointment" not in said:
            for name, text in details.items():
                if text:
                    self._refuse(f"next_appointment_{name}", "there is no next_appointment; fill it in, or empty this")
        return Appointment(at, details["purpose"] or _APPOINTMENT, details["place"]) if at else None

    def _past(self, text: str) -> date:
        return cells.past_day(text, self.today)

    def _cell(self, said: Mapping[str, str], column: str, read: Callable[[str], T]) -> T | None:
        if column not in said:
            return None
        try:
            return read(said[column])
        except BadCellError as error:
            self._refuse(column, str(error))
            return None

    def _refuse(self, column: str, problem: str) -> None:
        self.refused.append(Refusal(self.number, column, problem))


def _nhs_number(text: str) -> str:
    from services.records import nhs_numbers
    from services.runtime.errors import Invalid

    if "e+" in text.lower():
        raise BadCellError("a spreadsheet has rounded this number; format the column as text and fill it in again")
    try:
        return nhs_numbers.checked(text, production=False)  # the house itself refuses more where it is in production
    except Invalid as error:
        raise BadCellError(error.message) from error


def _one_of(text: str, known: Sequence[str]) -> str:
    if text not in known:
        raise BadCellError(f"there is no key worker of this id; name one of {', '.join(known)}")
    return text

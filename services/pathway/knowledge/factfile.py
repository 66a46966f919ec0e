"""A person's facts as a flat mapping of dictionary names, as facts files and tests hold them. Pure.

A fact is a value, or `{value, occurred_at}`. Absent, null and the codes `unknown`, `not_tested` and `not_done` are
one: nobody knows. `prior_therapies` is the list of all lines of treatment; an empty list says that there were none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from services.pathway.dictionary import UNKNOWN_CODES, Dictionary, Therapy, Value
from services.pathway.due_dates import london_date
from services.pathway.facts import Fact, Picture, current
from services.pathway.knowledge.contradictions import contradiction_in
from services.pathway.knowledge.instants import instant_of
from services.pathway.knowledge.slips import notes_on_codes, notes_on_lines
from services.pathway.knowledge.specimens import SPECIMENS, SpecimenError, discordant, place_of, unfolded
from services.pathway.knowledge.stated_lines import LINES, LineError, as_of, read_lines
from services.pathway.saying import did_you_mean, nearest, quoted, shown

SOURCE = "facts file"
_NONE = "prior_therapies_none"
_SCALARS = {bool, int, float, str, type(None)}


class FactFileError(ValueError):
    """Facts that cannot be used: what is wrong, and the nearest right name if a name is wrong.

    `name` is the fact that it is about, as the file has it, if it is about one; `line` that of the file, if known.
    """

    name: object = None
    line = 0


@dataclass(frozen=True, slots=True)
class Person:
    """One person's facts: as written, and settled at the instant that was asked about.

    `later` names the facts that were left out because they happened after that instant; `notes` tell what was taken as
    it stands though it may be a slip of the pen.
    """

    written: Mapping[str, Any]
    picture: Picture
    later: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_person(written: object, dictionary: Dictionary, at: datetime) -> Person:
    """Settle one flat mapping of facts. Raises FactFileError."""
    if not isinstance(written, Mapping):
        spaced = " Write a space after the colon." if isinstance(written, str) and ":" in written else ""
        message = f"facts are a mapping of names to values, such as er_status: positive, not {quoted(written)}.{spaced}"
        raise FactFileError(message)
    facts: list[Fact] = []
    later: list[str] = []
    for name, specimen, entry in _entries(written, dictionary):
        try:
            read = _facts_of(name, entry, dictionary, at)
        except FactFileError as error:
            raise _placed(error, name, specimen, written) from None
        if read is None:
            later.append(f"{SPECIMENS}, {shown(specimen)}" if specimen else str(name))
            continue
        if name == LINES and read:
            read, after = _as_of(read, at)
            later += after
        for fact_name, line, checked, when in read:
            subject = specimen or line
            seq = len(facts) + 1
            facts.append(
                Fact(f"{fact_name}{subject}", fact_name, checked, subject, when, when, "", SOURCE, SOURCE, seq)
            )
    if any(fact.name == "prior_therapy" for fact in facts) and written.get(_NONE) is True:
        raise _about(f"{LINES} has lines, and {_NONE} says that there were none. Correct one of them.", _NONE)
    picture = current(facts, dictionary, at)
    _refuse_disagreement(picture)
    if problem := contradiction_in(picture, dictionary):
        raise _about(problem, next((name for name in written if str(name) in problem.split()), None))
    notes = (*notes_on_codes(written, dictionary), *notes_on_lines(written.get(LINES), dictionary))
    return Person(dict(written), picture, tuple(dict.fromkeys(later)), notes)


def _placed(error: FactFileError, name: object, specimen: str, written: Mapping[Any, Any]) -> FactFileError:
    """The refusal of one entry, with the specimen that it is about and where that stands."""
    found = _about(
        f"{SPECIMENS}, {shown(specimen)}: {error}" if specimen else str(error), SPECIMENS if specimen else name
    )
    found.line = error.line or (place_of(written.get(SPECIMENS), specimen) if specimen else 0)
    return found


def _about(message: str, name: object, line: int = 0) -> FactFileError:
    found = FactFileError(message)
    found.name, found.line = name, line
    return found


def _entries(written: Mapping[Any, Any], dictionary: Dictionary) -> list[tuple[object, str, object]]:
    try:
        return list(unfolded(written, dictionary))
    except SpecimenError as error:
        raise _about(str(error), SPECIMENS, error.line) from None


def _facts_of(
    name: object, entry: object, dictionary: Dictionary, at: datetime
) -> list[tuple[str, str, Value, datetime]] | None:
    """What one entry of a file says and since when, all of it allowed; None if it happened later than asked about."""
    value, when = (entry, at) if type(entry) in _SCALARS else _unfold(name, entry, at)
    often = type(value) in _SCALARS and isinstance(name, str)
    checked = _allowed_once(name, value, dictionary) if often else _allowed(name, value, dictionary)
    return None if when > at else [(fact_name, subject, one, when) for fact_name, subject, one in checked]


def _as_of(
    read: list[tuple[str, str, Value, datetime]], at: datetime
) -> tuple[list[tuple[str, str, Value, datetime]], tuple[str, ...]]:
    """The lines as they stood then, and what of them came later; before all of them there was none."""
    when = read[0][3]
    stated = as_of([line for _, _, line, _ in read if isinstance(line, Therapy)], london_date(at))
    found: list[tuple[str, str, Value, datetime]] = [
        ("prior_therapy", f"#{number}", line, when) for number, line in stated.lines
    ]
    return found or [("prior_therapies_none", "", True, when)], stated.later


def _allowed(name: object, value: object, dictionary: Dictionary) -> list[tuple[str, str, Value]]:
    checked = _checked(name, value, dictionary)
    for fact_name, which, one in checked:
        if problem := dictionary.problem_with(fact_name, one):
            if fact_name != "prior_therapy":
                raise FactFileError(problem)
            node = value[int(which[1:]) - 1] if isinstance(value, Sequence) else None
            raise _about(f"{LINES}, line {which[1:]}: {problem}", LINES, int(getattr(node, "line", 0)))
    return checked


_allowed_once = lru_cache(maxsize=4096, typed=True)(_allowed)
"""Of many people many say the same; callers must not change the list."""


def moment(stated: object, *, end: bool = False) -> datetime:
    """An instant from a date or time as YAML or JSON give it; a day is London's. Raises FactFileError."""
    instant = instant_of(stated, end=end)
    if instant is None:
        raise FactFileError(f"{quoted(stated)} is not a date or time; write 2026-06-30 or 2026-06-30T14:00.")
    return instant


def shown_name(name: str) -> str:
    """The name of a fact as a facts file has it."""
    return LINES if name in {"prior_therapy", "prior_therapies_none"} else name


def lines_of(written: Mapping[str, Any]) -> list[Therapy] | None:
    """The lines of treatment in a person's facts; None if nobody knows. Raises FactFileError."""
    entry = written.get(LINES)
    value = entry.get("value") if isinstance(entry, Mapping) else entry
    if value is None or (isinstance(value, str) and value in UNKNOWN_CODES):
        return None
    return _read_lines(value)


def _unfold(name: object, entry: object, at: datetime) -> tuple[object, datetime]:
    """The value, and when it was so; one that does not say is taken to be so at the instant asked about."""
    if not isinstance(entry, Mapping):
        return entry, at
    if name == LINES and "value" not in entry:
        raise FactFileError(
            f"{LINES} is a list of lines of treatment: write a dash before each, also before a single one."
        )
    extra = [key for key in entry if key not in ("value", "occurred_at")]
    if extra or "value" not in entry:
        near = nearest(str(extra[0]), ("value", "occurred_at")) if extra else ""
        hint = f" Did you mean '{near}'?" if near else ""
        message = f"a fact is a value, or {{value, occurred_at}}; this one is {quoted(entry)}."
        raise FactFileError(f"{_named(name)}: {message}{hint}")
    when = entry.get("occurred_at")
    if when is None:
        return entry["value"], at
    try:
        return entry["value"], moment(when)
    except FactFileError as error:
        raise FactFileError(f"{_named(name)}: occurred_at: {error}") from None


def _checked(name: object, value: object, dictionary: Dictionary) -> list[tuple[str, str, Value]]:
    """The facts, each with its subject, that one entry stands for; none if nobody knows."""
    if value is None or (isinstance(value, str) and value in UNKNOWN_CODES):
        if name != LINES and name not in dictionary.facts:
            raise FactFileError(_unknown_name(name, dictionary))
        return []
    if name == LINES:
        lines = _read_lines(value)
        found: list[tuple[str, str, Value]] = [
            ("prior_therapy", f"#{number}", line) for number, line in enumerate(lines, 1)
        ]
        return found or [("prior_therapies_none", "", True)]
    definition = dictionary.facts.get(name) if isinstance(name, str) else None
    if definition is None or definition.type == "therapy":
        raise FactFileError(_unknown_name(name, dictionary))
    if definition.type == "code" and not isinstance(value, str | bool) and str(value) in definition.values:
        value = str(value)  # YAML reads an unquoted 0 of HER2 IHC as a number
    if definition.type == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, bool | int | float | str):
        raise FactFileError(dictionary.problem_with(definition.name, value))
    return [(definition.name, "", value)]


def _read_lines(value: object) -> list[Therapy]:
    try:
        return read_lines(value)
    except LineError as error:
        raise _about(str(error), LINES, error.line) from None


def _unknown_name(name: object, dictionary: Dictionary) -> str:
    if not isinstance(name, str):
        return f"A fact has a name, and this one is {_named(name)}: write a name of the dictionary, in quotes."
    known = [LINES, SPECIMENS, *(known for known in dictionary.facts if known != "prior_therapy")]
    return f"{quoted(name)} is not in the data dictionary.{did_you_mean(name, known)}"


def _named(name: object) -> str:
    """A name as the file has it; YAML takes an unquoted yes, on or no for an answer."""
    if isinstance(name, bool):
        return "an unquoted yes, on or true" if name else "an unquoted no, off or false"
    return shown(name) if isinstance(name, str) and name.strip() else quoted(name)


def _refuse_disagreement(picture: Picture) -> None:
    """Stated and derived that disagree are refused: one of the two is wrong, and nobody here can say which."""
    for entry in picture.held.values():
        for gap in entry.gaps:
            if gap.why == "disagree" and not discordant(gap):
                raise _about(f"{entry.name}: {gap.note}. Correct one of them.", entry.name)

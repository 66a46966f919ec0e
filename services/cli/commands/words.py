"""How dates, people, teams and results are written for clinicians. Pure: plain values in, words out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
NOT_KNOWN = "Not known"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Written as clinicians write them; every other word of a name stays as it is.
_AS_WRITTEN = {
    word.lower(): word
    for word in (
        "HER2",
        "ER",
        "PR",
        "IHC",
        "ISH",
        "ECOG",
        "eGFR",
        "LVEF",
        "BRCA",
        "PIK3CA",
        "AKT1",
        "PTEN",
        "ESR1",
        "SACT",
    )
} | {
    "gbrca": "germline BRCA",
    "mets": "metastases",
    "eol": "end of life",
    "mdt": "MDT",
    "pd": "PD",
    "l1": "L1",
    "cps": "CPS",
    "ntrk": "NTRK",
}
_THEIR_WORDS = {"therapy_line": "line_of_treatment", "fact_": "result_", "item_": "task_"}
_TRUTHS = {
    "applies": "applies",
    "does_not_apply": "does not apply",
    "cannot_be_decided": "cannot be decided",
}
_STRENGTHS = {
    "strong": "recommended",
    "weak": "to be considered",
    "guard": "caution",
    "option": "treatment option",
    "xref": "see other guidance",
}


def moment(text: str) -> datetime:
    """Return the instant that an ISO 8601 text names; one without an offset is London's."""
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=LONDON)).astimezone(UTC)


def day(text: str | None) -> str:
    """Return a date as 14-Jul-1945, from an ISO date or instant."""
    if not text:
        return NOT_KNOWN
    read = moment(text).astimezone(LONDON).date() if "T" in text else date.fromisoformat(text)
    return f"{read.day:02d}-{_MONTHS[read.month - 1]}-{read.year}"


def clock(text: str | None) -> str:
    """Return an instant as 22-Nov-2026 14:05, London time."""
    if not text:
        return NOT_KNOWN
    return f"{day(text)} {moment(text).astimezone(LONDON):%H:%M}"


def nhs_number(digits: str) -> str:
    """Return an NHS number for reading, 3-3-4."""
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}" if digits else NOT_KNOWN


def person_name(person: Mapping[str, Any]) -> str:
    """Return SURNAME, First."""
    return f"{person['family_name'].upper()}, {person['given_name']}"


def banner(person: Mapping[str, Any]) -> str:
    """Return the line that says whose record it is."""
    number = f"NHS No. {nhs_number(person['nhs_number'])}"
    local = f"   Local id {person['local_identifier']}" if person["local_identifier"] else ""
    sex = (person["sex"] or NOT_KNOWN).capitalize()
    return f"{person_name(person)}   Born {day(person['birth_date'])}   {sex}   {number}{local}"


def words(code: str) -> str:
    """Return a code of the contract as words, without a capital: `her2_status` is HER2 status."""
    return " ".join(_AS_WRITTEN.get(part, part) for part in code.replace("-", "_").split("_"))


def sentence(text: str) -> str:
    """Return a text that begins with a capital."""
    return text[:1].upper() + text[1:]


def label(code: str) -> str:
    """Return a code as words with a capital."""
    return sentence(words(code))


def event(kind: str) -> str:
    """Return what happened in clinicians' words: `therapy_line_started` is Line of treatment started."""
    for ours, theirs in _THEIR_WORDS.items():
        kind = kind.replace(ours, theirs)
    return label(kind)


def truth(code: str) -> str:
    """Return whether a recommendation applies, in words."""
    return _TRUTHS.get(code, words(code))


def strength(code: str) -> str:
    """Return how strongly something is recommended, in words."""
    return _STRENGTHS.get(code, words(code))


def guideline(pin: str) -> str:
    """Return a guideline and its version: CG81 (2026-06-30)."""
    name, _, version = pin.partition("@")
    return f"{name.upper()} ({version})" if version else name.upper()


def value(held: object) -> str:
    """Return the value of a result, in words."""
    if held is None:
        return "no value"
    if isinstance(held, bool):
        return "yes" if held else "no"
    if isinstance(held, Mapping):
        return course(held)
    if isinstance(held, float):
        return f"{held:g}"
    if isinstance(held, list):
        return listed([value(one) for one in held]) or "none"
    text = str(held)
    return words(text) if re.fullmatch(r"[a-z][a-z0-9_]*", text) else text


def course(held: Mapping[str, Any]) -> str:
    """Return a line of treatment in words: what, where in the course, whether it goes on."""
    agents = listed(held["agents"]) or "treatment"
    parts = [part for part in (held["setting"], f"line {held['line']}" if held["line"] else "") if part]
    ended = f" on {day(held['ended_on'])}" if held["ended_on"] else ""
    parts.append(f"{words(held['stop_reason'])}{ended}")
    return f"{agents} ({', '.join(parts)})"


def listed(names: Sequence[str]) -> str:
    """Return names with commas and an `and`."""
    if len(names) <= 1:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def due_status(due_on: str, due_at: str, at: datetime) -> str:
    """Return Overdue, Due today or On track at an instant."""
    if moment(due_at) <= at:
        return "Overdue"
    return "Due today" if date.fromisoformat(due_on) == at.astimezone(LONDON).date() else "On track"


def actor(who: Mapping[str, Any] | None) -> str:
    """Return who did something: name or id, role, team."""
    if not who:
        return NOT_KNOWN
    team = f", {words(who['team'])}" if who["team"] else ""
    return f"{who['subject']} ({words(who['role'])}{team})"

"""Turns a template and its values into a subject and a body that name nobody.

A template is a text file: a header that declares its audience, subject and values (`?` after a name: may
be left out), a line `---`, and the text. Values are plain words: they lose their line breaks, and NHS
numbers are masked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from services.notify.teams import Destination, Teams
from services.runtime.errors import Invalid

LONDON = ZoneInfo("Europe/London")
_MIDNIGHT = time()  # what is due by a day is due at its end
TEMPLATES = Path(__file__).parent / "templates"
STAFF = "staff"
PATIENT = "patient"
EMERGENCY = "emergency"
_URGENT = frozenset({"urgent", EMERGENCY})
_SHORT_ID = 8
_LOOKS_LIKE_NUMBER = re.compile(r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{4}(?!\d)")
_VALUE_NAME = re.compile(r"[a-z][a-z_]{0,39}")


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of message, and what it takes."""

    name: str
    audience: str
    subject: jinja2.Template
    body: jinja2.Template
    required: frozenset[str]
    optional: frozenset[str]
    escalation: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A task that a message tells of."""

    title: str
    due: str = ""
    reason: str = ""
    number: str = ""
    urgency: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be said: to whom, about whom (by id), and how urgently."""

    destination: Destination
    message_id: str
    patient_id: str = ""
    urgency: str = ""
    owner_id: str = ""
    items: tuple[Item, ...] = ()


class Templates:
    """All templates of a folder, read and compiled once."""

    def __init__(self, teams: Teams, folder: Path = TEMPLATES) -> None:
        self._environment = SandboxedEnvironment(
            loader=jinja2.FileSystemLoader(folder),
            undefined=jinja2.StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["team_name"] = teams.name
        self._environment.filters["team_telephone"] = teams.telephone
        self._letter = self._environment.get_template("_letter.txt")
        files = sorted(path for path in folder.glob("*.txt") if not path.name.startswith("_"))
        self._templates = {path.stem: self._read(path) for path in files}

    def __iter__(self) -> Iterator[Template]:
        """Go through all templates by name."""
        return iter(self._templates.values())

    def get(self, name: str) -> Template:
        """Return one template.

        Raises:
            Invalid: there is none of that name.
        """
        template = self._templates.get(name)
        if template is None:
            message = f"There is no message called {name}; each clinical event and promise has one of its own name."
            raise Invalid(message, field="template")
        return template

    def render(self, template: Template, telling: Telling, values: Mapping[str, str]) -> tuple[str, str]:
        """Return the subject and the body.

        Raises:
            Invalid: a value is missing, or was given though the template does not declare it.
        """
        _check_values(template, values)
        team = telling.destination.team
        words: dict[str, object] = dict.fromkeys(template.optional, "")
        # A referral's messages belong to it: its id need not be given twice.
        words["referral_id"] = telling.owner_id
        words |= {name: plain(value) for name, value in values.items()}
        words |= {
            "team": team,
            "note": telling.destination.note,
            "patient_ref": telling.patient_id[:_SHORT_ID],
            "urgency": telling.urgency or words.get("urgency", ""),
            "message_id": telling.message_id,
            "tasks": [
                Item(plain(item.title), item.due, plain(item.reason), plain(item.number), item.urgency)
                for item in telling.items
            ],
        }
        text = template.body.render(words).strip()
        subject = plain(template.subject.render(words))
        if telling.urgency == EMERGENCY or (template.escalation and telling.urgency in _URGENT):
            subject = f"[{EMERGENCY if telling.urgency == EMERGENCY else 'urgent'}] {subject}"
        if template.audience == PATIENT:
            return subject, text + "\n"  # what staff need beside it would tell a person nothing
        return subject, self._letter.render(words, text=text).strip() + "\n"

    def _read(self, path: Path) -> Template:
        head, separator, body = path.read_text(encoding="utf-8").partition("\n---\n")
        header = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        if not separator or not header.keys() >= {"audience", "subject"}:
            message = f"The template {path.name} needs a header with `audience` and `subject`, and a line ---."
            raise SystemExit(message)
        names = [name.strip() for name in header.get("values", "").split(",") if name.strip()]
        return Template(
            name=path.stem,
            audience=header["audience"],
            subject=self._environment.from_string(header["subject"]),
            body=self._environment.from_string(body),
            required=frozenset(name for name in names if not name.endswith("?")),
            optional=frozenset(name.removesuffix("?") for name in names if name.endswith("?")),
            escalation=header.get("escalation") == "yes",
        )


def due_words(due_on: str, due_at: datetime | None) -> str:
    """Return when a task is due as staff read it: 22-Nov-2026, and the London time where it is due at one."""
    if not due_on:
        return ""
    try:
        day = f"{date.fromisoformat(due_on):%d-%b-%Y}"
    except ValueError:
        return plain(due_on)
    at = due_at.astimezone(LONDON) if due_at else None
    return f"{day} {at:%H:%M}" if at and at.time() != _MIDNIGHT else day


def plain(value: str) -> str:
    """Return a value on one line, with anything that checks as an NHS number masked."""
    return _LOOKS_LIKE_NUMBER.sub(_mask, " ".join(value.split()))


def _mask(match: re.Match[str]) -> str:
    digits = [int(character) for character in match.group() if character.isdigit()]
    check = 11 - sum(weight * digit for weight, digit in zip(range(10, 1, -1), digits, strict=False)) % 11
    return "[number removed]" if check % 11 == digits[-1] else match.group()


def _check_values(template: Template, values: Mapping[str, str]) -> None:
    known = template.required | template.optional
    for name in sorted(values.keys() - known):
        shown = name if _VALUE_NAME.fullmatch(name) else "(unreadable)"
        takes = ", ".join(sorted(known)) or "no values"
        message = f"The message {template.name} does not take {shown}; it takes {takes}. Leave it out."
        raise Invalid(message, field=f"values[{shown}]")
    for name in sorted(template.required):
        if not values.get(name, "").strip():
            message = f"The message {template.name} needs {name}."
            raise Invalid(message, field=f"values[{name}]")

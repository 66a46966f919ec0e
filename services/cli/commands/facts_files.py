"""Facts files as the guideline commands read them: whatever is wrong is told with file, line, person and what to do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.pathway.knowledge.factfile import Person
    from services.pathway.knowledge.library import Library

_BROKEN = "it is nested too deeply, or holds itself: write plain facts, as in docs/examples/relapse.yaml."


@dataclass(frozen=True, slots=True)
class FactsHeld:
    """What a facts file holds: one person's facts, or the list of `many` people's."""

    file: str
    text: str
    people: list[object]
    many: bool

    def person(self, number: int, library: Library, at: datetime) -> Person:
        """One of them, counted from 1, read and settled. Raises ValueError that says where."""
        from services.pathway.knowledge.factfile import FactFileError, read_person

        try:
            return read_person(self.people[number - 1], library.dictionary, at)
        except FactFileError as error:
            line = error.line or self._line_of(number, error.name)
            place = f"{self.file}{f':{line}' if line else ''}{f', person {number}' if self.many else ''}"
            raise ValueError(f"{place}: {error}") from None

    def each(self, library: Library, at: datetime) -> Iterator[Person]:
        """All of them, one after another: kept nowhere, so that any number of people fits."""
        return (self.person(number, library, at) for number in range(1, len(self.people) + 1))

    def only(self, library: Library, at: datetime) -> Person:
        """The person, where just one can be asked about. Raises ValueError."""
        if self.many:
            message = f"{self.file}: this is asked of one person at a time, and the file holds a list of "
            raise ValueError(f"{message}{len(self.people)}; take one of them out of the list.")
        return self.person(1, library, at)

    def _line_of(self, number: int, name: object) -> int:
        """Where a fact, or else the person, begins: looked for only when there is something to refuse."""
        from services.pathway.yaml_lines import lines_of_keys

        lines = lines_of_keys(self.text.replace("\t", " "), number - 1 if self.many else None)
        return lines.get(name if isinstance(name, str) else None, 0)


def read_facts(file: str) -> FactsHeld:
    """A facts file, or standard input. Raises ValueError, OSError."""
    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    name = "standard input" if file == "-" else file
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{name}: this is not text in UTF-8; save the facts as YAML or JSON text.") from None
    if not text.strip():
        raise ValueError(f"{name}: the file is empty; write facts such as er_status: positive, or {{}} for none.")
    try:
        held = _read_json(text, name) if Path(file).suffix == ".json" else _read_yaml(text, name)
    except (RecursionError, MemoryError):
        raise ValueError(f"{name}: {_BROKEN}") from None
    if held is None:
        raise ValueError(f"{name}: no facts stand here; write facts such as er_status: positive, or {{}} for none.")
    people = held if isinstance(held, list) else [held]
    return FactsHeld(name, text, people, many=isinstance(held, list))


_JSON = {
    "Expecting property name": "a name in double quotes is expected here; is there a comma too many?",
    "Illegal trailing comma": "there is a comma too many",
    "Expecting value": "a value is expected here: a number, true, false, null, or text in double quotes",
    "Expecting ',' delimiter": "a comma is missing here",
    "Expecting ':' delimiter": "a colon is missing here",
    "Extra data": "something stands after the end; for many people write one list [ ... ]",
    "Unterminated string": "a double quote is not closed",
    "Invalid control character": "a tab or a new line stands inside a text",
    "Invalid": "a backslash stands inside a text; write it twice",
}


class _TwiceError(ValueError):
    """A name that stands twice in one mapping."""


def _read_json(text: str, name: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        said = next((plain for words, plain in _JSON.items() if error.msg.startswith(words)), "this is not JSON")
        raise ValueError(f"{name}:{error.lineno}: {said}; correct the JSON here.") from None
    except _TwiceError as error:
        key = str(error)
        second = text.find(json.dumps(key, ensure_ascii=False), text.find(json.dumps(key, ensure_ascii=False)) + 1)
        line = f":{text.count(chr(10), 0, second) + 1}" if second > 0 else ""
        raise ValueError(f"{name}{line}: the key {_quoted(key)} stands twice; correct the file.") from None
    except ValueError:
        raise ValueError(f"{name}: a number has more digits than can be read; correct the file.") from None


def _read_yaml(text: str, name: str) -> object:
    from services.pathway.yaml_lines import read_text

    return read_text(text, Path(name), shared=True)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return found


def _quoted(text: str) -> str:
    from services.pathway.saying import quoted

    return quoted(text)

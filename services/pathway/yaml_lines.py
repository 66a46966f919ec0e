"""Data files with line numbers: YAML read so that every refusal can say where, and what to do.

Whatever is wrong is a GuidelineError: `file:line: what is wrong; what to do`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from yaml.constructor import SafeConstructor

from services.pathway.saying import quoted

_T = TypeVar("_T")


class GuidelineError(ValueError):
    """Guideline data that cannot be used. The text reads `file:line: what is wrong; what to do`."""


_DEEPEST = 100
_TEXT = "tag:yaml.org,2002:str"
_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_ODD_NUMBER = re.compile(r"[-+]?(0[0-9xb_]|.*:)")
"""058 is octal to YAML 1.1, and 1:30 ninety: nobody who writes them means that."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Mapped(dict[Any, Any]):
    """A mapping that knows the line it began on."""

    line = 0


class Listed(list[Any]):
    """A list that knows the line it began on."""

    line = 0


@dataclass(frozen=True, slots=True)
class _Builder:
    """Plain data from YAML nodes: mappings and lists remember their line, and no key may stand twice.

    `built`: what was made of each node that several names may point to; without it each name gets a copy of its own.
    """

    scalars: SafeConstructor
    built: dict[int, Any] | None = None

    def make(self, node: yaml.Node) -> object:
        if isinstance(node, yaml.ScalarNode):
            return node.value if node.tag == _TEXT else self._scalar(node)
        if self.built is not None and id(node) in self.built:
            return self.built[id(node)]
        if isinstance(node, yaml.SequenceNode):
            made: Listed | Mapped = Listed(self.make(part) for part in node.value)
        else:
            made = self._mapped(node)
        made.line = node.start_mark.line + 1
        if self.built is not None:
            self.built[id(node)] = made
        return made

    def _scalar(self, node: yaml.ScalarNode) -> object:
        try:
            if node.tag in _NUMBERS and _ODD_NUMBER.match(node.value):
                raise _marked(f"{quoted(node.value)} would be read as another number; write it in the usual way", node)
            return self.scalars.construct_object(node, deep=True)
        except (ValueError, LookupError) as error:
            raise _marked(_said_of_value(node, error), node) from None

    def _mapped(self, node: yaml.Node) -> Mapped:
        found = Mapped()
        for key_node, value_node in node.value:
            key = self.make(key_node)
            if not isinstance(key, Hashable):
                raise _marked("a name cannot be a list or a mapping", key_node)
            if key in found:
                raise _marked(f"the key {quoted(key)} stands twice", key_node)
            found[key] = self.make(value_node)
        return found


class _Wrong(yaml.MarkedYAMLError):
    """What is wrong beside the writing of YAML, in our own words."""


def _marked(problem: str, node: yaml.Node) -> _Wrong:
    return _Wrong(problem=problem, problem_mark=node.start_mark)


def _said_of_value(node: yaml.ScalarNode, error: Exception) -> str:
    if "digits" in str(error):
        return "a number has more digits than can be read"
    what = "a date or time that there is" if node.tag.endswith(":timestamp") else "a value that can be read"
    return f"{quoted(node.value)} is not {what}"


_PLAINLY = (
    ("mapping values are not allowed", "a colon stands where none belongs; look at the spaces before this line"),
    ("tab character", "a tab stands before this line; use spaces"),
    ("cannot start any token", "a text that begins with a tab, @, ` or % stands without quotes"),
    ("',' or ']'", "a list that begins with [ is not closed with ], or a comma is missing"),
    ("',' or '}'", "what begins with { is not closed with }, or a comma is missing"),
    ("unexpected end of stream", "a quotation mark is not closed"),
    ("undefined alias", "a text that begins with * stands without quotes"),
    ("scanning an alias", "a text that begins with * stands without quotes"),
    ("scanning an anchor", "a text that begins with & stands without quotes"),
    ("tag:yaml.org,2002:merge", "<< is not understood; write the facts out"),
    ("constructor for the tag", "a word that begins with ! stands without quotes"),
    ("tag", "a word that begins with ! stands without quotes"),
    ("another document", "the file holds more than one document; for many people write one list"),
    ("document start", "this line does not belong to what stands above; look at the spaces before it"),
    ("expected ':'", "a name stands without a colon; write name: value"),
    ("expected key", "this line does not fit those above; look at the spaces before it"),
    ("expected '-' indicator", "this line does not fit the list above; begin it with a dash or look at its spaces"),
    ("block end", "this line does not fit those above; look at the spaces before it"),
    ("escape", "a backslash stands in double quotes; write it twice, or use single quotes"),
    ("control characters", "it holds a control character, which no text has; take it out"),
    ("not allowed", "it holds a control character, which no text has; take it out"),
)  # fmt: skip


def _in_plain_words(error: yaml.YAMLError) -> str:
    """What is wrong with the YAML; words of our own stay as they are."""
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "this cannot be read")
    context = str(getattr(error, "context", None) or "")
    if isinstance(error, _Wrong):
        return said
    known = (plain for words, plain in _PLAINLY if words in said or words in context)
    return next(known, "this line is not written as YAML is")


def read(path: Path) -> Mapped:
    """A file whose top is a mapping. Raises GuidelineError."""
    try:
        raw = read_text(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        message = f"{path}: this file is missing; every guideline directory needs it."
        raise GuidelineError(message) from None
    except UnicodeDecodeError:
        raise refused(path, 1, "this is not text in UTF-8; save it as such.") from None
    if not isinstance(raw, Mapped):
        raise refused(path, 1, "this is not a mapping of names; see guidelines/README.md.")
    return raw


def read_text(text: str, path: Path, *, shared: bool = False) -> object:
    """YAML or JSON as plain data that remembers its lines; `shared`: aliases are not copied. Raises GuidelineError."""
    try:
        if _may_be_deep(text):
            _refuse_depth(text)
        root = yaml.compose(text, Loader=_LOADER)
        return _Builder(SafeConstructor(), {} if shared else None).make(root) if root else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise refused(path, line, f"{_in_plain_words(error)}; correct the YAML here.") from None
    except RecursionError:
        raise refused(path, 1, "it is nested too deeply, or holds itself; write it out plainly.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise refused(path, line, f"{_in_plain_words(error)}; correct the file.") from None
    except (yaml.YAMLError, ValueError):
        raise refused(path, 1, "this cannot be read as YAML; correct the file.") from None


def _may_be_deep(text: str) -> bool:
    """Whether a file could be nested so deeply that the reader, which is written in C, would crash; cheap."""
    return text.count("[") + text.count("{") > _DEEPEST or any(
        line.count("- ") + line.count("? ") + len(line) - len(line.lstrip()) > _DEEPEST for line in text.splitlines()
    )


def _refuse_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise RecursionError


def lines_of_keys(text: str, place: int | None) -> dict[str | None, int]:
    """The line of each key of a mapping, or of the mapping at a place of a list; under None the line it begins on."""
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError):  # JSON that YAML does not read
        return {}
    if place is not None and isinstance(node, yaml.SequenceNode):
        node = node.value[place]
    if node is None:
        return {}
    keys = node.value if isinstance(node, yaml.MappingNode) else []
    found: dict[str | None, int] = {str(key.value): key.start_mark.line + 1 for key, _ in keys}
    return {**found, None: node.start_mark.line + 1}


def refused(path: Path, line: int, message: str) -> GuidelineError:
    """The error for a place in a file."""
    return GuidelineError(f"{path}:{line}: {message}")


def line_at(raw: object, location: Sequence[int | str]) -> int:
    """The line of the innermost mapping or list on the way to a location."""
    line = 1
    for step in location:
        line = int(getattr(raw, "line", line))
        if isinstance(raw, Mapped):
            raw = raw.get(step)
        elif isinstance(raw, Listed) and isinstance(step, int) and step < len(raw):
            raw = raw[step]
    return int(getattr(raw, "line", line))


def validated(adapter: TypeAdapter[_T], raw: Mapped, path: Path) -> _T:
    """Plain data as a dataclass; the first thing wrong with it is refused. Raises GuidelineError."""
    try:
        return adapter.validate_python(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = _place(first["loc"])
        hint = " (write it in quotes)" if first["type"] == "string_type" else ""
        if first["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
            hint = " (an unknown field: correct its name or take it out)"
        wrong = "this is missing" if first["type"].startswith("missing") else first["msg"]
        message = f"{where}: {wrong}{hint}; see guidelines/README.md."
        raise refused(path, line_at(raw, first["loc"]), message) from None


def _place(location: Sequence[int | str]) -> str:
    """A way into a file as people count: `facts.age_years.label`, or `rules, entry 15, number`."""
    said = ""
    for before, step in zip(["", *location], location, strict=False):
        joint = ", " if isinstance(step, int) or isinstance(before, int) else "."
        said += f"{joint}entry {step + 1}" if isinstance(step, int) else f"{joint}{step}"
    return said.lstrip(".")


def canonical(raw: object) -> str:
    """One text for one content, whatever the layout of the file."""
    return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)

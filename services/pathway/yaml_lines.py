"""Data files with line numbers: YAML read so that every refusal can say where, and what to do.

Whatever is wrong is a GuidelineError: `file:line: what is wrong; what to do`.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from yaml.constructor import SafeConstructor

_T = TypeVar("_T")


class GuidelineError(ValueError):
    """Guideline data that cannot be used. The text reads `file:line: what is wrong; what to do`."""


_DEEPEST = 100
_TEXT = "tag:yaml.org,2002:str"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Mapped(dict[Any, Any]):
    """A mapping that knows the line it began on."""

    line = 0


class Listed(list[Any]):
    """A list that knows the line it began on."""

    line = 0


_Built = dict[int, Any]
"""What was built of each node that several names may point to; without it each name gets a copy of its own."""


def _construct(node: yaml.Node, scalars: SafeConstructor, built: _Built | None = None) -> object:
    """Plain data from a YAML node: mappings and lists remember their line, and no key may stand twice."""
    if isinstance(node, yaml.ScalarNode):
        return node.value if node.tag == _TEXT else scalars.construct_object(node, deep=True)
    if built is not None and id(node) in built:
        return built[id(node)]
    if isinstance(node, yaml.SequenceNode):
        made: Listed | Mapped = Listed(_construct(part, scalars, built) for part in node.value)
    else:
        made = _mapped(node, scalars, built)
    made.line = node.start_mark.line + 1
    if built is not None:
        built[id(node)] = made
    return made


def _mapped(node: yaml.Node, scalars: SafeConstructor, built: _Built | None) -> Mapped:
    found = Mapped()
    for key_node, value_node in node.value:
        key = _construct(key_node, scalars, built)
        if not isinstance(key, Hashable):
            raise yaml.MarkedYAMLError(problem="a name cannot be a list or a mapping", problem_mark=key_node.start_mark)
        if key in found:
            problem = f"the key {str(key)[:80]!r} stands twice"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
        found[key] = _construct(value_node, scalars, built)
    return found


def read(path: Path) -> Mapped:
    """A file whose top is a mapping. Raises GuidelineError."""
    try:
        raw = read_text(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        message = f"{path}: this file is missing; every guideline directory needs it."
        raise GuidelineError(message) from None
    if not isinstance(raw, Mapped):
        raise refused(path, 1, "this is not a mapping of names; see guidelines/README.md.")
    return raw


def read_text(text: str, path: Path, *, shared: bool = False) -> object:
    """YAML or JSON as plain data that remembers its lines; `shared`: aliases are not copied. Raises GuidelineError."""
    try:
        if _may_be_deep(text):
            _refuse_depth(text)
        root = yaml.compose(text, Loader=_LOADER)
        return _construct(root, SafeConstructor(), {} if shared else None) if root else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise refused(path, line, f"{error.problem}; correct the YAML here.") from None
    except RecursionError:
        raise refused(path, 1, "it is nested too deeply, or holds itself; write it out plainly.") from None
    except (yaml.YAMLError, ValueError) as error:
        said = "a number has more digits than can be read" if "digits" in str(error) else str(error)
        raise refused(path, 1, f"{said}; correct the file.") from None


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
    node = yaml.compose(text, Loader=_LOADER)
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

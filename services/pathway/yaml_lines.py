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


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Mapped(dict[Any, Any]):
    """A mapping that knows the line it began on."""

    line = 0


class Listed(list[Any]):
    """A list that knows the line it began on."""

    line = 0


def _construct(node: yaml.Node, scalars: SafeConstructor) -> object:
    """Plain data from a YAML node: mappings and lists remember their line, and no key may stand twice."""
    if isinstance(node, yaml.SequenceNode):
        items = Listed(_construct(part, scalars) for part in node.value)
        items.line = node.start_mark.line + 1
        return items
    if not isinstance(node, yaml.MappingNode):
        return scalars.construct_object(node, deep=True)
    found = Mapped()
    found.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = _construct(key_node, scalars)
        if not isinstance(key, Hashable) or key in found:
            raise yaml.MarkedYAMLError(problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark)
        found[key] = _construct(value_node, scalars)
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


def read_text(text: str, path: Path) -> object:
    """YAML, or JSON, as plain data that remembers its lines. Raises GuidelineError."""
    try:
        root = yaml.compose(text, Loader=_LOADER)
        return _construct(root, SafeConstructor()) if root else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise refused(path, line, f"{error.problem}; correct the YAML here.") from None
    except (yaml.YAMLError, ValueError) as error:
        raise refused(path, 1, f"{error}; correct the file.") from None


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
        where = ".".join(str(step) for step in first["loc"])
        hint = " (write it in quotes)" if first["type"] == "string_type" else ""
        if first["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
            hint = " (an unknown field: correct its name or take it out)"
        message = f"{where}: {first['msg']}{hint}; see guidelines/README.md."
        raise refused(path, line_at(raw, first["loc"]), message) from None


def canonical(raw: object) -> str:
    """One text for one content, whatever the layout of the file."""
    return json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)

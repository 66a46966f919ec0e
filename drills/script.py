"""The steps of a life as they can be lived again by somebody else: a report or a jump of the clock. Pure.

A report names tasks, facts, lines and referrals by ids that belong to one person. For another person a made-up id
becomes another made-up id, always the same; a task or a fact is the one that is called the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from drills.acts import Plain, Said

Name = tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A report, or hours that go by; `names` says which task or fact each id stood for."""

    said: Said | None = None
    hours: float = 0.0
    names: Mapping[str, Name] = field(default_factory=dict)


def reported(said: Said, state: Plain) -> Step:
    """Return a report as a step, made when the person's record showed this state."""
    used = set(_ids(said.fields))
    return Step(said, names={one: name for one, name in _named(state) if one in used})


def again(step: Step, patient_id: str, state: Plain) -> Said | None:
    """Return a step's report as it reads for another person in this state; None for a jump."""
    if step.said is None:
        return None
    known: dict[Name, str] = {}
    for one, name in _named(state):
        known.setdefault(name, one)
    other = {one: known.get(step.names[one], "") for one in step.names}

    def translated(value: Any) -> Any:  # noqa: ANN401 - a field of a report
        if isinstance(value, Mapping):
            return {name: translated(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [translated(inner) for inner in value]
        if not _is_id(value):
            return value
        return other.get(value) or str(uuid.uuid5(uuid.UUID(patient_id), value))

    return replace(step.said, fields=translated(step.said.fields))


def _named(state: Plain) -> Iterator[tuple[str, Name]]:
    """What the ids of a record stand for; the side effect that a Yellow Card is about goes by its task."""
    for item in state.get("open_items") or []:
        yield item["item_id"], ("task", item["kind"], item["title"])
        if item["kind"] == "yellow_card":
            yield item["subject_id"], ("side effect",)
    for fact in state.get("facts") or []:
        yield fact["fact_id"], ("fact", fact["name"], str(fact["value"]))


def _ids(value: Any) -> Iterator[str]:  # noqa: ANN401 - a field of a report
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _ids(inner)
    elif _is_id(value):
        yield value


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False

"""From the contract's messages to plain values: the same keys in the same order each time, for JSON and for screens."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

Plain = dict[str, Any]
_TIMESTAMP = "google.protobuf.Timestamp"
_FACT_VALUE = "handrail.clinical.v1.FactValue"
_CLINICAL_EVENT = "handrail.clinical.v1.ClinicalEvent"


def plain(message: Message) -> Plain:
    """Return a message as a dict: every field in the contract's order, times as ISO 8601, absent messages as None."""
    return {field.name: _field(message, field) for field in _fields(message)}


def to_json(value: object) -> str:
    """Return JSON for machines and for reading."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def without(value: Plain, names: Iterable[str]) -> Plain:
    """Return the dict without some of its keys."""
    left_out = frozenset(names)
    return {name: entry for name, entry in value.items() if name not in left_out}


def _fields(message: Message) -> list[FieldDescriptor]:
    descriptor: Any = message.DESCRIPTOR
    fields: list[FieldDescriptor] = list(descriptor.fields)
    fields.sort(key=_number)
    if descriptor.full_name == _CLINICAL_EVENT:
        return [field for field in fields if message.HasField(field.name)]
    return fields


def _number(field: FieldDescriptor) -> int:
    return field.number


def _field(message: Message, field: FieldDescriptor) -> object:
    value = getattr(message, field.name)
    if field.is_repeated:
        return [_one(field, entry) for entry in value]
    if field.message_type is not None and not message.HasField(field.name):
        return None
    return _one(field, value)


def _one(field: FieldDescriptor, value: Any) -> object:  # noqa: ANN401 - whatever a field holds
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    if field.message_type is None:
        return value
    name = field.message_type.full_name
    if name == _TIMESTAMP:
        return value.ToJsonString()
    if name == _FACT_VALUE:
        return _fact_value(value)
    return plain(value)


def _fact_value(value: Any) -> object:  # noqa: ANN401 - a FactValue
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "therapy":
        return plain(value.therapy)
    held = getattr(value, kind)
    return int(held) if kind == "number" and held.is_integer() else held

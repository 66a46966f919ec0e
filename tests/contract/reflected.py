"""The rpcs that a running house reflects, and requests for them built from their descriptors: right, or wrong once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import protovalidate
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from buf.validate import validate_pb2

UUID = "3f8f4c2e-6f0e-4f5c-9d3a-0c8f6a1b2c3d"
# What the patterns of the contract look like when they are met.
_SHAPES = (
    "",
    "2026-01-05",
    "2026-01-05T09:00Z",
    "a_role",
    "death",
    "cg81",
    "1.7.16",
    "2026-06-30",
    "0" * 64,
    UUID,
)
_WRONG = "!!"


@dataclass(frozen=True)
class Rpc:
    """One reflected rpc."""

    server: str
    method: MethodDescriptor

    @property
    def name(self) -> str:
        """Its short name."""
        return str(self.method.name)

    @property
    def path(self) -> str:
        """How it is called on the wire."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    @property
    def mutates(self) -> bool:
        """Whether it takes an idempotency key."""
        return "idempotency_key" in self.method.input_type.fields_by_name

    def right(self) -> Message:
        """A request that is well formed."""
        made = _right(self.method.input_type)
        protovalidate.validate(made)
        return made

    def wrong(self) -> Iterator[tuple[str, Message]]:
        """Well-formed requests with one bad field each, and that field's path."""
        for path, spoil in _spoilers(self.method.input_type, ""):
            made = self.right()
            spoil(made)
            yield path, made


def reflected(server: str, address: str) -> tuple[list[str], list[Rpc]]:
    """All services that a server reflects, and the rpcs of those that are ours."""
    with grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        services = list(database.get_services())
        pool = DescriptorPool(database)
        ours = [pool.FindServiceByName(name) for name in services if name.startswith("handrail.")]
        rpcs = [Rpc(server, method) for service in ours for method in service.methods]
        for rpc in rpcs:
            rpc.right()  # all descriptors are fetched while the channel is open
        return services, rpcs


def _rules(field: FieldDescriptor) -> Any:
    return field.GetOptions().Extensions[validate_pb2.field]


def _right(descriptor: Any) -> Message:
    made = message_factory.GetMessageClass(descriptor)()
    for field in _asked(descriptor):
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            getattr(made, field.name).CopyFrom(_right(field.message_type))
        else:
            setattr(made, field.name, _value(field))
    for field in descriptor.fields:
        rules = _rules(field)
        if field.is_repeated and rules.repeated.min_items:
            if field.message_type:
                getattr(made, field.name).append(_right(field.message_type))
            else:
                one = rules.repeated.items.string
                getattr(made, field.name).append(_text(one) if getattr(one, "in") else UUID)
    return made


def _asked(descriptor: Any) -> list[FieldDescriptor]:
    """The fields that a small but right request has: scalars with rules, required messages, one of each choice."""
    plain = [field for field in descriptor.fields if not field.is_repeated and field.containing_oneof is None]
    asked = [
        field
        for field in plain
        if (field.type != FieldDescriptor.TYPE_MESSAGE and _ruled(field)) or _rules(field).required
    ]
    chosen = [
        oneof.fields[0] for oneof in descriptor.oneofs if oneof.GetOptions().Extensions[validate_pb2.oneof].required
    ]
    return [*asked, *chosen]


def _ruled(field: FieldDescriptor) -> bool:
    return _rules(field).WhichOneof("type") is not None


def _value(field: FieldDescriptor) -> Any:
    rules = _rules(field)
    match rules.WhichOneof("type"):
        case "string":
            return _text(rules.string)
        case "enum":
            return 1
        case "int32" | "int64":
            number = getattr(rules, rules.WhichOneof("type"))
            return number.gte
        case "double":
            return 1.0
        case "bytes":
            return b"{}"
        case _:
            return field.default_value


def _text(rules: Any) -> str:
    if rules.uuid:
        return UUID
    if rules.email:
        return "somebody@example.org"
    if getattr(rules, "in"):
        return str(getattr(rules, "in")[-1])
    if rules.pattern:
        return next(shape for shape in _SHAPES if re.search(rules.pattern, shape))
    return "a few words"[: rules.max_len or None]


def _spoilers(descriptor: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """What breaks exactly one rule, with the path of the field that it breaks."""
    for field in descriptor.fields:
        path, rules = f"{prefix}{field.name}", _rules(field)
        if field.is_repeated:
            if rules.repeated.max_items and not field.message_type:
                yield path, _crowd(path, field, rules.repeated.max_items + 1)
            continue
        if rules.required:
            yield path, _clear(path)
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            if rules.required and field.message_type.full_name.startswith("handrail."):
                yield from _spoilers(field.message_type, f"{path}.")
            continue
        if _ruled(field) and (field.containing_oneof is None or field is field.containing_oneof.fields[0]):
            bad = _bad(rules)
            if bad is not None:
                yield path, _put(path, bad)


def _bad(rules: Any) -> Any:
    match rules.WhichOneof("type"):
        case "string":
            text = rules.string
            shaped = text.uuid or text.email or text.pattern or getattr(text, "in")
            return _WRONG if shaped else "x" * (text.max_len + 1) if text.max_len else ""
        case "enum":
            return 0
        case "int32" | "int64":
            number = getattr(rules, rules.WhichOneof("type"))
            return number.lte + 1 if number.HasField("lte") else number.gte - 1
        case "bytes":
            return b"x" * (rules.bytes.max_len + 1)
        case _:
            return None


def _holder(made: Any, path: str) -> tuple[Any, str]:
    *parents, last = path.split(".")
    for parent in parents:
        made = getattr(made, parent)
    return made, last


def _put(path: str, value: Any) -> Any:
    def spoil(made: Message) -> None:
        holder, name = _holder(made, path)
        setattr(holder, name, value)

    return spoil


def _clear(path: str) -> Any:
    def spoil(made: Message) -> None:
        holder, name = _holder(made, path)
        holder.ClearField(name)

    return spoil


def _crowd(path: str, field: FieldDescriptor, count: int) -> Any:
    def spoil(made: Message) -> None:
        holder, name = _holder(made, path)
        items = getattr(holder, name)
        items.extend([UUID] * (count - len(items)))

    return spoil

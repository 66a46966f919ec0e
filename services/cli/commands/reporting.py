"""How an event is reported: found by walking the contract, so that a new event needs nothing here."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from services.cli.commands.acting import Desk
from services.cli.commands.shapes import Plain, plain
from services.cli.errors import CliError

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor, MethodDescriptor
    from google.protobuf.message import Message

    from handrail.clinical.v1 import terms_pb2

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_CODE = re.compile(r"[^\s]{1,64}")
_FLAGS = {"true": True, "yes": True, "false": False, "no": False}
_KINDS = ("flag", "number", "code", "text")
# What a report begins, and the field in which the one who begins it gives that an id.
BEGINS = {
    "appointment_booked": "appointment_id",
    "capacity_assessed": "assessment_id",
    "investigation_ordered": "order_id",
    "referral_drafted": "referral_id",
    "related_person_recorded": "related_person_id",
    "therapy_line_started": "line_id",
    "transfer_offered": "transfer_id",
}


@dataclass(frozen=True)
class Route:
    """The rpc that takes one kind of event."""

    event: str
    rpc: MethodDescriptor

    def request(self) -> Any:  # noqa: ANN401 - the request message of any reporting rpc
        """Return an empty request."""
        from google.protobuf.message_factory import GetMessageClass

        return GetMessageClass(self.rpc.input_type)()


@dataclass(frozen=True)
class Report:
    """What somebody reports; the event's fields are set on `request` before it is sent."""

    event: str
    patient_id: str
    fields: Mapping[str, Any]
    facts: Sequence[terms_pb2.ReportedFact] = ()
    occurred_at: datetime | None = None
    source: str = ""
    key: str = ""


@cache
def routes() -> dict[str, Route]:
    """Return the rpc of every event that can be reported."""
    from handrail.clinical.v1 import events_pb2
    from handrail.pathway.v1 import intake_pb2, referrals_pb2, scheduling_pb2

    known = set(events_pb2.ClinicalEvent.DESCRIPTOR.fields_by_name)
    found = {}
    for module in (intake_pb2, scheduling_pb2, referrals_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            for rpc in service.methods:
                for field in rpc.input_type.fields:
                    if field.name in known:
                        found[field.name] = Route(field.name, rpc)
    return found


def route(event: str) -> Route:
    """Return the rpc that takes an event.

    Raises:
        CliError: none does; the sentence lists those that can be reported.
    """
    known = routes()
    if event not in known:
        message = f"{event} cannot be reported. These can: {', '.join(sorted(known))}."
        raise CliError(message)
    return known[event]


def fact(name: str, value: object, subject: str = "") -> terms_pb2.ReportedFact:
    """Return a fact as it is reported."""
    from handrail.clinical.v1 import terms_pb2

    made = terms_pb2.FactValue()
    if isinstance(value, bool):
        made.flag = value
    elif isinstance(value, int | float):
        made.number = float(value)
    elif isinstance(value, Mapping):
        made.therapy.CopyFrom(terms_pb2.TherapyCourse(**value))
    elif _CODE.fullmatch(str(value)):
        made.code = str(value)
    else:
        made.text = str(value)
    return terms_pb2.ReportedFact(name=name, value=made, subject=subject)


def read_fact(text: str) -> terms_pb2.ReportedFact:
    """Return the fact that NAME=VALUE or NAME=VALUE@SUBJECT states.

    VALUE is yes/no, a number, a code or words; `code:0` and the like say which where it could be taken for another.

    Raises:
        CliError: it is not written like that.
    """
    name, equals, said = text.partition("=")
    before, at, subject = said.rpartition("@")
    if at and before and not re.search(r"\s", subject):
        said = before
    else:
        subject = ""
    if not equals or not name.strip() or not said:
        message = f"--fact {text}: write it as NAME=VALUE, such as fatigue=significant or ecog=1."
        raise CliError(message)
    made = fact(name.strip(), said, subject)
    _fill_value(made.value, said, f"--fact {text}")
    return made


def _fill_value(value: terms_pb2.FactValue, said: str, option: str) -> None:
    from google.protobuf import json_format

    from handrail.clinical.v1 import terms_pb2

    kind, colon, rest = said.partition(":")
    if not (colon and kind in _KINDS and rest):
        kind, rest = _kind_of(said), said
    try:
        if kind == "therapy":
            value.therapy.CopyFrom(json_format.ParseDict(json.loads(rest), terms_pb2.TherapyCourse()))
        elif kind == "flag":
            value.flag = _FLAGS[rest.lower()]
        elif kind == "number":
            value.number = float(rest)
        else:
            setattr(value, kind, rest)
    except (ValueError, KeyError, json_format.ParseError) as error:
        message = f"{option}: {rest} cannot be read as a {kind}."
        raise CliError(message) from error


def _kind_of(said: str) -> str:
    if said.lower() in _FLAGS:
        return "flag"
    if _NUMBER.fullmatch(said):
        return "number"
    if said.startswith("{"):
        return "therapy"
    return "code" if _CODE.fullmatch(said) else "text"


def set_field(event: Message, text: str) -> None:
    """Set one field of an event from FIELD=VALUE; `course.agents=a,b` reaches into it and makes a list.

    Of a list of parts, `concerns.1.domain=physical` reaches into the first, and a number more makes the next.

    Raises:
        CliError: there is no such field, or the value does not fit it.
    """
    path, equals, said = text.partition("=")
    if not equals:
        message = f"--set {text}: write it as FIELD=VALUE."
        raise CliError(message)
    *outer, last = path.strip().split(".")
    holder: Any = event
    while outer:
        inner = _known_field(holder, name := outer.pop(0))
        if inner.message_type is None:
            message = f"--set {text}: {name} has no fields of its own."
            raise CliError(message)
        holder = getattr(holder, name)
        if inner.is_repeated:
            holder = _numbered(holder, outer.pop(0) if outer else "", f"--set {text}", name)
    field = _known_field(holder, last)
    try:
        _assign(holder, field, said, f"--set {text}")
    except (ValueError, TypeError) as error:
        message = f"--set {text}: this value does not fit {last}."
        raise CliError(message) from error


def _numbered(parts: Any, number: str, option: str, name: str) -> Any:  # noqa: ANN401 - the parts of any message
    """Return the part with this number, counted from 1; one more than there are makes a new one."""
    if not number.isdecimal() or not 1 <= int(number) <= len(parts) + 1:
        message = f"{option}: say which one, counted from 1 without a gap, as {name}.1.FIELD=VALUE."
        raise CliError(message)
    return parts.add() if int(number) > len(parts) else parts[int(number) - 1]


def _known_field(holder: Message, name: str) -> FieldDescriptor:
    field: Any = holder.DESCRIPTOR.fields_by_name.get(name)
    if field is None:
        known = ", ".join(holder.DESCRIPTOR.fields_by_name) or "no fields"
        message = f"{_in_words(holder.DESCRIPTOR.name)} has no field {name}; it has {known}."
        raise CliError(message)
    known_field: FieldDescriptor = field
    return known_field


def _in_words(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).capitalize()


def begin(request: Any, event: str) -> dict[str, str]:  # noqa: ANN401 - the request message of any reporting rpc
    """Give what a report begins an id, where the report does not; the same key makes the same id.

    Returns the field and its id; empty when the report begins nothing.
    """
    field = BEGINS.get(event)
    if field is None:
        return {}
    made = getattr(request, event)
    if not getattr(made, field):
        setattr(made, field, str(uuid.uuid5(uuid.UUID(request.idempotency_key), field)))
    return {field: getattr(made, field)}


def _assign(holder: Any, field: FieldDescriptor, said: str, option: str) -> None:  # noqa: ANN401 - any message
    if field.message_type is not None:
        if field.message_type.name != "FactValue":
            message = f"{option}: set its fields one by one, as {field.name}.FIELD=VALUE."
            raise CliError(message)
        _fill_value(getattr(holder, field.name), said, option)
    elif field.is_repeated:
        getattr(holder, field.name).extend(part.strip() for part in said.split(",") if part.strip())
    elif field.enum_type is not None:
        setattr(holder, field.name, _enum_number(field.enum_type, said, option))
    elif field.cpp_type == field.CPPTYPE_BOOL:
        if said.lower() not in _FLAGS:
            message = f"{option}: say yes or no."
            raise CliError(message)
        setattr(holder, field.name, _FLAGS[said.lower()])
    elif field.cpp_type in {field.CPPTYPE_INT32, field.CPPTYPE_INT64}:
        setattr(holder, field.name, int(said))
    else:
        setattr(holder, field.name, said)


def _enum_number(enum: EnumDescriptor, said: str, option: str) -> int:
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper()
    names = enum.values_by_name
    for name in (said.upper(), f"{prefix}_{said.upper()}"):
        if name in names:
            return names[name].number
    known = ", ".join(n.removeprefix(f"{prefix}_").lower() for n, v in names.items() if v.number)
    message = f"{option}: choose one of {known}."
    raise CliError(message)


def request_for(report: Report) -> Any:  # noqa: ANN401 - the request message of any reporting rpc
    """Return the whole request that a report makes."""
    request = route(report.event).request()
    request.idempotency_key = report.key or str(uuid.uuid4())
    request.patient_id = report.patient_id
    request.occurred_at.FromDatetime(report.occurred_at or datetime.now(UTC))
    request.source = report.source
    event = getattr(request, report.event)
    event.SetInParent()
    for name, value in report.fields.items():
        if isinstance(value, Mapping):
            getattr(event, name).CopyFrom(type(getattr(event, name))(**value))
        elif isinstance(value, list | tuple):
            held = getattr(event, name)
            for one in value:
                held.add(**one) if isinstance(one, Mapping) else held.append(one)
        else:
            setattr(event, name, value)
    request.facts.extend(report.facts)
    return request


async def send(desk: Desk, event: str, request: Any) -> Plain:  # noqa: ANN401 - as above
    """Send a report and return its receipt: seq, event id, when it was accepted."""
    from handrail.pathway.v1 import intake_pb2_grpc, referrals_pb2_grpc, scheduling_pb2_grpc

    rpc = route(event).rpc
    stub_name = f"{rpc.containing_service.name}Stub"
    for module in (intake_pb2_grpc, scheduling_pb2_grpc, referrals_pb2_grpc):
        if hasattr(module, stub_name):
            stub = getattr(module, stub_name)(desk.channels["pathway"])
            reply: Any = await desk.pathway(getattr(stub, rpc.name), request)
            return plain(reply.receipt)
    message = f"No client knows {rpc.full_name}."
    raise CliError(message)

"""Errors have a category and a sentence; they are translated to gRPC once, at the edge, and rebuilt once, in clients.

The table category -> gRPC code -> may an activity retry is `CODES`, and `docs/errors.md` shows it to people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

DOMAIN = "handrail"


class Category(StrEnum):
    """What kind of refusal or failure it is; the caller's next move follows from it."""

    NOT_FOUND = "not_found"
    INVALID = "invalid"
    CONFLICT = "conflict"
    KEY_REUSED = "key_reused"
    NOT_ALLOWED = "not_allowed"
    UNAUTHENTICATED = "unauthenticated"
    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


CODES: dict[Category, grpc.StatusCode] = {
    Category.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Category.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Category.CONFLICT: grpc.StatusCode.FAILED_PRECONDITION,
    Category.KEY_REUSED: grpc.StatusCode.ALREADY_EXISTS,
    Category.NOT_ALLOWED: grpc.StatusCode.PERMISSION_DENIED,
    Category.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Category.TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Category.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Category.INTERNAL: grpc.StatusCode.INTERNAL,
}
RETRIED: frozenset[Category] = frozenset({Category.UNAVAILABLE, Category.INTERNAL})
_BY_CODE = {code: category for category, code in CODES.items()} | {
    grpc.StatusCode.DEADLINE_EXCEEDED: Category.UNAVAILABLE,
    grpc.StatusCode.CANCELLED: Category.UNAVAILABLE,
    grpc.StatusCode.UNKNOWN: Category.INTERNAL,
    grpc.StatusCode.UNIMPLEMENTED: Category.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of a request that was refused: the path of the field, and what to do about it."""

    field: str
    description: str


class HandrailError(Exception):
    """A refusal or failure with a category, a sentence that says what to do, and the fields it is about."""

    category: Category = Category.INTERNAL

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        reason: str = "",
        violations: Sequence[Violation] = (),
        category: Category | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.category = category or type(self).category
        self.violations = tuple(violations) or ((Violation(field, message),) if field else ())


class NotFound(HandrailError):
    """There is no such thing."""

    category = Category.NOT_FOUND


class Invalid(HandrailError):
    """The request itself is wrong; fix it and send it again."""

    category = Category.INVALID


class Conflict(HandrailError):
    """Not in this state; the sentence says which."""

    category = Category.CONFLICT


class KeyReused(HandrailError):
    """The same idempotency key came with another request."""

    category = Category.KEY_REUSED


class NotAllowed(HandrailError):
    """This caller, or this role, may not do that."""

    category = Category.NOT_ALLOWED


class Unauthenticated(HandrailError):
    """The call says not, or not believably, who makes it."""

    category = Category.UNAUTHENTICATED


class TooLarge(HandrailError):
    """The message is larger than any honest report."""

    category = Category.TOO_LARGE


class Unavailable(HandrailError):
    """Try again later; nothing was lost."""

    category = Category.UNAVAILABLE


def to_status(error: HandrailError) -> status_pb2.Status:
    """Render an error as `google.rpc.Status` with `ErrorInfo`, and `BadRequest` where fields are at fault."""
    details: list[any_pb2.Any] = []
    info = any_pb2.Any()
    info.Pack(
        error_details_pb2.ErrorInfo(
            reason=(error.reason or error.category.value).upper(),
            domain=DOMAIN,
        )
    )
    details.append(info)
    if error.violations:
        bad = error_details_pb2.BadRequest(
            field_violations=[
                error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description)
                for v in error.violations
            ]
        )
        packed = any_pb2.Any()
        packed.Pack(bad)
        details.append(packed)
    code = code_pb2.Code.Value(CODES[error.category].name)
    return status_pb2.Status(code=code, message=error.message, details=details)


def from_rpc_error(error: grpc.aio.AioRpcError) -> HandrailError:
    """Rebuild the error that a service raised from what came over the wire."""
    category = _BY_CODE.get(error.code(), Category.INTERNAL)
    violations: list[Violation] = []
    reason = ""
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        status = status_pb2.Status()
        status.ParseFromString(value if isinstance(value, bytes) else value.encode())
        for detail in status.details:
            bad, info = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
            if detail.Unpack(bad):
                violations += [Violation(v.field, v.description) for v in bad.field_violations]
            elif detail.Unpack(info):
                reason = info.reason.lower()
    message = error.details() or f"The call failed ({error.code().name})."
    return HandrailError(message, reason=reason, violations=violations, category=category)

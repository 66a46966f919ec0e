"""The one interceptor that stands before every handler of every service.

In this order: who calls, may they, how long do they wait, how large is it, is it well formed; then the handler; then
its errors in words. Health and reflection, which say nothing clinical, pass.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import grpc
import protovalidate
from google.protobuf.message import DecodeError, Message

from services.runtime.context import Actor, set_actor, set_correlation_id
from services.runtime.errors import (
    CODES,
    Category,
    HandrailError,
    Invalid,
    NotAllowed,
    TooLarge,
    Unauthenticated,
    Violation,
    to_status,
)
from services.runtime.identity import verify
from services.runtime.logging import get_logger
from services.runtime.plain_words import said_plainly

log = get_logger()

MAX_REPORT_BYTES = 64 * 1024
MAX_TRANSPORT_BYTES = 8 * 1024 * 1024
LONGEST_DEADLINE_SECONDS = 60.0
ANYONE = "*"
WORKER = "worker"

Handler = Callable[[Any, grpc.aio.ServicerContext[Any, Any]], Awaitable[Any]]
AnyContext = grpc.aio.ServicerContext[Any, Any]


class _Oversized:
    """Stands for a request that was not even parsed."""

    def __init__(self, size: int) -> None:
        self.size = size


class _Unreadable:
    """Stands for bytes that are not the message they should be."""


class FrontDoor(grpc.aio.ServerInterceptor):
    """Checks every `handrail.*` call, and turns what its handler raises into a status that says what to do."""

    def __init__(self, identity_key: str, permissions: Mapping[str, frozenset[str]], large: frozenset[str]) -> None:
        self._key = identity_key
        self._permissions = permissions
        self._large = large

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Wrap the unary handlers of our own services; leave health and reflection alone."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith("/handrail."):
            return handler
        method = handler_call_details.method.rsplit("/", 1)[1]
        deserializer = cast("Callable[[bytes], object]", handler.request_deserializer)
        limit = MAX_TRANSPORT_BYTES if method in self._large else MAX_REPORT_BYTES

        def parse(raw: bytes) -> object:
            if len(raw) > limit:
                return _Oversized(len(raw))
            try:
                return deserializer(raw)
            except DecodeError:
                return _Unreadable()

        inner = cast("Handler", handler.unary_unary)

        async def guarded(request: object, context: AnyContext) -> object:
            return await self._handle(method, inner, request, context)

        return grpc.unary_unary_rpc_method_handler(
            guarded, request_deserializer=parse, response_serializer=handler.response_serializer
        )

    async def _handle(self, method: str, inner: Handler, request: object, context: AnyContext) -> object:
        started = time.perf_counter()
        outcome = "ok"
        try:
            self._admit(method, request, context)
            return await inner(request, context)
        except HandrailError as error:
            outcome = error.category.value
            await _refuse(context, error)
        except (grpc.aio.AbortError, asyncio.CancelledError):
            outcome = "cancelled"
            raise
        except Exception:
            outcome = Category.INTERNAL.value
            log.exception("rpc_failed", rpc=method)
            message = "Something went wrong inside Handrail. It was logged; nothing you sent was lost by retrying."
            await _refuse(context, HandrailError(message))
        finally:
            elapsed = round((time.perf_counter() - started) * 1000, 1)
            log.info("rpc_answered", rpc=method, outcome=outcome, ms=elapsed)
        return None

    def _admit(self, method: str, request: object, context: AnyContext) -> None:
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        set_correlation_id(_correlation(metadata.get("x-correlation-id", "")))
        actor = self._caller(metadata)
        set_actor(actor)
        allowed = self._permissions.get(method, frozenset())
        if ANYONE not in allowed and actor.role not in allowed:
            message = f"The role {actor.role} may not do this ({method}). Ask somebody whose role allows it."
            raise NotAllowed(message)
        remaining = context.time_remaining()
        # An absent deadline is reported as None or as an astronomically long one.
        if remaining is None or remaining > LONGEST_DEADLINE_SECONDS:
            message = f"Set a deadline of at most {LONGEST_DEADLINE_SECONDS:.0f} seconds on every call."
            raise Invalid(message, reason="deadline_missing")
        _check(request)

    def _caller(self, metadata: Mapping[str, str]) -> Actor:
        scheme, _, token = metadata.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            message = "Every call must say who makes it. Sign in and repeat the request."
            raise Unauthenticated(message)
        actor = verify(token, self._key)
        behalf = metadata.get("handrail-on-behalf-of", "")
        if behalf and actor.role != WORKER:
            message = "Only the worker may act on somebody's behalf."
            raise NotAllowed(message)
        return Actor(actor.subject, actor.role, actor.team, behalf)


def _correlation(given: str) -> str:
    """Return the caller's correlation id where it is a UUID, otherwise a new one (no free text reaches a log)."""
    try:
        return str(uuid.UUID(given))
    except ValueError:
        return str(uuid.uuid4())


def _check(request: object) -> None:
    if isinstance(request, _Oversized):
        message = (
            f"This message has {request.size} bytes; at most {MAX_REPORT_BYTES} are taken. "
            "Shorten the free text, or send the document by its own route and report that it was sent."
        )
        raise TooLarge(message)
    if isinstance(request, _Unreadable):
        message = "This message could not be read. Check that caller and service use the same contract."
        raise Invalid(message)
    if not isinstance(request, Message):
        return
    try:
        protovalidate.validate(request)
    except protovalidate.ValidationError as error:
        violations = violations_of(error)
        listed = "; ".join(f"{v.field or 'request'}: {v.description}" for v in violations[:5])
        message = f"Please correct and send again: {listed}."
        raise Invalid(message, violations=violations) from error


def violations_of(error: protovalidate.ValidationError) -> list[Violation]:
    """Return what the contract's own rules refuse, each by the path of its field."""
    return [Violation(_path(v.proto), said_plainly(v.proto.rule_id, v.proto.message)) for v in error.violations]


def _path(violation: Any) -> str:  # noqa: ANN401 - the generated type of protovalidate's own violations is private
    parts: list[str] = []
    if violation.field is None:  # a rule over the message as a whole
        return ""
    for element in violation.field.elements:
        name = element.field_name
        subscript = _subscript(element)
        parts.append(f"{name}[{subscript}]" if subscript is not None else name)
    return ".".join(parts)


def _subscript(element: Any) -> object | None:  # noqa: ANN401 - as above
    which = getattr(element, "subscript", None)
    value = getattr(which, "value", which)
    return value if value is not None and not callable(value) else None


async def _refuse(context: AnyContext, error: HandrailError) -> None:
    status = to_status(error)
    await context.abort(
        CODES[error.category],
        error.message,
        trailing_metadata=(("grpc-status-details-bin", status.SerializeToString()),),
    )

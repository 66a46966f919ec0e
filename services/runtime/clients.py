"""Calling a service: one channel each, a deadline on every call, the caller's identity, errors rebuilt.

Nothing is retried here; retries live in Temporal.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import grpc

from services.runtime.clock import now
from services.runtime.context import Actor, correlation_id
from services.runtime.errors import from_rpc_error
from services.runtime.identity import LIFETIME, sign
from services.runtime.interceptors import MAX_TRANSPORT_BYTES

DEADLINE_SECONDS = 10.0
Req_contra = TypeVar("Req_contra", contravariant=True)
Resp_co = TypeVar("Resp_co", covariant=True)


class Method(Protocol[Req_contra, Resp_co]):
    """One rpc of a typed stub."""

    def __call__(
        self, request: Req_contra, /, *, timeout: float | None = ..., metadata: tuple[tuple[str, str], ...] | None = ...
    ) -> Awaitable[Resp_co]:
        """Call the rpc."""


class Caller:
    """Signs calls as one actor; tokens are renewed well before they lapse."""

    def __init__(self, actor: Actor, key: str) -> None:
        self.actor = actor
        self._key = key
        self._token = ""
        self._renew_at: datetime = now()

    def metadata(self, correlation: str = "", on_behalf_of: str = "") -> tuple[tuple[str, str], ...]:
        """Return the metadata of one call."""
        if not self._token or now() >= self._renew_at:
            self._token = sign(self.actor, self._key)
            self._renew_at = now() + LIFETIME - timedelta(minutes=10)
        pairs = [
            ("authorization", f"Bearer {self._token}"),
            ("x-correlation-id", correlation or correlation_id() or str(uuid.uuid4())),
        ]
        if on_behalf_of:
            pairs.append(("handrail-on-behalf-of", on_behalf_of))
        return tuple(pairs)

    async def call(
        self,
        method: Method[Req_contra, Resp_co],
        request: Req_contra,
        *,
        timeout: float = DEADLINE_SECONDS,  # noqa: ASYNC109 - it travels to the server as the call's deadline
        correlation: str = "",
        on_behalf_of: str = "",
    ) -> Resp_co:
        """Call one rpc.

        Raises:
            HandrailError: what the service refused, or `unavailable` when it could not be reached in time.
        """
        try:
            return await method(request, timeout=timeout, metadata=self.metadata(correlation, on_behalf_of))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error


def open_channel(address: str) -> grpc.aio.Channel:
    """Open a channel that comes back quickly after the service was restarted."""
    return grpc.aio.insecure_channel(
        address,
        options=[
            ("grpc.initial_reconnect_backoff_ms", 100),
            # The time that one attempt to connect may take: a refused one fails at once, a busy machine needs longer.
            ("grpc.min_reconnect_backoff_ms", 2000),
            ("grpc.max_reconnect_backoff_ms", 1000),
            ("grpc.max_receive_message_length", MAX_TRANSPORT_BYTES),
            ("grpc.enable_http_proxy", 0),
        ],
    )

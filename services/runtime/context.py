"""Who calls, and under which correlation id: set by the server's interceptor, read by handlers and clients."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in a role for a team, or a machine; `on_behalf_of` is who a worker acts for."""

    subject: str
    role: str
    team: str = ""
    on_behalf_of: str = ""


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)
_correlation: ContextVar[str] = ContextVar("correlation_id", default="")


def current_actor() -> Actor:
    """Return the verified caller of the rpc being handled.

    Raises:
        LookupError: outside of an rpc.
    """
    actor = _actor.get()
    if actor is None:
        message = "no rpc is being handled"
        raise LookupError(message)
    return actor


def correlation_id() -> str:
    """Return the id that ties together all that one report caused; empty outside of one."""
    return _correlation.get()


def set_actor(actor: Actor) -> None:
    """Make `actor` the caller for the rest of this task."""
    _actor.set(actor)


def set_correlation_id(value: str) -> None:
    """Make `value` the correlation id for the rest of this task."""
    _correlation.set(value)

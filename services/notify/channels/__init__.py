"""The ways a message leaves the house. Each says honestly how far it got; none retries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What became of one attempt; `in_doubt` is also how an attempt without an end is read."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True)
class Letter:
    """One logical message, ready to leave; the same bytes on every attempt."""

    message_id: str
    template: str
    team: str
    recipients: Sequence[str]
    subject: str
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt ended, in words that hold no address and nothing the peer wrote."""

    outcome: Outcome
    detail: str


class Channel(Protocol):
    """A way out."""

    @property
    def name(self) -> str:
        """The word that is kept with each message."""

    async def send(self, letter: Letter) -> Result:
        """Try once to hand the letter over."""

"""Page tokens: where a list goes on, written so that nobody builds one by hand. Pure."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid

from services.runtime.errors import Invalid

_SEPARATOR = "|"


def write(*parts: str) -> str:
    """Return a token from the last row's sort key."""
    return base64.urlsafe_b64encode(_SEPARATOR.join(parts).encode()).decode()


def read_rank_instant_and_id(token: str) -> tuple[int, dt.datetime, uuid.UUID]:
    """Return the sort key of the row after which a worklist goes on."""
    try:
        rank, instant, row_id = base64.b64decode(token, altchars=b"-_", validate=True).decode().split(_SEPARATOR)
        return int(rank), dt.datetime.fromisoformat(instant), uuid.UUID(row_id)
    except (ValueError, binascii.Error) as error:
        raise _refusal() from error


def read_id(token: str) -> uuid.UUID:
    """Return the id after which a list goes on."""
    try:
        return uuid.UUID(base64.b64decode(token, altchars=b"-_", validate=True).decode())
    except (ValueError, binascii.Error) as error:
        raise _refusal() from error


def an_id(value: str, field: str) -> uuid.UUID:
    """Return an id.

    Raises:
        Invalid: naming the field, when the text is none.
    """
    try:
        return uuid.UUID(value)
    except ValueError as error:
        message = "This is not an id that Handrail gave. Copy it from the record."
        raise Invalid(message, field=field) from error


def _refusal() -> Invalid:
    message = "This page token was not given by Handrail. Start the list again without one."
    return Invalid(message, field="page_token")

"""The I/O of workflows: one class a service that is called, one method a call. No retries here: Temporal's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.exceptions import ApplicationError

from services.runtime.errors import RETRIED, HandrailError


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what a service refuses into a failure that Temporal repeats, or does not, by its category.

    Raises:
        ApplicationError: with the category as its static type.
    """
    try:
        yield
    except HandrailError as error:
        raise ApplicationError(
            error.message, type=error.category.value, non_retryable=error.category not in RETRIED
        ) from None


def timestamp(moment: datetime) -> Timestamp:
    """Return an instant as protobuf keeps it."""
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp


def instant(stamp: Timestamp) -> datetime:
    """Return a protobuf timestamp as an aware UTC instant."""
    return stamp.ToDatetime(tzinfo=UTC)

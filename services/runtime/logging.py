"""Logs are JSON lines with a fixed event name and ids; never a name, a date of birth, an NHS number or free text."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from services.runtime.context import correlation_id

# Ten digits in the shapes people write an NHS number in. Ids are UUIDs, so nothing of ours is masked by mistake.
_NHS_NUMBER = re.compile(r"(?<![\w-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\w-])")


def _add_correlation_id(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    current = correlation_id()
    if current:
        event.setdefault("correlation_id", current)
    return event


def _mask_numbers(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and key not in {"timestamp", "correlation_id"}:
            event[key] = _NHS_NUMBER.sub("[number removed]", value)
    return event


def set_up_logging(process: str) -> None:
    """Send this process's logs, and those of every library, to standard error as JSON lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_correlation_id,
        structlog.processors.format_exc_info,
        _mask_numbers,
    ]
    structlog.configure(
        processors=[*shared[:2], *shared[3:], structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    structlog.contextvars.bind_contextvars(process=process)


def get_logger() -> structlog.stdlib.BoundLogger:
    """Return the logger: `log.info("event_appended", event_id=…)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger()
    return logger

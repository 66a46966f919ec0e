"""Ties what a worker does to the report that caused it: the correlation id rides in the activity's own argument."""

from __future__ import annotations

import time
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from services.runtime.context import set_correlation_id
from services.runtime.logging import get_logger

log = get_logger()


class Correlation(Interceptor):
    """Sets the correlation id around each activity, and logs the activity with it."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - Temporal's name
        """Wrap the next interceptor."""
        return _Correlated(next)


class _Correlated(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - Temporal's signature
        """Run one activity under its correlation id."""
        set_correlation_id(_correlation_id(input.args))
        info = activity.info()
        started = time.perf_counter()
        outcome = "failed"
        try:
            answer = await super().execute_activity(input)
            outcome = "done"
            return answer
        finally:
            ms = round((time.perf_counter() - started) * 1000, 1)
            log.info("activity_ended", activity=info.activity_type, outcome=outcome, attempt=info.attempt, ms=ms)


def _correlation_id(arguments: Any) -> str:  # noqa: ANN401 - whatever an activity takes
    argument = arguments[0] if arguments else None
    inner = getattr(argument, "step", None) or getattr(argument, "entry", None)
    for holder in (argument, getattr(argument, "report", None), getattr(inner, "report", None)):
        found = getattr(holder, "correlation_id", "")
        if found:
            return str(found)
    return ""

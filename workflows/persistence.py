"""Asking until answered: how workflows call activities. Retries live here, in Temporal's hands, and nowhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from workflows.messages import Settings

Arg = TypeVar("Arg")
Answer = TypeVar("Answer")

_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=5))


async def persist(
    activity: Callable[[Any, Arg], Awaitable[Answer]], argument: Arg, settings: Settings
) -> Answer | None:
    """Try an activity, again and again, for one window of time; None when it has not succeeded by then.

    Raises:
        ApplicationError: the service refused for good (a static code, and a sentence).
    """
    try:
        return await workflow.execute_activity_method(
            activity,
            argument,
            start_to_close_timeout=timedelta(seconds=settings.activity_seconds),
            schedule_to_close_timeout=timedelta(seconds=settings.window_seconds),
            retry_policy=_RETRY,
        )
    except ActivityError as error:
        if isinstance(error.cause, ApplicationError) and error.cause.non_retryable:
            raise error.cause from error
        return None


async def persist_or_wait(
    activity: Callable[[Any, Arg], Awaitable[Answer]], argument: Arg, settings: Settings
) -> Answer | None:
    """Try as `persist` does, where a refusal is nobody's answer: it is waited out like an outage, and asked again.

    What refuses (a version of the guideline that is missing, a right that was not given) is put right by people.
    """
    try:
        return await persist(activity, argument, settings)
    except ApplicationError as refused:
        workflow.logger.error("step_refused", extra={"category": refused.type})
        await workflow.sleep(settings.window_seconds)
        return None

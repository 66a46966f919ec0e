"""The schedules that every house has: made once, changed when this file says something new, paused ones left paused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from workflows.names import ALERT_DIGEST, DAILY_SWEEP, MDT_LIST, TASK_QUEUE
from workflows.scheduled import AlertDigest, DailySweep, MdtList

_MONDAY = (ScheduleRange(1),)
_EVERY_DAY = (ScheduleRange(0, 6),)


def _at(hour: int, days: Sequence[ScheduleRange]) -> ScheduleSpec:
    """London's clock, so that a list comes before the same meeting in summer and in winter."""
    return _on(ScheduleRange(hour), days)


def _on(hours: ScheduleRange, days: Sequence[ScheduleRange]) -> ScheduleSpec:
    calendar = ScheduleCalendarSpec(hour=(hours,), day_of_week=days)
    return ScheduleSpec(calendars=[calendar], time_zone_name="Europe/London")


def _schedule(action: ScheduleActionStartWorkflow, spec: ScheduleSpec, catch_up: timedelta, note: str) -> Schedule:
    """Return a schedule; its note says what it is and in which edition: another edition replaces it."""
    return Schedule(
        action=action,
        spec=spec,
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=catch_up),
        state=ScheduleState(note=note),
    )


SCHEDULES: Mapping[str, Schedule] = {
    MDT_LIST: _schedule(
        ScheduleActionStartWorkflow(MdtList.run, id="mdt-list", task_queue=TASK_QUEUE),
        _at(8, _MONDAY),
        timedelta(days=3),  # a list on Wednesday still helps; one on Friday is of a meeting that is over
        "The list for the weekly MDT meeting, Mondays at 8 in London (edition 1)",
    ),
    ALERT_DIGEST: _schedule(
        ScheduleActionStartWorkflow(AlertDigest.run, id="alert-digest", task_queue=TASK_QUEUE),
        _on(ScheduleRange(0, 23), _EVERY_DAY),
        timedelta(hours=2),  # one round tells all that waits
        "The digest of alerts beyond the budget, on the hour (edition 1)",
    ),
    DAILY_SWEEP: _schedule(
        ScheduleActionStartWorkflow(DailySweep.run, id="daily-sweep", task_queue=TASK_QUEUE),
        _at(6, _EVERY_DAY),
        timedelta(days=1),
        "The daily sign that schedules work, at 6 in London (edition 1)",
    ),
}


async def ensure_schedules(client: Client, schedules: Mapping[str, Schedule] = SCHEDULES) -> None:
    """Make each schedule, or bring it up to date; several workers may do so at once."""
    for schedule_id, wanted in schedules.items():
        try:
            await client.create_schedule(schedule_id, wanted)
        except ScheduleAlreadyRunningError:
            handle = client.get_schedule_handle(schedule_id)
            # An update forgets what was missed while nothing ran, so one that says the same is left alone.
            if (await handle.describe()).schedule.state.note != wanted.state.note:
                await handle.update(partial(_changed, wanted))


def _changed(wanted: Schedule, known: ScheduleUpdateInput) -> ScheduleUpdate:
    paused = known.description.schedule.state.paused
    return ScheduleUpdate(schedule=replace(wanted, state=replace(wanted.state, paused=paused)))

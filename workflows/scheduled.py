"""What Temporal starts at set times: the MDT's weekly list, digests of alerts, the daily sign that schedules work."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows import names, telling
    from workflows.activities.notify import NotifyActivities
    from workflows.activities.scheduled import ScheduledActivities
    from workflows.messages import Notice

_TRY = timedelta(minutes=2)
_PATIENCE = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
_NAMED = 150  # so that the ids fit into what one value of a message may hold


@workflow.defn
class MdtList:
    """Tells the breast MDT's team, each week, for how many people something waits for the meeting; zero included."""

    @workflow.run
    async def run(self) -> int:
        """Ask the record who is waiting, and send one notice; return how many people."""
        waiting = await workflow.execute_activity_method(
            ScheduledActivities.who_waits_for_the_mdt, start_to_close_timeout=_TRY, retry_policy=_PATIENCE
        )
        people = sorted({*waiting.decisions, *waiting.questions})
        notice = Notice(
            # The schedule puts the time into the workflow's id: one list a week, however often it is tried.
            message_id=names.derived_id("mdt-list", workflow.info().workflow_id),
            template="mdt_list",
            team=waiting.team,
            values={
                "people": str(len(people)),
                "decisions": str(len(waiting.decisions)),
                "questions": str(len(waiting.questions)),
                "decision_ids": listed(waiting.decisions),
                "question_ids": listed(waiting.questions),
            },
        )
        await workflow.execute_activity_method(
            NotifyActivities.send_notice, notice, start_to_close_timeout=_TRY, retry_policy=_PATIENCE
        )
        return len(people)


@workflow.defn
class AlertDigest:
    """Tells each team, each hour, the alerts that went beyond its budget of the day; what was refused is rung up."""

    @workflow.run
    async def run(self) -> int:
        """Send what was gathered; return how many digests left."""
        key = names.derived_id("alert-digest", workflow.info().workflow_id)
        done = await workflow.execute_activity_method(
            NotifyActivities.send_digests, key, start_to_close_timeout=_TRY, retry_policy=_PATIENCE
        )
        for team in done.refused_teams:
            digest = Notice(names.derived_id("digest", key, team), "alert_digest", team)
            for notice in telling.instead_of(digest, "the mail server refused it for good"):
                await workflow.execute_activity_method(
                    NotifyActivities.send_notice, notice, start_to_close_timeout=_TRY, retry_policy=_PATIENCE
                )
        return done.digests


@workflow.defn
class DailySweep:
    """Shows each day that schedules, worker and record work together; the sweep outside alarms when it did not."""

    @workflow.run
    async def run(self) -> int:
        """Return how many pathways are open."""
        return await workflow.execute_activity_method(
            ScheduledActivities.count_open_pathways, start_to_close_timeout=_TRY, retry_policy=_PATIENCE
        )


def listed(ids: list[str]) -> str:
    """Return short ids in one line, as many as a message holds."""
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more

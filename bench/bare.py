"""The limit: a workflow that does the same durable steps, with nothing in them, on the same data classes."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from workflows.messages import Receipt, Report

TASK_QUEUE = "bench"


@activity.defn
async def step(report: Report) -> str:
    """Do nothing."""
    return report.key


@workflow.defn
class Bare:
    """Appends what it is told and answers; then, for each, runs `steps` no-op activities one after the other.

    How many is said in the report's own `source`, so that it can alternate as the product's steps do.
    """

    def __init__(self) -> None:
        self.seen: dict[str, Receipt] = {}
        self.queue: deque[Report] = deque()

    @workflow.run
    async def run(self) -> None:
        """Drain the queue for ever."""
        while True:
            await workflow.wait_condition(lambda: bool(self.queue))
            report = self.queue[0]
            for _ in range(int(report.source)):
                await workflow.execute_activity(step, report, start_to_close_timeout=timedelta(seconds=10))
            self.queue.popleft()

    @workflow.update
    def report(self, report: Report) -> Receipt:
        """Append and answer; the same key twice is one report."""
        if report.key not in self.seen:
            self.seen[report.key] = Receipt(len(self.seen) + 1, report.key, workflow.now())
            if int(report.source):
                self.queue.append(report)
        return self.seen[report.key]

    @workflow.query
    def standing(self) -> dict[str, int]:
        """Return what waits."""
        return {"to_file": len(self.queue), "to_tell": 0}

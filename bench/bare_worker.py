"""The limit's worker, a process of its own: `python -m bench.bare_worker ADDRESS`, set up as the product's is."""

from __future__ import annotations

import asyncio
import atexit
import sys
import time
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from bench.bare import TASK_QUEUE, Bare, step


async def main(address: str) -> None:
    """Work until killed."""
    client = await Client.connect(address)
    runner = SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_all_modules())
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Bare],
        activities=[step],
        workflow_runner=runner,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
    )
    await worker.run()


if __name__ == "__main__":
    atexit.register(time.sleep, 0.05)  # as the product's worker does: the bridge may still hold the interpreter
    asyncio.run(main(sys.argv[1]))

"""The worker process: `python -m workflows`."""

from __future__ import annotations

import asyncio
import atexit
import signal
import time
from pathlib import Path

from temporalio import activity, workflow
from temporalio.common import WorkflowIDConflictPolicy

from services.runtime.logging import get_logger, set_up_logging
from services.runtime.settings import env, identity_key, mark_ready, require_env
from workflows.client import connect
from workflows.inbound_feed import InboundFeed
from workflows.names import INBOUND_FEED_ID, TASK_QUEUE
from workflows.schedules import ensure_schedules
from workflows.worker import Peers, build_worker

log = get_logger()


async def main() -> None:
    """Work until SIGTERM or SIGINT, then let running activities finish."""
    set_up_logging("worker")
    # What runs is in the log's own fields; Temporal would repeat it inside the message.
    activity.logger.activity_info_on_message = False
    workflow.logger.workflow_info_on_message = False
    client = await connect(require_env("TEMPORAL_ADDRESS"), env("TEMPORAL_NAMESPACE", "default"))
    peers = Peers.at(*(require_env(f"HANDRAIL_{name}_ADDRESS") for name in ("RECORDS", "PATHWAY", "NOTIFY")))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with build_worker(client, peers, identity_key()):
        await client.start_workflow(
            InboundFeed.run,
            0,
            id=INBOUND_FEED_ID,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        await ensure_schedules(client)
        ready = env("HANDRAIL_READY_FILE")
        mark_ready(Path(ready) if ready else None)
        log.info("worker_started", task_queue=TASK_QUEUE)
        await stop.wait()
    await peers.close()
    log.info("worker_stopped")


if __name__ == "__main__":
    # Temporal's bridge may still hold the interpreter when it ends; without this pause the exit can abort.
    atexit.register(time.sleep, 0.05)
    asyncio.run(main())

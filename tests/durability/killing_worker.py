"""The worker of the product, which dies once after every activity: `python -m tests.durability.killing_worker`.

HANDRAIL_KILL_AFTER names the file in which it counts its deaths. An activity's effect is done and Temporal has not
heard of it: then this process gets SIGKILL. The same activity is let through when it is tried again. Activities that
run side by side share a death. Like the parts of a house it imports early and works once it reads a line.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput
from temporalio.worker import Interceptor as WorkerInterceptor

from services.runtime.logging import set_up_logging
from services.runtime.settings import env, identity_key, require_env
from workflows import worker
from workflows.client import connect

# It does nothing but wait for what comes back: there is no effect after which to die.
SPARED = frozenset({"list_inbound"})


# How long a death waits for others to share it, and for those who are let through to be heard of.
GRACE_SECONDS = 0.05
LONGEST_GRACE = 10


class KillOnce(ClientInterceptor, WorkerInterceptor):
    """Kills this process after each activity's effect, once for each."""

    def __init__(self, deaths: Path) -> None:
        self._deaths = deaths
        self._known = set(deaths.read_text().splitlines()) if deaths.exists() else set()
        self._dying: set[str] = set()
        self._running = 0

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - Temporal's name
        return _Killing(next, self)

    async def live_through(self, activity_of: ActivityInboundInterceptor, given: ExecuteActivityInput) -> Any:
        """Run an activity; return its answer only when it was killed before."""
        info = activity.info()
        key = f"{info.workflow_id} {info.workflow_run_id} {info.activity_id} {info.activity_type}"
        if info.activity_type in SPARED:
            return await activity_of.execute_activity(given)
        self._running += 1
        try:
            answer = await activity_of.execute_activity(given)
        finally:
            self._running -= 1
        if key in self._known:
            return answer
        if key in self._dying:  # tried again while its first death waits for others
            return await asyncio.Event().wait()
        self._dying.add(key)
        with self._deaths.open("a") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())
        await asyncio.sleep(GRACE_SECONDS)
        for _ in range(LONGEST_GRACE):
            if self._running:
                await asyncio.sleep(GRACE_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)
        return answer


class _Killing(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, killer: KillOnce) -> None:  # noqa: A002 - Temporal's name
        super().__init__(next)
        self._killer = killer

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - Temporal's signature
        return await self._killer.live_through(self.next, input)


async def main() -> None:
    set_up_logging("worker")
    plain = await connect(require_env("TEMPORAL_ADDRESS"), env("TEMPORAL_NAMESPACE", "default"))
    killer = KillOnce(Path(require_env("HANDRAIL_KILL_AFTER")))
    client = Client(plain.service_client, namespace=plain.namespace, interceptors=[killer])
    # Temporal looks for the dead before it asks the living; with so many deaths that wait is shortened.
    worker.STICKY_TIMEOUT = timedelta(milliseconds=100)
    peers = worker.Peers.at(*(require_env(f"HANDRAIL_{name}_ADDRESS") for name in ("RECORDS", "PATHWAY", "NOTIFY")))
    async with worker.build_worker(client, peers, identity_key()):
        await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.stdin.readline():
        asyncio.run(main())

"""The worker of the product, which dies once after every activity: `python -m tests.durability.killing_worker`.

HANDRAIL_KILL_AFTER names the file in which it counts its deaths. An activity's effect is done and Temporal has not
heard of it: then this process gets SIGKILL. The same activity is let through when it is tried again.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput
from temporalio.worker import Interceptor as WorkerInterceptor

from services.runtime.logging import set_up_logging
from services.runtime.settings import env, identity_key, require_env
from workflows.client import connect
from workflows.worker import Peers, build_worker

# It does nothing but wait for what comes back: there is no effect after which to die.
SPARED = frozenset({"list_inbound"})


class KillOnce(ClientInterceptor, WorkerInterceptor):
    """Kills this process after each activity's effect, once for each."""

    def __init__(self, deaths: Path) -> None:
        self._deaths = deaths
        self._known = set(deaths.read_text().splitlines()) if deaths.exists() else set()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - Temporal's name
        return _Killing(next, self)

    def die_once(self) -> None:
        info = activity.info()
        key = f"{info.workflow_id} {info.workflow_run_id} {info.activity_id} {info.activity_type}"
        if key in self._known or info.activity_type in SPARED:
            return
        with self._deaths.open("a") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())
        os.kill(os.getpid(), signal.SIGKILL)


class _Killing(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, killer: KillOnce) -> None:  # noqa: A002 - Temporal's name
        super().__init__(next)
        self._killer = killer

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - Temporal's signature
        answer = await super().execute_activity(input)
        self._killer.die_once()
        return answer


async def main() -> None:
    set_up_logging("worker")
    plain = await connect(require_env("TEMPORAL_ADDRESS"), env("TEMPORAL_NAMESPACE", "default"))
    killer = KillOnce(Path(require_env("HANDRAIL_KILL_AFTER")))
    client = Client(**{**plain.config(), "interceptors": [killer]})
    peers = Peers.at(*(require_env(f"HANDRAIL_{name}_ADDRESS") for name in ("RECORDS", "PATHWAY", "NOTIFY")))
    async with build_worker(client, peers, identity_key()):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

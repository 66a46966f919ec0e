"""The worker of the product, which dies after every activity: `python -m tests.durability.killing_worker`.

HANDRAIL_KILL_AFTER names the file in which it counts its deaths. An activity's effect is done and Temporal has not
heard of it: then this process gets SIGKILL. An activity that goes through several steps dies between two of them
first: after one call that wrote something, each time another. The same activity is let through when it died at its
end. What goes on side by side shares a death. Like the parts of a house it imports early, and works once it reads a
line.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
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


# A death waits for what goes on beside it, for those who are let through to be heard of, and for workflow tasks, which
# Temporal would miss for ten seconds. It costs nothing: an activity that died is tried again only when its time is up.
TICK_SECONDS = 0.05
QUIET_TICKS = 4
LONGEST_TICKS = 30
# Between which steps an activity dies, one after the other: after the first call of each rpc.
BETWEEN = {
    "file_and_tell": ("AppendEvent", "FileEvaluation", "ApplyPlan"),
    "climb_and_tell": ("SendNotice",),
}
END = "end"


@dataclass(frozen=True)
class Attempt:
    """One try of an activity: its name in the list of deaths, and after which rpc it dies before its end, if any."""

    name: str
    dies_after: str = ""


_ATTEMPT: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


class KillOnce(ClientInterceptor, WorkerInterceptor):
    """Kills this process after each activity, and between the steps of one that has several."""

    def __init__(self, deaths: Path) -> None:
        self._deaths = deaths
        self._known = set(deaths.read_text().splitlines()) if deaths.exists() else set()
        self._dead: set[str] = set()
        self._under_way = 0
        self._caught = 0
        self._dying: asyncio.Task[None] | None = None

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - Temporal's name
        return _Killing(next, self)

    async def live_through(self, activity_of: ActivityInboundInterceptor, given: ExecuteActivityInput) -> Any:
        """Run an activity; return its answer only when it died everywhere before."""
        info = activity.info()
        if info.activity_type in SPARED:
            return await activity_of.execute_activity(given)
        name = f"{info.workflow_id} {info.workflow_run_id} {info.activity_id} {info.activity_type}"
        attempt = Attempt(name, self._next_place(name, info.activity_type))
        _ATTEMPT.set(attempt)
        self._under_way += 1
        try:
            answer = await activity_of.execute_activity(given)
            # One that gave up waiting where it died between two steps is dead all the same.
            await self.die_once(f"{name} {END}" if name not in self._dead else "")
        finally:
            self._under_way -= 1
        return answer

    def _next_place(self, name: str, activity_type: str) -> str:
        """Return the place between two steps at which fewest of these activities died; none if this one did."""
        deaths = [death.rsplit(" ", 2) for death in self._known if not death.endswith(f" {END}")]
        places = BETWEEN.get(activity_type, ())
        if not places or any(f"{of} {kind}" == name for of, kind, _ in deaths):
            return ""
        died = Counter(place for _, kind, place in deaths if kind == activity_type)
        return min(places, key=lambda place: died[place])

    async def die_once(self, place: str) -> None:
        """Die here, unless it was died here before; no place at all is one to be dead at."""
        if place in self._known:
            return
        if place:
            self._known.add(place)
            self._dead.add(place.rpartition(" ")[0])
            with self._deaths.open("a") as file:
                file.write(f"{place}\n")
                file.flush()
                os.fsync(file.fileno())
        self._dying = self._dying or asyncio.create_task(self._die())
        self._caught += 1
        try:
            await asyncio.Event().wait()
        finally:
            self._caught -= 1

    async def _die(self) -> None:
        quiet = 0
        for _ in range(LONGEST_TICKS):
            await asyncio.sleep(TICK_SECONDS)
            quiet = 0 if self._under_way > self._caught else quiet + 1
            if quiet == QUIET_TICKS:
                break
        os.kill(os.getpid(), signal.SIGKILL)


class DieAfterCalls(grpc.aio.UnaryUnaryClientInterceptor):
    """Dies after the call that an activity is to die after."""

    def __init__(self, killer: KillOnce) -> None:
        self._killer = killer

    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        call = await continuation(client_call_details, request)
        rpc, attempt = client_call_details.method.decode().rpartition("/")[2], _ATTEMPT.get()
        if attempt is not None and rpc == attempt.dies_after and await call.code() is grpc.StatusCode.OK:
            await self._killer.die_once(f"{attempt.name} {rpc}")
        return call


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
    addresses = [require_env(f"HANDRAIL_{name}_ADDRESS") for name in ("RECORDS", "PATHWAY", "NOTIFY")]
    deadly = [DieAfterCalls(killer)]
    peers = worker.Peers(*(grpc.aio.insecure_channel(address, interceptors=deadly) for address in addresses))
    async with worker.build_worker(client, peers, identity_key()):
        await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.stdin.readline():
        asyncio.run(main())

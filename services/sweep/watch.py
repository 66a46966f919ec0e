"""The watch: a sweep each day and at the start, a glance every few seconds, and the duty desk told of what is wrong.

Nothing here goes through Temporal: that is what it watches.
"""

from __future__ import annotations

import asyncio
import signal
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from handrail.notify.v1 import notices_pb2 as notices_pb
from handrail.notify.v1.notices_pb2_grpc import NoticeServiceStub
from services.runtime.clients import Caller, open_channel
from services.runtime.clock import now
from services.runtime.context import Actor
from services.runtime.errors import RETRIED, HandrailError
from services.runtime.logging import get_logger, set_up_logging
from services.runtime.settings import env, identity_key, mark_ready, require_env
from services.sweep.compare import Finding, Found, Kind
from services.sweep.looking import CannotLookError, Looker
from services.sweep.words import blind, by_kind, in_mail

if TYPE_CHECKING:
    from handrail.notify.v1.notices_pb2_grpc import NoticeServiceAsyncStub

log = get_logger()

SWEEP = Actor("system:sweep", "sweep")
LONDON = ZoneInfo("Europe/London")
EACH_DAY_AT = time_of_day(6, 30)  # before the day's work begins
# Temporal takes ten seconds to call a workflow stuck; people are told within thirty.
GLANCE_SECONDS = 5.0
BLIND_GLANCE_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 2.0
# A part that dies is started again within a second or two; one that stays away longer is an alarm.
PATIENCE_SECONDS = 15.0
# While the house starts, its parts come up one after the other.
START_PATIENCE_SECONDS = SETTLE_SECONDS = 60.0
REMIND_AFTER = timedelta(hours=20)  # so that the sweep of the next day tells again what still stands


def next_sweep(after: datetime, every: timedelta | None) -> datetime:
    """Return when the sweep that follows one at `after` is due: after the interval, else at the London hour."""
    if every is not None:
        return after + every
    local = after.astimezone(LONDON)
    today = datetime.combine(local.date(), EACH_DAY_AT, LONDON)
    due = today if local < today else datetime.combine(local.date() + timedelta(days=1), EACH_DAY_AT, LONDON)
    return due.astimezone(after.tzinfo)


@dataclass
class Alarm:
    """One message to the duty desk; it keeps its id until it was sent, so that it is sent once."""

    problem: str
    found: list[tuple[str, str]] = field(default_factory=list)
    message_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def request(self) -> notices_pb.SendNoticeRequest:
        """Return it as notify takes it."""
        return notices_pb.SendNoticeRequest(
            idempotency_key=self.message_id,
            template="sweep_found",
            values={"problem": self.problem},
            items=[notices_pb.NoticeItem(title=title, reason=text) for title, text in self.found],
            urgency="urgent",
        )


class Watch:
    """What the watch remembers between two looks."""

    def __init__(
        self, looker: Looker, notices: NoticeServiceAsyncStub, caller: Caller, every: timedelta | None
    ) -> None:
        self._looker = looker
        self._notices = notices
        self._caller = caller
        self._every = every
        self._due = now()
        self._told: dict[Finding, datetime] = {}
        self._patience = START_PATIENCE_SECONDS
        self._blind: dict[str, float] = {}
        self._blind_told: set[str] = set()
        self._alarms: list[Alarm] = []

    async def turn(self) -> float:
        """Sweep if that is due, else glance; tell the duty desk what is news; return the seconds to wait."""
        began = monotonic()
        try:
            if now() >= self._due:
                await self._sweep()
            else:
                self._heed(await self._looker.glance(), seen={Kind.STUCK})
        except CannotLookError as error:
            self._heed_blindness(error, began)
        else:
            if self._blind:
                log.info("sweep_sees_again", parts=sorted(self._blind))
            self._patience = PATIENCE_SECONDS
            self._blind.clear()
            self._blind_told.clear()
        await self._tell()
        return GLANCE_SECONDS if not self._blind else BLIND_GLANCE_SECONDS

    async def _sweep(self) -> None:
        swept = await self._looker.sweep(LOOK_AGAIN_SECONDS)
        self._due = next_sweep(now(), self._every)
        log.info("swept", next_at=self._due.isoformat(timespec="seconds"), **swept.counts())
        self._heed(swept.found, seen=set(Kind))

    def _heed(self, found: Found, seen: set[Kind]) -> None:
        """Raise an alarm for what was not told yet, or so long ago that a reminder is due."""
        at = now()
        self._told = {one: told for one, told in self._told.items() if one.kind not in seen or one in found}
        if all(one in self._told and at - self._told[one] < REMIND_AFTER for one in found):
            return
        for kind, of_kind in by_kind(found).items():
            log.warning("sweep_found", kind=kind.value, subjects=[finding.subject for finding in of_kind])
        self._told |= dict.fromkeys(found, at)
        self._alarms.append(Alarm("The sweep found what nobody may be working on.", in_mail(found)))

    def _heed_blindness(self, error: CannotLookError, at: float) -> None:
        """Raise an alarm, once, when a part stays away."""
        began = self._blind.setdefault(error.part, at)
        log.warning("sweep_could_not_look", part=error.part, reason=error.reason)
        if monotonic() - began >= self._patience and error.part not in self._blind_told:
            self._blind_told.add(error.part)
            self._alarms.append(Alarm(blind(error.part)))

    async def _tell(self) -> None:
        while self._alarms:
            alarm = self._alarms[0]
            try:
                await self._caller.call(self._notices.SendNotice, alarm.request())
            except HandrailError as error:
                log.error("sweep_alarm_not_sent", message_id=alarm.message_id, reason=error.category.value)  # noqa: TRY400
                if error.category in RETRIED:
                    return  # the next turn tries it again, under the same id
            else:
                log.info("sweep_alarm_sent", message_id=alarm.message_id)
            self._alarms.pop(0)


def interval() -> timedelta | None:
    """Return how often to sweep; None: each day at the London hour.

    Raises:
        SystemExit: the setting is no number of seconds.
    """
    said = env("HANDRAIL_SWEEP_SECONDS")
    if not said:
        return None
    if not said.isdecimal() or not int(said):
        message = f"HANDRAIL_SWEEP_SECONDS is {said!r}; write a whole number of seconds, or leave it out: once a day."
        raise SystemExit(message)
    return timedelta(seconds=int(said))


async def watch() -> None:
    """Watch until SIGTERM or SIGINT."""
    set_up_logging("sweep")
    caller = Caller(SWEEP, identity_key())
    channels = [open_channel(require_env(f"HANDRAIL_{name}_ADDRESS")) for name in ("RECORDS", "NOTIFY")]
    records, notify = channels
    looker = Looker(
        require_env("TEMPORAL_ADDRESS"), env("TEMPORAL_NAMESPACE", "default"), records, caller, SETTLE_SECONDS
    )
    watching = Watch(looker, NoticeServiceStub(notify), caller, interval())
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ready = env("HANDRAIL_READY_FILE")
    mark_ready(Path(ready) if ready else None)
    log.info("sweep_started")
    turns = asyncio.create_task(_turns(watching))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({turns, stopped}, return_when=asyncio.FIRST_COMPLETED)
    turns.cancel()
    stopped.cancel()
    for channel in channels:
        await channel.close()
    log.info("sweep_stopped")
    if turns.done() and not turns.cancelled():
        turns.result()  # it ended by itself: let the supervisor see why, and start it again


async def _turns(watching: Watch) -> None:
    while True:
        pause = await watching.turn()
        await asyncio.sleep(pause)

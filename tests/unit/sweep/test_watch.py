"""When the watch looks, and when it tells: once for each trouble, again the next day, and never lost on the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.runtime.clock import now
from services.runtime.errors import Unavailable
from services.sweep import watch
from services.sweep.compare import Finding, Found, Kind, Swept
from services.sweep.looking import CannotLookError
from services.sweep.watch import Watch, interval, next_sweep

LOST = {Finding(Kind.LOST, "0b0e9f1c-1111-4222-8333-444455556666"): 1}
STUCK = {Finding(Kind.STUCK, "pathway:0b0e9f1c-1111-4222-8333-444455556666"): 1}


class House:
    """Stands in for records, Temporal and notify: what a look finds, or the part that is away, and who was told."""

    def __init__(self, sees: Sequence[Found | str]) -> None:
        self.sees = list(sees)
        self.looks: list[str] = []
        self.sent: list[Any] = []
        self.tried: list[Any] = []
        self.notify_down = False
        self.SendNotice = None

    def see(self, how: str) -> Found:
        self.looks.append(how)
        seen = self.sees.pop(0) if len(self.sees) > 1 else self.sees[0]
        if isinstance(seen, str):
            raise CannotLookError(seen, "unreachable")
        return seen

    async def sweep(self, pause: float) -> Swept:
        return Swept(1, 1, self.see("sweep"))

    async def glance(self) -> Found:
        return self.see("glance")

    async def call(self, method: Any, request: Any) -> None:
        self.tried.append(request)
        if self.notify_down:
            raise Unavailable("notify is down")
        self.sent.append(request)


def watching(house: House, every: timedelta | None = None) -> Watch:
    either: Any = house
    return Watch(either, either, either, every)


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2026-11-22T03:00+00:00", "2026-11-22T06:30+00:00"),
        ("2026-11-22T06:30+00:00", "2026-11-23T06:30+00:00"),
        ("2026-07-01T05:29+00:00", "2026-07-01T05:30+00:00"),
        ("2026-03-28T20:00+00:00", "2026-03-29T05:30+00:00"),  # the clocks go forward in between
    ],
)
def test_once_a_day_at_an_hour_in_london(after: str, due: str) -> None:
    assert next_sweep(datetime.fromisoformat(after), None) == datetime.fromisoformat(due)


def test_or_after_the_seconds_that_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDRAIL_SWEEP_SECONDS", raising=False)
    assert interval() is None
    monkeypatch.setenv("HANDRAIL_SWEEP_SECONDS", "90")
    every = interval()
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert next_sweep(at, every) == at + timedelta(seconds=90)
    for wrong in ("0", "daily", "-5"):
        monkeypatch.setenv("HANDRAIL_SWEEP_SECONDS", wrong)
        with pytest.raises(SystemExit, match="whole number of seconds"):
            interval()


async def test_it_sweeps_at_the_start_then_glances_and_tells_each_trouble_once() -> None:
    house = House([LOST, {}, STUCK, STUCK, {}, STUCK])
    watched = watching(house)
    for _ in range(6):
        await watched.turn()
    assert house.looks == ["sweep"] + ["glance"] * 5
    titles = [request.items[0].title for request in house.sent]
    assert titles == [
        "1 open pathway without a running workflow",
        "1 workflow that is stuck",
        "1 workflow that is stuck",
    ]
    assert {request.template for request in house.sent} == {"sweep_found"}
    assert {request.team for request in house.sent} == {""}  # the duty desk
    assert len({request.idempotency_key for request in house.sent}) == 3


async def test_what_still_stands_the_next_day_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House([LOST])
    watched = watching(house, timedelta(0))
    await watched.turn()
    await watched.turn()
    assert (house.looks, len(house.sent)) == (["sweep", "sweep"], 1)
    tomorrow = now() + timedelta(hours=24)
    monkeypatch.setattr("services.sweep.watch.now", lambda: tomorrow)
    await watched.turn()
    assert len(house.sent) == 2


async def test_a_part_that_stays_away_is_told_once_and_again_when_it_goes_another_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr("services.sweep.watch.monotonic", lambda: next(clock))
    house = House([{}, "temporal", "temporal", "temporal", "temporal", {}, "temporal", "temporal", "temporal"])
    watched = watching(house)
    await watched.turn()
    assert await watched.turn() == watch.BLIND_GLANCE_SECONDS
    assert not house.sent  # it may be starting again at this moment
    for _ in range(3):
        await watched.turn()
    assert len(house.sent) == 1
    assert "Temporal does not answer" in house.sent[0].values["problem"]
    assert await watched.turn() == watch.GLANCE_SECONDS
    for _ in range(3):
        await watched.turn()
    assert len(house.sent) == 2


async def test_a_sweep_that_could_not_look_is_still_due() -> None:
    house = House(["records", {}, {}])
    watched = watching(house)
    for _ in range(3):
        await watched.turn()
    assert house.looks == ["sweep", "sweep", "glance"]


async def test_an_alarm_that_could_not_be_sent_is_sent_later_under_the_same_id() -> None:
    house = House([LOST, {}])
    house.notify_down = True
    watched = watching(house)
    await watched.turn()
    await watched.turn()
    house.notify_down = False
    await watched.turn()
    await watched.turn()
    assert len(house.tried) == 3
    assert len(house.sent) == 1
    assert len({request.idempotency_key for request in house.tried}) == 1

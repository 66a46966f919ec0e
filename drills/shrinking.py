"""The fewest steps that still end at the same finding: delta debugging (Zeller's ddmin), bounded in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

One = TypeVar("One")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Shortest(Generic[One, Found]):
    """The steps that are left, what they end at, and how many other ways were tried."""

    steps: Sequence[One]
    found: Found
    tried: int


async def shortest(
    steps: Sequence[One],
    found: Found,
    ends_there: Callable[[Sequence[One]], Awaitable[Found | None]],
    seconds: float,
    at_once: int = 4,
) -> Shortest[One, Found]:
    """Leave out steps, halves first, then less, as long as what is left `ends_there`.

    Returns what was reached when nothing more can be left out, or when the time is over.
    """
    until = asyncio.get_running_loop().time() + seconds
    pieces, tried = 2, 0
    while len(steps) > 1 and asyncio.get_running_loop().time() < until:
        size = -(-len(steps) // pieces)
        parts = [steps[place : place + size] for place in range(0, len(steps), size)]
        rests = [[*steps[:place], *steps[place + size :]] for place in range(0, len(steps), size)]
        ways = [way for way in [*parts, *rests] if 0 < len(way) < len(steps)] if pieces > 2 else parts  # noqa: PLR2004
        for place in range(0, len(ways), at_once):
            batch = ways[place : place + at_once]
            tried += len(batch)
            left = max(0.1, until - asyncio.get_running_loop().time())
            ended = await asyncio.gather(*(_in_time(ends_there(way), left) for way in batch))
            better = [(way, one) for way, one in zip(batch, ended, strict=True) if one is not None]
            if better:
                steps, found = min(better, key=lambda way: len(way[0]))
                pieces = max(2, min(pieces - 1, len(steps)))
                break
        else:
            if size == 1:
                break
            pieces = min(len(steps), 2 * pieces)
    return Shortest(steps, found, tried)


async def _in_time(asked: Awaitable[Found | None], seconds: float) -> Found | None:
    try:
        return await asyncio.wait_for(asked, seconds)
    except TimeoutError:
        return None

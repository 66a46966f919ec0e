"""Processor time, which a busy machine disturbs less than the clock: of processes and of their children."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def used(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the seconds that each process, and its children, have used so far."""
    found = dict.fromkeys(pids, 0.0)
    names = {pid: name for name, pid in pids.items()}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        mine, parents = names.get(int(stat.parent.name)), names.get(int(fields[1]))
        if mine is not None:
            found[mine] += sum(map(int, fields[11:15])) / _TICK  # with the children that have ended
        elif parents is not None:
            found[parents] += sum(map(int, fields[11:13])) / _TICK
    return found


def since(before: Mapping[str, float], after: Mapping[str, float], count: int) -> dict[str, float]:
    """Return the milliseconds between two readings, for each of `count`."""
    return {name: (after[name] - before[name]) * 1000 / count for name in after}

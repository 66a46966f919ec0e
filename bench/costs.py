"""Where the time went: the house's own logs, summed by rpc and by activity."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from pathlib import Path

_MEASURED = {"rpc_answered": "rpc", "activity_ended": "activity"}


def collect(logs: Path) -> dict[tuple[str, str], list[float]]:
    """Return the milliseconds of every rpc and activity, by process and name."""
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for log in sorted(logs.glob("*.log")):
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            if not line.startswith("{"):
                continue
            entry = json.loads(line)
            name = entry.get(_MEASURED.get(entry.get("event", ""), ""))
            if name and name != "ListInbound":
                found[log.stem, name].append(float(entry["ms"]))
    return found


def render(logs: Path) -> str:
    """Return a table, the largest sum first."""
    found = sorted(collect(logs).items(), key=lambda entry: -sum(entry[1]))
    lines = [f"{'process':<10} {'rpc or activity':<22} {'times':>7} {'p50 ms':>8} {'sum s':>8}"]
    lines += [
        f"{process:<10} {name:<22} {len(ms):>7} {statistics.median(ms):>8.1f} {sum(ms) / 1000:>8.1f}"
        for (process, name), ms in found[:20]
    ]
    return "\n".join(lines) + "\n"

"""The pathway service: `python -m services.pathway`. No database: Temporal is its memory."""

from __future__ import annotations

import asyncio
import atexit
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import grpc

from services.pathway.due_dates import bank_holidays
from services.pathway.guideline import GuidelineError
from services.pathway.house import House, LocalRules, current_guideline, read_guidelines, read_urgent
from services.pathway.ladders import Ladders
from services.pathway.permissions import PERMISSIONS
from services.pathway.visits import load_visits
from services.runtime.clients import open_channel
from services.runtime.clock import now
from services.runtime.server import serve
from services.runtime.settings import REPOSITORY, ServiceSettings, env, require_env
from services.runtime.teams_file import members, read_entries
from workflows.client import connect
from workflows.messages import Settings

WARM_UP_SECONDS = 1.0


async def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = ServiceSettings.from_env("pathway")
    directory = Path(env("HANDRAIL_GUIDELINE_DIR", str(REPOSITORY / "guidelines")))
    try:
        guidelines, promises = read_guidelines(directory)
        teams = _teams()
        local = LocalRules(promises, Ladders(directory, teams), read_urgent(directory), load_visits(directory, teams))
    except GuidelineError as error:
        sys.exit(f"pathway: {error}")
    guideline = current_guideline(guidelines, env("HANDRAIL_GUIDELINE", "cg81"))
    client = await connect(require_env("TEMPORAL_ADDRESS"), env("TEMPORAL_NAMESPACE", "default"))
    records = open_channel(require_env("HANDRAIL_RECORDS_ADDRESS"))
    limits = Settings(
        activity_seconds=float(env("HANDRAIL_ACTIVITY_SECONDS", "10")),
        window_seconds=float(env("HANDRAIL_WINDOW_SECONDS", "30")),
        history_events=int(env("HANDRAIL_HISTORY_EVENTS", "1000")),
    )
    house = House(guidelines, guideline, local, client, records, settings.identity_key, limits)

    def add(server: grpc.aio.Server) -> Sequence[str]:
        return house.add_servicers(server)

    # The first look at the calendar imports some 250 modules: soon after the start, not at somebody's first report.
    loop = asyncio.get_running_loop()
    loop.call_later(WARM_UP_SECONDS, loop.run_in_executor, None, bank_holidays, now().year)
    await serve(settings, add, PERMISSIONS, records.close, large=frozenset({"DecideNextSteps"}))


def _teams() -> Mapping[str, Sequence[str]] | None:
    """Return the people of each team, so that a ladder rings nobody who is not there; None without a teams file."""
    path = env("HANDRAIL_TEAMS_FILE", "")
    if not path:
        return None
    return {str(t["team_id"]): [str(m["person_id"]) for m in members(t)] for t in read_entries(Path(path))}


if __name__ == "__main__":
    # Temporal's bridge may still hold the interpreter when it ends; without this pause the exit can abort.
    atexit.register(time.sleep, 0.05)
    asyncio.run(main())

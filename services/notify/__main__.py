"""`python -m services.notify` serves; `python -m services.notify migrate` brings its tables up to date."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import grpc

from services.notify.db import check_database, open_engine
from services.notify.notices import PERMISSIONS, Notices, add_notices, open_channel
from services.notify.rendering import Templates
from services.notify.settings import NotifySettings
from services.notify.teams import Teams
from services.runtime.server import serve
from services.runtime.settings import ServiceSettings, require_env


async def _serve() -> None:
    service = ServiceSettings.from_env("notify")
    settings = NotifySettings.from_env()
    teams = Teams.from_file(settings.teams_file)
    engine = open_engine(settings.database_url)
    await check_database(engine)
    notices = Notices(engine, teams, Templates(teams), open_channel(settings))

    def add_servicers(server: grpc.aio.Server) -> Sequence[str]:
        return add_notices(server, notices)

    async def on_stop() -> None:
        await notices.finish()
        await engine.dispose()

    await serve(service, add_servicers, PERMISSIONS, on_stop)


async def _migrate() -> None:
    from services.notify.migrate import migrate  # noqa: PLC0415 - Alembic costs a server that only serves 100 ms

    await migrate(require_env("HANDRAIL_MIGRATE_URL"))


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1:] not in ([], ["migrate"]):
        message = "usage: python -m services.notify [migrate]"
        raise SystemExit(message)
    asyncio.run(_migrate() if sys.argv[1:] else _serve())


if __name__ == "__main__":
    main()

"""`python -m services.records` serves; `python -m services.records migrate` brings the schema up to date."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from services.records.db import Database
from services.records.permissions import LARGE, PERMISSIONS
from services.records.revision import check_revision
from services.records.servicers import servicers
from services.records.teams import seed_teams
from services.runtime.errors import Unavailable
from services.runtime.server import serve
from services.runtime.settings import ServiceSettings, env, require_env


async def _serve() -> None:
    settings = ServiceSettings.from_env("records")
    database = Database(require_env("HANDRAIL_RECORDS_DATABASE_URL"))
    try:
        await check_revision(database)
        await seed_teams(database, Path(require_env("HANDRAIL_TEAMS_FILE")))
    except Unavailable as error:
        message = "records: the database cannot be reached; check that PostgreSQL runs, then start again."
        raise SystemExit(message) from error
    production = env("HANDRAIL_ENV", "dev") == "production"
    add = servicers(database, production=production)
    await serve(settings, add, PERMISSIONS, on_stop=database.close, large=LARGE)


def main(arguments: list[str]) -> None:
    """Serve, or migrate."""
    if arguments == ["migrate"]:
        from services.records.migrate import migrate  # noqa: PLC0415 - Alembic is slow to import; serving needs none

        migrate()
    elif arguments:
        message = f"usage: python -m services.records [migrate], not {' '.join(arguments)}"
        raise SystemExit(message)
    else:
        asyncio.run(_serve())


if __name__ == "__main__":
    main(sys.argv[1:])

"""Is the schema the one that this build was written for?"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from services.records.db import Database
from services.records.teams import SEEDER

HEAD = Path(__file__).parent / "migrations" / "HEAD"


async def check_revision(database: Database) -> None:
    """Refuse to serve on a schema that is behind this build; one that is ahead is fine (migrations come first).

    Raises:
        SystemExit: with one sentence.
    """
    wanted = HEAD.read_text(encoding="utf-8").strip()
    try:
        async with database.snapshot(SEEDER) as session:
            found = await session.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        found = None
    if not found or str(found) < wanted:
        message = (
            f"records: the database is at revision {found or 'none'} and this build needs {wanted}; "
            "run `python -m services.records migrate` first."
        )
        raise SystemExit(message)

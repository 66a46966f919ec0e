"""PostgreSQL itself refuses to change what happened."""

from __future__ import annotations

import importlib

import asyncpg
import pytest

from tests.services.records.house import House, a_fact

_first = importlib.import_module("services.records.migrations.versions.0001_first_tables")
APPENDED: tuple[str, ...] = _first.APPENDED
STANDS: tuple[str, ...] = _first.STANDS


async def test_every_table_has_its_grants(house: House) -> None:
    connection = await house.cluster.connect(house.database_name)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'records'")
    await connection.close()
    assert {row["tablename"] for row in tables} == {*APPENDED, *STANDS, "alembic_version"}


@pytest.mark.parametrize("table", APPENDED)
@pytest.mark.parametrize("statement", ["UPDATE {} SET patient_id = patient_id", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_runtime_role_may_not_change_what_happened(house: House, table: str, statement: str) -> None:
    await (await house.opened()).symptom(facts=[a_fact("fatigue", "present")])
    connection = await house.cluster.connect(house.database_name, "records_runtime")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement.format(table))
    await connection.close()


@pytest.mark.parametrize("table", STANDS)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}", "ALTER TABLE {} ADD x int"])
async def test_the_runtime_role_may_not_remove_how_things_stand(house: House, table: str, statement: str) -> None:
    connection = await house.cluster.connect(house.database_name, "records_runtime")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement.format(table))
    await connection.close()


async def test_the_runtime_role_may_not_make_tables_or_see_the_other_schema(house: House) -> None:
    connection = await house.cluster.connect(house.database_name, "records_runtime")
    for statement in (
        "CREATE TABLE records.x (y int)",
        "CREATE TABLE public.x (y int)",
        "CREATE TABLE notify.x (y int)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_the_tables_are_those_of_the_models(house: House) -> None:
    """The migration says the same as the models, so that the next one can be written from the difference."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - slow, and only needed here
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from sqlalchemy import Connection  # noqa: PLC0415

    import services.records.models  # noqa: F401, PLC0415
    from services.records.db import Base, make_engine  # noqa: PLC0415

    def difference(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))

    engine = make_engine(house.cluster.url("records_owner", house.database_name))
    async with engine.connect() as connection:
        assert await connection.run_sync(difference) == []
    await engine.dispose()

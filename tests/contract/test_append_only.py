"""PostgreSQL itself keeps the record whole: the service's own role can append to it, and cannot change or remove."""

from __future__ import annotations

import asyncpg
import pytest

from tests.house import Door

KEPT = {
    "records": ("event", "fact", "decision", "evaluation", "item_step", "referral_step", "reply"),
    "notify": ("attempt", "inbound", "suppression"),
}


@pytest.mark.parametrize("schema", KEPT)
async def test_the_runtime_role_can_neither_change_nor_remove_what_was_recorded(door: Door, schema: str) -> None:
    # given a person with a pathway, so that there is something to change
    patient = await door.opened()
    await door.quiet(patient)
    service = await door.database(f"{schema}_runtime")
    try:
        assert await service.fetchval("SELECT current_user") == f"{schema}_runtime"
        for table in KEPT[schema]:
            before = await service.fetchval(f"SELECT count(*) FROM {schema}.{table}")  # noqa: S608
            column = await service.fetchval(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 "
                "ORDER BY ordinal_position DESC LIMIT 1",
                schema,
                table,
            )
            for change in (
                f"UPDATE {schema}.{table} SET {column} = {column}",  # noqa: S608
                f"DELETE FROM {schema}.{table}",  # noqa: S608
                f"TRUNCATE {schema}.{table} CASCADE",
                f"ALTER TABLE {schema}.{table} DISABLE TRIGGER ALL",
                f"DROP TABLE {schema}.{table} CASCADE",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await service.execute(change)
            assert await service.fetchval(f"SELECT count(*) FROM {schema}.{table}") == before  # noqa: S608
        if schema == "records":
            assert await service.fetchval("SELECT count(*) FROM records.event WHERE patient_id = $1", patient) == 1
            assert await service.fetchval("SELECT count(*) FROM records.fact WHERE patient_id = $1", patient) == 1
    finally:
        await service.close()


@pytest.mark.parametrize(("role", "other"), [("records", "notify"), ("notify", "records")])
async def test_neither_service_can_look_into_the_schema_of_the_other(door: Door, role: str, other: str) -> None:
    table = {"records": "fact", "notify": "message"}[other]
    service = await door.database(f"{role}_runtime")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.fetchval(f"SELECT count(*) FROM {other}.{table}")  # noqa: S608
    finally:
        await service.close()

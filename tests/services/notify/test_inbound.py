from __future__ import annotations

import asyncio
import time
import uuid

import asyncpg
import pytest

from handrail.notify.v1 import notices_pb2 as notices_pb
from services.runtime.errors import Category, HandrailError
from tests.services.notify.conftest import Database, connected
from tests.services.notify.house import COORDINATOR, GATEWAY, WORKER, House, notice


def receipt(message_id: str, kind: str, **changes: str) -> notices_pb.ReportReceiptRequest:
    fields = {"idempotency_key": str(uuid.uuid4()), "message_id": message_id, "kind": kind, **changes}
    return notices_pb.ReportReceiptRequest(**fields)


async def sent(house: House) -> str:
    return (await house.send(notice())).message_id


async def test_what_came_back_is_read_in_order_after_a_cursor(house: House) -> None:
    ids = [await sent(house) for _ in range(5)]
    first = await house.inbound(size=2)
    rest = await house.inbound(cursor=first[-1].cursor)
    assert [row.message_id for row in [*first, *rest]] == ids
    assert [row.cursor for row in [*first, *rest]] == sorted(row.cursor for row in [*first, *rest])
    assert await house.inbound(cursor=rest[-1].cursor) == []
    assert {row.detail for row in first} == {"accepted by the receiving mail server"}
    assert first[0].channel == "email"


async def test_no_reader_of_cursors_misses_a_row_that_many_write_at_once(house: House) -> None:
    seen: list[int] = []

    async def read() -> None:
        while len(seen) < 40:
            rows = await house.inbound(cursor=seen[-1] if seen else 0, wait=5)
            seen.extend(row.cursor for row in rows)

    reader = asyncio.create_task(read())
    await asyncio.gather(*(sent(house) for _ in range(40)))
    await asyncio.wait_for(reader, 20)
    assert len(set(seen)) == 40


async def test_a_reader_waits_for_the_first_and_is_told_at_once(house: House) -> None:
    waiting = asyncio.create_task(house.inbound(wait=20))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    message_id = await sent(house)
    began = time.monotonic()
    assert [row.message_id for row in await waiting] == [message_id]
    assert time.monotonic() - began < 0.5


async def test_a_reader_stops_waiting_when_nothing_comes(house: House) -> None:
    began = time.monotonic()
    assert await house.inbound(wait=1) == []
    assert 0.9 < time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        (["delivered"], "delivered"),
        (["read"], "delivered"),
        (["bounced"], "failed"),
        (["delivered", "bounced"], "failed"),
        (["bounced", "delivered"], "failed"),
    ],
)
async def test_receipts_settle_the_status_of_a_message(house: House, kinds: list[str], status: str) -> None:
    message_id = await sent(house)
    for kind in kinds:
        await GATEWAY.call(house.stub.ReportReceipt, receipt(message_id, kind, detail="said the gateway"))
    message = await house.message(message_id)
    assert message.status == status
    assert [row.kind for row in message.receipts] == ["delivered", *kinds]
    assert (await house.inbound())[-1].owner_id == "referral-1"


async def test_the_same_receipt_twice_is_one(house: House) -> None:
    report = receipt(await sent(house), "read")
    answers = [(await COORDINATOR.call(house.stub.ReportReceipt, report)).inbound_id for _ in range(2)]
    assert answers[0] == answers[1]
    assert [row.kind for row in await house.inbound()] == ["delivered", "read"]


async def test_another_receipt_under_the_same_key_is_refused(house: House) -> None:
    report = receipt(await sent(house), "read")
    await COORDINATOR.call(house.stub.ReportReceipt, report)
    report.kind = "bounced"
    with pytest.raises(HandrailError) as refused:
        await COORDINATOR.call(house.stub.ReportReceipt, report)
    assert refused.value.category is Category.KEY_REUSED
    assert (await house.message(report.message_id)).status == "delivered"


async def test_a_receipt_for_no_message_is_refused(house: House) -> None:
    with pytest.raises(HandrailError) as refused:
        await GATEWAY.call(house.stub.ReportReceipt, receipt(str(uuid.uuid4()), "read"))
    assert refused.value.category is Category.NOT_FOUND


async def test_the_worker_reports_no_receipts(house: House) -> None:
    with pytest.raises(HandrailError) as refused:
        await WORKER.call(house.stub.ReportReceipt, receipt(str(uuid.uuid4()), "read"))
    assert refused.value.category is Category.NOT_ALLOWED


@pytest.mark.parametrize(
    "statement",
    [
        "update notify.attempt set detail = 'other'",
        "delete from notify.attempt",
        "update notify.inbound set kind = 'read'",
        "delete from notify.inbound",
        "update notify.message set body = 'other'",
        "delete from notify.message",
        "truncate notify.inbound",
    ],
)
async def test_postgresql_refuses_to_rewrite_what_happened(house: House, database: Database, statement: str) -> None:
    await sent(house)
    async with connected(database.runtime_url) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)

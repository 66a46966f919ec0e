"""Machines say what became of a referral's message: "referral_delivered", or "referral_undelivered" and a task."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from handrail.notify.v1 import notices_pb2
from services.runtime.context import Actor
from tests.house import Door
from tests.journeys.stories import of_kind, sent_referral

GATEWAY = Actor("system:mail-gateway", "mail_gateway", "")


async def receipt(door: Door, patient: str, kind: str) -> None:
    """Let the mail gateway say what became of the referral's message."""
    sent: list[Any] = []

    async def told() -> None:
        while not sent:
            await asyncio.sleep(0.1)
            sent.extend(m for m in await door.messages(patient) if (m.template, m.status) == ("referral_sent", "sent"))

    await asyncio.wait_for(told(), 10)
    assert [m.team for m in sent] == ["palliative_care"]
    request = notices_pb2.ReportReceiptRequest(
        idempotency_key=str(uuid.uuid4()), message_id=sent[0].message_id, kind=kind, detail="as the server said"
    )
    await door.call(GATEWAY, door.notices.ReportReceipt, request)
    await door.call(GATEWAY, door.notices.ReportReceipt, request)


async def kinds(door: Door, patient: str) -> list[str]:
    """The kinds of this person's events, in order."""
    connection: Any = await door.database()
    try:
        rows = await connection.fetch("SELECT kind FROM records.event WHERE patient_id = $1 ORDER BY seq", patient)
    finally:
        await connection.close()
    return [row["kind"] for row in rows]


async def test_a_delivered_referral_is_still_nobodys_until_a_person_takes_it(door: Door) -> None:
    # given a referral on its way; when the gateway says twice that the message arrived
    patient, _ = await sent_referral(door)
    await receipt(door, patient, "delivered")
    # then it is delivered once, and still the referrer's to chase
    state = await door.until(patient, lambda s: s.referrals[0].status == "delivered", "the delivery is filed")
    await door.quiet(patient)
    assert (await kinds(door, patient)).count("referral_delivered") == 1
    assert (state.referrals[0].status, state.referrals[0].responsible_team) == ("delivered", "coordination")
    assert [i.title for i in of_kind(state, "referral")] == ["Referral outstanding: nobody has acknowledged it yet"]


async def test_a_referral_that_came_back_is_an_urgent_task_of_the_referrer(door: Door) -> None:
    # given a referral on its way; when its message comes back
    patient, _ = await sent_referral(door)
    await receipt(door, patient, "bounced")
    # then the referrer is asked to reach the team another way, within hours
    state = await door.until(
        patient,
        lambda s: "The referral could not be delivered: reach the team another way" in {i.title for i in s.open_items},
        "the referrer is asked to reach the team another way",
    )
    assert (state.referrals[0].status, state.referrals[0].responsible_team) == ("undelivered", "coordination")
    assert (await kinds(door, patient)).count("referral_undelivered") == 1
    await door.quiet(patient)
    assert "referral_undelivered" in {m.template for m in await door.messages(patient)}

"""The alert budget of a day: what goes beyond it is gathered and told in one digest; an emergency never waits."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import pytest

from handrail.notify.v1 import notices_pb2 as notices_pb
from services.runtime.errors import Category, HandrailError
from tests.services.notify.conftest import connected
from tests.services.notify.house import WORKER, House, notice

if TYPE_CHECKING:
    from tests.services.notify.conftest import Database
    from tests.services.notify.mail import MailServer

BUDGET = 2
TASKS = uuid.UUID("6f0c0c9e-0000-4000-8000-000000000002")


def alert(title: str, **changes: object) -> notices_pb.SendNoticeRequest:
    fields: dict[str, object] = {
        "template": "item_overdue",
        "values": {},
        "owner_id": "",
        "urgency": "urgent",
        "alerts_a_day": BUDGET,
        "items": [notices_pb.NoticeItem(title=title, due_on="2026-11-20", item_id=str(uuid.uuid5(TASKS, title)))],
    }
    return notice(**{**fields, **changes})


async def digests(house: House, key: str) -> notices_pb.SendDigestsResponse:
    request = notices_pb.SendDigestsRequest(idempotency_key=key)
    return await WORKER.call(house.stub.SendDigests, request, timeout=20)


async def test_alerts_beyond_the_budget_are_told_in_one_digest_each_task_once(
    house: House, mail: MailServer, database: Database
) -> None:
    # given a team that had its two alerts today
    assert [(await house.send(alert(title))).status for title in ("First", "Second")] == ["sent", "sent"]
    # when more come, one of them about a task that another one is about, then they are kept and not mailed
    late = [alert("Third"), alert("Fourth"), alert("Third")]
    assert [(await house.send(one)).status for one in [*late, late[0]]] == ["gathered"] * 4
    assert len(mail.taken) == BUDGET
    assert (await house.message(late[0].idempotency_key)).status == "gathered"
    # when an emergency comes, or what somebody asked for, or another desk is alerted, then they go at once
    for at_once in (
        alert("Ring now", urgency="emergency"),
        alert("Help me", alerts_a_day=0),
        alert("Elsewhere", team="breast_care"),
        alert("For the lead", team="breast_care", audience="lead"),
    ):
        assert (await house.send(at_once)).status == "sent"
    mailed = len(mail.taken)
    # when the hour comes, then one mail names each task once, with whom it is about, and nobody's name
    key = str(uuid.uuid4())
    done = await digests(house, key)
    assert (done.digests, done.alerts, list(done.refused_teams)) == (1, 3, [])
    assert len(mail.taken) == mailed + 1
    assert mail.recipients[-1] == ["support@trust.example"]
    body = mail.taken[-1].get_content()
    assert (body.count("Third"), body.count("Fourth"), body.count("First")) == (1, 1, 0)
    assert "Handrail person 0b0e9f1c" in body
    told_in = {(await house.message(one.idempotency_key)).digest_id for one in late}
    assert len(told_in - {""}) == 1
    # when it is asked for again, or the next hour comes, then nothing is told twice
    assert (await digests(house, key)).digests == 0
    assert (await digests(house, str(uuid.uuid4()))).digests == 0
    assert len(mail.taken) == mailed + 1
    # when it is another day, then there is a new budget
    async with connected(database.owner_url) as connection:
        await connection.execute("update notify.message set created_at = created_at - interval '1 day'")
    assert (await house.send(alert("Fifth"))).status == "sent"


async def test_alerts_at_one_moment_do_not_exceed_the_budget_together(house: House, mail: MailServer) -> None:
    answers = await asyncio.gather(*(house.send(alert(f"Task {number}")) for number in range(8)))
    assert sorted(answer.status for answer in answers) == ["gathered"] * 6 + ["sent"] * BUDGET


async def test_a_digest_that_could_not_leave_is_sent_later_as_it_was(house: House, mail: MailServer) -> None:
    # given a gathered alert, and a mail server that does not answer
    for title in ("First", "Second", "Third"):
        await house.send(alert(title))
    mail.stop()
    key = str(uuid.uuid4())
    with pytest.raises(HandrailError) as waits:
        await digests(house, key)
    assert waits.value.category is Category.UNAVAILABLE
    # when another one comes meanwhile, and the server is back, then the first digest leaves as it was
    assert (await house.send(alert("Fourth"))).status == "gathered"
    mail.start()
    assert (await digests(house, key)).alerts == 1
    # then the next one tells the other
    assert (await digests(house, str(uuid.uuid4()))).alerts == 1
    bodies = [mail.get_content() for mail in mail.taken[BUDGET:]]
    assert [("Third" in body, "Fourth" in body) for body in bodies] == [(True, False), (False, True)]


async def test_a_team_whose_digest_is_refused_for_good_is_named(house: House, mail: MailServer) -> None:
    for title in ("First", "Second", "Third"):
        await house.send(alert(title))
    mail.refused["support@trust.example"] = "550 no such mailbox"
    assert list((await digests(house, str(uuid.uuid4()))).refused_teams) == ["palliative"]

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from handrail.notify.v1 import notices_pb2 as notices_pb
from services.notify.channels import Letter, Outcome, Result
from services.notify.channels.log_only import LogOnly
from services.runtime.errors import Category, HandrailError
from tests.services.notify.conftest import connected
from tests.services.notify.house import COORDINATOR, SWEEP, WORKER, House, notice, running

if TYPE_CHECKING:
    from pathlib import Path

    from services.notify.channels.email import Email
    from tests.services.notify.conftest import Database
    from tests.services.notify.mail import MailServer


async def test_a_message_is_one_mail_however_often_it_is_sent(house: House, mail: MailServer) -> None:
    request = notice()
    answers = [await house.send(request) for _ in range(3)]
    assert [answer.status for answer in answers] == ["sent"] * 3
    assert [answer.already_sent for answer in answers] == [False, True, True]
    assert mail.ids() == [f"<{request.idempotency_key}@handrail.example>"]
    assert mail.recipients == [["support@trust.example"]]
    message = await house.message(request.idempotency_key)
    assert (message.status, message.channel, message.team) == ("sent", "email", "palliative")
    assert [attempt.outcome for attempt in message.attempts] == ["accepted"]
    assert [receipt.kind for receipt in message.receipts] == ["delivered"]


async def test_the_same_message_sent_at_the_same_moment_is_one_mail(house: House, mail: MailServer) -> None:
    request = notice()
    answers = await asyncio.gather(*(house.send(request) for _ in range(8)))
    assert {answer.status for answer in answers} == {"sent"}
    assert len(mail.taken) == 1


async def test_two_services_sending_the_same_message_are_one_mail(
    house: House, database: Database, teams_file: Path, email: Email, mail: MailServer
) -> None:
    request = notice()
    async with running(database.runtime_url, teams_file, email) as other:
        answers = await asyncio.gather(house.send(request), other.send(request), return_exceptions=True)
        refusals = [answer for answer in answers if isinstance(answer, HandrailError)]
        assert all(refusal.category is Category.UNAVAILABLE for refusal in refusals)
        assert (await house.send(request)).status == "sent"
    assert len(mail.taken) == 1


async def test_a_new_correlation_id_does_not_make_another_message(house: House, mail: MailServer) -> None:
    request = notice()
    await house.send(request)
    request.correlation_id = "another"
    assert (await house.send(request)).already_sent
    assert len(mail.taken) == 1


async def test_another_message_under_the_same_key_is_refused(house: House, mail: MailServer) -> None:
    request = notice()
    await house.send(request)
    with pytest.raises(HandrailError) as refused:
        await house.send(notice(idempotency_key=request.idempotency_key, team="breast_care"))
    assert refused.value.category is Category.KEY_REUSED
    assert len(mail.taken) == 1


async def test_the_sweep_raises_its_alarm_and_says_nothing_else(house: House, mail: MailServer) -> None:
    alarm = notice(template="sweep_found", team="", patient_id="", owner_id="", values={"problem": "One is lost."})
    assert (await SWEEP.call(house.stub.SendNotice, alarm, timeout=20)).status == "sent"
    assert mail.recipients == [["duty@trust.example"]]
    with pytest.raises(HandrailError) as refused:
        await SWEEP.call(house.stub.SendNotice, notice(), timeout=20)
    assert refused.value.category is Category.NOT_ALLOWED
    assert len(mail.taken) == 1


async def test_a_refused_recipient_bounces_to_the_messages_owner(house: House, mail: MailServer) -> None:
    mail.refused["support@trust.example"] = "550 nobody of that name"
    request = notice()
    answers = [await house.send(request) for _ in range(2)]
    assert [(answer.status, answer.already_sent) for answer in answers] == [("failed", False)] * 2
    bounced = await house.inbound()
    assert [(row.kind, row.owner_id) for row in bounced] == [("bounced", "referral-1")]
    assert "550" in bounced[0].detail
    assert "support@" not in bounced[0].detail
    assert (await house.message(request.idempotency_key)).status == "failed"


MALFORMED = [
    "support@trust.example\r\nBcc: all@trust.example",
    "support",
    "a@trust.example, b@trust.example",
    "s\xf6@t",
]


@pytest.mark.parametrize("address", MALFORMED)
async def test_a_message_that_no_mail_can_be_written_for_failed_for_good(
    house: House, database: Database, mail: MailServer, address: str
) -> None:
    request = notice()
    mail.stop()  # an earlier attempt leaves it waiting
    with pytest.raises(HandrailError):
        await house.send(request)
    async with connected(database.owner_url) as connection:
        await connection.execute("update notify.message set recipients = $1, status = 'in_doubt'", [address])
    assert [(await house.send(request)).status for _ in range(2)] == ["failed", "failed"]
    assert (await house.message(request.idempotency_key)).status == "failed"
    assert [news.kind for news in await house.inbound()] == ["bounced"]


def a_letter(subject: str, *recipients: str) -> Letter:
    return Letter(str(uuid.uuid4()), "result_received", "palliative", recipients, subject, "Text.", datetime.now(UTC))


async def test_a_malformed_address_of_several_is_left_out(email: Email, mail: MailServer) -> None:
    result = await email.send(a_letter("A result", "support@trust.example", MALFORMED[0]))
    assert (result.outcome, mail.recipients) == (Outcome.ACCEPTED, [["support@trust.example"]])
    assert "1 of 2 addresses" in result.detail
    assert str(mail.taken[0]["To"]) == "support@trust.example"


async def test_a_subject_that_no_mail_can_have_is_refused_before_anything_is_sent(
    email: Email, mail: MailServer
) -> None:
    result = await email.send(a_letter("A\nBcc: all@trust.example", "support@trust.example"))
    assert (result.outcome, mail.taken) == (Outcome.REFUSED, [])


async def test_one_refused_address_of_several_does_not_stop_the_others(house: House, mail: MailServer) -> None:
    mail.refused["kim@trust.example"] = "550 nobody of that name"
    request = notice(team="breast_care")
    assert (await house.send(request)).status == "sent"
    assert mail.recipients == [["lee@trust.example"]]
    assert "1 of 2 addresses" in (await house.message(request.idempotency_key)).attempts[0].detail


@pytest.mark.parametrize("trouble", ["down", "451 on the recipient", "451 on the text"])
async def test_mail_that_cannot_leave_yet_is_sent_later_under_the_same_message_id(
    house: House, mail: MailServer, trouble: str
) -> None:
    request = notice()
    if trouble == "down":
        mail.stop()
    elif trouble == "451 on the recipient":
        mail.refused["support@trust.example"] = "451 later"
    else:
        mail.answer_to_data = "451 later"
    with pytest.raises(HandrailError) as refused:
        await house.send(request)
    assert refused.value.category is Category.UNAVAILABLE
    assert (await house.message(request.idempotency_key)).status == "queued"
    mail.refused.clear()
    mail.answer_to_data = "250 taken"
    if trouble == "down":
        mail.start()
    assert (await house.send(request)).status == "sent"
    assert mail.ids() == [f"<{request.idempotency_key}@handrail.example>"]
    message = await house.message(request.idempotency_key)
    assert [(a.number, a.outcome) for a in message.attempts] == [(1, "unreachable"), (2, "accepted")]


class DiesAfterSending:
    """A channel whose process dies between handing the mail over and saying so."""

    name = "email"

    def __init__(self, real: Email, deaths: int = 1) -> None:
        self.real = real
        self.deaths = deaths

    async def send(self, letter: Letter) -> Result:
        result = await self.real.send(letter)
        if self.deaths:
            self.deaths -= 1
            message = "died"
            raise RuntimeError(message)
        return result


async def test_an_attempt_without_an_end_is_repeated_under_the_same_message_id(
    database: Database, teams_file: Path, email: Email, mail: MailServer
) -> None:
    request = notice()
    async with running(database.runtime_url, teams_file, DiesAfterSending(email)) as house:
        with pytest.raises(HandrailError):
            await house.send(request)
        in_doubt = await house.message(request.idempotency_key)
        assert (in_doubt.status, in_doubt.attempts[0].outcome) == ("in_doubt", "in_doubt")
        assert (await house.send(request)).status == "sent"
        message = await house.message(request.idempotency_key)
    assert [(a.number, a.outcome) for a in message.attempts] == [(1, "in_doubt"), (2, "accepted")]
    assert len(mail.taken) == 2
    assert len(set(mail.ids())) == 1
    assert mail.taken[0].as_bytes() == mail.taken[1].as_bytes()
    assert len(message.receipts) == 1


async def test_an_attempt_in_doubt_stays_in_doubt_while_the_mail_server_is_down(
    database: Database, teams_file: Path, email: Email, mail: MailServer
) -> None:
    request = notice()
    async with running(database.runtime_url, teams_file, DiesAfterSending(email)) as house:
        with pytest.raises(HandrailError):
            await house.send(request)
        mail.stop()
        with pytest.raises(HandrailError):
            await house.send(request)
        assert (await house.message(request.idempotency_key)).status == "in_doubt"


async def test_a_receipt_settles_an_attempt_in_doubt(
    database: Database, teams_file: Path, email: Email, mail: MailServer
) -> None:
    request = notice()
    async with running(database.runtime_url, teams_file, DiesAfterSending(email)) as house:
        with pytest.raises(HandrailError):
            await house.send(request)
        receipt = notices_pb.ReportReceiptRequest(
            idempotency_key=notice().idempotency_key, message_id=request.idempotency_key, kind="delivered"
        )
        await COORDINATOR.call(house.stub.ReportReceipt, receipt)
        assert (await house.send(request)).already_sent
    assert len(mail.taken) == 1


async def test_a_connection_cut_after_the_text_leaves_the_attempt_in_doubt(house: House, mail: MailServer) -> None:
    mail.hang_up = True
    request = notice()
    with pytest.raises(HandrailError) as refused:
        await house.send(request)
    assert refused.value.category is Category.UNAVAILABLE
    assert (await house.message(request.idempotency_key)).status == "in_doubt"


async def test_a_caller_who_gives_up_waiting_does_not_stop_the_mail(house: House, mail: MailServer) -> None:
    mail.seconds_to_answer = 1.0
    request = notice()
    with pytest.raises(HandrailError):
        await WORKER.call(house.stub.SendNotice, request, timeout=0.3)
    assert (await house.send(request)).status == "sent"
    assert len(mail.taken) == 1


@pytest.mark.parametrize("asked", ["", "nobody_knows_this", "unreachable"])
async def test_a_team_that_cannot_be_reached_is_told_through_the_duty_desk(
    house: House, mail: MailServer, asked: str
) -> None:
    request = notice(team=asked)
    await house.send(request)
    assert mail.recipients == [["duty@trust.example"]]
    body = mail.taken[0].get_content()
    assert ("please pass it on" in body) == bool(asked)
    assert (await house.message(request.idempotency_key)).team == "duty_desk"


async def test_a_lead_is_told_alone_and_a_deputy_without_an_address_through_the_team(
    house: House, mail: MailServer
) -> None:
    await house.send(notice(team="breast_care", audience="lead"))
    await house.send(notice(team="breast_care", audience="deputy"))
    assert mail.recipients == [["lee@trust.example"], ["lee@trust.example", "kim@trust.example"]]
    assert "for the deputy of Care coordination" in mail.taken[1].get_content()


async def test_without_a_mail_server_messages_are_kept_and_readable(database: Database, teams_file: Path) -> None:
    async with running(database.runtime_url, teams_file, LogOnly()) as house:
        requests = [notice(), notice(patient_id="")]
        for request in requests:
            assert (await house.send(request)).status == "sent"
        listing = notices_pb.ListMessagesRequest()
        kept = (await COORDINATOR.call(house.stub.ListMessages, listing)).messages
        assert [message.message_id for message in kept] == [r.idempotency_key for r in requests]
        assert "HER2 status" in kept[0].body
        assert kept[0].channel == "log"
        listing.patient_id = requests[0].patient_id
        about = (await COORDINATOR.call(house.stub.ListMessages, listing)).messages
        assert [message.message_id for message in about] == [requests[0].idempotency_key]
        listing = notices_pb.ListMessagesRequest(page_size=1)
        newest = (await COORDINATOR.call(house.stub.ListMessages, listing)).messages
        assert [message.message_id for message in newest] == [requests[1].idempotency_key]
        assert [row.kind for row in await house.inbound()] == ["delivered", "delivered"]


async def test_what_is_not_for_staff_is_never_sent(
    database: Database, teams_file: Path, email: Email, mail: MailServer, tmp_path: Path
) -> None:
    (tmp_path / "_letter.txt").write_text("{{ text }}", encoding="utf-8")
    (tmp_path / "to_a_person.txt").write_text("audience: person\nsubject: x\n---\nhello", encoding="utf-8")
    async with running(database.runtime_url, teams_file, email, tmp_path) as house:
        request = notice(template="to_a_person", values={})
        with pytest.raises(HandrailError) as refused:
            await house.send(request)
        assert (refused.value.category, refused.value.reason) == (Category.CONFLICT, "suppressed")
        with pytest.raises(HandrailError):
            await house.message(request.idempotency_key)
    assert mail.taken == []


async def test_only_the_worker_sends(house: House, mail: MailServer) -> None:
    with pytest.raises(HandrailError) as refused:
        await COORDINATOR.call(house.stub.SendNotice, notice())
    assert refused.value.category is Category.NOT_ALLOWED
    assert mail.taken == []


async def test_a_database_that_dropped_its_connections_is_found_again(
    house: House, mail: MailServer, database: Database
) -> None:
    request = notice()
    await house.inbound()
    await database.drop_connections()
    for _ in range(3):
        try:
            answer = await house.send(request)
            break
        except HandrailError as refused:
            assert refused.category is Category.UNAVAILABLE  # noqa: PT017 - it may or may not be noticed
    assert answer.status == "sent"
    assert len(mail.taken) == 1


async def test_a_refused_request_leaves_the_key_free(house: House, mail: MailServer) -> None:
    request = notice(values={"unknown": "x"})
    with pytest.raises(HandrailError):
        await house.send(request)
    request = notice(idempotency_key=request.idempotency_key)
    assert (await house.send(request)).status == "sent"
    assert len(mail.taken) == 1

"""A person who is to be sent nothing: what waits for them is held back, and staff are told as before."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from handrail.notify.v1 import notices_pb2 as notices_pb
from services.runtime.errors import Category, HandrailError
from tests.services.notify.house import COORDINATOR, WORKER, House, notice, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from services.notify.channels.email import Email
    from tests.services.notify.conftest import Database
    from tests.services.notify.mail import MailServer

PERSON = str(notice().patient_id)
OTHER = "0b0e9f1c-2222-4222-8333-444455556666"


@pytest.fixture
async def writes_to_people(database: Database, teams_file: Path, email: Email, tmp_path: Path) -> AsyncIterator[House]:
    """A service with a message for patients that is about nothing, and one for families, which the product lacks."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "_letter.txt").write_text("{{ text }}", encoding="utf-8")
    (folder / "to_the_person.txt").write_text("audience: patient\nsubject: Hello\n---\nHello", encoding="utf-8")
    (folder / "to_the_family.txt").write_text("audience: family\nsubject: Hello\n---\nHello", encoding="utf-8")
    (folder / "to_staff.txt").write_text("audience: staff\nsubject: Hello\n---\nHello", encoding="utf-8")
    async with running(database.runtime_url, teams_file, email, folder) as house:
        yield house


def a_message(template: str = "to_the_person", patient_id: str = PERSON) -> notices_pb.SendNoticeRequest:
    return notice(template=template, values={}, owner_id="", patient_id=patient_id, address="her@example.net")


async def suppress(house: House, seq: int, cause: str = "death", key: str = "", patient_id: str = PERSON) -> bool:
    request = notices_pb.SuppressPatientRequest(
        idempotency_key=key or str(uuid.uuid4()), patient_id=patient_id, cause=cause, seq=seq
    )
    return bool((await WORKER.call(house.stub.SuppressPatient, request)).suppressed)


async def lift(house: House, seq: int, cause: str = "death") -> bool:
    request = notices_pb.LiftSuppressionRequest(
        idempotency_key=str(uuid.uuid4()), patient_id=PERSON, cause=cause, seq=seq
    )
    return bool((await WORKER.call(house.stub.LiftSuppression, request)).suppressed)


async def status(house: House, request: notices_pb.SendNoticeRequest) -> str:
    return str((await house.send(request)).status)


async def test_a_message_that_waits_for_somebody_who_died_is_not_sent(
    writes_to_people: House, mail: MailServer
) -> None:
    house = writes_to_people
    # given a message for her that could not leave yet
    waits = a_message()
    mail.stop()
    with pytest.raises(HandrailError) as not_yet:
        await house.send(waits)
    assert not_yet.value.category is Category.UNAVAILABLE
    # when a death is reported, and the mail server is back
    assert await suppress(house, 7)
    mail.start()
    # then neither that message nor a new one leaves, however often it is asked for
    for request in (waits, waits, a_message()):
        assert await status(house, request) == "suppressed"
    assert mail.taken == []
    assert (await house.message(waits.idempotency_key)).status == "queued"
    # then staff are told of her, and other people are written to, as before
    assert await status(house, a_message("to_staff")) == "sent"
    assert await status(house, a_message(patient_id=OTHER)) == "sent"
    assert len(mail.taken) == 2
    # when it was somebody else who died, then what waited goes, once
    assert not await lift(house, 8)
    assert [await status(house, waits) for _ in range(2)] == ["sent", "sent"]
    assert len(mail.taken) == 3


async def test_each_cause_holds_for_itself_and_the_newest_report_counts(
    writes_to_people: House, mail: MailServer
) -> None:
    house = writes_to_people
    assert await suppress(house, 3, "preference")
    assert await suppress(house, 5)
    assert await lift(house, 6), "she still wants no messages"
    assert not await lift(house, 8, "preference")
    # a call that comes late silences nobody again
    assert not await suppress(house, 5)
    assert await status(house, a_message()) == "sent"
    assert len(mail.taken) == 1


async def test_the_same_call_twice_is_one_and_another_under_its_key_is_refused(writes_to_people: House) -> None:
    house, key = writes_to_people, str(uuid.uuid4())
    assert [await suppress(house, 4, key=key) for _ in range(2)] == [True, True]
    with pytest.raises(HandrailError) as refused:
        await suppress(house, 4, key=key, patient_id=OTHER)
    assert refused.value.category is Category.KEY_REUSED


async def test_a_message_to_nobody_in_particular_and_one_to_a_family_are_never_sent(
    writes_to_people: House, mail: MailServer
) -> None:
    assert await status(writes_to_people, a_message(patient_id="")) == "suppressed"
    with pytest.raises(HandrailError) as refused:
        await writes_to_people.send(a_message("to_the_family"))
    assert (refused.value.category, refused.value.reason) == (Category.CONFLICT, "suppressed")
    assert mail.taken == []


async def test_only_the_worker_suppresses(house: House) -> None:
    request: Any = notices_pb.SuppressPatientRequest(
        idempotency_key=str(uuid.uuid4()), patient_id=PERSON, cause="death", seq=1
    )
    with pytest.raises(HandrailError) as refused:
        await COORDINATOR.call(house.stub.SuppressPatient, request)
    assert refused.value.category is Category.NOT_ALLOWED


async def test_what_somebody_does_not_want_to_know_is_held_back_and_nothing_else(writes_to_people: House) -> None:
    house = writes_to_people
    # given somebody who does not want to know of one topic
    assert not await suppress(house, 7, "information_outlook")
    about = {topic: notice(template="to_the_person", values={}, owner_id="", patient_id=PERSON, topic=topic,
                           address="her@example.net") for topic in ("outlook", "support", "")}  # fmt: skip
    assert {topic: await status(house, request) for topic, request in about.items()} == {
        "outlook": "suppressed",
        "support": "sent",
        "": "sent",
    }
    # when she wants to know nothing at all, then what is no information still reaches her
    assert not await suppress(house, 8, "information")
    again = {topic: notice(template="to_the_person", values={}, owner_id="", patient_id=PERSON, topic=topic,
                           address="her@example.net") for topic in ("support", "")}  # fmt: skip
    assert {topic: await status(house, request) for topic, request in again.items()} == {
        "support": "suppressed",
        "": "sent",
    }
    # when both are lifted, then what waited goes
    await lift(house, 9, "information")
    await lift(house, 10, "information_outlook")
    assert await status(house, about["outlook"]) == "sent"
    # a message to nobody's address is refused
    nowhere = notice(template="to_the_person", values={}, owner_id="", patient_id=PERSON)
    with pytest.raises(HandrailError) as refused:
        await house.send(nowhere)
    assert refused.value.category is Category.INVALID

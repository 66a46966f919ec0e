"""What the demo's mail looks like at a real mail server: one for each message, and nobody's name in it."""

from __future__ import annotations

from collections import Counter
from email.message import Message

from tests.house import Door, House, MailServer


def message_id(letter: Message) -> str:
    return str(letter["Message-ID"]).strip("<>").split("@", maxsplit=1)[0]


def text(letter: Message) -> str:
    body = letter.get_payload(decode=True)
    assert isinstance(body, bytes)
    return f"{letter['Subject']}\n{body.decode()}"


async def test_each_message_of_the_demo_arrives_once_and_names_nobody(
    door: Door, house: House, mail_server: MailServer
) -> None:
    # given the demo's story, with news for several teams
    patient = house.demo()["patient_id"]
    await door.quiet(patient)
    messages, person = await door.messages(patient), (await door.patient(patient)).person
    # when the mail server is asked what it took
    mail = mail_server.mail()
    arrived = Counter(message_id(letter) for letter in mail)
    # then each message was taken exactly once, under its own id
    told = {message.template for message in messages}
    assert {"diagnosis_confirmed", "progression_reported", "symptom_reported", "referral_sent"} <= told
    assert {m.message_id: arrived[m.message_id] for m in messages} == {m.message_id: 1 for m in messages}
    assert max(arrived.values()) == 1
    assert {(m.channel, m.status, len(m.attempts)) for m in messages} == {("email", "sent", 1)}
    # then no mail of this story says who it is about; it says where to look
    ours = {m.message_id for m in messages}
    for letter in (letter for letter in mail if message_id(letter) in ours):
        said = text(letter)
        shown = person.nhs_number_shown
        for private in (person.family_name, person.nhs_number, shown, shown.replace("\xa0", " "), person.birth_date):
            assert private not in said, said
        assert "Open the Handrail worklist" in said

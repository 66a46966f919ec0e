"""A house on an edited copy of the guideline: what is deleted there disappears, and its clocks fire without records."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from handrail.clinical.v1 import events_pb2
from tests.house import NURSE, REPOSITORY, SCHEDULER, Door, House, MailServer, fact
from workflows import names

DELETED = "1.10.2"
HURRIED = "1.12.1"


def edit(folder: Path) -> None:
    """Take one recommendation out, and let another fall due an hour after the symptom was noticed."""
    version = folder / "cg81" / "2026-06-30.yaml"
    head, *rules = version.read_text(encoding="utf-8").split("\n  - rule_id: ")
    kept = [rule for rule in rules if f'number: "{DELETED}"' not in rule]
    assert len(kept) == len(rules) - 1
    hurried = [
        rule.replace("due: {working_days: 5, local: true}", "due: {hours: 1, local: true}")
        if f'number: "{HURRIED}"' in rule
        else rule
        for rule in kept
    ]
    assert hurried != kept
    version.write_text("\n  - rule_id: ".join([head, *hurried]), encoding="utf-8")


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory, mail_server: MailServer) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("edited")
    shutil.copytree(REPOSITORY / "guidelines", folder / "guidelines")
    edit(folder / "guidelines")
    arguments = ("--guideline-dir", str(folder / "guidelines"))
    house = House(folder / "home", {"HANDRAIL_SMTP_URL": mail_server.url}, arguments)
    house.start()
    yield house
    house.stop()


@pytest.fixture
async def its_door(edited: House) -> AsyncIterator[Door]:
    opened = edited.door()
    yield opened
    await opened.close()


async def test_a_recommendation_that_was_deleted_disappears_from_the_story(edited: House, its_door: Door) -> None:
    patient = edited.demo()["patient_id"]
    numbers = {item.number for item in await its_door.items(patient)}
    assert {"1.10.1", "1.10.3", HURRIED} <= numbers
    assert DELETED not in numbers


async def test_a_clock_fires_and_is_told_while_records_is_down(edited: House, its_door: Door) -> None:
    # given a task that is due at the next full minute that leaves time enough to stop records
    patient = await its_door.opened("Recordsaway")
    due_at = (datetime.now(UTC) + timedelta(seconds=75)).replace(second=0, microsecond=0)
    noticed = due_at - timedelta(hours=1)
    state = await its_door.told(
        NURSE,
        "ReportSymptom",
        patient,
        events_pb2.SymptomReported(told_by="clinician"),
        facts=[fact("uncontrolled_local_disease", value=True)],
        occurred_at=noticed,
    )
    (task,) = [item for item in state.open_items if item.number == HURRIED]
    await its_door.quiet(patient)
    # when records is stopped before it falls due
    edited.cli("stop", "records")
    try:
        assert not task.HasField("overdue_at")
        told = await told_overdue(its_door, patient, task.due_at.ToDatetime(tzinfo=UTC))
        # then a report is still accepted
        note = events_pb2.SymptomReported(note="Still waiting.", told_by="person")
        receipt = await its_door.report(NURSE, "ReportSymptom", patient, note)
    finally:
        edited.cli("start", "records")
    # then team and lead were told by mail that the task is overdue, and the record catches up
    assert told == len(("team", "lead"))
    after = await its_door.until(patient, lambda s: s.pathway.filed_seq >= receipt.seq, "filing caught up", 40)
    (still,) = [item for item in after.open_items if item.item_id == task.item_id]
    assert still.HasField("overdue_at")


async def test_who_is_away_and_how_many_alerts_are_enough_count_without_a_restart(
    edited: House, its_door: Door, mail_server: MailServer
) -> None:
    # given a house that is running, and then learns that two teams are away and that two alerts a day are enough
    today = datetime.now(ZoneInfo("Europe/London")).date()
    days = f"first_day: {today}, last_day: {today + timedelta(days=1)}"
    gone = ", ".join(f"{{who: {team}, {days}}}" for team in ("coordination", "oncology"))
    ladders = edited.home.parent / "guidelines" / "ladders.yaml"
    text = ladders.read_text(encoding="utf-8").replace("away: []", f"away: [{gone}]")
    ladders.write_text(text.replace("alerts_a_day: 20", "alerts_a_day: 2"), encoding="utf-8")
    # when five tasks of the one team are late
    patient = await its_door.opened("Urlaub")
    for number in range(5):
        late = events_pb2.FollowUpTriggered(
            purpose="Review", occasion=f"late-{number}", due_on=(today - timedelta(days=1)).isoformat()
        )
        await its_door.told(SCHEDULER, "TriggerFollowUp", patient, late)
    alerts = await alerted(its_door, patient, 5)
    # then the deputy is told of two by themselves, at once, and the rest waits for the hour
    assert sorted(message.status for message in alerts) == ["gathered"] * 3 + ["sent"] * 2
    assert len(mailed(mail_server, "ben.coordinator@example.org", patient)) == 2
    # when somebody of the other team's people has an emergency, then nothing waits: deputy and desk are told
    weak = events_pb2.SymptomReported(told_by="person")
    await its_door.told(NURSE, "ReportSymptom", patient, weak, facts=[fact("new_limb_weakness", value=True)])
    await its_door.until(patient, lambda s: [i for i in s.open_items if i.kind == "phone_task"], "the desk rings")
    await its_door.quiet(patient)
    rung = [message for message in await its_door.messages(patient) if message.template == "phone_task"]
    assert [(message.team, message.status) for message in rung] == [("duty_desk", "sent")]
    assert mailed(mail_server, "farid.oncologist@example.org", patient)
    # and the desk hears once of each call, not a second time that it has a task
    desk = [message.template for message in await its_door.messages(patient) if message.team == "duty_desk"]
    assert "items_opened" not in desk
    # when the hour comes, then one message tells the deputy the rest, and every task is open as before
    temporal = await its_door.temporal()
    await temporal.get_schedule_handle(names.ALERT_DIGEST).trigger()
    for _ in range(60):
        gathered = [message for message in await alerted(its_door, patient, 5) if message.status == "gathered"]
        digests = {message.digest_id for message in gathered}
        mine = mailed(mail_server, "ben.coordinator@example.org", patient)
        if digests != {""} and len(mine) == 3:
            break
        await asyncio.sleep(0.5)
    assert len(digests) == 1
    (told,) = [text for text in mine if "these 3 are told together" in text]
    assert told.count("Book the follow-up") == 3
    tasks = [item for item in (await its_door.patient(patient)).open_items if item.kind == "follow_up"]
    assert [item.HasField("overdue_at") for item in tasks] == [True] * 5


async def alerted(door: Door, patient: str, number: int) -> list[Any]:
    """Wait until so many alerts about overdue tasks were made."""
    for _ in range(60):
        found = [message for message in await door.messages(patient) if message.template == "item_overdue"]
        if len(found) >= number and {message.status for message in found} <= {"sent", "gathered"}:
            return found
        await asyncio.sleep(0.5)
    statuses = [message.status for message in found]
    message = f"{number} alerts never came: {statuses}"
    raise AssertionError(message)


def mailed(server: MailServer, address: str, about: str) -> list[str]:
    """The mail that one of the staff got about a person, as text: the server is every house's."""
    mine = [mail for mail in server.mail() if address in str(mail["To"])]
    texts = [bytes(mail.get_payload(decode=True) or b"").decode() for mail in mine]
    return [text for text in texts if about[:8] in text]


async def told_overdue(door: Door, patient: str, due_at: datetime) -> int:
    """Wait until the mail server took what says that a task is overdue; return how many were told."""
    until = max(due_at, datetime.now(UTC)) + timedelta(seconds=20)
    told: set[str] = set()
    while datetime.now(UTC) < until and len(told) < len(("team", "lead")):
        sent = [m for m in await door.messages(patient) if m.template == "item_overdue" and m.status == "sent"]
        told = {message.message_id for message in sent}
        await asyncio.sleep(0.5)
    return len(told)

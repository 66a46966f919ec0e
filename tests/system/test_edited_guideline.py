"""A house on an edited copy of the guideline: what is deleted there disappears, and its clocks fire without records."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handrail.clinical.v1 import events_pb2
from tests.house import NURSE, REPOSITORY, Door, House, MailServer, fact

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


async def told_overdue(door: Door, patient: str, due_at: datetime) -> int:
    """Wait until the mail server took what says that a task is overdue; return how many were told."""
    until = max(due_at, datetime.now(UTC)) + timedelta(seconds=20)
    told: set[str] = set()
    while datetime.now(UTC) < until and len(told) < len(("team", "lead")):
        sent = [m for m in await door.messages(patient) if m.template == "item_overdue" and m.status == "sent"]
        told = {message.message_id for message in sent}
        await asyncio.sleep(0.5)
    return len(told)

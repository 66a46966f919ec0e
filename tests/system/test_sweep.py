"""The sweep on a real house: what is well, who is lost, what is stuck, and Temporal's silence as an alarm."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from handrail.notify.v1 import notices_pb2
from tests.house import COORDINATOR, Door, House
from workflows import names

WELL, FOUND, COULD_NOT_LOOK = 0, 1, 2


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of its own: its workflows are taken away, and its Temporal too."""
    running = House(Path(tmp_path_factory.mktemp("sweep")) / "home", {"HANDRAIL_SWEEP_SECONDS": "3"})
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def door(house: House) -> AsyncIterator[Door]:
    opened = house.door()
    yield opened
    await opened.close()


async def swept(house: House, code: int) -> dict[str, Any]:
    """What `handrail sweep` says, and that its exit code says the same."""
    done = await asyncio.to_thread(house.cli, "sweep", "--json", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


async def told(door: Door, words: str, seconds: float, template: str = "sweep_found", team: str = "duty_desk") -> str:
    """Wait until a team, the duty desk as a rule, has a message with these words; return what it says."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        request = notices_pb2.ListMessagesRequest(page_size=500)
        messages = (await door.call(COORDINATOR, door.notices.ListMessages, request)).messages
        for message in messages:
            if message.template == template and words in message.body:
                assert (message.team, message.status) == (team, "sent")
                return str(message.body)
        await asyncio.sleep(0.5)
    raise AssertionError(f"the duty desk was never told: {words}")


async def test_a_healthy_house_counts_zero_of_everything(house: House, door: Door) -> None:
    patients = [await door.opened(), await door.opened()]
    said = await swept(house, WELL)
    counts = said["counts"]
    assert (said["well"], said["found"]) == (True, [])
    assert counts.pop("pathways_looked_at") == counts.pop("workflows_running") == len(patients)
    assert len(counts) == 7
    assert set(counts.values()) == {0}


async def test_reports_under_way_are_no_alarm(house: House, door: Door) -> None:
    opening = asyncio.gather(*(door.opened() for _ in range(10)))
    while not opening.done():
        await swept(house, WELL)
    await opening


async def test_temporals_schedules_list_who_waits_for_the_mdt_and_show_that_they_work(house: House, door: Door) -> None:
    patient = (await asyncio.to_thread(house.demo))["patient_id"]
    await door.quiet(patient)
    items = await door.items(patient)
    assert any(item.kind == "decision" and item.status == "open" for item in items)
    temporal = await door.temporal()
    for schedule_id in (names.MDT_LIST, names.DAILY_SWEEP):
        handle = temporal.get_schedule_handle(schedule_id)
        described = await handle.describe()
        assert described.schedule.spec.time_zone_name == "Europe/London"
        coming = described.info.next_action_times[0].astimezone(ZoneInfo("Europe/London"))
        assert (coming.hour, coming.minute) == ((8, 0) if schedule_id == names.MDT_LIST else (6, 0))
        await handle.trigger()
    mail = await told(door, "Awaiting a decision: 1", 20, "mdt_list", "breast_mdt")
    assert patient[:8] in mail
    assert patient not in mail
    assert (await swept(house, WELL))["counts"]["schedules_silent"] == 0
    await temporal.get_schedule_handle(names.DAILY_SWEEP).delete()
    assert (await swept(house, FOUND))["counts"]["schedules_silent"] == 1
    await asyncio.to_thread(house.cli, "stop", "worker")
    await asyncio.to_thread(house.cli, "start", "worker")  # which makes what is missing
    await swept(house, WELL)


async def test_a_workflow_taken_away_by_hand_is_found_named_and_told(house: House, door: Door) -> None:
    patient = await door.opened("Verloren")
    await (await door.temporal()).get_workflow_handle(names.pathway_id(patient)).terminate("by hand")
    said = await swept(house, FOUND)
    assert said["counts"]["pathways_without_workflow"] == 1
    assert [(found["what"], found["id"]) for found in said["found"]] == [("pathways_without_workflow", patient)]
    shown = house.cli("sweep", check=False)
    assert (shown.returncode, patient in shown.stdout) == (FOUND, True)
    assert "Telephone the key worker" in shown.stdout
    mail = await told(door, "1 open pathway without a running workflow", 25)
    assert patient[:8] in mail
    assert patient not in mail
    assert "Verloren" not in mail


async def test_a_stuck_workflow_raises_an_alarm_within_thirty_seconds(house: House, door: Door) -> None:
    workflow_id = names.referral_id(str(uuid.uuid4()))
    # a workflow that no worker knows: its first task fails again and again
    began = time.monotonic()
    stuck = await (await door.temporal()).start_workflow("NobodyKnowsIt", id=workflow_id, task_queue=names.TASK_QUEUE)
    await told(door, workflow_id[: len("referral:") + 8], 30)
    print(f"\nalarm after {time.monotonic() - began:.1f} s")
    assert (await swept(house, FOUND))["counts"]["workflows_stuck"] == 1
    await stuck.terminate("seen")


async def test_temporals_silence_is_an_alarm(house: House, door: Door) -> None:
    began = time.monotonic()
    await asyncio.to_thread(house.cli, "stop", "temporal")
    said = await swept(house, COULD_NOT_LOOK)
    assert (said["looked"], said["part"]) == (False, "temporal")
    assert "handrail start temporal" in said["do"]
    await told(door, "Temporal does not answer", 45)
    print(f"\nalarm after {time.monotonic() - began:.1f} s")
    await asyncio.to_thread(house.cli, "start", "temporal")
    until = time.monotonic() + 20
    while (await asyncio.to_thread(house.cli, "sweep", check=False)).returncode != FOUND:  # the one that is lost
        assert time.monotonic() < until


def test_without_a_house_it_could_not_look(tmp_path: Path) -> None:
    done = House(tmp_path / "nobody").cli("sweep", check=False)
    assert done.returncode == COULD_NOT_LOOK
    assert "not running" in done.stderr

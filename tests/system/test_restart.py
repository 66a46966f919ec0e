"""A house that was stopped, or killed, comes back with the same worklist, and goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handrail.clinical.v1 import events_pb2, terms_pb2
from services.runtime.errors import Category, HandrailError
from tests.house import NURSE, Door, House, fact
from tests.journeys.stories import new_id, of_kind, treated


@pytest.fixture
def own_house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "home")
    house.start()
    yield house
    house.stop()


async def told_story(house: House) -> str:
    """The demo's person, and one on treatment; everything is filed and told. Returns the demo's person."""
    patient = str(house.demo()["patient_id"])
    door = house.door()
    try:
        on_treatment, _ = await treated(door)
        await door.until(patient, lambda s: not of_kind(s, "referral"), "the referral is taken over")
        await door.quiet(patient, on_treatment)
    finally:
        await door.close()
    return patient


async def sent_until_confirmed(door: Door, patient: str) -> terms_pb2.Receipt:
    """Report as a caller does who is told to send it again with the same key: it is never done twice."""
    same: dict[str, Any] = {"key": new_id(), "occurred_at": datetime.now(UTC), "facts": [fact("fatigue", "none")]}
    for _ in range(5):
        try:
            return await door.report(NURSE, "ReportSymptom", patient, events_pb2.SymptomReported(note="tired"), **same)
        except HandrailError as error:
            if error.category is not Category.UNAVAILABLE:
                raise
    message = "the report was never confirmed"
    raise AssertionError(message)


async def goes_on(house: House, patient: str) -> None:
    """Check that reports are taken and planned as before."""
    door = house.door()
    try:
        before = await door.patient(patient)
        assert "1.10.3" in {item.number for item in before.open_items}
        receipt = await sent_until_confirmed(door, patient)
        state = await door.patient(patient, receipt.seq)
        assert "1.10.3" not in {item.number for item in state.open_items}
        assert list(state.event_ids)[:-1] == list(before.event_ids)
    finally:
        await door.close()


@pytest.mark.timeout(240)
async def test_the_worklist_is_the_same_after_a_stop_and_after_a_kill(own_house: House) -> None:
    # given a house with people on their pathways
    patient = await told_story(own_house)
    before = own_house.cli("worklist", "--json").stdout
    assert len(json.loads(before)) > 0
    # when it is stopped and started
    assert own_house.stop() == 0
    own_house.start()
    # then nothing on the worklist is different
    assert own_house.cli("worklist", "--json").stdout == before
    # when its whole process group is killed and it is started again
    own_house.kill()
    own_house.start()
    # then again nothing is different, and it goes on
    assert own_house.cli("worklist", "--json").stdout == before
    await goes_on(own_house, patient)

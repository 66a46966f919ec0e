"""Pathway opened: from the first minute somebody has a next step, and it is opened once."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Category
from tests.house import COORDINATOR, Door
from tests.journeys.stories import refused, the


async def test_an_opened_pathway_asks_for_a_key_worker_and_is_not_opened_twice(door: Door) -> None:
    # given a person who was referred to the clinic; when the pathway is opened
    patient = await door.opened()
    state = await door.patient(patient)
    # then it follows the guideline version in use, and coordination is asked for a key worker
    assert (state.pathway.status, state.pathway.guideline) == ("open", "cg81@2026-06-30")
    assert the(state, "1.1.2").owner_team == "coordination"
    # when somebody opens it again, then they are told that it is open
    again = events_pb2.PathwayOpened(referred_by="another clinic")
    refusal = await refused(door.report(COORDINATOR, "OpenPathway", patient, again))
    assert (refusal.category, "already open" in refusal.message) == (Category.CONFLICT, True)

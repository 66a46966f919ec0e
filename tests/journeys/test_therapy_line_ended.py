"""Therapy line ended: it says why, and its response checks end with it."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Category
from tests.house import ONCOLOGIST, Door
from tests.journeys.stories import new_id, of_kind, refused, treated


async def test_the_end_of_a_line_withdraws_its_response_check(door: Door) -> None:
    # given a line of treatment under way
    patient, line = await treated(door)
    # when it ends because of side effects
    ended = events_pb2.TherapyLineEnded(line_id=line, stop_reason="toxicity")
    state = await door.told(ONCOLOGIST, "EndTherapyLine", patient, ended)
    # then the line says so
    assert [(x.status, x.course.stop_reason) for x in state.therapy_lines] == [("ended", "toxicity")]
    # then no response check waits any more, and it was not done but withdrawn
    await door.until(patient, lambda s: not of_kind(s, "response_check"), "the response check is withdrawn")
    checks = [item for item in await door.items(patient) if item.kind == "response_check"]
    assert [(item.status, "ended" in item.closed_reason) for item in checks] == [("withdrawn", True)]
    # when a line that is not under way is ended, then it is refused
    for unknown in (line, new_id()):
        ended = events_pb2.TherapyLineEnded(line_id=unknown, stop_reason="other")
        refusal = await refused(door.report(ONCOLOGIST, "EndTherapyLine", patient, ended))
        assert refusal.category is Category.CONFLICT

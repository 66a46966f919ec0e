"""Response assessed: the check is done, and the next one is planned from then."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from tests.house import ONCOLOGIST, Door, fact
from tests.journeys.stories import a_day, of_kind, treated


async def test_an_assessed_response_closes_the_check_and_plans_the_next(door: Door) -> None:
    # given a line of treatment with its first check ahead
    patient, line = await treated(door, weeks=6)
    first = of_kind(await door.patient(patient), "response_check")[0]
    # when the scan shows stable disease
    await door.told(
        ONCOLOGIST,
        "AssessResponse",
        patient,
        events_pb2.ResponseAssessed(line_id=line, response="stable", modality="CECT"),
        facts=[fact("disease_status", "stable")],
    )
    # then the first check is done and the next is open, again six weeks ahead
    state = await door.until(
        patient,
        lambda s: [i for i in of_kind(s, "response_check") if i.item_id != first.item_id],
        "the next response check is planned",
    )
    second = of_kind(state, "response_check")
    assert [item.key.rsplit("|", 1)[1] for item in second] == ["2"]
    assert a_day(41) <= second[0].due_on <= a_day(48)
    done = next(item for item in await door.items(patient) if item.item_id == first.item_id)
    assert (done.status, done.closed_reason) == ("done", "The response was assessed.")

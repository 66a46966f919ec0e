"""A correction supersedes; both values stay readable, and yesterday's record reads as it read yesterday."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2 as events_pb
from handrail.clinical.v1 import terms_pb2 as terms_pb
from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.runtime.errors import Category
from tests.services.records.house import House, Refusal, Story, a_fact, an_id


def correction(fact_id: str, code: str = "") -> events_pb.FactCorrected:
    value = terms_pb.FactValue(code=code) if code else None
    return events_pb.FactCorrected(fact_id=fact_id, value=value, reason="misread the report")


async def with_her2(house: House) -> tuple[Story, str]:
    story = await house.opened()
    answer = await story.symptom(facts=[a_fact("her2_status", "negative", subject="specimen-1")])
    return story, answer.fact_ids[0]


async def test_both_values_are_shown_and_the_new_one_stands(house: House) -> None:
    story, old_id = await with_her2(house)
    answer = await story.append(fact_corrected=correction(old_id, "positive"))
    (current,) = await story.facts()
    assert (current.value.code, current.fact_id) == ("positive", answer.fact_ids[0])
    assert (current.name, current.subject, current.supersedes_fact_id) == ("her2_status", "specimen-1", old_id)

    old, new = await story.facts(include_superseded=True)
    assert (old.value.code, old.superseded_by_fact_id) == ("negative", new.fact_id)
    assert new.occurred_at == old.occurred_at
    assert new.recorded_at.ToDatetime() > old.recorded_at.ToDatetime()

    events = await house.nurse.call(
        house.timeline.ListEvents, timeline_pb.ListEventsRequest(patient_id=story.patient_id)
    )
    assert [fact.value.code for event in events.events for fact in event.facts] == ["negative", "positive"]
    assert [fact.value.code for fact in (await story.state()).facts] == ["positive"]


async def test_the_record_as_of_an_earlier_report_shows_the_earlier_value(house: House) -> None:
    story, old_id = await with_her2(house)
    await story.append(fact_corrected=correction(old_id, "positive"))
    assert [fact.value.code for fact in await story.facts(up_to_seq=2)] == ["negative"]
    assert [fact.value.code for fact in await story.facts(up_to_seq=3)] == ["positive"]
    (as_it_was,) = await story.facts(up_to_seq=2, include_superseded=True)
    assert not as_it_was.superseded_by_fact_id


async def test_a_fact_entered_in_error_stands_no_longer_and_stays_readable(house: House) -> None:
    story, old_id = await with_her2(house)
    await story.append(fact_corrected=correction(old_id))
    assert await story.facts() == []
    old, marker = await story.facts(include_superseded=True)
    assert (old.value.code, old.superseded_by_fact_id) == ("negative", marker.fact_id)
    assert marker.entered_in_error
    assert not marker.HasField("value")


async def test_a_fact_is_corrected_once_and_then_its_successor(house: House) -> None:
    story, old_id = await with_her2(house)
    new_id = (await story.append(fact_corrected=correction(old_id, "positive"))).fact_ids[0]
    with Refusal(Category.CONFLICT, "event.fact_corrected.fact_id"):
        await story.append(fact_corrected=correction(old_id, "equivocal"))
    await story.append(fact_corrected=correction(new_id, "equivocal"))
    assert [fact.value.code for fact in await story.facts()] == ["equivocal"]


async def test_a_fact_of_somebody_else_is_not_found(house: House) -> None:
    _, old_id = await with_her2(house)
    story = await house.opened()
    for fact_id in (old_id, an_id()):
        with Refusal(Category.NOT_FOUND, "event.fact_corrected.fact_id"):
            await story.append(fact_corrected=correction(fact_id, "positive"))
    assert len((await story.state()).event_ids) == 1

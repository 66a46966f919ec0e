"""Plans open, move and settle items, once; nothing is ownerless, and the clock closes nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from handrail.records.v1 import filing_pb2 as filing_pb
from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.runtime.errors import Category
from tests.services.records.house import DAWN, House, Refusal, Story, a_fact, an_id, an_item, at


def settle(item_id: str, how: str = "done", reason: str = "assessed") -> filing_pb.ItemToSettle:
    return filing_pb.ItemToSettle(item_id=item_id, how=how, reason=reason)


def move(item_id: str, days: int, reason: str = "the person asked") -> filing_pb.ItemToMove:
    due = DAWN + timedelta(days=days)
    return filing_pb.ItemToMove(item_id=item_id, due_on=due.date().isoformat(), due_at=at(due), reason=reason)


async def steps(house: House, item_id: str) -> list[tuple[str, str]]:
    connection = await house.cluster.connect(house.database_name)
    rows = await connection.fetch(
        "SELECT change, reason FROM records.item_step WHERE item_id = $1 ORDER BY seq", item_id
    )
    await connection.close()
    return [(row["change"], row["reason"]) for row in rows]


async def overdue(story: Story, *item_ids: str, key: str = "") -> int:
    request = filing_pb.MarkOverdueRequest(
        idempotency_key=key or an_id(),
        patient_id=story.patient_id,
        seq=90,
        item_ids=item_ids,
        overdue_at=at(DAWN + timedelta(days=6)),
    )
    return (await story.house.worker.call(story.house.filing.MarkOverdue, request)).marked


async def test_an_item_opens_with_its_owner_due_time_reason_and_facts(house: House) -> None:
    story = await house.opened()
    answer = await story.symptom(facts=[a_fact("fatigue", "significant")])
    item = an_item(fact_ids=answer.fact_ids, rule_id="r", number="1.6.10", missing_fact="ecog", supplied_by="oncology")
    await story.apply(open=[item], event_id=answer.event_id)
    (listed,) = await story.items()
    assert (listed.item_id, listed.status, listed.owner_team) == (item.item_id, "open", "breast_care_nurses")
    assert (listed.due_on, listed.due_at, listed.reason) == (item.due_on, item.due_at, item.reason)
    assert (list(listed.fact_ids), listed.opened_by_event_id) == (list(answer.fact_ids), answer.event_id)
    assert (listed.missing_fact, listed.supplied_by) == ("ecog", "oncology")
    assert listed.person.patient_id == story.patient_id
    assert listed.person.nhs_number_shown


@pytest.mark.parametrize(
    ("asked", "owner"),
    [
        ({"owner_role": "oncology"}, "oncology"),
        ({"owner_role": "palliative_care"}, "palliative_care"),
        ({"owner_role": "no_such_role"}, "coordination"),
        ({"owner_role": ""}, "coordination"),
        ({"owner_role": "oncology", "owner_team": "wound_care"}, "wound_care"),
        ({"owner_role": "oncology", "owner_team": "no_such_team"}, "oncology"),
    ],
)
async def test_an_item_is_never_ownerless(house: House, asked: dict[str, str], owner: str) -> None:
    story = await house.opened()
    answer = await story.apply(open=[an_item(**asked)])
    assert [item.owner_team for item in answer.opened] == [owner]


async def test_postgresql_refuses_an_open_item_without_owner_or_due_time(house: House) -> None:
    story = await house.opened()
    item = an_item()
    await story.apply(open=[item])
    connection = await house.cluster.connect(house.database_name, "records_runtime")
    for column in ("owner_team", "due_at", "due_on"):
        with pytest.raises(asyncpg.NotNullViolationError):
            await connection.execute(f"UPDATE item SET {column} = NULL WHERE item_id = $1", item.item_id)  # noqa: S608
    await connection.close()


async def test_the_same_plan_twice_has_one_effect_and_one_answer(house: House) -> None:
    story = await house.opened()
    plan = story.plan(open=[an_item(), an_item()])
    first = await house.worker.call(house.filing.ApplyPlan, plan)
    second = await house.worker.call(house.filing.ApplyPlan, plan)
    plan.idempotency_key = an_id()
    del plan.open[:]
    same_place = await house.worker.call(house.filing.ApplyPlan, plan)
    assert (first.already_applied, second.already_applied, same_place.already_applied) == (False, True, True)
    assert first.opened == second.opened == same_place.opened
    assert len(await story.items()) == 2


async def test_the_same_plan_at_the_same_instant_is_applied_once(house: House) -> None:
    story = await house.opened()
    plan = story.plan(open=[an_item()])
    answers = await asyncio.gather(*(house.worker.call(house.filing.ApplyPlan, plan) for _ in range(8)))
    assert sorted(answer.already_applied for answer in answers) == [False] + [True] * 7


async def test_closing_comes_before_opening_so_a_successor_may_take_the_key(house: House) -> None:
    story = await house.opened()
    old, new = an_item("cg81|r||1"), an_item("cg81|r||1")
    await story.apply(open=[old])
    await story.apply(close=[settle(old.item_id, "replaced", "a newer result came")], open=[new])
    assert [item.item_id for item in await story.items()] == [new.item_id]
    closed = {item.item_id: item for item in await story.items(include_closed=True)}[old.item_id]
    assert (closed.status, closed.closed_reason) == ("replaced", "a newer result came")
    assert closed.HasField("closed_at")
    assert await steps(house, old.item_id) == [
        ("opened", "Fatigue was reported."),
        ("replaced", "a newer result came"),
    ]


async def test_two_open_items_with_one_key_are_refused_whole(house: House) -> None:
    story = await house.opened()
    await story.apply(open=[an_item("cg81|r||1")])
    with Refusal(Category.CONFLICT):
        await story.apply(open=[an_item("other"), an_item("cg81|r||1")])
    assert len(await story.items()) == 1


async def test_a_settled_item_stays_as_it_was_settled(house: House) -> None:
    story = await house.opened()
    item = an_item()
    await story.apply(open=[item])
    await story.apply(close=[settle(item.item_id)])
    await story.apply(close=[settle(item.item_id, "withdrawn", "no longer asked for")])
    (listed,) = await story.items(include_closed=True)
    assert (listed.status, listed.closed_reason) == ("done", "assessed")


async def test_an_item_that_was_set_aside_stands_again_as_it_stood(house: House) -> None:
    story = await house.opened()
    item = an_item()
    await story.apply(open=[item])
    (before,) = await story.items()
    await story.apply(close=[settle(item.item_id, "withdrawn", "The person has died.")])
    assert await story.items() == []
    again = filing_pb.ItemToReopen(item_id=item.item_id, reason="It was a namesake.")
    for _ in range(2):  # one that stands already stays as it stands
        await story.apply(reopen=[again])
    (after,) = await story.items()
    assert after == before
    assert [change for change, _ in await steps(house, item.item_id)] == ["opened", "withdrawn", "reopened"]
    # two tasks of one key cannot both stand
    await story.apply(close=[settle(item.item_id, "withdrawn", "The person has died.")])
    await story.apply(open=[an_item(item.key)])
    with Refusal(Category.CONFLICT):
        await story.apply(reopen=[again])


async def test_an_item_of_somebody_else_is_not_found(house: House) -> None:
    story, other = await house.opened(), await house.opened()
    item = an_item()
    await other.apply(open=[item])
    for change in ({"close": [settle(item.item_id)]}, {"move": [move(item.item_id, 9)]}):
        asked: dict[str, Any] = dict(change)
        with Refusal(Category.NOT_FOUND):
            await story.apply(**asked)
    with Refusal(Category.CONFLICT):
        await story.apply(open=[item])


async def test_a_link_never_crosses_from_one_person_to_another(house: House) -> None:
    story, other = await house.opened(), await house.opened()
    fact_ids = (await other.symptom(facts=[a_fact("fatigue", "present")])).fact_ids
    with Refusal(Category.CONFLICT):
        await story.apply(open=[an_item(fact_ids=fact_ids)])
    assert await story.items() == []


async def test_overdue_marks_and_never_closes_and_a_deferral_unmarks(house: House) -> None:
    story = await house.opened()
    item, other = an_item(), an_item()
    await story.apply(open=[item, other])
    key = an_id()
    assert await overdue(story, item.item_id, other.item_id, key=key) == 2
    assert await overdue(story, item.item_id, other.item_id, key=key) == 2
    assert await overdue(story, item.item_id) == 0
    assert [(i.status, i.HasField("overdue_at")) for i in await story.items()] == [("open", True)] * 2

    await story.apply(move=[move(item.item_id, 20)])
    moved = {i.item_id: i for i in await story.items()}[item.item_id]
    assert (moved.due_on, moved.moved, moved.HasField("overdue_at")) == ("2026-11-22", 1, False)
    assert ("moved", "the person asked") in await steps(house, item.item_id)


async def test_a_closed_item_cannot_be_put_off(house: House) -> None:
    story = await house.opened()
    item = an_item()
    await story.apply(open=[item])
    await story.apply(close=[settle(item.item_id)])
    with Refusal(Category.CONFLICT):
        await story.apply(move=[move(item.item_id, 20)])


async def test_the_worklist_is_paged_soonest_due_first(house: House) -> None:
    story = await house.opened()
    due = [DAWN + timedelta(days=day) for day in (9, 3, 3, 7, 1)]
    await story.apply(open=[an_item(due_on=d.date().isoformat(), due_at=at(d), owner_team="orthopaedics") for d in due])
    everything = await story.items()
    assert [item.due_at.ToDatetime() for item in everything] == sorted(d.replace(tzinfo=None) for d in due)
    token, seen = "", []
    for _ in range(3):
        request = timeline_pb.ListItemsRequest(team="orthopaedics", page_size=2, page_token=token)
        page = await house.nurse.call(house.timeline.ListItems, request)
        seen += [item.item_id for item in page.items]
        token = page.next_page_token
    assert (seen, token) == ([item.item_id for item in everything], "")
    with Refusal(Category.INVALID, "page_token"):
        await story.items(page_token="made up")  # noqa: S106 - a page, not a password


async def test_the_sweep_sees_every_open_pathway_and_its_items(house: House) -> None:
    story, closed = await house.opened(), await house.opened()
    await story.apply(open=[an_item(), an_item()])
    await closed.apply(open=[], pathway_closed=True)
    token, states = "", {}
    while True:
        request = timeline_pb.ListPathwaysRequest(page_size=3, page_token=token)
        page = await house.nurse.call(house.timeline.ListPathways, request)
        states.update({state.patient_id: state for state in page.pathways})
        token = page.next_page_token
        if not token:
            break
    assert len(states) == await house.count("pathway")
    assert (states[story.patient_id].open_items, states[story.patient_id].items_without_owner_or_due) == (2, 0)


async def test_the_sweep_sees_what_is_overdue_and_was_not_marked(house: House) -> None:
    story = await house.opened()
    due = [datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (-60, -30, -5, 60)]
    marked, *others = [an_item(due_on=moment.date().isoformat(), due_at=at(moment)) for moment in due]
    await story.apply(open=[marked, *others])
    assert await overdue(story, marked.item_id) == 1
    sweep = house.caller("system:sweep", "sweep")
    page = await sweep.call(house.timeline.ListPathways, timeline_pb.ListPathwaysRequest(page_size=500))
    (state,) = [state for state in page.pathways if state.patient_id == story.patient_id]
    assert (state.open_items, state.items_overdue_untold) == (4, 1)
    with Refusal(Category.NOT_ALLOWED):
        await sweep.call(house.timeline.GetPatient, timeline_pb.GetPatientRequest(patient_id=story.patient_id))


async def test_a_message_is_linked_to_what_it_stood_on_once(house: House) -> None:
    story = await house.opened()
    answer = await story.symptom(facts=[a_fact("fatigue", "present")])
    item = an_item()
    await story.apply(open=[item])
    request = filing_pb.LinkMessageRequest(
        idempotency_key=an_id(),
        message_id=an_id(),
        patient_id=story.patient_id,
        event_id=answer.event_id,
        fact_ids=answer.fact_ids,
        item_ids=[item.item_id],
    )
    for _ in range(2):
        await house.worker.call(house.filing.LinkMessage, request)
    assert [await house.count(t) for t in ("message", "message_fact", "message_item")] == [1, 1, 1]

"""At every instant exactly one named team is responsible for a referral's next action."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from handrail.clinical.v1 import events_pb2 as events_pb
from handrail.records.v1 import filing_pb2 as filing_pb
from handrail.records.v1 import timeline_pb2 as timeline_pb
from services.runtime.errors import Category, HandrailError
from tests.services.records.house import DAWN, HOSPICE, NURSE, House, Refusal, Story, an_id, at, digest


async def drafted(house: House, to_team: str = "palliative_care") -> tuple[Story, str]:
    story = await house.opened()
    referral_id = an_id()
    draft = events_pb.ReferralDrafted(
        referral_id=referral_id, to_team=to_team, reason="uncontrolled pain", urgency="urgent", numbers=["1.6.15"]
    )
    await story.append(referral_drafted=draft)
    return story, referral_id


def step(
    referral_id: str,
    before: str,
    after: str,
    team: str = "palliative_care",
    **more: Any,
) -> filing_pb.SetReferralStatusRequest:
    given: dict[str, Any] = {
        "idempotency_key": an_id(),
        "referral_id": referral_id,
        "from_status": before,
        "to_status": after,
        "responsible_team": team,
        "at": at(DAWN + timedelta(hours=1)),
        "actor": HOSPICE,
        "event_id": an_id(),
    }
    return filing_pb.SetReferralStatusRequest(**{**given, **more})


async def take(house: House, request: filing_pb.SetReferralStatusRequest) -> filing_pb.SetReferralStatusResponse:
    return await house.worker.call(house.filing.SetReferralStatus, request)


async def read(house: House, referral_id: str) -> timeline_pb.Referral:
    request = timeline_pb.GetReferralRequest(referral_id=referral_id)
    answer = await house.nurse.call(house.timeline.GetReferral, request)
    assert answer.person.patient_id == answer.referral.patient_id
    return answer.referral


async def test_a_draft_is_the_responsibility_of_who_drafted_it(house: House) -> None:
    _, referral_id = await drafted(house)
    referral = await read(house, referral_id)
    assert (referral.status, referral.from_team, referral.to_team) == ("draft", "breast_care_nurses", "palliative_care")
    assert referral.responsible_team == referral.clinically_responsible_team == "breast_care_nurses"
    assert [(s.status, s.actor) for s in referral.steps] == [("draft", NURSE)]
    assert (referral.urgency, list(referral.numbers)) == ("urgent", ["1.6.15"])


async def test_it_is_handed_over_step_by_step_and_clinically_at_first_contact(house: House) -> None:
    _, referral_id = await drafted(house)
    due = at(DAWN + timedelta(days=2))
    await take(house, step(referral_id, "draft", "agreed", "breast_care_nurses", actor=NURSE))
    await take(house, step(referral_id, "agreed", "sent", next_due_at=due))
    sent = await read(house, referral_id)
    assert (sent.responsible_team, sent.next_due_at) == ("palliative_care", due)
    for before, after in [("sent", "acknowledged"), ("acknowledged", "accepted")]:
        await take(house, step(referral_id, before, after))
        assert (await read(house, referral_id)).clinically_responsible_team == "breast_care_nurses"
    await take(house, step(referral_id, "accepted", "first_contact", note="seen at home"))
    last = await read(house, referral_id)
    assert last.clinically_responsible_team == "palliative_care"
    assert not last.HasField("next_due_at")
    assert [s.status for s in last.steps] == ["draft", "agreed", "sent", "acknowledged", "accepted", "first_contact"]
    assert last.steps[-1].note == "seen at home"


async def test_on_decline_the_referrer_is_responsible_again(house: House) -> None:
    _, referral_id = await drafted(house)
    await take(house, step(referral_id, "draft", "sent"))
    answer = await take(house, step(referral_id, "sent", "declined", "breast_care_nurses"))
    assert (answer.status, answer.responsible_team) == ("declined", "breast_care_nurses")


async def test_a_status_that_changed_meanwhile_is_not_overwritten(house: House) -> None:
    _, referral_id = await drafted(house)
    rivals = [step(referral_id, "draft", status) for status in ("sent", "agreed", "closed")]
    answers = await asyncio.gather(*(take(house, rival) for rival in rivals), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, HandrailError)]
    assert [error.category for error in refused] == [Category.CONFLICT] * 2
    assert len((await read(house, referral_id)).steps) == 2


async def test_the_same_event_again_gets_the_first_answer(house: House) -> None:
    _, referral_id = await drafted(house)
    request = step(referral_id, "draft", "sent")
    assert not (await take(house, request)).already_set
    await take(house, step(referral_id, "sent", "acknowledged", "palliative_care"))
    again = await take(house, request)
    assert (again.already_set, again.status, again.responsible_team) == (True, "sent", "palliative_care")
    assert (await read(house, referral_id)).status == "acknowledged"


async def test_the_receiving_teams_reply_is_kept_for_good(house: House) -> None:
    story, referral_id = await drafted(house)
    request = step(referral_id, "draft", "sent", caller="ruth.intake", request_hash=digest("body"))
    await take(house, request)
    asked = timeline_pb.GetReplyRequest(caller="ruth.intake", idempotency_key=request.idempotency_key)
    reply = await house.nurse.call(house.timeline.GetReply, asked)
    assert (reply.found, reply.request_hash, reply.receipt.event_id) == (True, digest("body"), request.event_id)
    request.event_id = an_id()
    assert (await take(house, request)).already_set
    request.request_hash = digest("another")
    with Refusal(Category.KEY_REUSED):
        await take(house, request)
    assert story.patient_id


async def test_unknown_referrals_and_teams_are_refused(house: House) -> None:
    _, referral_id = await drafted(house)
    with Refusal(Category.NOT_FOUND, "referral_id"):
        await take(house, step(an_id(), "draft", "sent"))
    with Refusal(Category.INVALID, "responsible_team"):
        await take(house, step(referral_id, "draft", "sent", "nobody"))
    with Refusal(Category.NOT_FOUND, "event.referral_drafted.to_team"):
        await drafted(house, "nobody")
    with Refusal(Category.NOT_FOUND, "referral_id"):
        await read(house, an_id())


async def test_a_team_sees_what_it_must_act_on_and_what_was_sent_to_it(house: House) -> None:
    story, referral_id = await drafted(house, "wound_care")

    async def seen(team: str = "", patient_id: str = "") -> list[str]:
        request = timeline_pb.ListReferralsRequest(team=team, patient_id=patient_id)
        answer = await house.nurse.call(house.timeline.ListReferrals, request)
        return [referral.referral_id for referral in answer.referrals]

    assert await seen(team="wound_care") == []
    assert referral_id in await seen(team="breast_care_nurses")
    await take(house, step(referral_id, "draft", "sent", "wound_care"))
    assert await seen(team="wound_care") == [referral_id]
    assert referral_id not in await seen(team="breast_care_nurses")
    assert await seen(patient_id=story.patient_id) == [referral_id]
    assert [r.referral_id for r in (await story.state()).referrals] == [referral_id]

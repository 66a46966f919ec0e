"""A referral: drafted, agreed, sent, acknowledged, accepted, first contact; one team owns the next step at each."""

from __future__ import annotations

from typing import Any

from handrail.clinical.v1 import events_pb2
from services.runtime.context import Actor
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, PALLIATIVE, Door, fact
from tests.journeys.stories import agreed, diagnosed, drafted, new_id, numbers, of_kind, refused, sent_referral

HOSPICE = Actor("hospice.test", "hospice_intake", "wound_care")


def standing(state: Any) -> tuple[str, str, str]:
    referral = state.referrals[0]
    return referral.status, referral.responsible_team, referral.clinically_responsible_team


async def act(door: Door, patient: str, rpc: str, event: Any, status: str) -> Any:
    """Let the receiving team act; wait until the pathway knows; exactly one team owns an open task of the referral."""
    receipt = await door.report(PALLIATIVE, rpc, patient, event)
    return await door.until(
        patient,
        lambda s: s.referrals[0].status == status and receipt.event_id in s.event_ids,
        f"the referral is {status}",
    )


async def test_a_palliative_referral_from_draft_to_first_contact(door: Door) -> None:
    # given uncontrolled local disease, for which palliative care is asked for
    patient, referral = await diagnosed(door), new_id()
    state = await door.told(
        NURSE,
        "ReportSymptom",
        patient,
        events_pb2.SymptomReported(note="tired"),
        facts=[fact("uncontrolled_local_disease", True)],
    )
    assert "1.12.3" in numbers(state)
    # when the coordinator drafts a referral, then the person's agreement is the next step
    state = await door.told(COORDINATOR, "DraftReferral", patient, drafted(referral))
    assert standing(state) == ("draft", "coordination", "coordination")
    assert [item.title for item in of_kind(state, "referral")] == ["Ask the person whether they agree to the referral"]
    # when it is sent before the person agreed, then it stays here
    sent = events_pb2.ReferralSent(referral_id=referral)
    refusal = await refused(door.report(COORDINATOR, "SendReferral", patient, sent))
    assert (refusal.category, "the person's agreement" in refusal.message) == (Category.CONFLICT, True)
    # when the person agrees and it is sent
    await door.told(COORDINATOR, "AgreeReferral", patient, agreed(referral))
    await door.told(COORDINATOR, "SendReferral", patient, sent)
    state = await door.until(patient, lambda s: s.referrals[0].status in {"sent", "delivered"}, "it is sent")
    # then sent is not told: it is the referrer's until somebody takes it
    assert standing(state)[1:] == ("coordination", "coordination")
    assert [item.owner_team for item in of_kind(state, "referral")] == ["coordination"]
    # when the receiving team acts out of order, then it is refused
    contact = events_pb2.ReferralFirstContact(referral_id=referral, how="visit")
    refusal = await refused(door.report(PALLIATIVE, "RecordFirstContact", patient, contact))
    assert refusal.category is Category.CONFLICT
    # when another team answers, then it is refused
    taken = events_pb2.ReferralAcknowledged(referral_id=referral, taken_by="Sister Sample")
    refusal = await refused(door.report(HOSPICE, "AcknowledgeReferral", patient, taken))
    assert (refusal.category, "another team" in refusal.message) == (Category.NOT_ALLOWED, True)
    # when palliative care takes it, then the next action is theirs, the person still the referrer's
    state = await act(door, patient, "AcknowledgeReferral", taken, "acknowledged")
    assert standing(state) == ("acknowledged", "palliative_care", "coordination")
    # when they ask, then the answer is the referrer's to give
    question = events_pb2.ReferralInformationAsked(referral_id=referral, question="Which dressings does she use?")
    state = await act(door, patient, "AskReferralInformation", question, "information_asked")
    assert standing(state) == ("information_asked", "coordination", "coordination")
    # when the referrer answers, then the next word is palliative care's
    state = await door.until(
        patient, lambda s: [i for i in of_kind(s, "referral") if i.title.startswith("Answer")], "the question is a task"
    )
    (asked,) = [item for item in of_kind(state, "referral") if item.title.startswith("Answer")]
    assert asked.owner_team == "coordination"
    answer = events_pb2.ItemCompleted(item_id=asked.item_id, outcome="Silver dressings, changed every day.")
    state = await door.told(COORDINATOR, "CompleteItem", patient, answer)
    assert [(item.title, item.reason, item.owner_team) for item in of_kind(state, "referral")] == [
        ("Your question was answered: accept, ask or decline", answer.outcome, "palliative_care")
    ]
    # when they would close it before they met the person, then they are told to decline instead
    over = events_pb2.ReferralClosed(referral_id=referral, outcome="Not for us.")
    refusal = await refused(door.report(PALLIATIVE, "CloseReferral", patient, over))
    assert (refusal.category, "Decline it" in refusal.message) == (Category.NOT_ALLOWED, True)
    # when they accept and meet the person, then responsibility passes
    yes = events_pb2.ReferralAccepted(referral_id=referral, plan="Home visit this week.")
    state = await act(door, patient, "AcceptReferral", yes, "accepted")
    assert standing(state) == ("accepted", "palliative_care", "coordination")
    state = await act(door, patient, "RecordFirstContact", contact, "first_contact")
    assert standing(state) == ("first_contact", "palliative_care", "palliative_care")
    state = await door.until(patient, lambda s: not of_kind(s, "referral"), "no task of the referral is left")
    # when it is closed, then it says how it ended, and takes no more answers
    closed = events_pb2.ReferralClosed(referral_id=referral, outcome="Symptoms are controlled.")
    state = await act(door, patient, "CloseReferral", closed, "closed")
    assert [step.status for step in state.referrals[0].steps if step.status != "delivered"] == [
        *("draft", "agreed", "sent", "acknowledged", "information_asked", "accepted", "first_contact", "closed")
    ]
    refusal = await refused(door.report(PALLIATIVE, "AcceptReferral", patient, yes))
    assert refusal.category in {Category.NOT_FOUND, Category.CONFLICT}
    # then those who made it were told of each answer, and those who took it only of the letter and their tasks
    await door.quiet(patient)
    told = {(message.team, message.template) for message in await door.messages(patient)}
    assert {("breast_care_nurses", "referral_acknowledged"), ("breast_care_nurses", "referral_accepted")} <= told
    assert {name for team, name in told if team == "palliative_care"} == {"referral_sent", "items_opened"}


async def test_a_declined_referral_comes_back_to_the_referrer(door: Door) -> None:
    # given a referral that palliative care has taken
    patient, referral = await sent_referral(door)
    taken = events_pb2.ReferralAcknowledged(referral_id=referral, taken_by="Sister Sample")
    await act(door, patient, "AcknowledgeReferral", taken, "acknowledged")
    # when they cannot take the person
    no = events_pb2.ReferralDeclined(referral_id=referral, reason="She lives outside our area.")
    await act(door, patient, "DeclineReferral", no, "declined")
    # then ownership is back with the referrer, who must decide what happens instead
    state = await door.until(
        patient,
        lambda s: [i.title for i in of_kind(s, "referral")] == ["Referral declined: decide what happens instead"],
        "what happens instead is the one task",
    )
    assert standing(state) == ("declined", "coordination", "coordination")
    task = of_kind(state, "referral")[0]
    assert (task.owner_team, task.reason) == ("coordination", "She lives outside our area.")

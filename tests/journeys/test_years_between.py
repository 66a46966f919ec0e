"""Stretches of a life: what goes wrong in the years between, and how each ends with somebody's next step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from handrail.clinical.v1 import events_pb2, terms_pb2
from services.runtime.context import Actor
from tests.house import COORDINATOR, NURSE, ONCOLOGIST, PALLIATIVE, Door, fact
from tests.journeys.stories import (
    LUMINAL,
    a_day,
    accepted,
    agreed,
    diagnosed,
    drafted,
    how_closed,
    new_id,
    numbers,
    of_kind,
    refused,
    started,
    the,
    treated,
)

PATHOLOGIST = Actor("pathologist.test", "pathologist", "pathology")
DECISION = events_pb2.DecisionMade
EARLY = terms_pb2.TherapyCourse(
    setting="adjuvant", agents=["letrozole"], stop_reason="completed", started_on="2015-03-01", ended_on="2020-03-01"
)


def is_now(referral: str, status: str) -> Callable[[Any], bool]:
    """Whether a referral stands so."""
    return lambda state: any(one.referral_id == referral and one.status == status for one in state.referrals)


async def test_a_relapse_with_her2_unknown_is_chased_and_ends_in_an_informed_decision(door: Door) -> None:
    # given somebody treated years ago, whose disease is back, and whose HER2 status nobody knows
    patient = await door.opened()
    known = [
        fact("disease_extent", "metastatic"),
        fact("er_status", "positive", "liver-biopsy"),
        fact("pr_status", "positive", "liver-biopsy"),
        terms_pb2.ReportedFact(name="prior_therapy", value=terms_pb2.FactValue(therapy=EARLY), subject="1"),
    ]
    relapse = events_pb2.DiagnosisConfirmed(histology="Ductal, liver biopsy")
    state = await door.told(ONCOLOGIST, "ConfirmDiagnosis", patient, relapse, facts=known)
    # then unknown is not negative: no drug is offered that rests on HER2, and pathology is asked, with a clock
    assert "1.7.16" not in {item.number for item in of_kind(state, "decision")}
    chase = next(item for item in of_kind(state, "chase") if item.missing_fact.startswith("her2"))
    assert (chase.supplied_by, bool(chase.owner_team), bool(chase.due_at.seconds)) == ("pathology", True, True)
    # when the answer is equivocal, then it is still not an answer
    first = events_pb2.ResultReceived(investigation="HER2 immunohistochemistry")
    state = await door.told(
        PATHOLOGIST, "ReceiveResult", patient, first, facts=[fact("her2_ihc", "2+", "liver-biopsy")]
    )
    assert [item.missing_fact for item in of_kind(state, "chase")] == ["her2_ish"]
    # when it is settled, then the decision is due, with its options and what they rest on
    second = events_pb2.ResultReceived(investigation="HER2 in situ hybridisation")
    state = await door.told(
        PATHOLOGIST, "ReceiveResult", patient, second, facts=[fact("her2_ish", "not_amplified", "liver-biopsy")]
    )
    assert not [item for item in of_kind(state, "chase") if item.missing_fact.startswith("her2")]
    assert the(state, "1.6.1", "decision").owner_team
    # when she decides, with her daughter there, then who, why and on what facts is kept
    yes = accepted()
    yes.decided_with = "Her daughter; oncologist and nurse in clinic"
    state = await door.told(ONCOLOGIST, "MakeDecision", patient, yes)
    (kept,) = state.decisions
    stood_on = {held.name for held in state.facts if held.fact_id in kept.fact_ids}
    assert (kept.outcome, kept.departure, kept.person_view) == ("accepted", False, yes.person_view)
    assert {"er_status", "her2_ish"} <= stood_on
    assert of_kind(state, "follow_on")


async def test_unwell_on_capecitabine_without_a_thermometer_is_an_emergency_by_itself(door: Door) -> None:
    # given somebody on capecitabine
    patient = await diagnosed(door)
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    line = new_id()
    course = started(line)
    course.course.agents[:], course.course.classes[:] = ["capecitabine"], ["capecitabine"]
    await door.told(ONCOLOGIST, "StartTherapyLine", patient, course)
    # when her husband rings: she is unwell, and there is no thermometer in the house
    unwell = events_pb2.SymptomReported(note="Shivering since the morning; no thermometer.", told_by="carer")
    noticed = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=40)
    state = await door.told(NURSE, "ReportSymptom", patient, unwell, facts=[fact("unwell", True)], occurred_at=noticed)
    # then nobody waits for a temperature: the task is whom to ring now, and two ways tell of it
    (item,) = of_kind(state, "emergency")
    assert (item.number, item.urgency, "Ring 01632" in item.title) == ("U-NS", "emergency", True), item.title
    assert not [one for one in of_kind(state, "chase") if "temperature" in one.missing_fact]
    state = await door.until(patient, lambda s: of_kind(s, "phone_task"), "somebody is to ring")
    # then the treatment itself was stopped by nobody
    assert [one.status for one in state.therapy_lines] == ["ongoing"]
    over = events_pb2.ItemCompleted(
        item_id=item.item_id, outcome="Seen in the unit within 50 minutes; antibiotics given."
    )
    state = await door.told(ONCOLOGIST, "CompleteItem", patient, over)
    assert not of_kind(state, "emergency") + of_kind(state, "phone_task")


async def test_weak_legs_end_in_an_mri_within_a_day_of_first_notice_though_the_key_worker_is_away(door: Door) -> None:
    # given weak legs since this morning; her key worker is away, and the duty desk is rung
    patient = await diagnosed(door)
    noticed = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=6)
    told = events_pb2.SymptomReported(note="Her legs gave way.", told_by="carer")
    weak = [fact("new_limb_weakness", True)]
    state = await door.told(COORDINATOR, "ReportSymptom", patient, told, facts=weak, occurred_at=noticed)
    (item,) = of_kind(state, "emergency")
    await door.until(patient, lambda s: of_kind(s, "phone_task"), "the duty desk is rung")
    # when somebody who is there takes it on, and the MRI is ordered and read that day
    await door.told(ONCOLOGIST, "TakeItem", patient, events_pb2.ItemTaken(item_id=item.item_id))
    mri = events_pb2.InvestigationOrdered(order_id=new_id(), modality="MRI", purpose="diagnosis", question="Cord?")
    state = await door.told(ONCOLOGIST, "OrderInvestigation", patient, mri)
    assert of_kind(state, "emergency")
    read = events_pb2.ResultReceived(investigation="MRI of the whole spine", order_id=mri.order_id)
    state = await door.told(ONCOLOGIST, "ReceiveResult", patient, read)
    over = events_pb2.ItemCompleted(item_id=item.item_id, outcome="MRI read: compression at T8; treated today.")
    state = await door.told(ONCOLOGIST, "CompleteItem", patient, over)
    # then it ended before its day was over, and nothing closed by itself
    (ended,) = [one for one in await door.items(patient) if one.item_id == item.item_id]
    assert (ended.status, ended.due_at.ToDatetime(tzinfo=UTC)) == ("done", noticed + timedelta(hours=24))
    assert ended.closed_at.ToDatetime(tzinfo=UTC) < ended.due_at.ToDatetime(tzinfo=UTC)
    assert not of_kind(state, "emergency") + of_kind(state, "phone_task")
    assert of_kind(state, "result_to_read")


async def test_palliative_care_declined_twice_is_asked_about_again_and_then_agreed(door: Door) -> None:
    # given somebody to whom palliative care is to be offered
    patient = await diagnosed(door)
    told = events_pb2.SymptomReported(told_by="person")
    state = await door.told(NURSE, "ReportSymptom", patient, told, facts=[fact("uncontrolled_local_disease", True)])
    assert "1.12.3" in numbers(state)
    # when she says no, twice, then each no is kept with her words, and nothing is sent
    for words in ("Not yet. That is for dying.", "My sister is coming; ask me after that."):
        referral = new_id()
        await door.told(COORDINATOR, "DraftReferral", patient, drafted(referral))
        refusal = await refused(
            door.report(COORDINATOR, "SendReferral", patient, events_pb2.ReferralSent(referral_id=referral))
        )
        assert "agreement" in refusal.message
        no = events_pb2.ReferralClosed(referral_id=referral, outcome=f"She declined: {words}")
        await door.report(COORDINATOR, "CloseReferral", patient, no)
        state = await door.until(patient, is_now(referral, "closed"), "the draft is closed")
    assert [one.status for one in state.referrals] == ["closed", "closed"]
    assert not [message for message in await door.messages(patient) if message.team == "palliative_care"]
    # then the recommendation itself is put off until a day, and nobody is without a next step
    later = DECISION(number="1.12.3", outcome=DECISION.OUTCOME_DEFERRED, person_view="Ask me after the visit.")
    later.reason_code, later.reason, later.review_on = "person_preference", "Her sister is coming.", a_day(14)
    state = await door.told(NURSE, "MakeDecision", patient, later)
    assert "1.12.3" not in {item.number for item in of_kind(state, "recommendation")}
    assert len(state.open_items) > 0
    # when she changes her mind, then it is agreed in her words, sent, and hers who took it after first contact
    referral = new_id()
    await door.told(COORDINATOR, "DraftReferral", patient, drafted(referral))
    await door.told(COORDINATOR, "AgreeReferral", patient, agreed(referral))
    await door.told(COORDINATOR, "SendReferral", patient, events_pb2.ReferralSent(referral_id=referral))
    await door.until(patient, is_now(referral, "delivered"), "it is delivered")
    steps = (
        ("AcknowledgeReferral", events_pb2.ReferralAcknowledged(referral_id=referral, taken_by="Quinn Sample")),
        ("AcceptReferral", events_pb2.ReferralAccepted(referral_id=referral, plan="Home visit.")),
        ("RecordFirstContact", events_pb2.ReferralFirstContact(referral_id=referral, how="visit")),
    )
    for rpc, act in steps:
        await door.report(PALLIATIVE, rpc, patient, act)
    state = await door.until(patient, is_now(referral, "first_contact"), "they met her")
    (kept,) = [one for one in state.referrals if one.referral_id == referral]
    assert kept.responsible_team == "palliative_care"
    assert len(state.decisions) == 1


async def test_who_died_unreported_is_known_when_the_family_rings_and_what_remains_is_done(door: Door) -> None:
    # given somebody on treatment who missed a visit, and whom nobody reached
    patient, line = await treated(door)
    visit = new_id()
    starts = f"{a_day(1)}T09:30:00Z"
    booked = events_pb2.AppointmentBooked(appointment_id=visit, purpose="Clinic", starts_at=starts)
    await door.told(COORDINATOR, "BookAppointment", patient, booked)
    # when her son rings: she died nine days ago, at home
    died = events_pb2.DeathReported(reported_by="family", died_on=a_day(-9), note="Her son, on the telephone.")
    before = await door.patient(patient)
    state = await door.told(COORDINATOR, "ReportDeath", patient, died)
    assert {item.item_id for item in before.open_items} < {item.item_id for item in state.open_items}
    # when a second person has made sure, then the line and the visit are set aside, and what outlives her is somebody's
    sure = events_pb2.DeathVerified(
        identity_checked="nhs_number_and_birth_date", confirmed_with="The GP's practice", died_on=a_day(-9)
    )
    state = await door.told(NURSE, "VerifyDeath", patient, sure)
    assert [(one.line_id, one.status) for one in state.therapy_lines] == [(line, "ended")]
    kinds = {item.kind: item for item in state.open_items}
    assert {"bereavement", "arrangements", "treatment_death_review"} <= set(kinds)
    assert "response_check" not in kinds
    assert all(item.owner_team and item.due_at.seconds for item in state.open_items)
    # when all of it is done, then a person closes the pathway, with the reason
    while left := [item for item in state.open_items if item.kind != "close_pathway"]:
        done = events_pb2.ItemCompleted(item_id=left[0].item_id, outcome="Done.")
        state = await door.told(ONCOLOGIST, "CompleteItem", patient, done)
    assert [item.kind for item in state.open_items] == ["close_pathway"]
    over = events_pb2.PathwayClosed(reason="She died at home; her family was seen.")
    state = await door.told(COORDINATOR, "ClosePathway", patient, over)
    assert (state.pathway.status, list(state.open_items)) == ("closed", [])


async def test_a_man_who_is_refused_an_unfunded_drug_moves_trust_and_takes_the_decision_with_him(door: Door) -> None:
    # given a man with advanced breast cancer, for whom the guideline has an option
    patient = await diagnosed(door, sex="male")
    state = await door.patient(patient)
    assert of_kind(state, "decision")
    # when it cannot be given here, then that is a departure with its own code, and never blamed on anybody
    no = DECISION(
        number="1.7.16", outcome=DECISION.OUTCOME_DECLINED, person_view="I want it; I will go where it is given."
    )
    no.reason_code, no.reason = "not_available_here", "The funding request was turned down."
    state = await door.told(ONCOLOGIST, "MakeDecision", patient, no)
    assert [(one.outcome, one.departure, one.reason_code) for one in state.decisions] == [
        ("declined", True, "not_available_here")
    ]
    assert len(state.open_items) > 0
    # when another trust is asked, then he is ours until a named person there took him
    transfer = new_id()
    offer = events_pb2.TransferOffered(
        transfer_id=transfer, to_organisation="Anytown Hospitals", reason="It is given there."
    )
    state = await door.told(COORDINATOR, "OfferTransfer", patient, offer)
    assert of_kind(state, "transfer")
    yes = events_pb2.TransferAccepted(transfer_id=transfer, accepted_by="Dr Sample, Anytown oncology")
    state = await door.told(COORDINATOR, "AcceptTransfer", patient, yes)
    over = events_pb2.PathwayClosed(reason="Anytown Hospitals took him over.")
    state = await door.told(COORDINATOR, "ClosePathway", patient, over)
    # then the record still tells what was decided and why he left
    assert (state.pathway.status, [one.reason_code for one in state.decisions]) == ("closed", ["not_available_here"])
    assert await how_closed(door, patient, "1.7.16") is not None


async def test_a_cycle_that_was_given_moves_the_days_that_an_emergency_counts(door: Door) -> None:
    # given somebody whose chemotherapy began four months ago, and of whom nobody says when it was last given
    patient, back_then = await door.opened(), datetime.now(UTC) - timedelta(days=130)
    first = events_pb2.DiagnosisConfirmed()
    await door.told(ONCOLOGIST, "ConfirmDiagnosis", patient, first, facts=LUMINAL, occurred_at=back_then)
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    line = new_id()
    course = started(line)
    course.course.agents[:], course.course.classes[:] = ["capecitabine"], ["capecitabine"]
    begun = datetime.now(UTC) - timedelta(days=120)
    await door.told(ONCOLOGIST, "StartTherapyLine", patient, course, occurred_at=begun)
    told = events_pb2.SymptomReported(told_by="person")
    state = await door.told(NURSE, "ReportSymptom", patient, told, facts=[fact("unwell", True)])
    (question,) = of_kind(state, "emergency")
    assert question.title.startswith("Ask now: ")
    # when the unit reports the cycle of last week, then it is the emergency itself
    cycle = events_pb2.CycleGiven(line_id=line, cycle=6)
    last_week = datetime.now(UTC) - timedelta(days=7)
    state = await door.told(NURSE, "GiveCycle", patient, cycle, occurred_at=last_week)
    (item,) = of_kind(state, "emergency")
    assert (item.number, "Ring 01632" in item.title) == ("U-NS", True)
    # when an earlier cycle is told late, and a death was a mistake, then the last dose stays what it was
    early = datetime.now(UTC) - timedelta(days=28)
    await door.told(NURSE, "GiveCycle", patient, events_pb2.CycleGiven(line_id=line, cycle=5), occurred_at=early)
    await door.told(COORDINATOR, "ReportDeath", patient, events_pb2.DeathReported(reported_by="gp"))
    sure = events_pb2.DeathVerified(
        identity_checked="nhs_number_and_birth_date", confirmed_with="The GP's practice", died_on=a_day(-1)
    )
    await door.told(NURSE, "VerifyDeath", patient, sure)
    mistake = events_pb2.DeathWithdrawn(mistake="namesake", reason="Another person of this name.")
    state = await door.told(NURSE, "WithdrawDeathReport", patient, mistake)
    (kept,) = state.therapy_lines
    assert (kept.status, kept.course.last_dose_on, kept.course.ended_on) == (
        "ongoing",
        last_week.date().isoformat(),
        "",
    )

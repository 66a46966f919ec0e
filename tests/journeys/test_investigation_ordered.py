"""An investigation: cautions are asked before it is placed, its result is waited for and read, or it is cancelled."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, ONCOLOGIST, Door, fact
from tests.journeys.stories import accepted, diagnosed, new_id, of_kind, refused, started


def ordered(modality: str, purpose: str = "monitoring", why: str = "") -> events_pb2.InvestigationOrdered:
    return events_pb2.InvestigationOrdered(
        order_id=new_id(), modality=modality, purpose=purpose, question="Response?", override_reason=why
    )


async def with_bone_metastases(door: Door) -> str:
    patient = await diagnosed(door)
    staged = events_pb2.ResultReceived(investigation="Staging CT")
    await door.told(ONCOLOGIST, "ReceiveResult", patient, staged, facts=[fact("bone_mets", "present")])
    return patient


async def test_a_bone_scan_for_monitoring_is_refused_with_its_number_and_set_aside_only_by_a_clinician(
    door: Door,
) -> None:
    # given a person with bone metastases
    patient = await with_bone_metastases(door)
    before = (await door.standing(patient))["seq"]
    # when a bone scan is ordered to follow them, then 1.5.3 refuses it, and nothing is written
    refusal = await refused(door.report(ONCOLOGIST, "OrderInvestigation", patient, ordered("bone_scintigraphy")))
    assert (refusal.category, refusal.reason) == (Category.CONFLICT, "caution_1.5.3")
    assert "1.5.3 advises against it" in refusal.message
    assert "override_reason" in refusal.message
    # when a coordinator gives a reason, then a clinician is asked for
    scan = ordered("bone_scintigraphy", why="CT and PET-CT are both out of order this month.")
    refusal = await refused(door.report(COORDINATOR, "OrderInvestigation", patient, scan))
    assert refusal.category is Category.NOT_ALLOWED
    assert (await door.standing(patient))["seq"] == before
    # when the oncologist does, then it is ordered, and the departure is recorded with who and why, and blamed on nobody
    state = await door.told(ONCOLOGIST, "OrderInvestigation", patient, scan)
    departure = next(made for made in state.decisions if made.departure)
    assert (departure.number, departure.outcome, departure.reason) == ("1.5.3", "declined", scan.override_reason)
    assert departure.actor.subject == "oncologist.test"
    waiting = of_kind(state, "investigation")
    assert [(item.owner_team, item.subject_id) for item in waiting] == [("oncology", scan.order_id)]
    assert "1.5.3 advises against it" in waiting[0].reason


async def test_what_is_ordered_is_waited_for_read_and_never_answered_twice(door: Door) -> None:
    # given a CT that nothing speaks against
    patient = await with_bone_metastases(door)
    scan = ordered("CECT")
    state = await door.told(ONCOLOGIST, "OrderInvestigation", patient, scan)
    (waiting,) = of_kind(state, "investigation")
    # when somebody ticks it off, then it asks for the result
    done = events_pb2.ItemCompleted(item_id=waiting.item_id, outcome="I saw it.")
    refusal = await refused(door.report(ONCOLOGIST, "CompleteItem", patient, done))
    assert "closes when the result is reported" in refusal.message
    # when the result comes, then it is somebody's to read
    result = events_pb2.ResultReceived(investigation="CT", order_id=scan.order_id)
    state = await door.told(ONCOLOGIST, "ReceiveResult", patient, result, facts=[fact("liver_mets", "present")])
    assert not of_kind(state, "investigation")
    (unread,) = of_kind(state, "result_to_read")
    assert unread.owner_team == "breast_care_nurses"
    # when it was read, then nothing of it waits; and the order cannot be taken back any more
    read = events_pb2.ItemCompleted(item_id=unread.item_id, outcome="Told her on the telephone; stays on treatment.")
    state = await door.told(NURSE, "CompleteItem", patient, read)
    assert not of_kind(state, "result_to_read")
    late = events_pb2.InvestigationCancelled(order_id=scan.order_id, reason="Not needed.")
    assert "already answered" in (await refused(door.report(ONCOLOGIST, "CancelInvestigation", patient, late))).message


async def test_an_order_is_cancelled_with_a_reason_and_strangers_are_refused(door: Door) -> None:
    patient = await with_bone_metastases(door)
    scan = ordered("MRI", purpose="characterisation")
    await door.told(ONCOLOGIST, "OrderInvestigation", patient, scan)
    assert "already ordered" in (await refused(door.report(ONCOLOGIST, "OrderInvestigation", patient, scan))).message
    gone = events_pb2.InvestigationCancelled(order_id=scan.order_id, reason="She cannot have an MRI: pacemaker.")
    state = await door.told(ONCOLOGIST, "CancelInvestigation", patient, gone)
    assert not of_kind(state, "investigation")
    closed = [item for item in await door.items(patient) if item.kind == "investigation"]
    assert [(item.status, item.closed_reason) for item in closed] == [
        ("withdrawn", "The order was cancelled: She cannot have an MRI: pacemaker.")
    ]
    # an order that nobody placed, a scan and a purpose that nobody knows
    stray = events_pb2.ResultReceived(investigation="CT", order_id=new_id())
    assert (await refused(door.report(ONCOLOGIST, "ReceiveResult", patient, stray))).category is Category.NOT_FOUND
    for wrong in (ordered("bone_scan"), ordered("CECT", purpose="curiosity")):
        refusal = await refused(door.report(ONCOLOGIST, "OrderInvestigation", patient, wrong))
        assert refusal.category is Category.INVALID


async def test_a_regimen_that_an_appraisal_did_not_recommend_is_asked_about_before_it_starts(door: Door) -> None:
    # given a person for whom treatment was agreed
    patient = await diagnosed(door)
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    # when fulvestrant alone is reported as the start, which TA239 did not recommend for her
    line = started(new_id())
    del line.course.agents[:], line.course.classes[:]
    line.course.agents.append("fulvestrant")
    refusal = await refused(door.report(ONCOLOGIST, "StartTherapyLine", patient, line))
    assert (refusal.category, refusal.reason) == (Category.CONFLICT, "caution_1.8.1")
    # then with a reason it starts, and is counted
    line.override_reason = "She cannot swallow tablets."
    state = await door.told(ONCOLOGIST, "StartTherapyLine", patient, line)
    assert [(d.number, d.reason_code) for d in state.decisions if d.departure] == [
        ("1.8.1", "other"),
        ("1.7.16", "other_treatment"),
    ]


async def test_a_drug_more_lifts_no_caution_and_a_name_that_nobody_knows_refuses_nothing(door: Door) -> None:
    # given a person for whom treatment was agreed
    patient = await diagnosed(door)
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    line = started(new_id())
    del line.course.agents[:], line.course.classes[:]
    # when a pair that TA214 did not recommend starts with a third drug, then it is asked about all the same
    line.course.agents.extend(["Avastin", "docetaxel", "carboplatin"])
    refusal = await refused(door.report(ONCOLOGIST, "StartTherapyLine", patient, line))
    assert (refusal.category, refusal.reason) == (Category.CONFLICT, "caution_1.8.1")
    # when a name is misspelt or new, then the report stands: nobody is kept from saying what was given
    del line.course.agents[:]
    line.course.agents.extend(["eribulinn", "newdrug"])
    state = await door.told(ONCOLOGIST, "StartTherapyLine", patient, line)
    assert [made.reason_code for made in state.decisions if made.departure] == ["other_treatment"]

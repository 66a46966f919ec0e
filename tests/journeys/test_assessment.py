"""Diagnosis and assessment: suspected and confirmed, new and come back, specimens tested again, genomics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from handrail.clinical.v1 import events_pb2
from services.runtime.context import Actor
from tests.house import NURSE, ONCOLOGIST, Door, House, fact
from tests.journeys.stories import new_id, numbers, of_kind, the

PATHOLOGIST = Actor("pathologist.test", "pathologist", "pathology")
RADIOLOGIST = Actor("radiologist.test", "radiologist", "radiology")
DECISION = events_pb2.DecisionMade


def found(investigation: str, order_id: str = "") -> events_pb2.ResultReceived:
    return events_pb2.ResultReceived(investigation=investigation, order_id=order_id)


async def test_suspected_disease_is_staged_first_and_confirmed_by_what_is_found(door: Door) -> None:
    # given a suspicion of metastases: the MDT chooses the scan, and nothing about treatment is asked yet
    patient = await door.opened()
    suspected = [fact("disease_extent", "suspected_metastatic"), fact("staging_due", True)]
    state = await door.told(RADIOLOGIST, "ReceiveResult", patient, found("Chest film"), facts=suspected)
    assert the(state, "1.3.1").owner_team == "breast_mdt"
    assert "1.6.1" not in numbers(state)
    assert not of_kind(state, "chase")
    chosen = DECISION(
        number="1.3.1", outcome=DECISION.OUTCOME_ACCEPTED, option="CECT", person_view="As you think best."
    )
    state = await door.told(ONCOLOGIST, "MakeDecision", patient, chosen)
    assert [(item.title, item.owner_team) for item in of_kind(state, "follow_on")] == [
        ("Book the staging scan", "radiology")
    ]
    # when it is ordered, then its result is waited for; when it leaves a doubt, then that is looked into
    order = events_pb2.InvestigationOrdered(order_id=new_id(), modality="CECT", purpose="diagnosis", question="Extent?")
    state = await door.told(ONCOLOGIST, "OrderInvestigation", patient, order)
    assert of_kind(state, "investigation")
    doubt = [
        fact("staging_due", False),
        fact("staging_modality_done", "CECT"),
        fact("staging_uncertain", True),
        fact("uncertainty_resolvable_by_imaging", True),
    ]
    state = await door.told(RADIOLOGIST, "ReceiveResult", patient, found("CT", order.order_id), facts=doubt)
    assert not of_kind(state, "investigation")
    assert of_kind(state, "result_to_read")
    further = DECISION(
        number="1.3.3", outcome=DECISION.OUTCOME_ACCEPTED, option="bone_scintigraphy", person_view="Yes."
    )
    state = await door.told(ONCOLOGIST, "MakeDecision", patient, further)
    # then a bone scan is right here, where it looks closer (1.5.3 is about monitoring)
    look = events_pb2.InvestigationOrdered(order_id=new_id(), modality="bone_scintigraphy", purpose="characterisation")
    state = await door.told(ONCOLOGIST, "OrderInvestigation", patient, look)
    clear = [fact("staging_uncertain", False), fact("bone_mets", "present"), fact("bone_mets_newly_diagnosed", True)]
    state = await door.told(RADIOLOGIST, "ReceiveResult", patient, found("Bone scan", look.order_id), facts=clear)
    assert the(state, "1.13.1").kind == "decision"
    # when it is confirmed, new from the start, then treatment is due, and what is missing is asked of its holders
    known = [fact("recurrence", False), fact("disease_extent", "metastatic")]
    confirmed = events_pb2.DiagnosisConfirmed(histology="Ductal")
    state = await door.told(ONCOLOGIST, "ConfirmDiagnosis", patient, confirmed, facts=known)
    assert {(item.supplied_by, item.missing_fact) for item in of_kind(state, "chase")} == {
        ("pathology", "her2_ihc+er_status+pr_status"),
        ("oncology", "prior_therapy"),
    }
    assert "1.4.1" not in numbers(state)


async def test_specimens_that_disagree_settle_nothing_until_the_mdt_says_which_counts(door: Door, house: House) -> None:
    # given the receptors of a primary of eight years ago, and disease that came back
    patient, back_then = await door.opened(), datetime.now(UTC) - timedelta(days=3000)
    primary = [fact("er_status", "positive", "primary"), fact("pr_status", "positive", "primary")]
    primary.append(fact("her2_ihc", "1+", "primary"))
    await door.told(PATHOLOGIST, "ReceiveResult", patient, found("Primary"), occurred_at=back_then, facts=primary)
    known = [
        fact("recurrence", True),
        fact("disease_extent", "metastatic"),
        fact("prior_therapies_none", True),
        fact("receptor_change_would_change_management", True),
    ]
    state = await door.told(ONCOLOGIST, "ConfirmDiagnosis", patient, events_pb2.DiagnosisConfirmed(), facts=known)
    # then testing again is a decision of the MDT, and a follow-on of pathology once it is taken
    yes = DECISION(number="1.4.1", outcome=DECISION.OUTCOME_ACCEPTED, person_view="Another biopsy is all right.")
    assert the(state, "1.4.1").owner_team == "breast_mdt"
    state = await door.told(ONCOLOGIST, "MakeDecision", patient, yes)
    assert [item.title for item in of_kind(state, "follow_on")] == ["Arrange the new receptor tests"]
    # when the new specimen says otherwise, then neither counts by itself, and the MDT is asked
    liver = [fact("er_status", "negative", "liver"), fact("pr_status", "negative", "liver")]
    liver.append(fact("her2_ihc", "1+", "liver"))
    state = await door.told(PATHOLOGIST, "ReceiveResult", patient, found("Liver biopsy"), facts=liver)
    (chase,) = of_kind(state, "chase")
    assert (chase.supplied_by, chase.missing_fact) == ("breast_mdt", "er_status+pr_status")
    assert "specimens disagree" in chase.reason
    # when the MDT says which governs, then that holds, and both specimens stay in the record with their dates
    word = [fact("er_status", "negative"), fact("pr_status", "negative")]
    state = await door.told(ONCOLOGIST, "ReceiveResult", patient, found("MDT meeting"), facts=word)
    assert not [item for item in of_kind(state, "chase") if "er_status" in item.missing_fact]
    stated = {(held.subject, held.value.code) for held in state.facts if held.name == "er_status"}
    assert stated == {("primary", "positive"), ("liver", "negative"), ("", "negative")}
    said = house.cli("explain", patient, "1.7.1").stdout
    assert "ER status" in said


async def test_a_genomic_result_that_treatment_needs_is_ordered_waited_for_and_changes_what_is_offered(
    door: Door,
) -> None:
    # given disease that grew on endocrine treatment, where a genomic result decides what comes next
    patient = await door.opened()
    known = [
        fact("disease_extent", "metastatic"),
        fact("er_status", "positive"),
        fact("pr_status", "positive"),
        fact("her2_ihc", "0"),
        fact("prior_therapies_none", True),
    ]
    await door.told(ONCOLOGIST, "ConfirmDiagnosis", patient, events_pb2.DiagnosisConfirmed(), facts=known)
    needed = [fact("genomic_result_needed_for_treatment", True)]
    state = await door.told(ONCOLOGIST, "ReceiveResult", patient, found("Clinic"), facts=needed)
    assert the(state, "1.4.2").owner_team == "oncology"
    # when the result is there, then the task is done, and it stands in the record with its source
    result = [fact("pik3ca", "pathogenic", ""), fact("genomic_result_needed_for_treatment", False)]
    state = await door.told(PATHOLOGIST, "ReceiveResult", patient, found("Tumour panel"), facts=result)
    assert "1.4.2" not in numbers(state)
    assert [held.value.code for held in state.facts if held.name == "pik3ca"] == ["pathogenic"]
    # when nobody has tested for it, then that is not a "no"
    state = await door.told(NURSE, "ReceiveResult", patient, found("Letter"), facts=[fact("gbrca", "not_tested")])
    assert [held.value.code for held in state.facts if held.name == "gbrca"] == ["not_tested"]

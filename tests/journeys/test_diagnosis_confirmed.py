"""Diagnosis confirmed with HER2 unknown: a question for pathology, not a "no"."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2
from tests.house import NURSE, ONCOLOGIST, Door, fact

DIAGNOSIS = [
    fact("disease_extent", "metastatic"),
    fact("er_status", "positive"),
    fact("pr_status", "positive"),
    fact("her2_ihc", "2+"),
    fact("prior_therapies_none", True),
]


async def test_unknown_her2_is_chased_and_the_result_closes_the_chase(door: Door) -> None:
    # given a person with confirmed advanced disease and an equivocal HER2 result
    patient = await door.opened()
    state = await door.told(ONCOLOGIST, "ConfirmDiagnosis", patient, events_pb2.DiagnosisConfirmed(), facts=DIAGNOSIS)
    # then the missing result is somebody's task, and it says who supplies it
    chase = [item for item in state.open_items if item.kind == "chase"]
    assert [(item.missing_fact, item.supplied_by, bool(item.owner_team)) for item in chase] == [
        ("her2_ish", "pathology", True)
    ]
    # when the result arrives
    state = await door.told(
        NURSE,
        "ReceiveResult",
        patient,
        events_pb2.ResultReceived(investigation="HER2 ISH"),
        facts=[fact("her2_ish", "not_amplified")],
    )
    # then the chase is closed and the decision is due
    assert not [item for item in state.open_items if item.kind == "chase"]
    assert "1.6.1" in {item.number for item in state.open_items}

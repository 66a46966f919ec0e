"""Which roles may call which rpc of this service."""

from __future__ import annotations

from collections.abc import Mapping

_CARE = frozenset({"coordinator", "key_worker", "nurse", "oncologist"})
_RESULTS = _CARE | {"pathologist", "radiologist"}
_RECEIVERS = frozenset({"palliative_clinician", "hospice_intake"})
_CLINICIANS = frozenset({"oncologist", "key_worker", "nurse"})
# Who may set a caution of the guideline aside.
CLINICIANS = _CLINICIANS | {"radiologist", "pathologist"}
_READERS = _CARE | _RECEIVERS | {"worker", "auditor", "service_lead", "pathologist", "radiologist"}
_WORKER = frozenset({"worker"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "OpenPathway": _CARE,
    "ImportPathway": _CARE,
    "ConfirmDiagnosis": _CARE,
    "ReceiveResult": _RESULTS,
    "CorrectFact": _RESULTS,
    "AssignKeyWorker": _CARE,
    "MakeDecision": _CLINICIANS,
    "StartTherapyLine": _CARE,
    "EndTherapyLine": _CARE,
    "AssessResponse": _RESULTS,
    "ReportProgression": _RESULTS,
    "ReportSymptom": _RESULTS | _RECEIVERS,
    "ReportAdverseEvent": _RESULTS | _RECEIVERS,
    **dict.fromkeys(("GiveCycle", "DeferCycle", "ChangeDose"), _CARE),
    "SubmitYellowCard": _RESULTS | _RECEIVERS,
    "CompleteItem": _RESULTS | _RECEIVERS,
    "DeferItem": _RESULTS | _RECEIVERS,
    **dict.fromkeys(("TakeItem", "AttemptItem", "AskForData", "HandOverItem", "EscalateItem"), _RESULTS | _RECEIVERS),
    "DraftReferral": _CARE,
    "AgreeReferral": _CARE,
    "SendReferral": _CARE,
    "OrderInvestigation": _RESULTS,
    "CancelInvestigation": _RESULTS,
    # Whoever hears of a death says so, a machine that asks the NHS Spine too; people of the care team verify it.
    "ReportDeath": _RESULTS | _RECEIVERS | {"scheduler"},
    "VerifyDeath": _CARE | {"palliative_clinician"},
    "WithdrawDeathReport": _CARE | {"palliative_clinician"},
    "OfferTransfer": _CARE,
    "AcceptTransfer": _CARE,
    "DeclineTransfer": _CARE,
    "RecordOptOut": _CARE | _RECEIVERS,
    "RecordOptIn": _CARE | _RECEIVERS,
    "ChangeLead": _CARE | {"palliative_clinician"},
    "RecordLostToFollowUp": _CARE | _RECEIVERS,
    "RecordFoundAgain": _CARE | _RECEIVERS,
    "CoverKeyWorker": _CARE,
    "RecordKeyWorkerLeft": _CARE,
    **dict.fromkeys(("AssessNeeds", "ChangeGoals", "RecordPreference", "DiscussResearch"), _CARE | _RECEIVERS),
    "ReviewComplication": _CARE | _RECEIVERS,
    **dict.fromkeys(("AgreeInvolvement", "GiveInformation", "RecordRelatedPerson"), _CARE | _RECEIVERS),
    **dict.fromkeys(("AssessCapacity", "RecordBestInterests"), _CLINICIANS | {"palliative_clinician"}),
    "ClosePathway": _CARE,
    "ReopenPathway": _CARE,
    "AgreeContact": _CARE | _RECEIVERS,
    "AcknowledgeReferral": _RECEIVERS,
    "AskReferralInformation": _RECEIVERS,
    "AcceptReferral": _RECEIVERS,
    "DeclineReferral": _RECEIVERS,
    "RecordFirstContact": _RECEIVERS,
    "CloseReferral": _RECEIVERS | _CARE,
    "BookAppointment": _CARE | {"scheduler"},
    "MoveAppointment": _CARE | {"scheduler"},
    "CancelAppointment": _CARE | {"scheduler"},
    "RecordAttendance": _CARE | {"scheduler"},
    "RecordMissedAppointment": _CARE | {"scheduler"},
    "RecordNotBrought": _CARE | {"scheduler"},
    "TriggerFollowUp": _CARE | {"scheduler"},
    "PlanResponseCheck": _WORKER,
    "PlanEscalation": _WORKER,
    "DecideNextSteps": _READERS,
    "WhatIf": _READERS,
    "ListGuidelines": _READERS | {"scheduler"},
    "PlanDue": _READERS,
}

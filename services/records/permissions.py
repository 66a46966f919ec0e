"""Who may call what: the worker files, everybody with a role reads, those who meet people register them."""

from __future__ import annotations

from collections.abc import Mapping

WORKER = frozenset({"worker"})
READERS = frozenset(
    {
        "coordinator",
        "key_worker",
        "oncologist",
        "nurse",
        "radiologist",
        "pathologist",
        "palliative_clinician",
        "hospice_intake",
        "service_lead",
        "worker",
        "pathway_service",
        "scheduler",
        "auditor",
    }
)
SWEEP = frozenset({"sweep"})  # counts what is open; reads nothing about anybody
REGISTRARS = frozenset({"coordinator", "key_worker", "nurse", "oncologist"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "AppendEvent": WORKER,
    "KeepRefusedReport": WORKER,
    "FileEvaluation": WORKER,
    "ApplyPlan": WORKER,
    "MarkOverdue": WORKER,
    "SetReferralStatus": WORKER,
    "LinkMessage": WORKER,
    "RegisterPerson": REGISTRARS,
    "GetPerson": READERS,
    "FindPeople": READERS,
    "GetPatient": READERS,
    "ListEvents": READERS,
    "ListFacts": READERS,
    "GetBasis": READERS,
    "GetStoodOn": READERS,
    "ListItems": READERS,
    "GetEvaluation": READERS,
    "ListDecisions": READERS,
    "ListDepartures": READERS,
    "GetReferral": READERS,
    "ListReferrals": READERS,
    "ListTeams": READERS | SWEEP,
    "GetReply": READERS,
    "ListPathways": READERS | SWEEP,
}
# Between our own processes: a whole evaluation, a whole plan, a payload with its wrapping.
LARGE = frozenset({"AppendEvent", "KeepRefusedReport", "FileEvaluation", "ApplyPlan"})

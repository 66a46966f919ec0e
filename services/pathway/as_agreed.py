"""Whether the treatment that starts is the one that was agreed: if not, that is recorded, and stops nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from handrail.records.v1 import timeline_pb2
from services.pathway.guideline import Guideline
from services.pathway.knowledge.proposals import Proposal, names_drugs
from workflows.messages import Report, SetAside

_LONGEST = 400


def departures(
    report: Report, decisions: Iterable[timeline_pb2.Decision], started: Proposal, guideline: Guideline
) -> list[SetAside]:
    """Return the departure from the newest agreed option of systemic treatment, if another regimen starts.

    An option that names no drug, such as chemotherapy as one treatment after another, leaves the choice open.
    """
    if report.kind != "therapy_line_started":
        return []
    agreed = [one for one in decisions if one.outcome == "accepted" and one.option and _treats(one, guideline)]
    newest = max(agreed, key=lambda one: one.decided_at.ToNanoseconds(), default=None)
    if newest is None or newest.option in {started.code, *started.same_as}:
        return []
    if not names_drugs(guideline, newest.option):
        return []
    given = ", ".join(report.event["course"].get("agents") or report.event["course"].get("classes") or [])
    rule = guideline.by_number(newest.number)
    label = next((option.label for option in rule.options if option.code == newest.option), "") if rule else ""
    said = str(report.event.get("override_reason") or report.event.get("intent") or "")
    reason = f"Started: {given}. Agreed: {label or newest.option}. {said}".strip()
    return [SetAside(newest.rule_id, newest.number, "other_treatment", reason[:_LONGEST])]


def _treats(decision: timeline_pb2.Decision, guideline: Guideline) -> bool:
    rule = guideline.by_number(decision.number)
    return rule is not None and rule.section == "systemic_therapy"

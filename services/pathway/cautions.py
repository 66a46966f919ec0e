"""Before something is ordered or started: what the guideline has against it, asked on what the record holds now.

A caution never forbids for good. It refuses with its number; a clinician may set it aside with a reason, which is
recorded as a departure. One that a missing fact leaves open is said, and stops nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from handrail.records.v1 import timeline_pb2
from services.pathway import support
from services.pathway.as_agreed import departures
from services.pathway.convert import standing_facts
from services.pathway.dictionary import Therapy
from services.pathway.facts import current
from services.pathway.guideline import Guideline
from services.pathway.knowledge.critique import guards_asked
from services.pathway.knowledge.proposals import Proposal, read_course, read_regimen
from services.pathway.permissions import CLINICIANS
from services.pathway.rules import Judgement
from services.runtime.clients import Caller
from services.runtime.clock import now
from services.runtime.errors import Category, Conflict, HandrailError, Invalid, NotAllowed, Unavailable
from workflows.messages import Report, SetAside

if TYPE_CHECKING:
    from handrail.records.v1.timeline_pb2_grpc import TimelineServiceAsyncStub

MODALITY, PURPOSE = "proposed_modality", "imaging_purpose"
_ADVANCED = "advanced"
REFUSED_PROPOSED = "refused_treatment_proposed"


class Cautions:
    """Asks the guards of the guideline about what a report orders or starts."""

    def __init__(self, caller: Caller, timeline: TimelineServiceAsyncStub, guideline: Guideline) -> None:
        self._caller = caller
        self._timeline = timeline
        self._guideline = guideline

    async def asked(self, report: Report, patient_id: str) -> Report:
        """Return the report, with the cautions that its author sets aside or that could not be decided.

        Raises:
            Conflict: a caution advises against it, and the report gives no reason to set that aside.
            NotAllowed: whoever sets it aside is no clinician.
            Invalid: the dictionary knows no such imaging or purpose.
            Unavailable: the record does not answer, so nothing can be asked.
        """
        proposal = _proposal(report, self._guideline)
        if proposal is None:
            return report
        if report.kind == "investigation_ordered":
            for name, value in proposal.facts.items():
                if problem := self._guideline.dictionary.problem_with(name, value):
                    raise Invalid(problem, field=report.kind)
        basis = await self._basis(patient_id)
        picture = current(standing_facts(basis.facts), self._guideline.dictionary, now())
        refused = picture.values.get(support.REFUSED, "")
        if support.refused_among(refused, _treatments(report), self._guideline):
            proposal = replace(proposal, facts={**proposal.facts, REFUSED_PROPOSED: True})
        asked = [one for one, _ in guards_asked(self._guideline, picture, proposal)]
        broken = [one for one in asked if one.truth == "applies"]
        undecided = [one for one in asked if one.truth == "cannot_be_decided"]
        said = str(report.event.get("override_reason", "")).strip()
        if broken and not said:
            raise _refused(self._guideline, broken)
        if broken and report.actor.role not in CLINICIANS:
            message = "A clinician sets a caution aside, with the reason. Ask one to report this."
            raise NotAllowed(message)
        return replace(
            report,
            set_aside=[SetAside(one.rule_id, one.number) for one in broken]
            + departures(report, basis.decisions, proposal, self._guideline),
            undecided=[f"{one.number} (not known: {_labels(self._guideline, one.missing)})" for one in undecided],
        )

    async def _basis(self, patient_id: str) -> timeline_pb2.GetBasisResponse:
        """Return the facts that hold now, and what was decided."""
        request = timeline_pb2.GetBasisRequest(patient_id=patient_id)
        try:
            return await self._caller.call(self._timeline.GetBasis, request)
        except HandrailError as error:
            if error.category is not Category.UNAVAILABLE:
                raise
            message = (
                "The record does not answer, so the cautions of the guideline could not be asked and nothing was "
                "recorded. Send it again shortly; it will not be done twice with the same key."
            )
            raise Unavailable(message) from error


def _proposal(report: Report, guideline: Guideline) -> Proposal | None:
    """What a report orders or starts; guards are about advanced disease, so an earlier course is not asked."""
    event = report.event
    if report.kind == "investigation_ordered":
        modality = str(event["modality"])
        return Proposal({MODALITY: modality, PURPOSE: event["purpose"]}, modality, known=True)
    if report.kind == "decision_made" and report.treatment == "agreed" and event.get("option"):
        return read_regimen(guideline, event["option"])
    if report.kind == "therapy_line_started":
        course = event["course"]
        agents, classes = (tuple(course.get(name) or ()) for name in ("agents", "classes"))
        therapy = Therapy(course.get("setting") or _ADVANCED, agents=agents, classes=classes)
        return read_course(guideline, therapy) if therapy.setting == _ADVANCED else None
    return None


def _treatments(report: Report) -> list[str]:
    """The drugs that a report starts, or the option that it takes up: the person may have refused them in advance."""
    course = report.event.get("course") or {}
    return [*course.get("agents", []), *course.get("classes", []), *filter(None, [report.event.get("option", "")])]


def _refused(guideline: Guideline, broken: Sequence[Judgement]) -> Conflict:
    rules = [guideline.rule(judgement.rule_id) for judgement in broken]
    said = " ".join(f"{rule.number} advises against it: {rule.action}" for rule in rules if rule is not None)
    because = " ".join(judgement.because for judgement in broken)
    numbers = "_".join(judgement.number for judgement in broken)
    message = (
        f"{said} Here: {because} Nothing was recorded. To record it all the same, a clinician reports it "
        "again with override_reason."
    )
    return Conflict(message, reason=f"caution_{numbers}")


def _labels(guideline: Guideline, names: Sequence[str]) -> str:
    return ", ".join(guideline.dictionary.facts[name].label for name in names)

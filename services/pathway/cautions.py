"""Before something is ordered or started: what the guideline has against it, asked on what the record holds now.

A caution never forbids for good. It refuses with its number; a clinician may set it aside with a reason, which is
recorded as a departure. One that a missing fact leaves open is said, and stops nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations, product
from typing import TYPE_CHECKING

from handrail.records.v1 import timeline_pb2
from services.pathway import support
from services.pathway.convert import standing_facts
from services.pathway.dictionary import Scalar, Therapy
from services.pathway.facts import current
from services.pathway.guideline import Guideline
from services.pathway.permissions import CLINICIANS
from services.pathway.rules import Judgement, guards_broken
from services.runtime.clients import Caller
from services.runtime.clock import now
from services.runtime.errors import Category, Conflict, HandrailError, Invalid, NotAllowed, Unavailable
from workflows.messages import Report, SetAside

if TYPE_CHECKING:
    from handrail.records.v1.timeline_pb2_grpc import TimelineServiceAsyncStub

MODALITY, PURPOSE, REGIMEN = "proposed_modality", "imaging_purpose", "proposed_regimen"
REFUSED_PROPOSED = "refused_treatment_proposed"
SHORT_NAMES = {"aromatase_inhibitor": "ai", "taxane": "taxane"}
"""How the codes of regimens name a class instead of an agent: `trastuzumab_ai`."""
_LONGEST_REGIMEN = 4
_Asked = tuple[list[Judgement], list[Judgement]]


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
        proposals = list(_proposals(report, self._guideline))
        if not proposals:
            return report
        for name, value in (pair for proposal in proposals for pair in proposal.items()):
            if problem := self._guideline.dictionary.problem_with(name, value):
                raise Invalid(problem, field=report.kind)
        broken, undecided = await self._judged(patient_id, proposals, _treatments(report))
        said = str(report.event.get("override_reason", "")).strip()
        if broken and not said:
            raise _refused(self._guideline, broken)
        if broken and report.actor.role not in CLINICIANS:
            message = "A clinician sets a caution aside, with the reason. Ask one to report this."
            raise NotAllowed(message)
        return replace(
            report,
            set_aside=[SetAside(one.rule_id, one.number) for one in broken],
            undecided=[f"{one.number} (not known: {_labels(self._guideline, one.missing)})" for one in undecided],
        )

    async def _judged(
        self, patient_id: str, proposals: Sequence[dict[str, Scalar]], treatments: Sequence[str]
    ) -> _Asked:
        """Return the guards that one of these proposals breaks, and those that are open, each once.

        `treatments` are the drugs or the regimen proposed, which the person may have refused in advance.
        """
        request = timeline_pb2.ListFactsRequest(patient_id=patient_id, include_superseded=True)
        try:
            kept = await self._caller.call(self._timeline.ListFacts, request)
        except HandrailError as error:
            if error.category is not Category.UNAVAILABLE:
                raise
            message = (
                "The record does not answer, so the cautions of the guideline could not be asked and nothing was "
                "recorded. Send it again shortly; it will not be done twice with the same key."
            )
            raise Unavailable(message) from error
        facts, as_of = standing_facts(kept.facts), now()
        refused = current(facts, self._guideline.dictionary, as_of).values.get(support.REFUSED, "")
        if support.refused_among(refused, treatments, self._guideline):
            proposals = [{**proposal, REFUSED_PROPOSED: True} for proposal in proposals]
        judged = [
            judgement
            for proposal in proposals
            for judgement in guards_broken(self._guideline, facts, proposal, as_of, undecided=True)
        ]
        broken = {judgement.rule_id: judgement for judgement in judged if judgement.truth == "applies"}
        undecided = {
            one.rule_id: one for one in judged if one.truth == "cannot_be_decided" and one.rule_id not in broken
        }
        return list(broken.values()), list(undecided.values())


def _proposals(report: Report, guideline: Guideline) -> Iterator[dict[str, Scalar]]:
    """What a report orders or starts, as the facts that guards read."""
    event = report.event
    if report.kind == "investigation_ordered":
        yield {MODALITY: event["modality"], PURPOSE: event["purpose"]}
    elif report.kind == "decision_made" and report.treatment == "agreed" and event.get("option"):
        yield {REGIMEN: event["option"]}
    elif report.kind == "therapy_line_started":
        course = event["course"]
        codes = list(_regimens(course.get("agents", []), guideline))
        for code in codes:
            yield {REGIMEN: code}
        if not codes:
            yield {}  # the guideline has no code for it, and the person may have refused it all the same


def _treatments(report: Report) -> list[str]:
    """The drugs that a report starts, or the option that it takes up."""
    course = report.event.get("course") or {}
    return [*course.get("agents", []), *course.get("classes", []), *filter(None, [report.event.get("option", "")])]


def _regimens(agents: Sequence[str], guideline: Guideline) -> Iterator[str]:
    """The codes by which the guideline may know these agents given together."""
    if not 0 < len(agents) <= _LONGEST_REGIMEN:
        return
    known = guideline.dictionary.facts[REGIMEN].values
    if len(agents) == 1:
        yield agents[0].lower()
    names = []
    for agent in agents:
        classes = guideline.dictionary.classes_of(Therapy(setting="advanced", agents=(agent.lower(),)))
        names.append([agent.lower(), *(SHORT_NAMES[one] for one in classes if one in SHORT_NAMES)])
    for order in permutations(names):
        yield from (code for parts in product(*order) if len(parts) > 1 and (code := "_".join(parts)) in known)


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

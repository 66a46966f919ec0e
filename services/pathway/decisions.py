"""What the guideline says now for one person: facts from records, judgement by the pure rules, a plan from both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from grpc.aio import ServicerContext

from handrail.clinical.v1 import terms_pb2
from handrail.pathway.v1 import decisions_pb2, decisions_pb2_grpc
from handrail.records.v1 import timeline_pb2
from services.pathway import items
from services.pathway.convert import standing_facts, value_from_proto
from services.pathway.directory import Directory
from services.pathway.due_dates import DueTime, calendar_for, due_after_hours, due_after_working_days, end_of
from services.pathway.emergencies import emergencies, is_emergency
from services.pathway.facts import Fact, Picture, current
from services.pathway.guideline import Due, Guideline
from services.pathway.knowledge.urgent import judge_urgent
from services.pathway.plan import plan
from services.pathway.reports import CLOCK_TOLERANCE
from services.pathway.rules import Judgement, evaluate, judge
from services.pathway.visits import PREFERENCE
from services.runtime.clients import Caller
from services.runtime.errors import Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from handrail.records.v1.timeline_pb2_grpc import TimelineServiceAsyncStub
    from services.pathway.house import LocalRules

Context = ServicerContext[Any, Any]
Guidelines = Mapping[tuple[str, str], Guideline]
_TRUTHS = {
    "applies": decisions_pb2.Judgement.TRUTH_APPLIES,
    "does_not_apply": decisions_pb2.Judgement.TRUTH_DOES_NOT_APPLY,
    "cannot_be_decided": decisions_pb2.Judgement.TRUTH_CANNOT_BE_DECIDED,
}
_REFERRAL_ENDED = frozenset({"closed", "declined", "undelivered"})
_REFERRAL_TAKEN = frozenset({"acknowledged", "information_asked", "accepted", "first_contact"})


class DecisionService(decisions_pb2_grpc.DecisionServiceServicer):
    """Judges; keeps nothing. The deciding activity keeps the answer in the record."""

    def __init__(
        self,
        guidelines: Guidelines,
        local: LocalRules,
        caller: Caller,
        timeline: TimelineServiceAsyncStub,
        directory: Directory,
    ) -> None:
        self._guidelines = guidelines
        self._promises = local.promises
        self._urgent = local.urgent
        self._visits = local.visits
        self._directory = directory
        self._caller = caller
        self._timeline = timeline

    async def DecideNextSteps(
        self, request: decisions_pb2.DecideNextStepsRequest, context: Context
    ) -> decisions_pb2.DecideNextStepsResponse:
        """Judge the pinned guideline over the facts that records holds at `record_seq`."""
        guideline = self._pinned(request.guideline)
        stood_on = await self._caller.call(
            self._timeline.GetBasis,
            timeline_pb2.GetBasisRequest(patient_id=request.patient_id, up_to_seq=request.record_seq),
        )
        as_of = request.as_of.ToDatetime(tzinfo=UTC)
        recorded_at = request.recorded_at.ToDatetime(tzinfo=UTC) if request.HasField("recorded_at") else as_of
        picture = current(standing_facts(stood_on.facts), guideline.dictionary, as_of)
        judgements, urgent = judge(guideline, picture), judge_urgent(self._urgent, picture)
        decisions = [_decision(decision) for decision in stood_on.decisions]
        standing = [item.key for item in request.open_items if is_emergency(item.key)]
        acute = emergencies(self._urgent, urgent, picture, decisions, standing, recorded_at, await self._telephones())
        planned = plan(
            guideline,
            judgements,
            decisions,
            [items.OpenItem(item.key, item.kind) for item in request.open_items if not is_emergency(item.key)],
            request.other_open + len(standing) + len(acute.open),
            as_of,
            recorded_at,
            superseded_fact_ids={fact.fact_id for fact in stood_on.facts if fact.superseded_by_fact_id},
            open_referrals={r.to_team for r in stood_on.referrals if r.status not in _REFERRAL_ENDED},
            taken_referrals=_taken(stood_on.referrals, as_of),
            unknown=picture.unknown_of(name for decision in decisions for name in decision.made_without),
        )
        reply = decisions_pb2.DecideNextStepsResponse(
            guideline=_version(guideline),
            judgements=_judgements(guideline, judgements) + _judgements(self._urgent, urgent),
            open=[_wanted(item) for item in (*acute.open, *planned.open)],
            close=[
                decisions_pb2.ItemToClose(key=item.key, how=item.how, reason=item.reason)
                for item in (*acute.close, *planned.close)
            ],
            visits=[
                decisions_pb2.VisitOffer(visit=visit, said=self._visits.said(visit, _preferred(picture)))
                for visit in request.visits
            ],
        )
        if planned.reevaluate_at is not None:
            reply.reevaluate_at.FromDatetime(planned.reevaluate_at)
        return reply

    async def WhatIf(self, request: decisions_pb2.WhatIfRequest, context: Context) -> decisions_pb2.WhatIfResponse:
        """Judge hypothetical facts beside the recorded ones; nothing is kept."""
        guideline = self._pinned(request.guideline)
        as_of = request.as_of.ToDatetime(tzinfo=UTC)
        recorded = standing_facts(await self._facts(request.patient_id, 0))
        supposed = [_supposed(number, fact, as_of, guideline) for number, fact in enumerate(request.facts)]
        judged = evaluate(guideline, [*recorded, *supposed], as_of)
        return decisions_pb2.WhatIfResponse(judgements=_judgements(guideline, judged))

    async def ListGuidelines(
        self, request: decisions_pb2.ListGuidelinesRequest, context: Context
    ) -> decisions_pb2.ListGuidelinesResponse:
        """List the guideline versions that this service holds."""
        held = [_version(self._guidelines[key]) for key in sorted(self._guidelines)]
        return decisions_pb2.ListGuidelinesResponse(guidelines=held[: request.page_size or 200])

    async def PlanDue(self, request: decisions_pb2.PlanDueRequest, context: Context) -> decisions_pb2.PlanDueResponse:
        """Work out when a promise falls due: working days in England, hours to the minute, or a chosen date's end."""
        due = self._due(request)
        reply = decisions_pb2.PlanDueResponse(due_on=due.due_on.isoformat(), calendar_version=due.calendar_version)
        reply.due_at.FromDatetime(due.due_at)
        return reply

    async def _telephones(self) -> dict[str, str]:
        """Return how each service that an emergency names is rung up, as far as anybody knows."""
        roles = {rule.ring for rule in self._urgent.rules if rule.ring}
        return {role: await self._directory.telephone(role) for role in sorted(roles)}

    def _due(self, request: decisions_pb2.PlanDueRequest) -> DueTime:
        start = request.counted_from.ToDatetime(tzinfo=UTC)
        match request.WhichOneof("within"):
            case "on_date":
                day = _day(request.on_date)
                return DueTime(day, end_of(day), calendar_for(day))
            case "hours":
                return due_after_hours(start, request.hours)
            case "working_days":
                return due_after_working_days(start, request.working_days)
            case _:
                return _promised(self._promises.promises.get(request.promise), request.promise, start)

    def _pinned(self, asked: decisions_pb2.GuidelineVersion) -> Guideline:
        guideline = self._guidelines.get((asked.guideline, asked.version))
        if guideline is None:
            message = f"This service does not hold {asked.guideline} {asked.version}. Put its file back and restart."
            raise NotFound(message, reason="guideline_missing")
        if asked.content_hash and asked.content_hash != guideline.content_hash:
            message = (
                f"The content of {asked.guideline} {asked.version} is not what this pathway was opened with. "
                "A released guideline file must not change: put the old content back, or release a new version."
            )
            raise Unavailable(message, reason="guideline_changed")
        return guideline

    async def _facts(self, patient_id: str, up_to_seq: int) -> Sequence[terms_pb2.Fact]:
        reply = await self._caller.call(
            self._timeline.ListFacts,
            timeline_pb2.ListFactsRequest(patient_id=patient_id, up_to_seq=up_to_seq, include_superseded=True),
        )
        return reply.facts


def _taken(referrals: Sequence[timeline_pb2.Referral], as_of: datetime) -> dict[str, datetime]:
    """Return for each team when it last had the person in its hands: now, or at a first contact since closed."""
    taken: dict[str, datetime] = {}
    for referral in referrals:
        moments = [step.at.ToDatetime(tzinfo=UTC) for step in referral.steps if step.status == "first_contact"]
        if referral.status in _REFERRAL_TAKEN:
            moments.append(as_of + CLOCK_TOLERANCE)
        if moments:
            taken[referral.to_team] = max([*moments, taken.get(referral.to_team, moments[0])])
    return taken


def _preferred(picture: Picture) -> object:
    """Return how the person would like to be seen; None when nobody knows."""
    held = picture.held.get(PREFERENCE)
    return held.value if held else None


def _promised(due: Due | None, name: str, start: datetime) -> DueTime:
    if due is None:
        message = f"No promise is called {name}; guidelines/promises.yaml lists them."
        raise Invalid(message, field="promise")
    if due.hours is not None:
        return due_after_hours(start, due.hours)
    return due_after_working_days(start, due.working_days or 0)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = "This is not a date of the calendar; write it as 2026-05-31."
        raise Invalid(message, field="on_date") from None


def _supposed(number: int, fact: terms_pb2.ReportedFact, as_of: datetime, guideline: Guideline) -> Fact:
    value = value_from_proto(fact.value)
    problem = guideline.dictionary.problem_with(fact.name, value)
    if problem:
        raise Invalid(problem, field=f"facts[{number}]")
    return Fact(
        fact_id=f"supposed-{number}",
        name=fact.name,
        value=value,
        subject=fact.subject,
        occurred_at=as_of,
        recorded_at=as_of,
        recorded_by="what-if",
        source="supposed",
        event_id="",
        seq=2**62 + number,
    )


def _decision(decision: timeline_pb2.Decision) -> items.Decision:
    return items.Decision(
        decision_id=decision.decision_id,
        rule_id=decision.rule_id,
        occurrence=decision.occurrence,
        outcome=decision.outcome,  # type: ignore[arg-type]  # records keeps one of the four
        basis=decision.basis,
        fact_ids=tuple(decision.fact_ids),
        review_on=date.fromisoformat(decision.review_on) if decision.review_on else None,
        decided_by=decision.actor.subject,
        made_without=tuple(decision.made_without),
    )


def _version(guideline: Guideline) -> decisions_pb2.GuidelineVersion:
    return decisions_pb2.GuidelineVersion(
        guideline=guideline.guideline_id, version=guideline.version, content_hash=guideline.content_hash
    )


def _judgements(guideline: Guideline, judged: Sequence[Judgement]) -> list[decisions_pb2.Judgement]:
    made = []
    for judgement in judged:
        rule = guideline.rule(judgement.rule_id)
        if rule is None:
            continue
        facts = guideline.dictionary.facts
        made.append(
            decisions_pb2.Judgement(
                rule_id=rule.rule_id,
                number=rule.number,
                title=rule.title,
                strength=rule.strength,
                section=rule.section,
                truth=_TRUTHS[judgement.truth],
                missing=judgement.missing,
                supplied_by=[facts[name].supplied_by for name in judgement.missing],
                fact_ids=judgement.used,
                because=judgement.because,
                basis=judgement.basis,
                occurrence=judgement.occurrence,
                action=rule.action,
                source=rule.source or guideline.source,
                option_for=rule.option_for,
                options=[decisions_pb2.TreatmentOption(code=o.code, label=o.label) for o in rule.options],
            )
        )
    return made


def _wanted(item: items.WantedItem) -> decisions_pb2.WantedItem:
    wanted = decisions_pb2.WantedItem(
        key=item.key,
        kind=item.kind,
        rule_id=item.rule_id,
        number=item.number,
        title=item.title,
        reason=item.reason,
        owner_role=item.owner_role,
        due_on=item.due_on.isoformat(),
        urgency=item.urgency,
        fact_ids=item.fact_ids,
        missing_fact=item.missing_fact,
        supplied_by=item.supplied_by,
        calendar_version=calendar_for(item.due_on),
    )
    wanted.due_at.FromDatetime(item.due_at)
    return wanted

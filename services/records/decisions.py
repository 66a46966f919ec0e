"""Decisions: what people chose, bound to the rule and the facts that the newest evaluation showed them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handrail.clinical.v1 import events_pb2 as events_pb
from handrail.records.v1 import filing_pb2 as filing_pb
from services.records import models
from services.records.convert import date_from_proto
from services.records.plans import known_item

_OUTCOMES = {
    events_pb.DecisionMade.OUTCOME_ACCEPTED: "accepted",
    events_pb.DecisionMade.OUTCOME_DECLINED: "declined",
    events_pb.DecisionMade.OUTCOME_DEFERRED: "deferred",
}
_OCCURRENCE = 3  # in an item's key, `guideline|rule_id|subject|occurrence`


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the people who decided had before them: a judgement, and the evaluation it is of."""

    evaluation_id: uuid.UUID | None
    judgement: dict[str, Any] | None

    def text(self, name: str) -> str:
        return str((self.judgement or {}).get(name, ""))

    def many(self, name: str) -> list[str]:
        return list((self.judgement or {}).get(name, []))


async def decision_made(
    session: AsyncSession, event: models.Event, request: filing_pb.AppendEventRequest
) -> list[models.Fact]:
    """Write the decision that an event reports."""
    made = request.event.decision_made
    shown = await _shown(session, event, request.rule_id)
    outcome = _OUTCOMES[made.outcome]
    unlisted = bool(made.option) and made.option not in shown.many("option_codes")
    beside = outcome == "accepted" and shown.text("truth") in {"does_not_apply", "cannot_be_decided"}
    decision = _decision(event, shown, request.rule_id, made.number, shown.text("occurrence"))
    decision.outcome, decision.option, decision.person_view = outcome, made.option, made.person_view
    decision.reason_code, decision.reason = made.reason_code, made.reason
    decision.review_on = date_from_proto(made.review_on, "event.decision_made.review_on") if made.review_on else None
    decision.departure = outcome == "declined" or unlisted or beside
    decision.decided_by, decision.decided_with = made.decided_by, made.decided_with
    if outcome == "accepted" and shown.text("truth") == "cannot_be_decided":
        decision.made_without = shown.many("missing")
    session.add(decision)
    await _link(session, decision, shown.many("fact_ids"))
    return []


async def item_completed(
    session: AsyncSession, event: models.Event, request: filing_pb.AppendEventRequest
) -> list[models.Fact]:
    """Write the decision `done` for the rule that asked for the item; an item of no rule leaves none."""
    completed = request.event.item_completed
    item = await known_item(session, event.patient_id, uuid.UUID(completed.item_id), "event.item_completed.item_id")
    if not item.rule_id:
        return []
    parts = item.key.split("|")
    occurrence = parts[_OCCURRENCE] if len(parts) > _OCCURRENCE else ""
    shown = await _shown(session, event, item.rule_id, occurrence)
    decision = _decision(event, shown, item.rule_id, item.number, occurrence)
    decision.outcome, decision.reason, decision.departure = "done", completed.outcome, False
    session.add(decision)
    stood_on = await session.scalars(select(models.ItemFact.fact_id).where(models.ItemFact.item_id == item.item_id))
    await _link(session, decision, [str(fact_id) for fact_id in stood_on] or shown.many("fact_ids"))
    return []


async def set_cautions_aside(session: AsyncSession, event: models.Event, request: filing_pb.AppendEventRequest) -> None:
    """Write a departure for each caution set aside with a reason, and for another treatment than the one agreed."""
    for caution in request.set_aside:
        shown = await _shown(session, event, caution.rule_id)
        decision = _decision(event, shown, caution.rule_id, caution.number, "")
        decision.decision_id = uuid.uuid5(event.event_id, f"caution|{caution.rule_id}")
        decision.outcome, decision.departure, decision.reason_code = "declined", True, caution.reason_code or "other"
        decision.reason = caution.reason or getattr(request.event, event.kind).override_reason
        session.add(decision)
        await _link(session, decision, shown.many("fact_ids"))


async def _shown(session: AsyncSession, event: models.Event, rule_id: str, occurrence: str | None = None) -> _Shown:
    """Return a rule's newest judgement for this person; of several, the one of this occurrence, or one that applies."""
    newest = await session.scalar(
        select(models.Evaluation)
        .where(models.Evaluation.patient_id == event.patient_id, models.Evaluation.seq <= event.seq)
        .order_by(models.Evaluation.seq.desc(), models.Evaluation.filed_at.desc())
        .limit(1)
    )
    if newest is None:
        return _Shown(None, None)
    candidates = [judgement for judgement in newest.judgements if judgement["rule_id"] == rule_id]
    candidates.sort(key=lambda j: (j["occurrence"] != occurrence, j["truth"] != "applies"))
    return _Shown(newest.evaluation_id, candidates[0] if candidates else None)


def _decision(event: models.Event, shown: _Shown, rule_id: str, number: str, occurrence: str) -> models.Decision:
    return models.Decision(
        decision_id=uuid.uuid5(event.event_id, "decision"),
        event_id=event.event_id,
        patient_id=event.patient_id,
        seq=event.seq,
        rule_id=rule_id,
        number=number,
        occurrence=occurrence,
        basis=shown.text("basis"),
        options_shown=shown.many("option_codes"),
        decided_by="",
        decided_with="",
        decided_at=event.occurred_at,
        evaluation_id=shown.evaluation_id,
        actor_subject=event.actor_subject,
        actor_role=event.actor_role,
        actor_team=event.actor_team,
        actor_on_behalf_of=event.actor_on_behalf_of,
    )


async def _link(session: AsyncSession, decision: models.Decision, fact_ids: Iterable[str]) -> None:
    """Link the decision to the facts it stood on; only facts of this person are linked."""
    wanted = {uuid.UUID(fact_id) for fact_id in fact_ids}
    if not wanted:
        return
    known = await session.scalars(
        select(models.Fact.fact_id).where(
            models.Fact.patient_id == decision.patient_id, models.Fact.fact_id.in_(wanted)
        )
    )
    await session.flush()
    session.add_all(
        models.DecisionFact(decision_id=decision.decision_id, fact_id=fact_id, patient_id=decision.patient_id)
        for fact_id in known
    )

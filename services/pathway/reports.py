"""From a request to a report: checked against the data dictionary, given the facts that the event implies, hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from handrail.clinical.v1 import terms_pb2
from services.pathway import shared_decisions, support
from services.pathway.convert import value_from_proto
from services.pathway.dictionary import Scalar
from services.pathway.due_dates import london_date
from services.pathway.guideline import Guideline
from services.runtime.clock import now
from services.runtime.context import Actor, correlation_id
from services.runtime.errors import Invalid, Violation
from workflows import messages

CLOCK_TOLERANCE = timedelta(minutes=5)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
FARTHEST = timedelta(days=3660)
LONGEST_DEFERRAL = timedelta(days=366)
_PAST = frozenset({"died_on", "last_contact_on", "last_dose_on", "made_on"})
_DATES = frozenset({"until", "next_try_on", "due_on", "review_on", "started_on", "ended_on", "diagnosed_on"}) | _PAST
_DATES |= {"from_on", "until_on", "next_on", "answer_by"}


class ReportRequest(Protocol):
    """What every reporting request has; `<kind>` beside it holds the event."""

    @property
    def idempotency_key(self) -> str:
        """The caller's key: the same key twice is the same report."""

    @property
    def patient_id(self) -> str:
        """Whose pathway."""

    @property
    def occurred_at(self) -> Timestamp:
        """When it happened."""

    @property
    def source(self) -> str:
        """Where the reporter has it from."""

    @property
    def facts(self) -> Sequence[terms_pb2.ReportedFact]:
        """What is known through it."""


def request_hash(request: Message, kind: str) -> str:
    """Return the hash of a request without its key: the same report, the same hash."""
    bare = type(request)()
    bare.CopyFrom(request)
    bare.ClearField("idempotency_key")
    return hashlib.sha256(kind.encode() + bare.SerializeToString(deterministic=True)).hexdigest()


def checked_report(request: Any, kind: str, guideline: Guideline, actor: Actor) -> messages.Report:  # noqa: ANN401 - any reporting request; see ReportRequest
    """Return the report that a request makes.

    Raises:
        Invalid: a date in the future, a fact that the dictionary does not know or this event may not carry, a value
            out of range; one violation for each.
    """
    occurred_at = request.occurred_at.ToDatetime(tzinfo=UTC)
    violations = _problems(request, kind, occurred_at, guideline)
    if violations:
        listed = "; ".join(f"{v.field}: {v.description}" for v in violations[:5])
        message = f"Please correct and send again: {listed}"
        raise Invalid(message, violations=violations)
    event: Any = getattr(request, kind)
    said = request_hash(request, kind)
    if kind == "therapy_line_started" and not event.course.started_on:
        event.course.started_on = london_date(occurred_at).isoformat()  # before its fact is made of it
    if kind == "adverse_event_reported" and guideline.dictionary.carries_black_triangle(event.suspected_medicine):
        event.black_triangle = True  # the list knows it, whether or not the reporter does
    facts = _facts(request, kind, guideline)
    return messages.Report(
        key=request.idempotency_key,
        request_hash=said,
        kind=kind,
        event=MessageToDict(event, preserving_proto_field_name=True),
        facts=facts,
        actor=messages.Actor(actor.subject, actor.role, actor.team),
        occurred_at=occurred_at,
        source=request.source,
        correlation_id=correlation_id(),
        urgency=_urgency(request, guideline),
        rule_id=_rule_id(event, kind, guideline),
        treatment=treatment_of(event, kind, guideline),
        answers=[rule.rule_id for rule in guideline.rules if kind in rule.closes_with],
        watched=support.watched(facts, guideline),
    )


def _problems(request: Any, kind: str, occurred_at: datetime, guideline: Guideline) -> list[Violation]:  # noqa: ANN401 - as above
    latest = now() + CLOCK_TOLERANCE
    found = _unusable(request, "")
    if occurred_at > latest:
        found.append(Violation("occurred_at", "this lies in the future; give the time at which it happened"))
    if occurred_at < EARLIEST:
        found.append(Violation("occurred_at", "this lies before 1900; check the year"))
    definition = guideline.events.get(kind)
    for place, fact in enumerate(request.facts):
        path = f"facts[{place}]"
        problem = guideline.dictionary.problem_with(fact.name, value_from_proto(fact.value))
        if problem:
            found.append(Violation(f"{path}.{_part(guideline, fact)}", problem))
        elif definition is not None and not definition.may_carry(fact.name):
            found.append(Violation(f"{path}.name", f"a report of this kind ({kind}) cannot carry {fact.name}"))
        noticed = fact.occurred_at.ToDatetime(tzinfo=UTC) if fact.HasField("occurred_at") else occurred_at
        if noticed > latest and noticed != occurred_at:
            found.append(Violation(f"{path}.occurred_at", "this lies in the future; give the time at which it was so"))
        if noticed < EARLIEST and noticed != occurred_at:
            found.append(Violation(f"{path}.occurred_at", "this lies before 1900; check the year"))
    found += _said_two_ways(request.facts)
    if kind == "symptom_reported" and not request.facts and not request.symptom_reported.note:
        found.append(Violation("symptom_reported.note", "say which symptom: a fact of the dictionary, or a note"))
    return [
        *found,
        *_decision_problems(request, kind, guideline),
        *support.problems(request, kind, request.facts, guideline),
        *shared_decisions.problems(request, kind),
    ]


def _said_two_ways(facts: Sequence[terms_pb2.ReportedFact]) -> list[Violation]:
    """Find facts of which one report says two different things at one time."""
    first: dict[tuple[str, str, str], terms_pb2.ReportedFact] = {}
    found = []
    for place, fact in enumerate(facts):
        when = fact.occurred_at.ToJsonString() if fact.HasField("occurred_at") else ""
        if first.setdefault((fact.name, fact.subject, when), fact).value != fact.value:
            problem = f"this report says two different things of {fact.name}; say the one that is so"
            found.append(Violation(f"facts[{place}].value", problem))
    return found


def _unusable(message: Message, path: str) -> list[Violation]:
    """Find dates that no calendar has, and characters that no record can keep, wherever they stand in a request."""
    found = []
    for field, value in message.ListFields():
        where = f"{path}.{field.name}" if path else field.name
        values = list(value) if field.is_repeated else [value]
        for place, one in enumerate(values):
            spot = f"{where}[{place}]" if field.is_repeated else where
            if isinstance(one, Message) and not isinstance(one, Timestamp):
                found += _unusable(one, spot)
            elif isinstance(one, str):
                found += [Violation(spot, problem) for problem in [_problem_with_text(field.name, one)] if problem]
    return found


def _problem_with_text(name: str, text: str) -> str:
    if "\x00" in text:
        return "this holds a character that cannot be kept (NUL); take it out"
    if text and not text.strip():
        return "there are only blanks here; say something, or leave it out"
    return _problem_with_date(name, text)


def _problem_with_date(name: str, text: str) -> str:
    if not text or name not in {*_DATES, "starts_at"}:
        return ""
    try:
        day = datetime.fromisoformat(text).date()
    except ValueError:
        return "this is not a date of the calendar; write it as 2026-05-31"
    today = now().date()
    if name in {"until", "next_try_on"} and not today <= day <= today + LONGEST_DEFERRAL:
        return "put a task off to a day from today on, and by a year at most"
    if name in _PAST and day > london_date(now()):
        return "this day lies in the future; check the date"
    if not EARLIEST.date() <= day <= today + FARTHEST:
        return "this lies too far away; check the year"
    return ""


def _part(guideline: Guideline, fact: terms_pb2.ReportedFact) -> str:
    return "value" if fact.name in guideline.dictionary.facts else "name"


def _decision_problems(request: Any, kind: str, guideline: Guideline) -> list[Violation]:  # noqa: ANN401 - as above
    if kind != "decision_made":
        return []
    decision = request.decision_made
    rule = guideline.by_number(decision.number)
    if rule is None:
        problem = f"{guideline.guideline_id} {guideline.version} has no recommendation with this number"
        return [Violation("decision_made.number", problem)]
    offered = [option.code for option in rule.options]
    accepted = decision.outcome == decision.OUTCOME_ACCEPTED
    checks = [
        ("number", rule.strength == "guard", "this is a caution, not a recommendation to decide about"),
        (
            "option",
            offered and decision.option and decision.option not in offered,
            f"{rule.number} offers {', '.join(offered)}; choose one of them",
        ),
        (
            "reason",
            not accepted and not (decision.reason_code and decision.reason),
            "say why it was not followed or put off: a code and a sentence",
        ),
        (
            "review_on",
            decision.outcome == decision.OUTCOME_DEFERRED and not decision.review_on,
            "say on which date it is looked at again",
        ),
    ]
    return [Violation(f"decision_made.{name}", problem) for name, wrong, problem in checks if wrong][:1]


def _facts(request: Any, kind: str, guideline: Guideline) -> list[dict[str, Any]]:  # noqa: ANN401 - as above
    facts = [MessageToDict(fact, preserving_proto_field_name=True) for fact in request.facts]
    definition = guideline.events.get(kind)
    carried = {fact.name for fact in request.facts}
    if definition is not None:
        said = MessageToDict(getattr(request, kind), preserving_proto_field_name=True)
        for name, value in definition.implied(carried, said).items():
            facts.append({"name": name, "value": _scalar(value)})
    for name, value in support.implied(request, kind, guideline).items():
        if name not in carried:
            facts.append({"name": name, "value": _scalar(value)})
    if kind == "therapy_line_started":
        event = request.therapy_line_started
        course = MessageToDict(event.course, preserving_proto_field_name=True)
        begun = {**course, "begun_here": True}
        facts.append({"name": "prior_therapy", "subject": event.line_id, "value": {"therapy": begun}})
    return facts


def _scalar(value: Scalar) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"flag": value}
    if isinstance(value, int | float):
        return {"number": float(value)}
    return {"text" if " " in value or "," in value else "code": value}


def _urgency(request: Any, guideline: Guideline) -> str:  # noqa: ANN401 - as above
    facts = guideline.dictionary.facts
    if any(fact.value.flag and facts[fact.name].red_flag for fact in request.facts):
        return "urgent"
    drafted = getattr(request, "referral_drafted", None)
    return "urgent" if drafted is not None and drafted.urgency == "urgent" else "routine"


def treatment_of(event: Any, kind: str, guideline: Guideline) -> str:  # noqa: ANN401 - any event
    """Say what a decision means for systemic treatment: it is about that where its rule offers options of it."""
    rule = guideline.by_number(event.number) if kind == "decision_made" else None
    if rule is None or rule.section != "systemic_therapy":
        return ""
    offers = bool(rule.option_for) or any(other.option_for == rule.rule_id for other in guideline.rules)
    if not offers and not rule.after_accept:
        return ""
    return "agreed" if event.outcome == event.OUTCOME_ACCEPTED else "not_agreed"


def _rule_id(event: Any, kind: str, guideline: Guideline) -> str:  # noqa: ANN401 - any event
    if kind != "decision_made":
        return ""
    rule = guideline.by_number(event.number)
    return rule.rule_id if rule else ""

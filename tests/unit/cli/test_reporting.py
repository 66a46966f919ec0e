"""From the shell's words to a report: routes found in the contract, fields and results read."""

from __future__ import annotations

import uuid

import pytest

from handrail.clinical.v1 import events_pb2
from services.cli.commands import acting, reporting
from services.cli.commands.report import fill
from services.cli.commands.reporting import Report
from services.cli.commands.shapes import plain
from services.cli.errors import CliError
from services.runtime.errors import HandrailError, Invalid, Violation

# Said by machines: receipts of the referral's message.
BY_MACHINES = {"referral_delivered", "referral_undelivered"}


def test_every_event_that_people_report_has_a_route() -> None:
    assert set(reporting.routes()) == set(events_pb2.ClinicalEvent.DESCRIPTOR.fields_by_name) - BY_MACHINES


@pytest.mark.parametrize(
    ("said", "kind", "value", "subject"),
    [
        ("fatigue=significant", "code", "significant", ""),
        ("uncontrolled_local_disease=true", "flag", True, ""),
        ("ecog=2", "number", 2.0, ""),
        ("her2_ihc=2+@biopsy-1", "code", "2+", "biopsy-1"),
        ("her2_ihc=code:0", "code", "0", ""),
        ("preference=at home, with her daughter", "text", "at home, with her daughter", ""),
        ("contrast_allergy=no", "flag", False, ""),
    ],
)
def test_results_are_read(said: str, kind: str, value: object, subject: str) -> None:
    fact = reporting.read_fact(said)
    assert fact.value.WhichOneof("value") == kind
    assert getattr(fact.value, kind) == value
    assert fact.subject == subject


@pytest.mark.parametrize("said", ["fatigue", "=2", "ecog=", "ecog=number:two", 'prior_therapy={"nonsense": 1}'])
def test_a_result_that_cannot_be_read_is_refused(said: str) -> None:
    with pytest.raises(CliError, match="--fact"):
        reporting.read_fact(said)


def test_fields_of_every_kind_are_set() -> None:
    started, decided = events_pb2.TherapyLineStarted(), events_pb2.DecisionMade()
    for text in ("course.agents=ribociclib, letrozole", "course.line=1", "response_check_weeks=12"):
        reporting.set_field(started, text)
    for text in ("outcome=accepted", "person_view=Yes"):
        reporting.set_field(decided, text)
    corrected = events_pb2.FactCorrected()
    reporting.set_field(corrected, "value=amplified")
    reaction = events_pb2.AdverseEventReported()
    reporting.set_field(reaction, "serious=yes")
    assert list(started.course.agents) == ["ribociclib", "letrozole"]
    assert (started.course.line, started.response_check_weeks) == (1, 12)
    assert decided.outcome == events_pb2.DecisionMade.OUTCOME_ACCEPTED
    assert corrected.value.code == "amplified"
    assert reaction.serious


def test_parts_of_a_report_are_numbered_from_one() -> None:
    assessed = events_pb2.NeedsAssessed()
    for text in ("concerns.1.concern=Stairs", "concerns.1.score=0", "concerns.2.domain=social", "no_concern=a, b"):
        reporting.set_field(assessed, text)
    assert [(one.concern, one.domain, one.HasField("score")) for one in assessed.concerns] == [
        ("Stairs", "", True),
        ("", "social", False),
    ]
    assert list(assessed.no_concern) == ["a", "b"]
    for text in ("concerns.4.score=1", "concerns.0.score=1", "concerns.score=1", "concerns=1"):
        with pytest.raises(CliError, match=r"concerns\.1\.FIELD|one by one|counted from 1"):
            reporting.set_field(assessed, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense=1", "it has number, outcome"),
        ("outcome=maybe", "accepted, declined, deferred"),
        ("outcome", "FIELD=VALUE"),
        ("number.more=1", "no fields of its own"),
    ],
)
def test_a_field_that_does_not_fit_is_refused(text: str, message: str) -> None:
    with pytest.raises(CliError, match=message):
        reporting.set_field(events_pb2.DecisionMade(), text)


def test_an_unknown_event_lists_those_that_can_be_reported() -> None:
    with pytest.raises(CliError, match="symptom_reported"):
        reporting.route("nonsense")


def test_a_request_is_whole() -> None:
    fact = reporting.fact("prior_therapy", {"setting": "advanced", "line": 1, "stop_reason": "ongoing"}, "line-1")
    report = Report("therapy_line_started", "p1", {"line_id": "l1", "course": {"agents": ["letrozole"]}}, [fact])
    request = reporting.request_for(report)
    assert uuid.UUID(request.idempotency_key)
    assert request.patient_id == "p1"
    assert request.HasField("occurred_at")
    assert list(request.therapy_line_started.course.agents) == ["letrozole"]
    assert request.facts[0].value.therapy.line == 1
    assert reporting.request_for(Report("pathway_opened", "p1", {})).HasField("pathway_opened")


def test_times_and_keys() -> None:
    request = reporting.request_for(Report("symptom_reported", "p1", {}))
    fill(request, "2026-07-01T09:30", "telephone", "A8684569-7656-5962-92CE-E3C68D3ADF66")
    assert request.occurred_at.ToJsonString() == "2026-07-01T08:30:00Z"
    assert request.idempotency_key == "a8684569-7656-5962-92ce-e3c68d3adf66"
    with pytest.raises(CliError, match="--occurred-at"):
        fill(request, "yesterday", "", "")
    with pytest.raises(CliError, match="UUID"):
        fill(request, "2026-07-01", "", "1")
    with pytest.raises(CliError, match="With --key, say --occurred-at too"):
        fill(request, "", "", "A8684569-7656-5962-92CE-E3C68D3ADF66")


def test_json_has_plain_values_in_the_order_of_the_contract() -> None:
    event = events_pb2.ClinicalEvent(symptom_reported=events_pb2.SymptomReported(note="Tired"))
    assert plain(event) == {"symptom_reported": {"note": "Tired", "told_by": ""}}
    fact = plain(reporting.fact("ecog", 2))
    assert list(fact) == ["name", "value", "subject", "occurred_at"]
    assert (fact["value"], fact["occurred_at"]) == (2, None)


def test_who_acts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(acting.ACTOR, raising=False)
    default = acting.actor_from()
    assert (default.role, default.team) == ("coordinator", "coordination")
    monkeypatch.setenv(acting.ACTOR, "nurse.okafor:key_worker:breast_care_nurses")
    actor = acting.actor_from()
    assert (actor.subject, actor.role, actor.team) == ("nurse.okafor", "key_worker", "breast_care_nurses")
    other = acting.actor_from(role="oncologist", user="elena")
    assert (other.subject, other.role, other.team) == ("elena", "oncologist", "")
    monkeypatch.setenv(acting.ACTOR, "nonsense")
    with pytest.raises(CliError, match="USER:ROLE:TEAM"):
        acting.actor_from()


def test_a_refusal_is_one_sentence_and_the_fields_at_fault() -> None:
    said = acting.told(Invalid("Check the NHS number.", field="nhs_number"))
    assert said == ["handrail: Check the NHS number.", "  nhs_number"]
    listed = HandrailError(
        "Please correct: a: is wrong", violations=[Violation("a", "is wrong"), Violation("b", "too")]
    )
    assert acting.told(listed) == ["handrail: Please correct: a: is wrong", "  b: too"]


def test_what_a_report_begins_is_given_an_id_and_the_same_key_gives_the_same() -> None:
    key = str(uuid.uuid4())
    first, again = (reporting.request_for(Report("investigation_ordered", "", {}, key=key)) for _ in range(2))
    made = reporting.begin(first, "investigation_ordered")
    assert made == {"order_id": first.investigation_ordered.order_id}
    assert uuid.UUID(made["order_id"])
    assert reporting.begin(again, "investigation_ordered") == made
    own = reporting.request_for(Report("therapy_line_started", "", {"line_id": key}))
    assert reporting.begin(own, "therapy_line_started") == {"line_id": key}
    assert reporting.begin(reporting.request_for(Report("symptom_reported", "", {})), "symptom_reported") == {}


def test_what_begins_something_is_known_by_the_contract() -> None:
    for event, field in reporting.BEGINS.items():
        kind = events_pb2.ClinicalEvent.DESCRIPTOR.fields_by_name[event].message_type
        assert kind is not None
        assert kind.fields_by_name[field].cpp_type == kind.fields_by_name[field].CPPTYPE_STRING

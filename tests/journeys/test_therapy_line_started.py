"""Therapy line started: only after a recorded decision, and with its response check planned."""

from __future__ import annotations

from handrail.clinical.v1 import events_pb2, terms_pb2
from services.runtime.errors import Category
from tests.house import ONCOLOGIST, Door, fact
from tests.journeys.stories import (
    FIRST_ENDOCRINE,
    LUMINAL,
    a_day,
    accepted,
    diagnosed,
    new_id,
    of_kind,
    refused,
    started,
    the,
)


async def test_a_line_starts_only_after_a_decision_and_its_first_response_check_is_planned(door: Door) -> None:
    # given a person for whom nobody has decided yet
    patient, line = await diagnosed(door), new_id()
    # when treatment is reported as started, then it is refused, and the sentence says what comes first
    refusal = await refused(door.report(ONCOLOGIST, "StartTherapyLine", patient, started(line)))
    assert (refusal.category, "Record who decided" in refusal.message) == (Category.CONFLICT, True)
    # when the decision is recorded and the line starts
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    state = await door.told(ONCOLOGIST, "StartTherapyLine", patient, started(line, weeks=8))
    # then the line stands on the decision, and nobody is asked to start it any more
    assert [(x.line_id, x.status, x.decision_id) for x in state.therapy_lines] == [
        (line, "ongoing", state.decisions[0].decision_id)
    ]
    assert not of_kind(state, "follow_on")
    # then the first response check is oncology's task, eight weeks from the start (a day off is moved)
    state = await door.until(patient, lambda s: of_kind(s, "response_check"), "a response check is planned")
    check = of_kind(state, "response_check")[0]
    assert (check.owner_team, check.subject_id) == ("oncology", line)
    assert a_day(55) <= check.due_on <= a_day(62)
    # when the same line is started again, then it is refused
    refusal = await refused(door.report(ONCOLOGIST, "StartTherapyLine", patient, started(line)))
    assert refusal.category is Category.CONFLICT
    # when a second line is started on the old decision, then a new decision is asked for
    refusal = await refused(door.report(ONCOLOGIST, "StartTherapyLine", patient, started(new_id())))
    assert "Record who decided" in refusal.message


async def test_a_course_without_its_setting_is_refused_by_field(door: Door) -> None:
    patient = await diagnosed(door)
    course = terms_pb2.TherapyCourse(line=1, stop_reason="ongoing")
    broken = events_pb2.TherapyLineStarted(line_id=new_id(), course=course)
    refusal = await refused(door.report(ONCOLOGIST, "StartTherapyLine", patient, broken))
    assert [v.field for v in refusal.violations] == ["therapy_line_started.course.setting"]


async def test_another_treatment_than_the_agreed_one_is_a_departure_and_is_not_stopped(door: Door) -> None:
    # given ribociclib with an aromatase inhibitor, agreed
    patient = await diagnosed(door)
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    # when palbociclib with letrozole starts instead
    other = started(new_id())
    other.course.agents[:] = ["palbociclib", "letrozole"]
    other.intent = "Ribociclib is out of stock."
    state = await door.told(ONCOLOGIST, "StartTherapyLine", patient, other)
    # then it has started, and the record says what was agreed instead
    assert [line.status for line in state.therapy_lines] == ["ongoing"]
    assert [(one.number, one.outcome, one.departure, one.reason_code) for one in state.decisions] == [
        ("1.7.16", "accepted", False, ""),
        ("1.7.16", "declined", True, "other_treatment"),
    ]
    assert state.decisions[1].reason == (
        "Started: palbociclib, letrozole. Agreed: Ribociclib with an aromatase inhibitor. Ribociclib is out of stock."
    )
    # when what was agreed starts, by the name of its drugs, then there is no departure
    second = await diagnosed(door)
    await door.told(ONCOLOGIST, "MakeDecision", second, accepted())
    state = await door.told(ONCOLOGIST, "StartTherapyLine", second, started(new_id()))
    assert [one.departure for one in state.decisions] == [False]


async def test_treatment_that_starts_while_her2_is_unknown_goes_on_asking_for_it_and_is_looked_at_again(
    door: Door,
) -> None:
    # given a person whose HER2 status nobody knows, and treatment that is agreed and starts all the same
    patient, known = await door.opened(), [one for one in LUMINAL if one.name != "her2_ihc"]
    await door.told(ONCOLOGIST, "ConfirmDiagnosis", patient, events_pb2.DiagnosisConfirmed(), facts=known)
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    state = await door.told(ONCOLOGIST, "StartTherapyLine", patient, started(new_id()))
    # then the record says what was missing, and it is still asked for
    assert [(one.departure, [*one.made_without]) for one in state.decisions] == [(True, ["her2_ihc"])]
    state = await door.until(patient, lambda s: of_kind(s, "response_check"), "the start is planned")
    assert [item.title for item in of_kind(state, "chase")] == ["Get: HER2 IHC"]
    # when the result comes, then the question is answered and the prescriber looks at the decision again
    result = events_pb2.ResultReceived(investigation="HER2 immunohistochemistry")
    state = await door.told(ONCOLOGIST, "ReceiveResult", patient, result, facts=[fact("her2_ihc", "3+")])
    state = await door.until(patient, lambda s: of_kind(s, "review"), "the decision is looked at again")
    assert not [item for item in of_kind(state, "chase") if "HER2" in item.title]
    assert the(state, FIRST_ENDOCRINE, "review").reason.startswith("HER2 IHC came after this was accepted")


async def test_a_line_that_starts_here_leaves_open_what_was_given_before(door: Door) -> None:
    # given treatment that starts while nobody has said what was given before
    patient, known = await door.opened(), [one for one in LUMINAL if one.name != "prior_therapies_none"]
    await door.told(ONCOLOGIST, "ConfirmDiagnosis", patient, events_pb2.DiagnosisConfirmed(), facts=known)
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    await door.told(ONCOLOGIST, "StartTherapyLine", patient, started(new_id()))
    # then the history is still asked for, until somebody says that there was nothing
    state = await door.until(patient, lambda s: of_kind(s, "response_check"), "the start is planned")
    assert "Get: Systemic treatment so far" in {item.title for item in of_kind(state, "chase")}
    nothing = [fact("prior_therapies_none", True)]
    history = events_pb2.ResultReceived(investigation="History taken")
    state = await door.told(ONCOLOGIST, "ReceiveResult", patient, history, facts=nothing)
    await door.until(patient, lambda s: not of_kind(s, "chase"), "the history is known")

"""Supportive care: whose the person is, needs and what helped, wishes for later, research."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from handrail.clinical.v1 import events_pb2
from services.runtime.context import Actor
from services.runtime.errors import Category
from tests.house import COORDINATOR, NURSE, ONCOLOGIST, Door, House, fact
from tests.journeys.stories import a_day, accepted, diagnosed, how_closed, numbers, of_kind, refused, started, the

CARYS = Actor("carys.nurse", "key_worker", "breast_care_nurses")
AS_NURSE = ("--as", "key_worker", "--team", "breast_care_nurses", "--user", "carys.nurse")


def concern(said: str, domain: str, score: int, **plan: str) -> events_pb2.Concern:
    return events_pb2.Concern(concern=said, domain=domain, score=score, **plan)


def wish(kind: str, answer: str = "stated", said: str = "", **more: Any) -> events_pb2.PreferenceRecorded:
    return events_pb2.PreferenceRecorded(kind=kind, answer=answer, wish=said, **more)


def domains(state: Any) -> dict[str, str]:
    return {one.domain: one.state for one in state.support.needs}


# --- whose the person is ---------------------------------------------------------------------------------------------


async def test_the_key_worker_is_covered_and_is_back_when_it_ends(house: House, door: Door) -> None:
    # given a person with a key worker, whose tasks are hers
    patient = await diagnosed(door)
    named = events_pb2.KeyWorkerAssigned(person_id="carys.nurse")
    state = await door.told(COORDINATOR, "AssignKeyWorker", patient, named)
    assert the(state, "1.1.1").for_person == "carys.nurse"
    # when somebody stands in, then the tasks are theirs, and the day of handing back is a task
    cover = events_pb2.KeyWorkerCovered(
        person_id="dipa.nurse", from_on=a_day(-1), until_on=a_day(5), reason="Annual leave."
    )
    state = await door.told(COORDINATOR, "CoverKeyWorker", patient, cover)
    assert (the(state, "1.1.1").for_person, state.pathway.key_worker) == ("dipa.nurse", "carys.nurse")
    (back,) = of_kind(state, "cover")
    assert (back.due_on, back.owner_team) == (a_day(5), "breast_care_nurses")
    assert "Key worker covered by dipa.nurse" in house.cli("patient", "show", patient).stdout
    # when the cover is over, then the tasks are the key worker's again, without anybody's doing
    over = events_pb2.KeyWorkerCovered(person_id="dipa.nurse", from_on=a_day(-5), until_on=a_day(-1))
    state = await door.told(COORDINATOR, "CoverKeyWorker", patient, over)
    assert (the(state, "1.1.1").for_person, state.support.HasField("cover")) == ("carys.nurse", False)
    # then a stranger, and days the wrong way round, are refused in words
    stranger = events_pb2.KeyWorkerCovered(person_id="nobody.here", from_on=a_day(1), until_on=a_day(2))
    assert (
        "no key worker of this name"
        in (await refused(door.report(COORDINATOR, "CoverKeyWorker", patient, stranger))).message
    )
    astray = events_pb2.KeyWorkerCovered(person_id="dipa.nurse", from_on=a_day(3), until_on=a_day(2))
    assert (
        "ends before it begins" in (await refused(door.report(COORDINATOR, "CoverKeyWorker", patient, astray))).message
    )


async def test_a_key_worker_who_leaves_leaves_nothing_in_hand_and_somebody_names_another(
    house: House, door: Door
) -> None:
    # given a key worker who has a task in hand
    patient = await diagnosed(door)
    await door.told(COORDINATOR, "AssignKeyWorker", patient, events_pb2.KeyWorkerAssigned(person_id="carys.nurse"))
    task = the(await door.patient(patient), "1.1.1")
    state = await door.told(CARYS, "TakeItem", patient, events_pb2.ItemTaken(item_id=task.item_id))
    assert the(state, "1.1.1").taken_by == "carys.nurse"
    # when they leave, then the task is the team's, nobody is said to have it, and naming another is a task
    gone = events_pb2.KeyWorkerLeft(reason="She works elsewhere now.")
    state = await door.told(COORDINATOR, "RecordKeyWorkerLeft", patient, gone)
    assert (the(state, "1.1.1").owner_team, the(state, "1.1.1").taken_by) == ("breast_care_nurses", "")
    assert (state.pathway.key_worker, the(state, "1.1.2").owner_team) == ("", "coordination")
    assert all(item.owner_team and item.due_on for item in state.open_items)
    # when another is named, then what comes from then on is theirs
    named = events_pb2.KeyWorkerAssigned(person_id="dipa.nurse")
    state = await door.told(COORDINATOR, "AssignKeyWorker", patient, named)
    assert "1.1.2" not in numbers(state)
    tired = events_pb2.SymptomReported(told_by="person")
    state = await door.told(NURSE, "ReportSymptom", patient, tired, facts=[fact("fatigue", "present")])
    assert the(state, "1.10.2").for_person == "dipa.nurse"
    # when all her people are given up at once, then nobody is without an owner, and each is to get a name
    leaving = ("task", "key-worker-left", "--of", "dipa.nurse", "--reason", "She retires.", "--json")
    told = json.loads(house.cli(*leaving).stdout)["people"]
    assert (patient, "key_worker_left") in {(one["patient_id"], one["event"]) for one in told}
    state = await door.patient(patient)
    assert the(state, "1.1.2").owner_team == "coordination"
    assert all(item.owner_team and item.due_on for item in state.open_items)


# --- needs -----------------------------------------------------------------------------------------------------------


async def test_needs_have_a_plan_each_and_are_scored_again(house: House, door: Door) -> None:
    # given a key point, at which needs are asked about
    patient = await diagnosed(door)
    assert the(await door.patient(patient), "1.1.1").owner_team == "breast_care_nurses"
    # when the nurse types what was found, in three of five domains
    found = (
        *("--set", "concerns.1.domain=physical", "--set", "concerns.1.concern=Getting up the stairs"),
        *("--set", "concerns.1.score=7", "--set", "concerns.1.plan=Stair rail by occupational therapy"),
        *("--set", f"concerns.1.review_on={a_day(9)}", "--set", "concerns.1.owner_team=coordination"),
        *("--set", "concerns.2.domain=financial", "--set", "concerns.2.concern=Rent", "--set", "concerns.2.score=5"),
        *("--set", "no_concern=spiritual", "--set", "tool=Concerns checklist"),
    )
    receipt = json.loads(house.cli("report", "needs_assessed", patient, *found, *AS_NURSE, "--json").stdout)
    state = await door.patient(patient, int(receipt["seq"]))
    # then the key point is dealt with, each concern has a plan or its maker, and what was left out is asked
    assert await how_closed(door, patient, "1.1.1") == [("done", "What 1.1.1 asks for has happened.")]
    (plan,), (unplanned,), (unasked,) = (of_kind(state, kind) for kind in ("care_plan", "concern", "needs"))
    assert (plan.owner_team, plan.due_on, plan.title) == (
        "coordination",
        a_day(9),
        "Stair rail by occupational therapy",
    )
    assert (unplanned.owner_team, "Rent (financial): 5 of 10." in unplanned.reason) == ("breast_care_nurses", True)
    assert unasked.title == "Needs not asked about yet: psychological, social"
    assert domains(state) == {
        "physical": "concern",
        "psychological": "unknown",
        "social": "unknown",
        "spiritual": "no_concern",
        "financial": "concern",
    }
    # when the plan was carried out, then the concern is scored again, and nothing else closes that task
    fitted = events_pb2.ItemCompleted(item_id=plan.item_id, outcome="The rail is fitted.")
    state = await door.told(COORDINATOR, "CompleteItem", patient, fitted)
    (again,) = of_kind(state, "concern_again")
    ticked = events_pb2.ItemCompleted(item_id=again.item_id, outcome="Better.")
    assert "scored again" in (await refused(door.report(NURSE, "CompleteItem", patient, ticked))).message
    # when it is scored again with the rest
    after = events_pb2.NeedsAssessed(
        concerns=[
            concern("getting up the stairs", "physical", 2),
            concern("Rent", "financial", 5, plan="Benefits adviser", review_on=a_day(12)),
        ],
        no_concern=["psychological", "social"],
    )
    state = await door.told(NURSE, "AssessNeeds", patient, after)
    # then nothing is left to ask, and before and after stand side by side
    assert not of_kind(state, "concern_again") + of_kind(state, "needs")
    assert [item.title for item in of_kind(state, "care_plan")] == ["Benefits adviser"]
    shown = " ".join(house.cli("patient", "show", patient).stdout.split())
    assert "Getting up the stairs: before 7 of 10" in shown
    assert "after 2 of 10" in shown
    assert "Psychological: no concern" in shown


async def test_each_key_point_asks_anew_and_not_asked_is_not_no_concern(door: Door) -> None:
    # given needs that were gone through once
    patient = await diagnosed(door)
    once = events_pb2.NeedsAssessed(no_concern=["physical", "psychological", "social", "spiritual", "financial"])
    state = await door.told(NURSE, "AssessNeeds", patient, once)
    assert "1.1.1" not in numbers(state)
    assert not of_kind(state, "needs")
    # when goals change, then needs are asked about again, and planning ahead is offered
    aim = events_pb2.GoalsChanged(aim="comfort", words="I want to be at home, and no more hospital.")
    state = await door.told(NURSE, "ChangeGoals", patient, aim)
    assert {"1.1.1", "SUPPORT-1"} <= numbers(state)
    assert (state.support.goals.aim, state.support.goals.words) == (aim.aim, aim.words)
    # then an assessment without an answer, or with a plan that nobody looks at again, is refused
    empty = await refused(door.report(NURSE, "AssessNeeds", patient, events_pb2.NeedsAssessed(words="Talked.")))
    assert (empty.category, "say what was found" in empty.message) == (Category.INVALID, True)
    other = await refused(door.report(NURSE, "AssessNeeds", patient, events_pb2.NeedsAssessed(no_concern=["money"])))
    assert "the domains are physical" in other.message
    endless = events_pb2.NeedsAssessed(concerns=[concern("Pain", "physical", 4, plan="See the GP")])
    assert "looked at again" in (await refused(door.report(NURSE, "AssessNeeds", patient, endless))).message
    # when the last days come, then that is a key point of its own
    last = events_pb2.GoalsChanged(aim="last_days", words="He sleeps most of the day, says his wife.")
    state = await door.told(NURSE, "ChangeGoals", patient, last)
    assert {one.value.code for one in state.facts if one.name == "key_point_open"} >= {"approaching_death"}


# --- wishes for later ------------------------------------------------------------------------------------------------


async def test_wishes_are_dated_looked_at_again_and_superseded(house: House, door: Door) -> None:
    patient = await diagnosed(door)
    aim = events_pb2.GoalsChanged(aim="live_well", words="I would rather be at home than live longer.")
    state = await door.told(NURSE, "ChangeGoals", patient, aim)
    assert the(state, "SUPPORT-1").owner_team == "breast_care_nurses"
    # when the person says where they want to die, with a day to look at it again
    first = wish("preferred_place_of_death", said="The hospice.", review_on=a_day(30), talked_with="Her daughter")
    state = await door.told(NURSE, "RecordPreference", patient, first)
    # then planning ahead was offered, and the wish is looked at again on that day
    assert "SUPPORT-1" not in numbers(state)
    (again,) = of_kind(state, "preference")
    assert again.due_on == a_day(30)
    # when they change their mind, then both stay, and the newest counts
    state = await door.told(NURSE, "RecordPreference", patient, wish("preferred_place_of_death", said="At home."))
    assert not of_kind(state, "preference")
    assert [(one.preference.wish, one.current) for one in state.support.wishes] == [
        ("At home.", True),
        ("The hospice.", False),
    ]
    decided = wish("dnacpr", said="No attempt.", made_on=a_day(-3), review_on=a_day(20), kept_at="With her at home")
    await door.told(NURSE, "RecordPreference", patient, decided)
    shown = " ".join(house.cli("patient", "show", patient).stdout.split())
    assert "DNACPR: stated" in shown
    assert "The hospice." in shown
    assert "(superseded)" in shown


async def test_who_does_not_want_to_talk_is_asked_again_on_their_day_or_never(door: Door) -> None:
    patient = await diagnosed(door)
    aim = events_pb2.GoalsChanged(aim="comfort", words="No more treatment, please.")
    await door.told(NURSE, "ChangeGoals", patient, aim)
    # when they do not want to talk now, then they are asked on the day they name
    later = wish("respect_form", "declined_to_talk", "Not before Christmas.", review_on=a_day(40))
    state = await door.told(NURSE, "RecordPreference", patient, later)
    assert ("SUPPORT-1" in numbers(state), of_kind(state, "preference")[0].due_on) == (False, a_day(40))
    # when they do not want to be asked at all, then no later key point asks
    await door.told(NURSE, "RecordPreference", patient, wish("respect_form", "declined_to_talk", "Never."))
    state = await door.told(NURSE, "ChangeGoals", patient, aim)
    assert ("SUPPORT-1" in numbers(state), of_kind(state, "preference")) == (False, [])
    assert "1.1.1" in numbers(state)
    # when they want to after all, then it is offered again at the next one
    wants = wish("preferred_place_of_care", said="With my sister.")
    await door.told(NURSE, "RecordPreference", patient, wants)
    state = await door.told(NURSE, "ChangeGoals", patient, aim)
    assert "SUPPORT-1" in numbers(state)


async def test_what_was_refused_in_advance_is_said_when_it_is_proposed(door: Door) -> None:
    # given an advance decision that refuses chemotherapy
    patient = await diagnosed(door)
    unsaid = await refused(door.report(NURSE, "RecordPreference", patient, wish("adrt", said="No chemotherapy.")))
    assert "which treatments" in unsaid.message
    refuses = wish("adrt", said="No chemotherapy, whatever happens.", refuses=["Chemotherapy", "ventilation"])
    await door.told(NURSE, "RecordPreference", patient, refuses)
    # when tablets are chosen, nothing stands against it; when chemotherapy is, the decision is said first
    chosen = events_pb2.DecisionMade(
        number="1.6.1",
        outcome=events_pb2.DecisionMade.OUTCOME_ACCEPTED,
        option="capecitabine",
        person_view="She changed her mind after her daughter's wedding.",
    )
    caution = await refused(door.report(ONCOLOGIST, "MakeDecision", patient, chosen))
    assert ("SUPPORT-3" in caution.message, "advance decision" in caution.message) == (True, True)
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    await door.told(ONCOLOGIST, "StartTherapyLine", patient, started("8a6b6f6c-3b1e-4b36-9f38-0d4c1c1d8f11"))
    # when she has changed her mind, a clinician says so, and that stands in the record as a departure
    chosen.override_reason = "She can decide for herself and wants it now."
    state = await door.told(ONCOLOGIST, "MakeDecision", patient, chosen)
    assert [one.departure for one in state.decisions if one.number == "SUPPORT-3"] == [True]
    # when the advance decision is withdrawn, then nothing stands against it any more
    await door.told(NURSE, "RecordPreference", patient, wish("adrt", "withdrawn"))
    chosen.override_reason = ""
    assert await door.report(ONCOLOGIST, "MakeDecision", patient, chosen)


# --- research --------------------------------------------------------------------------------------------------------


async def test_research_is_talked_about_at_each_stage_and_an_answer_is_awaited(house: House, door: Door) -> None:
    # given a person whose treatment has begun, for whom nobody has talked about research
    patient = await diagnosed(door)
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    line = "0f0a3c36-6f2b-4f2e-8a57-7d7d5c4d9b10"
    state = await door.told(ONCOLOGIST, "StartTherapyLine", patient, started(line))
    assert the(state, "1.2.1").owner_team == "oncology"
    # when a study is offered, then the talk is done, and her answer is awaited by the day she named
    offered = events_pb2.ResearchDiscussed(outcome="offered", study="PLATFORM-9", answer_by=a_day(8))
    state = await door.told(ONCOLOGIST, "DiscussResearch", patient, offered)
    assert ("1.2.1" in numbers(state), of_kind(state, "research")[0].due_on) == (False, a_day(8))
    # when she wants to join, somebody refers her; when there is no place after all, nothing waits
    wants = events_pb2.ResearchDiscussed(outcome="wants", study="PLATFORM-9", words="If it helps others.")
    state = await door.told(ONCOLOGIST, "DiscussResearch", patient, wants)
    assert [item.title for item in of_kind(state, "research")] == ["Refer to the research team: PLATFORM-9"]
    full = events_pb2.ResearchDiscussed(outcome="not_available", study="PLATFORM-9", words="Closed last week.")
    state = await door.told(ONCOLOGIST, "DiscussResearch", patient, full)
    assert not of_kind(state, "research")
    assert "Wants: PLATFORM-9" in house.cli("patient", "show", patient).stdout
    # when the disease progresses, then that is another stage
    worse = events_pb2.ProgressionReported(line_id=line, site="Liver")
    state = await door.told(ONCOLOGIST, "ReportProgression", patient, worse)
    assert "1.2.1" in numbers(state)


# --- complications ---------------------------------------------------------------------------------------------------


async def test_a_complication_is_watched_until_it_is_settled(house: House, door: Door) -> None:
    # given a complication, whatever brought it
    patient = await diagnosed(door)
    told = events_pb2.SymptomReported(told_by="person")
    state = await door.told(NURSE, "ReportSymptom", patient, told, facts=[fact("fatigue", "present")])
    (look,) = of_kind(state, "complication")
    assert (look.title, look.owner_team) == ("See how it is: fatigue", "breast_care_nurses")
    # when it is reported again, then it is still one
    await door.told(NURSE, "ReportSymptom", patient, told, facts=[fact("fatigue", "significant")])
    ticked = events_pb2.ItemCompleted(item_id=look.item_id, outcome="Seen.")
    assert "complication reviewed" in (await refused(door.report(NURSE, "CompleteItem", patient, ticked))).message
    # when it goes on, then it is looked at again on a day
    when = datetime.now(UTC) - timedelta(minutes=1)
    ongoing = ("--set", "complication=fatigue", "--set", "state=ongoing", "--set", f"next_on={a_day(14)}")
    receipt = json.loads(house.cli("report", "complication_reviewed", patient, *ongoing, *AS_NURSE, "--json").stdout)
    state = await door.patient(patient, int(receipt["seq"]))
    (look,) = of_kind(state, "complication")
    assert look.due_on == a_day(14)
    (shown,) = state.support.complications
    assert (shown.complication, shown.state, shown.next_on) == ("fatigue", "ongoing", a_day(14))
    assert shown.reviewed_at.ToDatetime(tzinfo=UTC) >= when
    # when it is resolved, then what is known of it says so, its tasks fall away, and nothing is left to look at
    better = events_pb2.ComplicationReviewed(complication="fatigue", state="resolved", note="Sleeps well again.")
    state = await door.told(NURSE, "ReviewComplication", patient, better)
    assert not of_kind(state, "complication")
    assert not {"1.10.1", "1.10.2", "1.10.3"} & numbers(state)
    assert state.support.complications[0].state == "settled"
    assert "Fatigue: settled" in house.cli("patient", "show", patient).stdout
    # then a slip is answered: what is watched, and a date for what goes on
    slip = events_pb2.ComplicationReviewed(complication="fatige", state="resolved")
    assert "Did you mean 'fatigue'?" in (await refused(door.report(NURSE, "ReviewComplication", patient, slip))).message
    open_end = events_pb2.ComplicationReviewed(complication="fatigue", state="ongoing")
    assert "which date" in (await refused(door.report(NURSE, "ReviewComplication", patient, open_end))).message

"""How much a person wants to know, what they are sent, who is beside them, and who decides when they cannot."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from handrail.clinical.v1 import events_pb2
from tests.house import NURSE, ONCOLOGIST, Door, House, MailServer
from tests.journeys.stories import a_day, accepted, diagnosed, new_id, numbers, of_kind, refused

ADDRESS = "agnes@example.net"


def sheet(topic: str = "support", **said: Any) -> events_pb2.InformationGiven:
    """Information that Handrail sends."""
    fields = {"form": "email", "outcome": "given", "title": f"About {topic}", "link": "https://www.example.org/sheet"}
    return events_pb2.InformationGiven(topic=topic, **(fields | said))


def wishes(wants_to_know: str = "everything", *not_about: str, **said: Any) -> events_pb2.InvolvementAgreed:
    """What somebody wants to know; they decide together with the team."""
    return events_pb2.InvolvementAgreed(
        wants_to_know=wants_to_know,
        not_about=not_about,
        wants_to_decide=said.pop("wants_to_decide", "together"),
        **said,
    )


def letters(server: MailServer, address: str = ADDRESS) -> list[str]:
    """What was mailed to the person."""
    mine = [mail for mail in server.mail() if address in str(mail["To"])]
    return [f"{mail['Subject']}\n{bytes(mail.get_payload(decode=True) or b'').decode()}" for mail in mine]


async def reachable(door: Door, address: str = ADDRESS) -> str:
    """Somebody with a diagnosis who may be written to."""
    patient = await diagnosed(door)
    agreed = events_pb2.ContactAgreed(ways=["telephone", "email"], email=address)
    await door.told(NURSE, "AgreeContact", patient, agreed)
    return patient


async def test_what_the_person_does_not_want_to_know_is_not_sent(
    door: Door, house: House, mail_server: MailServer
) -> None:
    # given a diagnosis: how much she wants to know is asked, and nothing is sent to nobody's address
    patient = await diagnosed(door)
    assert "SUPPORT-5" in numbers(await door.patient(patient))
    nowhere = await refused(door.report(NURSE, "GiveInformation", patient, sheet()))
    assert "No e-mail address is agreed" in nowhere.message
    agreed = events_pb2.ContactAgreed(ways=["telephone", "email"], email=ADDRESS)
    await door.told(NURSE, "AgreeContact", patient, agreed)
    # when she says what she wants, then that is answered, and the day to ask again is somebody's
    said = wishes("main_points", "outlook", review_on=a_day(40), words="Not how long I have.")
    state = await door.told(NURSE, "AgreeInvolvement", patient, said)
    assert "SUPPORT-5" not in numbers(state)
    assert [item.due_on for item in of_kind(state, "involvement")] == [a_day(40)]
    # then what she wants is sent, to her own address, under a subject that says nothing
    await door.told(NURSE, "GiveInformation", patient, sheet("support"))
    await door.quiet(patient)
    (letter,) = letters(mail_server)
    assert letter.startswith("Information from your care team\n")
    assert "https://www.example.org/sheet" in letter
    assert "Handrail person" not in letter
    # and what she does not want is not, until she asks for it herself
    unwanted = await refused(door.report(NURSE, "GiveInformation", patient, sheet("outlook")))
    assert "does not want information about this (outlook)" in unwanted.message
    await door.quiet(patient)
    assert len(letters(mail_server)) == 1
    await door.told(NURSE, "GiveInformation", patient, sheet("outlook", asked_for=True))
    await door.quiet(patient)
    assert len(letters(mail_server)) == 2
    # when she declines a topic where it is offered, then nothing more is sent on it
    declined = sheet("research", outcome="declined", form="spoken")
    await door.told(NURSE, "GiveInformation", patient, declined)
    assert "(research)" in (await refused(door.report(NURSE, "GiveInformation", patient, sheet("research")))).message
    # when the disease progresses, then it is asked again; both answers stay
    worse = events_pb2.ProgressionReported(site="Liver")
    assert "SUPPORT-5" in numbers(await door.told(ONCOLOGIST, "ReportProgression", patient, worse))
    state = await door.told(NURSE, "AgreeInvolvement", patient, wishes("nothing_now", wants_to_decide="team"))
    assert state.shared_decisions.involvement.involvement.wants_to_know == "nothing_now"
    assert "(support)" in (await refused(door.report(NURSE, "GiveInformation", patient, sheet()))).message
    shown = house.cli("patient", "show", patient).stdout
    assert "Does not want to know now: nothing is sent; leaves decisions to the team" in shown
    history = house.cli("patient", "show", patient, "--history").stdout
    assert "Not how long I have." in history


async def test_what_waits_for_the_mail_server_is_held_back_when_she_changes_her_mind(
    door: Door, mail_server: MailServer
) -> None:
    # given a sheet that waits, because no mail can leave
    address = "held@example.net"
    patient = await reachable(door, address)
    mail_server.stop()
    try:
        await door.report(NURSE, "GiveInformation", patient, sheet("outlook"))
        await door.report(NURSE, "GiveInformation", patient, sheet("treatment"))
        await asyncio.sleep(1.0)
        # when she does not want to know any more, and mail can leave again
        await door.told(NURSE, "AgreeInvolvement", patient, wishes("everything", "outlook"))
    finally:
        mail_server.start()
    # then she gets the one and not the other
    await door.quiet(patient)
    assert [letter for letter in letters(mail_server, address) if "About outlook" in letter] == []
    assert len([letter for letter in letters(mail_server, address) if "About treatment" in letter]) == 1
    # and when she wants it after all, it goes, once
    await door.told(NURSE, "AgreeInvolvement", patient, wishes())
    for _ in range(40):
        if len(letters(mail_server, address)) == 2:
            break
        await asyncio.sleep(0.25)
    assert len([letter for letter in letters(mail_server, address) if "About outlook" in letter]) == 1


async def test_information_is_found_in_the_persons_language(door: Door, house: House) -> None:
    patient = await diagnosed(door)
    none = sheet("treatment", form="printed", outcome="not_available", language="pl", formats=["large_print"])
    state = await door.told(NURSE, "GiveInformation", patient, none)
    (item,) = of_kind(state, "information")
    assert item.title == "Find information that this person can use (pl, large print): treatment"
    ticked = events_pb2.ItemCompleted(item_id=item.item_id, outcome="Done.")
    assert "information was given" in (await refused(door.report(NURSE, "CompleteItem", patient, ticked))).message
    given = sheet("treatment", form="printed", language="pl", formats=["large_print"])
    state = await door.told(NURSE, "GiveInformation", patient, given)
    assert not of_kind(state, "information")
    assert "printed, pl, large print" in house.cli("patient", "show", patient).stdout


async def test_carers_and_children_are_asked_about_and_told_only_with_consent(door: Door, house: House) -> None:
    # given a partner who cares for her, whom nobody asked about, and a daughter of nine
    patient, partner, child = await diagnosed(door), new_id(), new_id()
    sam = events_pb2.RelatedPersonRecorded(
        related_person_id=partner, name="Sam", relationship="partner", may_be_told="not_asked", gives_care=True
    )
    await door.told(NURSE, "RecordRelatedPerson", patient, sam)
    girl = events_pb2.RelatedPersonRecorded(
        related_person_id=child, name="Mia", relationship="child", may_be_told="practical_only", under_18=True
    )
    state = await door.told(NURSE, "RecordRelatedPerson", patient, girl)
    assert {item.title for item in of_kind(state, "related_person")} == {
        "Ask the person what their partner may be told",
        "Ask how the partner who cares for the person is doing",
        "Offer help with what to tell the children",
    }
    # when he is told although she was not asked, then she is to be told that
    told = sheet("outlook", form="spoken", related_person_id=partner)
    state = await door.told(NURSE, "GiveInformation", patient, told)
    assert [item.title for item in of_kind(state, "told_without_consent")] == [
        "Tell the person that their partner was told: outlook"
    ]
    # when she agrees, and he says what he needs, then only the help is left to arrange
    sam.may_be_told, sam.own_needs = "everything", "has_needs"
    state = await door.told(NURSE, "RecordRelatedPerson", patient, sam)
    of_him = [item.title for item in of_kind(state, "related_person") if item.subject_id == partner]
    assert of_him == ["Arrange help for the partner"]
    sam.help = "Respite on Fridays; a carer's assessment by the council."
    state = await door.told(NURSE, "RecordRelatedPerson", patient, sam)
    assert [item.subject_id for item in of_kind(state, "related_person")] == [child]
    shown = house.cli("patient", "show", patient).stdout
    assert "May be told everything" in shown
    assert "Gives care. Own needs: has needs; arranged: Respite on Fridays" in shown
    # when they part, then nothing about him is open, and a stranger cannot be told
    sam.no_longer = True
    state = await door.told(NURSE, "RecordRelatedPerson", patient, sam)
    assert "Sam" not in [one.related_person.name for one in state.shared_decisions.related_people]
    assert "Nobody with this id" in (await refused(door.report(NURSE, "GiveInformation", patient, told))).message


def lacks(assessment: str) -> events_pb2.CapacityAssessed:
    """An assessment by which she cannot decide about treatment now."""
    return events_pb2.CapacityAssessed(
        assessment_id=assessment,
        about="treatment",
        decision="Which treatment to begin",
        outcome="lacks_capacity",
        help_given="Pictures, a quiet room, asked on two days.",
        cannot=["retain", "weigh"],
        because="Delirium with an infection.",
        may_regain=True,
        review_on=a_day(6),
    )


def best(assessment: str, decided_by: str = "team", **said: Any) -> events_pb2.BestInterestsDecided:
    """What was decided for her."""
    return events_pb2.BestInterestsDecided(
        assessment_id=assessment,
        decided_by=decided_by,
        decision="Begin with tablets at home.",
        person_wishes="She always wanted tablets and to stay out of hospital.",
        options=["Tablets", "Wait until she can decide"],
        **said,
    )


async def test_somebody_who_cannot_decide_now_is_decided_for_and_only_then(door: Door, house: House) -> None:
    # given somebody who is assessed, with the reasons, as not able to decide about treatment now
    patient, assessment, brother = await diagnosed(door), new_id(), new_id()
    early = await refused(
        door.report(ONCOLOGIST, "RecordBestInterests", patient, best(assessment, consulted=[brother]))
    )
    assert "An adult can, until it was assessed" in early.message
    bare = events_pb2.CapacityAssessed(
        assessment_id=assessment, about="treatment", decision="Treatment", outcome="lacks_capacity"
    )
    unsaid = await refused(door.report(ONCOLOGIST, "AssessCapacity", patient, bare))
    assert {one.field.partition(".")[2] for one in unsaid.violations} == {"help_given", "cannot", "because"}
    state = await door.told(ONCOLOGIST, "AssessCapacity", patient, lacks(assessment))
    assert {item.title for item in of_kind(state, "capacity")} == {
        "A decision in the person's best interests, by the team",
        "Instruct an independent mental capacity advocate",
        "Assess again whether the person can decide",
    }
    assert "Cannot decide now: Which treatment to begin" in house.cli("patient", "show", patient).stdout
    # then a decision in her own name is refused, and one for her needs what is in her best interests first
    mine = accepted()
    assert (
        "cannot make this decision now"
        in (await refused(door.report(ONCOLOGIST, "MakeDecision", patient, mine))).message
    )
    mine.decided_by = "attorney"
    assert "best_interests_decided" in (await refused(door.report(ONCOLOGIST, "MakeDecision", patient, mine))).message
    # when there is an attorney whose document was seen, then it is his to decide, not the team's
    attorney = events_pb2.RelatedPersonRecorded(
        related_person_id=brother, name="Ted", relationship="sibling", may_be_told="everything", authority="attorney"
    )
    state = await door.told(NURSE, "RecordRelatedPerson", patient, attorney)
    assert [item.title for item in of_kind(state, "related_person")] == [
        "See the document by which the sibling decides for the person"
    ]
    by_him = best(assessment, "attorney", related_person_id=brother, disagreement=True)
    assert "document seen" in (await refused(door.report(ONCOLOGIST, "RecordBestInterests", patient, by_him))).message
    attorney.authority_seen = True
    await door.told(NURSE, "RecordRelatedPerson", patient, attorney)
    by_team = best(assessment, consulted=[brother])
    assert (
        "theirs to decide" in (await refused(door.report(ONCOLOGIST, "RecordBestInterests", patient, by_team))).message
    )
    state = await door.told(ONCOLOGIST, "RecordBestInterests", patient, by_him)
    assert "Settle a disagreement" in " ".join(item.title for item in of_kind(state, "capacity"))
    # then the decision stands with who made it, and the options that were shown
    mine.decided_with = "Her oncologist and her nurse"
    state = await door.told(ONCOLOGIST, "MakeDecision", patient, mine)
    (made,) = [one for one in state.decisions if one.number == mine.number]
    assert (made.decided_by, made.decided_with) == ("attorney", "Her oncologist and her nurse")
    assert mine.option in made.options_shown
    # when she can decide again, then it is hers alone
    again = events_pb2.CapacityAssessed(
        assessment_id=new_id(), about="treatment", decision="Which treatment to begin", outcome="has_capacity"
    )
    state = await door.told(ONCOLOGIST, "AssessCapacity", patient, again)
    assert not of_kind(state, "capacity")
    theirs = await refused(door.report(ONCOLOGIST, "MakeDecision", patient, mine))
    assert "Nobody decides for an adult who can" in theirs.message
    mine.decided_by = "person_with_support"
    assert await door.report(ONCOLOGIST, "MakeDecision", patient, mine)


async def test_departures_are_counted_by_reason_and_nobody_is_named(door: Door, house: House) -> None:
    def counted() -> int:
        found = json.loads(house.cli("departures", "--json").stdout)["counts"]
        wanted = [one for one in found if (one["reason_code"], one["number"]) == ("not_available_here", "1.7.16")]
        return sum(int(one["departures"]) for one in wanted)

    before = counted()
    patient = await diagnosed(door)
    no = events_pb2.DecisionMade(
        number="1.7.16",
        outcome=events_pb2.DecisionMade.OUTCOME_DECLINED,
        person_view="He would have taken them.",
        reason_code="not_available_here",
        reason="No funding for men in this trust.",
        review_on=a_day(30),
    )
    await door.told(ONCOLOGIST, "MakeDecision", patient, no)
    assert counted() == before + 1
    shown = house.cli("departures", "--since", a_day(-1)).stdout
    assert "Not available here" in shown
    assert "other than recommended" in shown
    assert house.cli("departures", "--until", "2020-01-01").stdout.startswith("0 decisions, 0 of them")
    assert house.cli("departures", "--since", "2026-02-31", check=False).returncode == 2

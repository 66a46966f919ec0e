"""A reported death: silence at once, nothing cancelled until a second person verified it, and all of it undone."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from handrail.clinical.v1 import events_pb2
from handrail.notify.v1 import notices_pb2
from services.notify.channels.email import Email
from services.notify.settings import MailServer as MailAddress
from services.runtime.context import Actor
from services.runtime.errors import Category, HandrailError
from tests.house import COORDINATOR, NURSE, ONCOLOGIST, PALLIATIVE, SCHEDULER, Door, fact, free_port
from tests.journeys.stories import a_day, agreed, drafted, new_id, of_kind, refused, treated
from tests.services.notify.house import TEAMS, House, notice, running
from tests.services.notify.mail import MailServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WORKER = Actor("worker.test", "worker")


def reported(by: str = "family", on: str = "") -> events_pb2.DeathReported:
    return events_pb2.DeathReported(reported_by=by, died_on=on)


def verified(days_ago: int = 1) -> events_pb2.DeathVerified:
    return events_pb2.DeathVerified(
        identity_checked="nhs_number_and_birth_date", confirmed_with="The GP's practice", died_on=a_day(-days_ago)
    )


NAMESAKE = events_pb2.DeathWithdrawn(
    mistake="namesake", reason="Another person of the same name; she answers the phone."
)


async def busy_person(door: Door) -> tuple[str, str, str]:
    """A person on treatment, with a referral that is out, an appointment and recommendations."""
    patient, line = await treated(door)
    referral = new_id()
    await door.told(COORDINATOR, "DraftReferral", patient, drafted(referral))
    await door.told(COORDINATOR, "AgreeReferral", patient, agreed(referral))
    await door.told(COORDINATOR, "SendReferral", patient, events_pb2.ReferralSent(referral_id=referral))
    starts_at = (datetime.now(UTC) + timedelta(days=7)).isoformat(timespec="seconds")
    visit = events_pb2.AppointmentBooked(appointment_id=new_id(), purpose="clinic", starts_at=starts_at)
    await door.told(COORDINATOR, "BookAppointment", patient, visit)
    await door.until(patient, lambda s: s.referrals[0].status == "delivered", "the referral is out")
    await door.quiet(patient)
    return patient, line, referral


def clocks(state: Any) -> set[tuple[str, str, str, str, str]]:
    """Each open task with its identity, its clock and its owner."""
    return {
        (item.item_id, item.key, item.due_on, item.due_at.ToJsonString(), item.owner_team) for item in state.open_items
    }


def lines(state: Any) -> list[tuple[str, str, str]]:
    return [(line.line_id, line.status, line.course.stop_reason) for line in state.therapy_lines]


async def test_a_reported_death_cancels_nothing_and_asks_a_second_person(door: Door) -> None:
    # given somebody with much under way
    patient, line, _ = await busy_person(door)
    before = await door.patient(patient)
    # when her daughter telephones
    state = await door.told(COORDINATOR, "ReportDeath", patient, reported())
    # then every task stands with its clock, and one more is urgent
    assert clocks(before) < clocks(state)
    (asked,) = of_kind(state, "death_verification")
    assert (asked.urgency, asked.owner_team) == ("urgent", "coordination")
    assert lines(state) == [(line, "ongoing", "ongoing")]
    assert [referral.status for referral in state.referrals] == [before.referrals[0].status]
    # when whoever reported it wants to verify it too, then a second person is asked for
    refusal = await refused(door.report(COORDINATOR, "VerifyDeath", patient, verified()))
    assert (refusal.category, "somebody else" in refusal.message) == (Category.NOT_ALLOWED, True)
    # when it is ticked off, reported again, or withdrawn of somebody who is not dead, then a sentence says what to do
    done = events_pb2.ItemCompleted(item_id=asked.item_id, outcome="I am sure.")
    assert "second person" in (await refused(door.report(NURSE, "CompleteItem", patient, done))).message
    assert "already reported" in (await refused(door.report(NURSE, "ReportDeath", patient, reported("gp")))).message
    alive = await door.opened()
    for rpc, event in (("VerifyDeath", verified()), ("WithdrawDeathReport", NAMESAKE)):
        assert "No death is reported" in (await refused(door.report(NURSE, rpc, alive, event))).message
    # when a date lies ahead, then it is refused by name
    refusal = await refused(door.report(NURSE, "ReportDeath", alive, reported(on=a_day(3))))
    assert [violation.field for violation in refusal.violations] == ["death_reported.died_on"]
    # then a machine may report a death too, and nobody verified anything yet
    state = await door.told(SCHEDULER, "ReportDeath", alive, reported("nhs_spine", a_day(-1)))
    assert of_kind(state, "death_verification")


async def test_a_death_on_a_namesake_is_undone_before_it_was_verified(door: Door) -> None:
    patient, line, _ = await busy_person(door)
    before = await door.patient(patient)
    await door.told(COORDINATOR, "ReportDeath", patient, reported())
    state = await door.told(COORDINATOR, "WithdrawDeathReport", patient, NAMESAKE)
    assert clocks(state) == clocks(before)
    assert lines(state) == [(line, "ongoing", "ongoing")]


async def test_a_death_on_a_namesake_is_undone_after_it_was_verified_and_nothing_is_lost(door: Door) -> None:
    # given somebody with much under way
    patient, line, referral = await busy_person(door)
    before = await door.patient(patient)
    # when a death is reported and verified
    await door.told(COORDINATOR, "ReportDeath", patient, reported())
    state = await door.told(NURSE, "VerifyDeath", patient, verified())
    # then what she was to be asked or given rests, and the family's path is open
    assert not clocks(state) & clocks(before)
    assert {item.kind for item in state.open_items} == {
        "bereavement", "arrangements", "treatment_death_review", "referral_after_death",
    }  # fmt: skip
    assert lines(state) == [(line, "ended", "other")]
    # then those who would have visited were told
    await door.quiet(patient)
    told = {m.team for m in await door.messages(patient) if m.template == "death_verified"}
    assert {"palliative_care", "breast_care_nurses", "oncology"} <= told
    # when it was a namesake
    state = await door.told(COORDINATOR, "WithdrawDeathReport", patient, NAMESAKE)
    # then each task is the same one again: its id, its clock, its owner; nothing more and nothing less
    assert clocks(state) == clocks(before)
    assert lines(state) == [(line, "ongoing", "ongoing")]
    assert {f.fact_id for f in state.facts} == {f.fact_id for f in before.facts}
    # then her treatment and her referral go on where they were
    stable = events_pb2.ResponseAssessed(line_id=line, response="stable")
    await door.told(ONCOLOGIST, "AssessResponse", patient, stable)
    await door.until(patient, lambda s: any(i.key.endswith(f"{line}|2") for i in s.open_items), "the next check")
    taken = events_pb2.ReferralAcknowledged(referral_id=referral, taken_by="Dr P")
    await door.report(PALLIATIVE, "AcknowledgeReferral", patient, taken)
    await door.until(patient, lambda s: s.referrals[0].status == "acknowledged", "the referral goes on")


async def test_what_comes_after_a_death_waits_in_case_it_was_a_mistake(door: Door) -> None:
    patient, _, referral = await busy_person(door)
    await door.told(COORDINATOR, "ReportDeath", patient, reported())
    await door.told(NURSE, "VerifyDeath", patient, verified())
    # when her appointment is cancelled and her referral closed, because she died
    visit = (await door.patient(patient)).appointments[0].appointment_id
    gone = events_pb2.AppointmentCancelled(appointment_id=visit, cancelled_by="service", reason="The person has died.")
    await door.told(COORDINATOR, "CancelAppointment", patient, gone)
    closed = events_pb2.ReferralClosed(referral_id=referral, outcome="The person has died.")
    await door.report(COORDINATOR, "CloseReferral", patient, closed)
    state = await door.until(patient, lambda s: not of_kind(s, "referral_after_death"), "the referral is closed")
    # then nobody books another appointment for her, and nothing more is ordered or started
    assert not of_kind(state, "follow_up")
    scan = events_pb2.InvestigationOrdered(order_id=new_id(), modality="CECT", purpose="monitoring")
    assert "death was verified" in (await refused(door.report(ONCOLOGIST, "OrderInvestigation", patient, scan))).message
    # when it was a mistake, then both are asked for again
    state = await door.told(COORDINATOR, "WithdrawDeathReport", patient, NAMESAKE)
    titles = {item.title for item in of_kind(state, "follow_up")}
    assert titles == {
        "Appointment cancelled: book another, or record why none is needed",
        "Refer to palliative care again, or say why not",
    }


async def test_a_pathway_closes_after_a_death_only_when_nothing_is_left_to_do(door: Door) -> None:
    # given a death on treatment, verified
    patient, line = await treated(door)
    await door.told(COORDINATOR, "ReportDeath", patient, reported("hospital", a_day(-1)))
    state = await door.told(NURSE, "VerifyDeath", patient, verified())
    closing = events_pb2.PathwayClosed(reason="She died on the ward; the family was spoken to.")
    # when somebody closes too early, then the sentence says what is open
    refusal = await refused(door.report(COORDINATOR, "ClosePathway", patient, closing))
    assert (refusal.category, "Review: death within 30 days" in refusal.message) == (Category.CONFLICT, True)
    # when each is done
    for item in state.open_items:
        done = events_pb2.ItemCompleted(item_id=item.item_id, outcome="Done, and written down.")
        state = await door.told(ONCOLOGIST, "CompleteItem", patient, done)
    # then closing is all that is left, and a person does it
    assert [item.kind for item in state.open_items] == ["close_pathway"]
    state = await door.told(COORDINATOR, "ClosePathway", patient, closing)
    assert (state.pathway.status, state.pathway.closed_reason, list(state.open_items)) == ("closed", closing.reason, [])
    assert lines(state) == [(line, "ended", "other")]


@pytest.fixture
async def letters(door: Door, tmp_path: Path) -> AsyncIterator[tuple[House, MailServer]]:
    """A second notify on the house's own database, with a message for patients that is about nothing."""
    (tmp_path / "teams.yaml").write_text(TEAMS, encoding="utf-8")
    (tmp_path / "_letter.txt").write_text("{{ text }}", encoding="utf-8")
    (tmp_path / "to_the_person.txt").write_text("audience: patient\nsubject: Hello\n---\nHello", encoding="utf-8")
    home = door.running.home
    role = "notify_runtime"
    url = f"postgresql://{role}:{home.passwords()[role]}@/handrail?host={home.short_directory / 'pg'}"
    mail = MailServer(free_port())
    channel = Email(MailAddress.from_url(mail.url), "handrail@trust.example", "handrail.example")
    async with running(url, tmp_path / "teams.yaml", channel, tmp_path) as second:
        yield second, mail
    mail.stop()


async def test_what_waits_for_a_person_who_died_never_leaves(door: Door, letters: tuple[House, MailServer]) -> None:
    post, mail = letters
    # given two people for whom a message waits, because no mail server answers
    namesake, other = await door.opened(), await door.opened()
    waiting = {
        person: notice(template="to_the_person", values={}, owner_id="", patient_id=person, address="her@example.net")
        for person in (namesake, other)
    }
    for request in waiting.values():
        with pytest.raises(HandrailError):
            await post.send(request)
    # when a death is reported of one of them, and the mail server is back
    await door.report(COORDINATOR, "ReportDeath", namesake, reported())
    await silenced(door, namesake, holds=True)
    mail.start()
    # then her message does not leave, nor a new one; the other's does
    later = notices_pb2.SendNoticeRequest()
    later.CopyFrom(waiting[namesake])
    later.idempotency_key = str(uuid.uuid4())
    for request in (waiting[namesake], later):
        assert (await post.send(request)).status == "suppressed"
    assert mail.taken == []
    assert (await post.send(waiting[other])).status == "sent"
    assert len(mail.taken) == 1
    # when it was a namesake, then what waited for her goes, and she hears of no death
    await door.report(COORDINATOR, "WithdrawDeathReport", namesake, NAMESAKE)
    await silenced(door, namesake, holds=False)
    assert (await post.send(waiting[namesake])).status == "sent"
    assert len(mail.taken) == 2


async def silenced(door: Door, patient: str, *, holds: bool) -> None:
    """Wait until notify was told."""
    database = await door.database("notify_runtime")
    newest = "SELECT NOT lifted FROM notify.suppression WHERE patient_id = $1 ORDER BY seq DESC LIMIT 1"
    try:
        for _ in range(100):
            if await database.fetchval(newest, patient) is holds:
                return
            await asyncio.sleep(0.05)
    finally:
        await database.close()
    message = f"notify was never told (holds: {holds})"
    raise AssertionError(message)


async def test_an_emergency_of_somebody_recorded_as_dead_opens_and_puts_the_death_in_doubt(door: Door) -> None:
    # given a death that was verified
    patient = await door.opened()
    await door.told(COORDINATOR, "ReportDeath", patient, reported())
    await door.told(NURSE, "VerifyDeath", patient, verified())
    # when somebody says of this person that the legs are weak today
    weak = [fact("new_limb_weakness", True)]
    symptom = events_pb2.SymptomReported(told_by="carer")
    state = await door.told(NURSE, "ReportSymptom", patient, symptom, facts=weak)
    # then the emergency opens, and somebody finds out now who is meant
    assert "U-MSCC-A" in {item.number for item in state.open_items if item.urgency == "emergency"}
    assert len(of_kind(state, "death_in_doubt")) == 1
    # when the death is withdrawn, then that question is answered, and the emergency stands
    state = await door.told(COORDINATOR, "WithdrawDeathReport", patient, NAMESAKE)
    assert not of_kind(state, "death_in_doubt")
    assert "U-MSCC-A" in {item.number for item in state.open_items if item.urgency == "emergency"}

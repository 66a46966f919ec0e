"""Bad input is refused in words that say what to do, and leaves nothing behind: no row, no history event."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handrail.clinical.v1 import events_pb2
from handrail.records.v1 import people_pb2
from services.runtime.context import Actor
from services.runtime.errors import Category, HandrailError
from tests.house import COORDINATOR, NURSE, ONCOLOGIST, PALLIATIVE, Door, fact, nhs_number
from tests.journeys.stories import diagnosed, sent_referral
from workflows import names

State = tuple[dict[str, int], dict[str, int]]


async def counted(door: Door, workflows: list[str]) -> State:
    """How many rows each table of records and notify has, and how long the workflows' histories are."""
    connection = await door.database()
    try:
        tables = await connection.fetch(
            "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname IN ('records', 'notify')"
        )
        rows = {t["name"]: await connection.fetchval(f"SELECT count(*) FROM {t['name']}") for t in tables}  # noqa: S608
    finally:
        await connection.close()
    client = await door.temporal()
    lengths = {name: (await client.get_workflow_handle(name).describe()).history_length for name in workflows}
    assert len(rows) > 20
    return rows, lengths


async def at_rest(door: Door, workflows: list[str]) -> State:
    """The counts once nothing moves any more."""
    before = await counted(door, workflows)
    for _ in range(50):
        await asyncio.sleep(0.4)
        after = await counted(door, workflows)
        if after == before:
            return after
        before = after
    message = "the house never came to rest"
    raise AssertionError(message)


@asynccontextmanager
async def nothing_changes(door: Door, patients: list[str], referrals: list[str] | None = None) -> AsyncIterator[None]:
    """Check that what happens inside leaves every table and every history as it was."""
    workflows = [names.pathway_id(patient) for patient in patients]
    workflows += [names.referral_id(referral) for referral in referrals or []]
    await door.quiet(*patients)
    before = await at_rest(door, workflows)
    yield
    assert await at_rest(door, workflows) == before


async def refusal(call: Awaitable[Any]) -> HandrailError:
    """The refusal that a call ends with: a sentence that says what to do, in words for people."""
    with pytest.raises(HandrailError) as caught:
        await call
    error = caught.value
    assert error.category is not Category.INTERNAL, error.message
    assert len(error.message.split()) > 5, error.message
    assert "Traceback" not in error.message
    return error


def symptom(note: str = "Tired.") -> events_pb2.SymptomReported:
    return events_pb2.SymptomReported(told_by="person", note=note)


BadReport = Callable[[Door, str], Awaitable[Any]]


def report(note: str = "Tired.", **values: Any) -> BadReport:
    """A symptom report with something wrong in it."""

    async def send(door: Door, patient: str) -> Any:
        return await door.report(NURSE, "ReportSymptom", patient, symptom(note), **values)

    return send


TOMORROW = datetime.now(UTC) + timedelta(days=1)
BAD_REPORTS: dict[str, tuple[BadReport, Category, str, str]] = {
    "a date in the future": (
        report(occurred_at=TOMORROW),
        Category.INVALID,
        "occurred_at",
        "give the time at which it happened",
    ),
    "a date before anybody's birth": (
        report(occurred_at=datetime(1850, 1, 1, tzinfo=UTC)),
        Category.INVALID,
        "occurred_at",
        "check the year",
    ),
    "a fact that the dictionary does not know": (
        report(facts=[fact("fatigue", "none"), fact("shoe_size", 38)]),
        Category.INVALID,
        "facts[1].name",
        "shoe_size",
    ),
    "a value out of range": (report(facts=[fact("ecog", 9)]), Category.INVALID, "facts[0].value", "0"),
    "a word that is not among the values": (
        report(facts=[fact("fatigue", "enormous")]),
        Category.INVALID,
        "facts[0].value",
        "significant",
    ),
    "a number where a word is meant": (
        report(facts=[fact("fatigue", 3)]),
        Category.INVALID,
        "facts[0].value",
        "",
    ),
    "a message of 100 KiB": (report(note="x" * 100 * 1024), Category.TOO_LARGE, "", "Shorten the free text"),
    "a message of 5 MB": (report(note="x" * 5_000_000), Category.TOO_LARGE, "", "Shorten the free text"),
    "a note that is too long and yet small": (
        report(note="x" * 4001),
        Category.INVALID,
        "symptom_reported.note",
        "4000",
    ),
}


@pytest.mark.parametrize("what", BAD_REPORTS)
async def test_a_bad_report_is_refused_and_leaves_nothing_behind(door: Door, what: str) -> None:
    send, category, field, words = BAD_REPORTS[what]
    patient = await diagnosed(door)
    async with nothing_changes(door, [patient]):
        error = await refusal(send(door, patient))
        assert error.category is category, error.message
        assert [violation.field for violation in error.violations] == ([field] if field else [])
        said = error.message + " ".join(violation.description for violation in error.violations)
        assert words in said, said


async def test_a_mistyped_nhs_number_is_refused_and_nobody_is_registered(door: Door) -> None:
    patient = await door.opened()
    right = nhs_number()
    wrong = right[:9] + str((int(right[9]) + 1) % 10)
    async with nothing_changes(door, [patient]):
        error = await refusal(door.register(nhs_number=wrong))
        assert (error.category, [v.field for v in error.violations]) == (Category.INVALID, ["nhs_number"])
        assert "type it again" in error.message
        assert wrong not in error.message
        real = people_pb2.RegisterPersonRequest(
            idempotency_key=str(uuid.uuid4()),
            nhs_number="9434765919",  # well formed, and not of the range that is reserved for tests
            given_name="Syn",
            family_name="Testperson",
            birth_date="1961-04-02",
        )
        error = await refusal(door.call(COORDINATOR, door.people.RegisterPerson, real))
        assert "begin with 999" in error.message


async def test_a_birth_date_in_the_future_is_refused(door: Door) -> None:
    patient = await door.opened()
    async with nothing_changes(door, [patient]):
        error = await refusal(door.register(birth_date=TOMORROW.date().isoformat()))
        assert [v.field for v in error.violations] == ["birth_date"]


async def test_a_report_on_an_unknown_person_is_refused(door: Door) -> None:
    patient = await door.opened()
    unknown = str(uuid.uuid4())
    async with nothing_changes(door, [patient]):
        for send in (
            door.report(NURSE, "ReportSymptom", unknown, symptom()),
            door.report(COORDINATOR, "OpenPathway", unknown, events_pb2.PathwayOpened()),
        ):
            error = await refusal(send)
            assert (error.category, [v.field for v in error.violations]) == (Category.NOT_FOUND, ["patient_id"])
            assert "Register the person first" in error.message


async def test_a_report_before_the_pathway_is_open_is_refused(door: Door) -> None:
    patient, registered = await door.opened(), await door.register()
    async with nothing_changes(door, [patient]):
        error = await refusal(door.report(NURSE, "ReportSymptom", registered, symptom()))
        assert (error.category, "Open the pathway first" in error.message) == (Category.CONFLICT, True)


async def test_an_event_for_a_closed_pathway_is_refused(door: Door) -> None:
    patient = await door.opened()
    await door.told(NURSE, "AssignKeyWorker", patient, events_pb2.KeyWorkerAssigned(person_id="carys.nurse"))
    await door.told(COORDINATOR, "ClosePathway", patient, events_pb2.PathwayClosed(reason="Moved away."))
    async with nothing_changes(door, [patient]):
        error = await refusal(door.report(NURSE, "ReportSymptom", patient, symptom()))
        assert (error.category, "closed" in error.message) == (Category.CONFLICT, True)


async def test_a_report_that_says_yes_and_no_and_a_fact_of_year_one_are_refused(door: Door) -> None:
    patient = await door.opened()
    long_ago = fact("fatigue", "significant")
    long_ago.occurred_at.FromDatetime(datetime(1, 1, 1, tzinfo=UTC))
    twice = [fact("fatigue", "significant"), fact("fatigue", "none")]
    async with nothing_changes(door, [patient]):
        for facts, words in ((twice, "two different things"), ([long_ago], "before 1900")):
            error = await refusal(door.report(NURSE, "ReportSymptom", patient, symptom(), facts=facts))
            assert (error.category, words in error.message) == (Category.INVALID, True), error.message


async def test_a_best_interests_decision_by_nobody_is_refused(door: Door) -> None:
    patient = await door.opened()
    agreed = events_pb2.ReferralAgreed(
        referral_id=str(uuid.uuid4()), agreed_by="best_interests", words="She cannot weigh this up just now."
    )
    async with nothing_changes(door, [patient]):
        error = await refusal(door.report(COORDINATOR, "AgreeReferral", patient, agreed))
        assert (error.category, "decided_by" in error.message) == (Category.INVALID, True)


async def test_a_report_that_is_signed_with_a_team_that_there_is_not_is_refused(door: Door) -> None:
    patient = await diagnosed(door)
    mistyped = Actor("nurse.test", "key_worker", "zzz")
    async with nothing_changes(door, [patient]):
        error = await refusal(door.report(mistyped, "ReportSymptom", patient, symptom("Tired.")))
        assert (error.category, [v.field for v in error.violations]) == (Category.INVALID, ["team"])
        assert "breast_care_nurses" in error.message


async def test_an_acknowledgement_by_the_wrong_team_is_refused(door: Door) -> None:
    patient, referral = await sent_referral(door)
    other = await door.opened()
    taken = events_pb2.ReferralAcknowledged(referral_id=referral, taken_by="Sister Sample")
    hospice = Actor("hospice.test", "hospice_intake", "wound_care")
    async with nothing_changes(door, [patient, other], [referral]):
        error = await refusal(door.report(hospice, "AcknowledgeReferral", patient, taken))
        assert (error.category, "receiving team" in error.message) == (Category.NOT_ALLOWED, True)
        # the right team, with the id of another person
        error = await refusal(door.report(PALLIATIVE, "AcknowledgeReferral", other, taken))
        assert (error.category, "somebody else" in error.message) == (Category.NOT_FOUND, True)
        # the right team, with a referral that never was
        taken.referral_id = str(uuid.uuid4())
        error = await refusal(door.report(PALLIATIVE, "AcknowledgeReferral", patient, taken))
        assert error.category is Category.NOT_FOUND


async def test_the_same_key_with_another_body_is_refused_and_with_the_same_body_answered_again(door: Door) -> None:
    patient, key, at = await diagnosed(door), str(uuid.uuid4()), datetime.now(UTC) - timedelta(hours=1)
    first = await door.report(NURSE, "ReportSymptom", patient, symptom("Tired."), key=key, occurred_at=at)
    await door.patient(patient, first.seq)
    async with nothing_changes(door, [patient]):
        error = await refusal(door.report(NURSE, "ReportSymptom", patient, symptom("Well."), key=key, occurred_at=at))
        assert (error.category, [v.field for v in error.violations]) == (Category.KEY_REUSED, ["idempotency_key"])
        assert "new key" in error.message
        # another kind of event under the same key
        result = events_pb2.ResultReceived(investigation="Blood count")
        error = await refusal(door.report(NURSE, "ReceiveResult", patient, result, key=key, occurred_at=at))
        assert error.category is Category.KEY_REUSED
        # the same report again is the same answer
        again = await door.report(NURSE, "ReportSymptom", patient, symptom("Tired."), key=key, occurred_at=at)
        assert (again.seq, again.event_id) == (first.seq, first.event_id)


async def test_the_same_key_of_a_registration_with_another_body_is_refused(door: Door) -> None:
    patient = await door.opened()
    request = people_pb2.RegisterPersonRequest(
        idempotency_key=str(uuid.uuid4()),
        nhs_number=nhs_number(),
        given_name="Syn",
        family_name="Testperson",
        birth_date="1961-04-02",
    )
    first = await door.call(COORDINATOR, door.people.RegisterPerson, request)
    async with nothing_changes(door, [patient]):
        assert await door.call(COORDINATOR, door.people.RegisterPerson, request) == first
        request.given_name = "Other"
        error = await refusal(door.call(COORDINATOR, door.people.RegisterPerson, request))
        assert (error.category, [v.field for v in error.violations]) == (Category.KEY_REUSED, ["idempotency_key"])


async def test_a_correction_of_a_fact_that_is_not_this_persons_is_refused(door: Door) -> None:
    patient, other = await diagnosed(door), await diagnosed(door)
    theirs = (await door.patient(other)).facts[0]
    correction = events_pb2.FactCorrected(fact_id=theirs.fact_id, reason="Wrong person.")
    async with nothing_changes(door, [patient]):
        error = await refusal(door.report(ONCOLOGIST, "CorrectFact", patient, correction))
    assert (error.category, [v.field for v in error.violations]) == (Category.NOT_FOUND, ["fact_corrected.fact_id"])


async def test_a_correction_to_a_value_that_the_dictionary_does_not_allow_is_refused(door: Door) -> None:
    patient = await diagnosed(door)
    extent = next(f for f in (await door.patient(patient)).facts if f.name == "disease_extent")
    wrong = events_pb2.FactCorrected(fact_id=extent.fact_id, reason="Typing error.", value=fact("x", "banana").value)
    async with nothing_changes(door, [patient]):
        error = await refusal(door.report(ONCOLOGIST, "CorrectFact", patient, wrong))
    assert (error.category, [v.field for v in error.violations]) == (Category.INVALID, ["fact_corrected.value"])

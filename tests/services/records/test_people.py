"""People are registered once, and the number that names them is checked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import nhs_number
import pytest

from handrail.records.v1 import people_pb2 as people_pb
from services.records import nhs_numbers
from services.runtime.errors import Category, Invalid
from tests.services.records.house import House, Refusal, an_id, next_number


async def get(house: House, patient_id: str) -> people_pb.Person:
    answer = await house.nurse.call(house.people.GetPerson, people_pb.GetPersonRequest(patient_id=patient_id))
    return answer.person


async def find(house: House, text: str) -> list[str]:
    answer = await house.nurse.call(house.people.FindPeople, people_pb.FindPeopleRequest(text=text))
    return [person.patient_id for person in answer.people]


async def test_a_person_is_registered_and_shown(house: House) -> None:
    number = next_number()
    answer = await house.register(nhs_number=f"{number[:3]}-{number[3:6]} {number[6:]}", given_name="  Ann  Mary ")
    person = await get(house, answer.patient_id)
    assert (person.nhs_number, person.given_name, person.birth_date) == (number, "Ann Mary", "1960-02-29")
    assert person.nhs_number_shown == f"{number[:3]}\N{NO-BREAK SPACE}{number[3:6]}\N{NO-BREAK SPACE}{number[6:]}"
    assert not answer.already_registered
    assert not answer.warnings


@pytest.mark.parametrize(
    "given",
    ["9990000017", "999000001", "99900000180", "999000001X", "0000000000", "1111111111", "4505577104", "9434765919"],
)
async def test_a_number_that_is_wrong_or_could_be_a_real_persons_is_refused(house: House, given: str) -> None:
    before = await house.count("person")
    with Refusal(Category.INVALID, "nhs_number") as refused:
        await house.register(nhs_number=given)
    assert given not in refused.error.message
    assert await house.count("person") == before


def test_in_production_only_england_wales_and_man_are_taken() -> None:
    def one_from(first: int) -> str:
        return next(str(n).zfill(10) for n in range(first, first + 20) if nhs_number.is_valid(str(n).zfill(10)))

    assert nhs_numbers.checked(one_from(4505577100), production=True)
    assert nhs_numbers.checked(one_from(7000000000), production=True)
    for first in (0, 101400000, 1111111111, 3200000000, 5000000000, 8000000000, 9434765910, 9990000010):
        with pytest.raises(Invalid):
            nhs_numbers.checked(one_from(first), production=True)


async def test_the_same_key_again_gets_the_first_reply(house: House) -> None:
    request = house.a_person()
    first = await house.nurse.call(house.people.RegisterPerson, request)
    assert await house.nurse.call(house.people.RegisterPerson, request) == first
    request.given_name = "Another"
    with Refusal(Category.KEY_REUSED, "idempotency_key"):
        await house.nurse.call(house.people.RegisterPerson, request)


async def test_the_same_number_is_the_same_person_and_nothing_is_overwritten(house: House) -> None:
    number = next_number()
    first = await house.register(nhs_number=number, given_name="Ann")
    same = await house.register(nhs_number=number, given_name="ann")
    assert (same.patient_id, same.already_registered, list(same.warnings)) == (first.patient_id, True, [])
    other = await house.register(nhs_number=number, given_name="Beth")
    assert (other.patient_id, other.already_registered, len(other.warnings)) == (first.patient_id, True, 1)
    assert (await get(house, first.patient_id)).given_name == "Ann"


async def test_the_same_number_at_the_same_instant_is_one_person(house: House) -> None:
    number = next_number()
    answers = await asyncio.gather(*(house.register(nhs_number=number, given_name="Ann") for _ in range(8)))
    assert len({answer.patient_id for answer in answers}) == 1


async def test_a_namesake_with_the_same_birth_date_is_warned_of(house: House) -> None:
    first = await house.register(given_name="Twin", family_name="O'Sample")
    second = await house.register(given_name="twin", family_name="o'sample")
    assert second.patient_id != first.patient_id
    assert len(second.warnings) == 1
    assert "Sample" not in second.warnings[0]


async def test_a_person_without_a_number_has_a_local_identifier(house: House) -> None:
    first = await house.register(nhs_number="", local_identifier="RX1-0042")
    again = await house.register(nhs_number="", local_identifier="RX1-0042")
    assert (again.patient_id, again.already_registered) == (first.patient_id, True)
    numbered = await house.register(local_identifier="RX1-0042")
    assert numbered.patient_id != first.patient_id
    assert len(numbered.warnings) == 1
    with Refusal(Category.INVALID):
        await house.register(nhs_number="", local_identifier="")


@pytest.mark.parametrize(
    "birth_date",
    ["1961-02-29", "1830-01-01", (datetime.now(UTC) + timedelta(days=2)).date().isoformat()],
)
async def test_a_birth_date_is_a_real_day_of_the_past(house: House, birth_date: str) -> None:
    with Refusal(Category.INVALID, "birth_date"):
        await house.register(birth_date=birth_date)


async def test_people_are_found_by_number_identifier_or_beginning_of_the_name(house: House) -> None:
    number = next_number()
    answer = await house.register(nhs_number=number, local_identifier="LOC-77", family_name="Zephyr%Sample")
    for text in (number, f"{number[:3]} {number[3:6]} {number[6:]}", "LOC-77", "zeph", "Zephyr%S"):
        assert await find(house, text) == [answer.patient_id]
    assert await find(house, "%phyr") == []
    assert await find(house, "99") == []


async def test_nobody_is_found_under_an_unknown_id(house: House) -> None:
    with Refusal(Category.NOT_FOUND, "patient_id"):
        await get(house, an_id())


async def test_a_hospice_reads_and_does_not_register(house: House) -> None:
    hospice = house.caller("ruth.intake", "hospice_intake")
    with Refusal(Category.NOT_ALLOWED):
        await hospice.call(house.people.RegisterPerson, house.a_person())


UNSEEN = ["Ann\x00", "Ann\x1b[31m", "Ann\N{RIGHT-TO-LEFT OVERRIDE}nnA", "Ann\N{ZERO WIDTH SPACE}", "Ann\x7f"]


@pytest.mark.parametrize("field", ["given_name", "family_name", "local_identifier"])
@pytest.mark.parametrize("text", UNSEEN)
async def test_characters_that_cannot_be_seen_are_refused(house: House, field: str, text: str) -> None:
    before = await house.count("person")
    with Refusal(Category.INVALID, field):
        await house.register(**{field: text})
    with Refusal(Category.INVALID, "text"):
        await find(house, text)
    assert await house.count("person") == before


async def test_names_of_every_script_are_taken(house: House) -> None:
    name = "\u0645\u06cc\u200c\u0622\u06cc\u062f O\u2019Brien-N\u0303u\u00f1ez"
    answer = await house.register(nhs_number=next_number(), family_name=name)
    assert (await get(house, answer.patient_id)).family_name == name

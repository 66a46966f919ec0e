"""Somebody without an NHS number, who needs an interpreter, and whose partner must not know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from handrail.clinical.v1 import events_pb2
from handrail.records.v1 import timeline_pb2
from tests.house import COORDINATOR, NURSE, Door, House
from tests.journeys.stories import a_day, new_id, of_kind, refused

SAFE = events_pb2.ContactAgreed(
    ways=["telephone", "in_person"],
    times="Tuesday mornings, at work",
    leave_no_message=True,
    never_through="her partner",
    safe_only=True,
    language="pl",
    interpreter=True,
    formats=["large_print"],
    review_on=a_day(90),
)


async def test_whoever_is_about_to_ring_reads_first_how_it_is_safe(door: Door, house: House) -> None:
    # given somebody without an NHS number
    patient = await door.register("Bezpieczna", nhs_number="", local_identifier=f"LOCAL-{new_id()[:8]}")
    await door.told(COORDINATOR, "OpenPathway", patient, events_pb2.PathwayOpened(referred_by="clinic"))
    # when she says, alone with the nurse, how she can be reached
    state = await door.told(NURSE, "AgreeContact", patient, SAFE)
    assert state.contact == SAFE
    # then it stands beside each of her tasks, on her page and on the worklist
    assert state.open_items
    assert all(item.contact == SAFE for item in state.open_items)
    asked = timeline_pb2.ListItemsRequest(patient_id=patient, page_size=50)
    listed = (await door.call(COORDINATOR, door.timeline.ListItems, asked)).items
    assert {item.contact.never_through for item in listed} == {"her partner"}
    shown = house.cli("patient", "show", patient).stdout
    assert "Safe contact only: telephone, in person; Tuesday mornings, at work; leave no message; never" in shown
    # then Handrail itself writes her nothing, and the day to ask again is somebody's
    await door.quiet(patient)
    assert await silenced(door, patient) == {"safe_contact": False}
    assert [item.due_on for item in of_kind(state, "contact_review")] == [a_day(90)]
    # when a visit is booked, then an interpreter is to be booked, and no relative is asked
    visit, starts = new_id(), (datetime.now(UTC) + timedelta(days=10)).isoformat(timespec="seconds")
    booked = events_pb2.AppointmentBooked(appointment_id=visit, purpose="clinic", starts_at=starts)
    state = await door.told(COORDINATOR, "BookAppointment", patient, booked)
    (item,) = of_kind(state, "interpreter")
    assert (item.title, item.owner_team) == (
        f"Book an interpreter (pl) for the appointment of {starts[:10]}",
        "coordination",
    )
    # when the visit is cancelled, then nobody books one
    off = events_pb2.AppointmentCancelled(appointment_id=visit, cancelled_by="person", reason="She cannot get away.")
    state = await door.told(COORDINATOR, "CancelAppointment", patient, off)
    assert not of_kind(state, "interpreter")
    # when she is safe, then the newest word holds, and both stay in her history
    now_safe = events_pb2.ContactAgreed(ways=["telephone", "letter"], language="pl")
    state = await door.told(NURSE, "AgreeContact", patient, now_safe)
    assert (state.contact, of_kind(state, "contact_review")) == (now_safe, [])
    await door.quiet(patient)
    assert await silenced(door, patient) == {"safe_contact": True}
    history = house.cli("patient", "show", patient, "--history").stdout
    assert history.count("Contact agreed") == 2
    # when no way at all is named, then it is refused with what to do
    nothing = await refused(door.report(NURSE, "AgreeContact", patient, events_pb2.ContactAgreed(times="Never")))
    assert [violation.field for violation in nothing.violations] == ["contact_agreed.ways"]


async def silenced(door: Door, patient: str) -> dict[str, bool]:
    """Each cause to write this person nothing, and whether it was lifted."""
    database = await door.database()
    try:
        rows = await database.fetch(
            "select distinct on (cause) cause, lifted from notify.suppression where patient_id = $1 "
            "order by cause, seq desc, position desc",
            patient,
        )
    finally:
        await database.close()
    return {row["cause"]: row["lifted"] for row in rows}

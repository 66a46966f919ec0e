"""One correlation id ties together what every process did for a report; no log says who a person is."""

from __future__ import annotations

import json
import uuid

from handrail.clinical.v1 import events_pb2
from handrail.records.v1 import timeline_pb2
from tests.house import NURSE, ONCOLOGIST, Door, House
from tests.journeys.stories import LUMINAL

PROCESSES = ("pathway", "worker", "records", "notify")


def logs(house: House) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in (house.home / "logs").glob("*.log")}


async def test_each_report_of_the_demo_can_be_followed_through_every_process(door: Door, house: House) -> None:
    # given the demo's story
    played = house.demo()
    await door.quiet(played["patient_id"])
    # when its events are read back, then each says under which correlation id it came
    request = timeline_pb2.ListEventsRequest(patient_id=played["patient_id"])
    events = {event.event_id: event for event in (await door.call(NURSE, door.timeline.ListEvents, request)).events}
    narrated = [events[event["event_id"]] for event in played["events"]]
    correlations = [event.correlation_id for event in narrated]
    assert all(correlations)
    # then each of them stands in the log of every process that it passed: accepted, worked on, filed
    written = logs(house)
    for process in ("pathway", "worker", "records"):
        missing = [event.kind for event in narrated if event.correlation_id not in written[process]]
        assert missing == [], f"{process} never logged these"
    # then what was told stands in notify's too
    told = [event for event in narrated if event.kind in {"diagnosis_confirmed", "progression_reported"}]
    assert [event.kind for event in told if event.correlation_id not in written["notify"]] == []


async def test_a_callers_own_correlation_id_is_used_and_no_log_names_a_person(door: Door, house: House) -> None:
    # given a person with a name like nobody else's
    family, correlation = "Correlationsworth", str(uuid.uuid4())
    patient = await door.opened(family)
    person = (await door.patient(patient)).person
    # when a report that names her in free text is accepted, filed, decided, planned and told
    await door.told(
        ONCOLOGIST,
        "ConfirmDiagnosis",
        patient,
        events_pb2.DiagnosisConfirmed(note=f"Ms {family}, {person.nhs_number}"),
        facts=LUMINAL,
        source=f"letter of {person.nhs_number_shown}",
        correlation=correlation,
    )
    await door.quiet(patient)
    # then that id stands in the log of every process, and in the message
    written = logs(house)
    for process in PROCESSES:
        lines = [json.loads(line) for line in written[process].splitlines() if correlation in line]
        assert lines, f"{process} never logged it"
        assert {(line["correlation_id"], line["process"]) for line in lines} == {(correlation, process)}
    assert correlation in {message.correlation_id for message in await door.messages(patient)}
    # then no log of any part, PostgreSQL's and Temporal's too, says who she is
    for part, text in written.items():
        for private in (
            family,
            person.nhs_number,
            person.nhs_number_shown,
            person.nhs_number_shown.replace("\xa0", " "),
        ):
            assert private not in text, f"{part}.log names the person"

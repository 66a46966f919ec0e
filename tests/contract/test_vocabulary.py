"""One name a clinical event, everywhere: its field, its rpc, its entry in the data, its message, its journey."""

from __future__ import annotations

from pathlib import Path

import yaml
from google.protobuf.descriptor import ServiceDescriptor

from handrail.clinical.v1 import events_pb2
from handrail.pathway.v1 import intake_pb2, referrals_pb2, scheduling_pb2
from tests.house import REPOSITORY
from workflows import telling

# Machines report these: a receipt for the referral's message, or that it came back.
BY_MACHINES = {"referral_delivered", "referral_undelivered"}
EVENTS = {
    field.name: field.message_type.name for field in events_pb2.ClinicalEvent.DESCRIPTOR.fields if field.message_type
}
SERVICES: list[ServiceDescriptor] = [
    intake_pb2.DESCRIPTOR.services_by_name["IntakeService"],
    referrals_pb2.DESCRIPTOR.services_by_name["ReferralService"],
    scheduling_pb2.DESCRIPTOR.services_by_name["SchedulingService"],
]
RPCS = {
    field.name: method.name
    for service in SERVICES
    for method in service.methods
    for field in method.input_type.fields
    if field.message_type is not None and field.message_type.name in EVENTS.values()
}
JOURNEYS = REPOSITORY / "tests" / "journeys"


def test_every_event_is_named_after_its_message() -> None:
    for name, message in EVENTS.items():
        assert name.replace("_", "") == message.lower()


def test_every_event_has_one_rpc_that_carries_it_under_its_name() -> None:
    assert set(RPCS) == set(EVENTS) - BY_MACHINES
    assert len(set(RPCS.values())) == len(RPCS)


def test_every_event_stands_in_the_guideline_data_and_nothing_else_does() -> None:
    described = yaml.safe_load((REPOSITORY / "guidelines" / "events.yaml").read_text(encoding="utf-8"))["events"]
    assert set(described) == set(EVENTS)
    assert all(event["label"] for event in described.values())


def test_every_event_that_is_told_has_a_message_of_its_name() -> None:
    templates = {path.stem for path in (REPOSITORY / "services" / "notify" / "templates").glob("[a-z]*.txt")}
    told = telling._OWN_TEMPLATE
    assert told <= set(EVENTS)
    assert told <= templates
    # what is a template and not an event: promises, and what is said when no event is news
    assert templates - set(EVENTS) == {
        "item_overdue",
        "item_unacknowledged",
        "items_opened",
        "phone_task",
        "report_not_filed",
        "sweep_found",
        "mdt_list",
        "alert_digest",
    }


def test_every_event_has_a_journey_that_reports_it() -> None:
    stories = "\n".join(path.read_text(encoding="utf-8") for path in Path(JOURNEYS).glob("*.py"))
    house = (REPOSITORY / "tests" / "house.py").read_text(encoding="utf-8")  # opens the pathways
    missing = [name for name, rpc in RPCS.items() if f'"{rpc}"' not in stories + house]
    missing += [name for name in BY_MACHINES if f'"{name}"' not in stories]
    assert missing == []

"""What a report of information or of a shared decision must say to be of use later. Pure."""

from __future__ import annotations

from typing import Any

from handrail.clinical.v1 import events_pb2
from services.runtime.errors import Violation

_Checks = list[tuple[str, object, str]]


def problems(request: object, kind: str) -> list[Violation]:
    """Find what an event of information or shared decisions leaves unsaid, or says two ways.

    Source: CG81 (2017) 1.2.1 to 1.2.4; Mental Capacity Act 2005, sections 1 to 4; DAPB1605.
    """
    event: Any = getattr(request, kind)
    match kind:
        case "information_given":
            checks = _information(event)
        case "related_person_recorded":
            checks = _related_person(event)
        case "capacity_assessed":
            checks = _capacity(event)
        case "best_interests_decided":
            checks = _best_interests(event)
        case "contact_agreed":
            checks = [("email", event.email and "email" not in event.ways, "add email to the ways, or leave it out")]
        case _:
            checks = []
    return [Violation(f"{kind}.{name}", problem) for name, wrong, problem in checks if wrong]


def _information(event: events_pb2.InformationGiven) -> _Checks:
    sent = event.form == "email" and event.outcome == "given"
    return [
        ("link", sent and not event.link, "say where it can be read, as https://…: the e-mail carries the link"),
        (
            "related_person_id",
            sent and event.related_person_id,
            "Handrail writes to the person only; give it otherwise",
        ),
        ("asked_for", event.asked_for and event.outcome == "declined", "it cannot be asked for and declined at once"),
    ]


def _related_person(event: events_pb2.RelatedPersonRecorded) -> _Checks:
    return [
        (
            "authority",
            event.authority in {"attorney", "deputy"} and event.under_18,
            "an attorney or deputy is an adult",
        ),
        ("authority_seen", event.authority_seen and not event.authority, "say which authority was seen"),
        ("help", event.help and event.own_needs == "none", "help is for needs; correct one of the two"),
    ]


def _capacity(event: events_pb2.CapacityAssessed) -> _Checks:
    lacks = event.outcome == "lacks_capacity"
    return [
        ("help_given", lacks and not event.help_given, "say what was done to help them decide for themselves"),
        ("cannot", lacks and not event.cannot, "say which they cannot do: understand, retain, weigh, communicate"),
        ("because", lacks and not event.because, "say because of which impairment or disturbance of mind or brain"),
        ("cannot", event.cannot and not lacks, "this says that they cannot, and the outcome that they can"),
        (
            "review_on",
            (event.may_regain or event.outcome == "unclear") and not event.review_on,
            "say on which date it is assessed again",
        ),
    ]


def _best_interests(event: events_pb2.BestInterestsDecided) -> _Checks:
    alone = event.decided_by in {"attorney", "deputy"}
    return [
        ("related_person_id", alone and not event.related_person_id, "say who: the id of the attorney or deputy"),
        (
            "consulted",
            not alone and not event.consulted and event.decided_by == "team" and not event.why_least_restrictive,
            "name those who were asked; if there is nobody, say in why_least_restrictive who spoke for the person",
        ),
    ]

"""Supportive care in a random life: cover, needs, wishes, research, complications; some of it not as it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from handrail.clinical.v1 import events_pb2

NURSE = ("key_worker", "breast_care_nurses")
ONCOLOGIST = ("oncologist", "oncology")
DOMAINS = ("physical", "psychological", "social", "spiritual", "financial")
_NURSES = ("carys.nurse", "dipa.nurse")
_WATCHED = ("fatigue", "lymphoedema", "depression_concern", "ecog")


class Cared(NamedTuple):
    """One report of supportive care: the event, its fields, and who reports it."""

    event: str
    fields: Mapping[str, Any]
    by: tuple[str, str] = NURSE


def _day(ahead: int) -> str:
    return (datetime.now(UTC) + timedelta(days=ahead)).date().isoformat()


def some(rng: Random) -> Cared:
    """Return one report of supportive care."""
    return rng.choice(_KINDS)(rng)


def _covered(rng: Random) -> Cared:
    fields = {
        "person_id": rng.choice(_NURSES),
        "from_on": _day(rng.randint(-9, 3)),
        "until_on": _day(rng.randint(0, 9)),
    }
    return Cared("key_worker_covered", fields)


def _left(_: Random) -> Cared:
    return Cared("key_worker_left", {"reason": "She works elsewhere now."})


def _needs(rng: Random) -> Cared:
    asked = rng.sample(DOMAINS, rng.randint(1, len(DOMAINS)))
    score = rng.choice([0, 3, 8])
    concern = events_pb2.Concern(concern=rng.choice(["Stairs", "Rent", "Sleep"]), domain=asked[0], score=score)
    if score and rng.choice([True, False]):
        concern.plan, concern.review_on = "Ask the adviser.", _day(rng.randint(1, 20))
    return Cared("needs_assessed", {"concerns": [concern], "no_concern": asked[1:]})


def _goals(rng: Random) -> Cared:
    aim = rng.choice(["live_longer", "live_well", "comfort", "last_days"])
    return Cared("goals_changed", {"aim": aim, "words": "To be at home."})


def _wish(rng: Random) -> Cared:
    kind = rng.choice(["preferred_place_of_care", "preferred_place_of_death", "respect_form", "adrt", "dnacpr"])
    answer = rng.choice(["stated", "undecided", "withdrawn", "declined_to_talk"])
    refuses: Sequence[str] = ["chemotherapy"] if (kind, answer) == ("adrt", "stated") else []
    review_on = _day(rng.randint(1, 90)) if rng.choice([True, False]) else ""
    fields = {"kind": kind, "answer": answer, "wish": "As she said.", "refuses": refuses, "review_on": review_on}
    return Cared("preference_recorded", fields)


def _research(rng: Random) -> Cared:
    outcome = rng.choice(["offered", "wants", "does_not_want", "not_available"])
    return Cared("research_discussed", {"outcome": outcome, "study": "PLATFORM-9"}, ONCOLOGIST)


def _reviewed(rng: Random) -> Cared:
    ongoing = rng.choice([True, False])
    fields = {"complication": rng.choice(_WATCHED), "state": "ongoing" if ongoing else "resolved"}
    return Cared("complication_reviewed", fields | ({"next_on": _day(rng.randint(1, 30))} if ongoing else {}))


TOPICS = ("diagnosis", "outlook", "treatment", "side_effects", "support")
_BESIDE = ("4c2f1d86-0f0b-4c55-9a53-0e9f6d1f6a01", "4c2f1d86-0f0b-4c55-9a53-0e9f6d1f6a02")
_ASSESSMENTS = ("9d1f6a2e-7c1b-4b57-8a53-0e9f6d1f6b01", "9d1f6a2e-7c1b-4b57-8a53-0e9f6d1f6b02")


def _involvement(rng: Random) -> Cared:
    fields = {
        "wants_to_know": rng.choice(["everything", "main_points", "when_asked", "nothing_now"]),
        "not_about": rng.sample(TOPICS, rng.randint(0, 2)),
        "wants_to_decide": rng.choice(["alone", "together", "team", "undecided"]),
        "review_on": _day(rng.randint(1, 90)) if rng.choice([True, False]) else "",
    }
    return Cared("involvement_agreed", fields)


def _information(rng: Random) -> Cared:
    fields = {
        "topic": rng.choice(TOPICS),
        "title": "What it means, and what helps",
        "form": rng.choice(["spoken", "printed", "email"]),
        "outcome": rng.choice(["given", "given", "declined", "not_available"]),
        "link": "https://www.example.org/leaflet",
    }
    return Cared("information_given", fields)


def _related(rng: Random) -> Cared:
    young = rng.choice([True, False, False])
    fields = {
        "related_person_id": rng.choice(_BESIDE),
        "name": "Somebody Beside",
        "relationship": "child" if young else rng.choice(["partner", "friend"]),
        "may_be_told": rng.choice(["everything", "practical_only", "nothing", "not_asked"]),
        "gives_care": rng.choice([True, False]),
        "under_18": young,
        "authority": "" if young else rng.choice(["", "attorney"]),
        "own_needs": rng.choice(["", "has_needs", "none"]),
        "no_longer": rng.choice([True, False, False, False]),
    }
    return Cared("related_person_recorded", fields | {"authority_seen": bool(fields["authority"])})


def _capacity(rng: Random) -> Cared:
    outcome = rng.choice(["has_capacity", "has_capacity", "lacks_capacity", "unclear"])
    fields: dict[str, Any] = {"assessment_id": rng.choice(_ASSESSMENTS), "about": rng.choice(["care", "where_to_live"])}
    fields |= {"decision": "Whether to go home", "outcome": outcome}
    if outcome == "lacks_capacity":
        fields |= {"help_given": "Pictures, a quiet room.", "cannot": ["weigh"], "because": "Delirium."}
    return Cared("capacity_assessed", fields | ({"review_on": _day(5)} if outcome == "unclear" else {}), ONCOLOGIST)


def _best_interests(rng: Random) -> Cared:
    fields = {
        "assessment_id": rng.choice(_ASSESSMENTS),
        "decided_by": "team",
        "decision": "She goes home with help.",
        "person_wishes": "She always wanted to be at home.",
        "options": ["Home", "Hospice"],
        "why_least_restrictive": "Her friend was asked.",
        "disagreement": rng.choice([True, False]),
    }
    return Cared("best_interests_decided", fields, ONCOLOGIST)


_KINDS = (
    *(_covered, _left, _needs, _needs, _goals, _wish, _wish, _research, _reviewed, _reviewed),
    *(_involvement, _information, _information, _related, _related, _capacity, _capacity, _best_interests),
)

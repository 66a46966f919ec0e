"""Supportive care in a random life: cover, needs, wishes, research, complications; some of it not as it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from handrail.clinical.v1 import events_pb2

NURSE = ("key_worker", "breast_care_nurses")
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
    return Cared("research_discussed", {"outcome": outcome, "study": "PLATFORM-9"}, ("oncologist", "oncology"))


def _reviewed(rng: Random) -> Cared:
    ongoing = rng.choice([True, False])
    fields = {"complication": rng.choice(_WATCHED), "state": "ongoing" if ongoing else "resolved"}
    return Cared("complication_reviewed", fields | ({"next_on": _day(rng.randint(1, 30))} if ongoing else {}))


_KINDS = (_covered, _left, _needs, _needs, _goals, _wish, _wish, _research, _reviewed, _reviewed)

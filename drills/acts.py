"""What may happen in a random life: each act makes one report from what is known of the person.

No act checks itself: most are sensible, some are not (in the wrong order, about what is closed, by the wrong role), and
the house says which.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from drills import care_acts

Plain = Mapping[str, Any]

COORDINATOR = ("coordinator", "coordination")
NURSE = ("key_worker", "breast_care_nurses")
ONCOLOGIST = ("oncologist", "oncology")
PATHOLOGIST = ("pathologist", "pathology")
PALLIATIVE = ("palliative_clinician", "palliative_care")
SCHEDULER = ("scheduler", "")
_MOST_DAYS_BACK = 400


@dataclass(frozen=True)
class Said:
    """One report as somebody sends it."""

    event: str
    fields: Mapping[str, Any]
    by: tuple[str, str] = COORDINATOR
    facts: Sequence[tuple[str, Any]] = ()
    days_ago: float = 0.0


@dataclass
class Person:
    """What the drill knows of one person: the newest state, and the ids that it gave."""

    patient_id: str
    state: Plain = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    referrals: list[str] = field(default_factory=list)
    appointments: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    occasions: list[str] = field(default_factory=list)
    transfers: list[str] = field(default_factory=list)


Act = Callable[[Person, Random], Said | None]


def new_id(made: list[str], rng: Random) -> str:
    made.append(str(uuid.UUID(int=rng.getrandbits(128), version=4)))
    return made[-1]


def _item(person: Person, rng: Random) -> Plain | None:
    items = person.state.get("open_items") or []
    return rng.choice(items) if items else None


def some_day(ahead: int) -> str:
    return (datetime.now(UTC) + timedelta(days=ahead)).date().isoformat()


def one_of(made: Sequence[str], rng: Random) -> str:
    return rng.choice(made) if made else ""


SYMPTOMS: Sequence[tuple[str, Sequence[Any]]] = (
    ("fatigue", ("none", "present", "significant")),
    ("lymphoedema", ("absent", "at_risk", "present")),
    ("new_limb_weakness", (True, False)),
    ("spinal_pain_suggestive", (True, False)),
    ("unwell", (True, False)),
    ("temperature", (36.8, 38.4)),
    ("seizure", (True, False)),
    ("svco_signs", (True, False)),
    ("menopausal_symptoms", (True, False)),
    ("depression_concern", (True, False)),
    ("uncontrolled_symptoms", (True, False)),
    ("ecog", (0, 1, 2, 3)),
    ("days_since_sact", (3, 30, 200)),
)
_RESULTS: Sequence[tuple[str, Sequence[Any]]] = (
    ("er_status", ("positive", "negative", "unknown")),
    ("pr_status", ("positive", "negative", "unknown")),
    ("her2_ihc", ("0", "1+", "2+", "3+")),
    ("bone_mets", ("present", "absent")),
    ("brain_mets", ("present", "absent")),
    ("disease_extent", ("metastatic", "locally_advanced")),
    ("menopausal_status", ("pre", "post")),
    ("prior_therapies_none", (True,)),
    ("adjusted_calcium", (2.3, 2.9, 3.2)),
)


def _some(pool: Sequence[tuple[str, Sequence[Any]]], rng: Random, most: int) -> list[tuple[str, Any]]:
    chosen = rng.sample(list(pool), rng.randint(1, most))
    return [(name, rng.choice(list(values))) for name, values in chosen]


def diagnosis_confirmed(_person: Person, rng: Random) -> Said:
    return Said("diagnosis_confirmed", {}, ONCOLOGIST, _some(_RESULTS, rng, 5), rng.random() * _MOST_DAYS_BACK)


def result_received(person: Person, rng: Random) -> Said:
    fields = {"investigation": "Investigation"} | (
        {"order_id": one_of(person.orders, rng)} if rng.random() < 0.5 else {}
    )
    return Said("result_received", {k: v for k, v in fields.items() if v}, PATHOLOGIST, _some(_RESULTS, rng, 3))


def symptom_reported(_person: Person, rng: Random) -> Said:
    return Said("symptom_reported", {"told_by": "person"}, NURSE, _some(SYMPTOMS, rng, 3), rng.random() * 2)


def fact_corrected(person: Person, rng: Random) -> Said | None:
    facts = [fact for fact in person.state.get("facts") or [] if not isinstance(fact["value"], dict)]
    if not facts:
        return None
    fields = {"fact_id": rng.choice(facts)["fact_id"], "reason": "It was another person's."}
    return Said("fact_corrected", fields, NURSE)


def key_worker_assigned(_person: Person, rng: Random) -> Said:
    return Said("key_worker_assigned", {"person_id": rng.choice(["carys.nurse", "dipa.nurse"])})


def supportive_care(_person: Person, rng: Random) -> Said:
    return Said(*care_acts.some(rng))


def decision_made(person: Person, rng: Random) -> Said | None:
    items = [item for item in person.state.get("open_items") or [] if item["kind"] in {"decision", "recommendation"}]
    number = rng.choice(items)["number"] if items else rng.choice(["1.7.16", "1.7.2"])
    accepted = rng.random() < 0.7
    fields = {"number": number, "outcome": 1 if accepted else 2, "person_view": "It is what she wants."}
    if not accepted:
        fields |= {"reason_code": "person_preference", "reason": "She would rather not."}
    return Said("decision_made", fields, ONCOLOGIST)


def therapy_line_started(person: Person, rng: Random) -> Said:
    agents = rng.choice([["ribociclib", "letrozole"], ["capecitabine"], ["docetaxel", "trastuzumab"], ["fulvestrant"]])
    course = {"setting": "advanced", "line": 1, "agents": agents, "stop_reason": "ongoing"}
    return Said("therapy_line_started", {"line_id": new_id(person.lines, rng), "course": course}, ONCOLOGIST)


def therapy_line_ended(person: Person, rng: Random) -> Said | None:
    line = one_of(person.lines, rng)
    reason = rng.choice(["completed", "progression", "toxicity"])
    return Said("therapy_line_ended", {"line_id": line, "stop_reason": reason}, ONCOLOGIST) if line else None


def response_assessed(person: Person, rng: Random) -> Said | None:
    line = one_of(person.lines, rng)
    response = rng.choice(["response", "stable", "progression"])
    return Said("response_assessed", {"line_id": line, "response": response}, ONCOLOGIST) if line else None


def progression_reported(_person: Person, rng: Random) -> Said:
    return Said("progression_reported", {"site": "liver"}, ONCOLOGIST, (), rng.random() * 30)


def adverse_event_reported(_person: Person, rng: Random) -> Said:
    return Said("adverse_event_reported", {"reaction": "Diarrhoea", "serious": rng.random() < 0.3}, NURSE)


def item_completed(person: Person, rng: Random) -> Said | None:
    item = _item(person, rng)
    by = rng.choice([NURSE, COORDINATOR, ONCOLOGIST])
    return Said("item_completed", {"item_id": item["item_id"], "outcome": "Done, and noted."}, by) if item else None


def item_deferred(person: Person, rng: Random) -> Said | None:
    item = _item(person, rng)
    fields = {"until": some_day(rng.randint(0, 60)), "reason": "She is away until then."}
    return Said("item_deferred", {"item_id": item["item_id"], **fields}, NURSE) if item else None


def item_taken(person: Person, rng: Random) -> Said | None:
    item = _item(person, rng)
    return Said("item_taken", {"item_id": item["item_id"]}, rng.choice([NURSE, ONCOLOGIST])) if item else None


def item_attempted(person: Person, rng: Random) -> Said | None:
    item = _item(person, rng)
    fields = {"how": "telephone", "note": "No answer.", "next_try_on": some_day(rng.randint(0, 20))}
    return Said("item_attempted", {"item_id": item["item_id"], **fields}, NURSE) if item else None


def item_data_asked(person: Person, rng: Random) -> Said | None:
    item = _item(person, rng)
    name = rng.choice(["her2_ihc", "er_status", "ecog", "adjusted_calcium"])
    return Said("item_data_asked", {"item_id": item["item_id"], "facts": [name]}, NURSE) if item else None


def item_handed_over(person: Person, rng: Random) -> Said | None:
    item = _item(person, rng)
    fields = {"to_team": rng.choice(["coordination", "oncology", "wound_care"]), "reason": "They know her."}
    return Said("item_handed_over", {"item_id": item["item_id"], **fields}, NURSE) if item else None


def item_escalated(person: Person, rng: Random) -> Said | None:
    item = _item(person, rng)
    return Said("item_escalated", {"item_id": item["item_id"], "reason": "It cannot wait."}, NURSE) if item else None


def investigation_ordered(person: Person, rng: Random) -> Said:
    modality = rng.choice(["CECT", "MRI", "bone_scintigraphy"])
    purpose = rng.choice(["diagnosis", "monitoring"])
    return Said(
        "investigation_ordered",
        {"order_id": new_id(person.orders, rng), "modality": modality, "purpose": purpose},
        ONCOLOGIST,
    )


def investigation_cancelled(person: Person, rng: Random) -> Said | None:
    order = one_of(person.orders, rng)
    return Said("investigation_cancelled", {"order_id": order, "reason": "Not needed."}, ONCOLOGIST) if order else None


def referral_drafted(person: Person, rng: Random) -> Said:
    fields = {"to_team": "palliative_care", "reason": "Pain that is not controlled.", "urgency": "routine"}
    return Said("referral_drafted", {"referral_id": new_id(person.referrals, rng), **fields}, NURSE)


def _about_a_referral(event: str, by: tuple[str, str], **fields: Any) -> Act:  # noqa: ANN401 - any field
    def act(person: Person, rng: Random) -> Said | None:
        referral = one_of(person.referrals, rng)
        return Said(event, {"referral_id": referral, **fields}, by) if referral else None

    act.__name__ = event
    return act


def appointment_booked(person: Person, rng: Random) -> Said:
    starts_at = f"{some_day(rng.randint(0, 40))}T10:00:00+00:00"
    fields = {"appointment_id": new_id(person.appointments, rng), "purpose": "Clinic", "starts_at": starts_at}
    items = [item for item in person.state.get("open_items") or [] if item["kind"] in {"follow_up", "next_contact"}]
    return Said("appointment_booked", fields | ({"item_id": rng.choice(items)["item_id"]} if items else {}))


def _about_an_appointment(event: str, **fields: Any) -> Act:  # noqa: ANN401 - any field
    def act(person: Person, rng: Random) -> Said | None:
        appointment = one_of(person.appointments, rng)
        return Said(event, {"appointment_id": appointment, **fields}) if appointment else None

    act.__name__ = event
    return act


def follow_up_triggered(person: Person, rng: Random) -> Said:
    """A new visit, or one that was asked for before; each has its own words, so that one asked for twice is seen."""
    again = one_of(person.occasions, rng) if rng.random() < 0.3 else ""
    occasion = again or new_id(person.occasions, rng)
    purpose = f"Bone health, visit {person.occasions.index(occasion) + 1}"
    return Said("follow_up_triggered", {"purpose": purpose, "occasion": occasion}, SCHEDULER)


def plain_act(event: str, by: tuple[str, str], **fields: Any) -> Act:  # noqa: ANN401 - any field
    """Return the act that says the same each time."""

    def act(_person: Person, _rng: Random) -> Said:
        return Said(event, fields, by)

    act.__name__ = event
    return act


def pathway_closed(_person: Person, rng: Random) -> Said | None:
    return Said("pathway_closed", {"reason": "She moved away; care was handed over."}) if rng.random() < 0.1 else None


ACTS: Sequence[Act] = (
    diagnosis_confirmed,
    result_received,
    result_received,
    symptom_reported,
    symptom_reported,
    symptom_reported,
    fact_corrected,
    fact_corrected,
    key_worker_assigned,
    supportive_care,
    supportive_care,
    supportive_care,
    decision_made,
    decision_made,
    therapy_line_started,
    therapy_line_ended,
    response_assessed,
    progression_reported,
    adverse_event_reported,
    item_completed,
    item_completed,
    item_completed,
    item_deferred,
    item_taken,
    item_attempted,
    item_data_asked,
    item_handed_over,
    item_escalated,
    investigation_ordered,
    investigation_cancelled,
    referral_drafted,
    _about_a_referral("referral_agreed", NURSE, agreed_by="person", words="Yes, please."),
    _about_a_referral("referral_agreed", NURSE, agreed_by="person", words="Yes, please."),
    _about_a_referral("referral_sent", NURSE),
    _about_a_referral("referral_sent", NURSE),
    _about_a_referral("referral_acknowledged", PALLIATIVE, taken_by="Quinn Sample"),
    _about_a_referral("referral_information_asked", PALLIATIVE, question="Who is at home with her?"),
    _about_a_referral("referral_accepted", PALLIATIVE, plan="Visit this week."),
    _about_a_referral("referral_declined", PALLIATIVE, reason="Out of our area."),
    _about_a_referral("referral_first_contact", PALLIATIVE, how="visit"),
    _about_a_referral("referral_closed", PALLIATIVE, outcome="Discharged."),
    appointment_booked,
    appointment_booked,
    _about_an_appointment("appointment_moved", starts_at=f"{some_day(50)}T10:00:00+00:00"),
    _about_an_appointment("appointment_cancelled", cancelled_by="service", reason="Clinic cancelled."),
    _about_an_appointment("appointment_attended", outcome="Seen."),
    _about_an_appointment("appointment_missed"),
    _about_an_appointment("appointment_not_brought", depends_on="Patient transport"),
    follow_up_triggered,
    pathway_closed,
)

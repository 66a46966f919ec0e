"""More of what may happen in a random life: how care ends, moves and goes on, and what is done during treatment."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from drills.acts import (
    COORDINATOR,
    NURSE,
    ONCOLOGIST,
    PALLIATIVE,
    SCHEDULER,
    Act,
    Person,
    Said,
    new_id,
    one_of,
    plain_act,
    some_day,
)

_COURSE = {"setting": "advanced", "line": 1, "agents": ["letrozole", "ribociclib"], "stop_reason": "ongoing"}


def imported(person: Person, rng: Random) -> Said:
    """Somebody who is mid-pathway, with a line of treatment under way."""
    line = {"line_id": new_id(person.lines, rng), "course": _COURSE, "response_check_weeks": 9}
    return Said(
        "pathway_imported",
        {"diagnosed_on": some_day(-400), "key_worker": "carys.nurse", "lines": [line]},
        COORDINATOR,
        [("er_status", "positive"), ("her2_ihc", "0"), ("disease_extent", "metastatic")],
        300.0,
    )


def _during(event: str, **fields: Any) -> Act:  # noqa: ANN401 - any field
    """About a line of treatment."""

    def act(person: Person, rng: Random) -> Said | None:
        line = one_of(person.lines, rng)
        return Said(event, {"line_id": line, **fields}, ONCOLOGIST) if line else None

    act.__name__ = event
    return act


def cycle_deferred(person: Person, rng: Random) -> Said | None:
    line = one_of(person.lines, rng)
    fields = {"line_id": line, "cycle": 2, "until": some_day(rng.randint(3, 14)), "reason": "Her neutrophils are low."}
    return Said("cycle_deferred", fields, ONCOLOGIST) if line else None


def yellow_card_submitted(person: Person, _rng: Random) -> Said | None:
    cards = [item for item in person.state.get("open_items") or [] if item["kind"] == "yellow_card"]
    fields = {"adverse_event_id": cards[0]["subject_id"], "reference": "GB-MHRA-0001"} if cards else {}
    return Said("yellow_card_submitted", fields, NURSE) if cards else None


def emergency_ended(person: Person, rng: Random) -> Said | None:
    """A clinician says that an emergency is over; what it asked about is answered."""
    acute = [item for item in person.state.get("open_items") or [] if item["urgency"] == "emergency"]
    fields = {"outcome": "Seen and scanned; no compression."}
    by = rng.choice([NURSE, ONCOLOGIST, COORDINATOR])
    return Said("item_completed", {"item_id": rng.choice(acute)["item_id"], **fields}, by) if acute else None


def death_reported(_person: Person, rng: Random) -> Said | None:
    by = rng.choice([SCHEDULER, NURSE])
    return Said("death_reported", {"reported_by": "gp"}, by) if rng.random() < 0.5 else None


def death_verified(_person: Person, rng: Random) -> Said | None:
    fields = {"identity_checked": "nhs_number_and_name", "confirmed_with": "The ward.", "died_on": some_day(-1)}
    return Said("death_verified", fields, rng.choice([COORDINATOR, NURSE])) if rng.random() < 0.6 else None


def transfer_offered(person: Person, rng: Random) -> Said:
    fields = {"to_organisation": "Anytown Hospitals", "reason": "She moves to her daughter."}
    return Said("transfer_offered", {"transfer_id": new_id(person.transfers, rng), **fields})


def _transfer(event: str, **fields: Any) -> Act:  # noqa: ANN401 - any field
    def act(person: Person, rng: Random) -> Said | None:
        transfer = one_of(person.transfers, rng)
        return Said(event, {"transfer_id": transfer, **fields}) if transfer else None

    act.__name__ = event
    return act


def opted_out(_person: Person, rng: Random) -> Said:
    scope = rng.choice(["messages", "follow_up"])
    return Said("opted_out", {"scope": scope, "words": "I would rather ring you."}, NURSE)


def lead_changed(_person: Person, rng: Random) -> Said:
    team = rng.choice(["palliative_care", "oncology"])
    return Said("lead_changed", {"to_team": team, "accepted_by": "Dr P", "reason": "Comfort comes first."}, PALLIATIVE)


def feverish(_person: Person, _rng: Random) -> Said:
    """Unwell on treatment, without a thermometer."""
    return Said("symptom_reported", {"told_by": "carer"}, NURSE, [("unwell", True), ("days_since_sact", 3)], 0.1)


MORE: Sequence[Act] = (
    _during("cycle_given", cycle=1),
    cycle_deferred,
    _during("dose_changed", agent="capecitabine", change="Down to 75 %.", reason="Hand-foot syndrome."),
    yellow_card_submitted,
    emergency_ended,
    emergency_ended,
    feverish,
    death_reported,
    death_verified,
    plain_act("death_withdrawn", COORDINATOR, mistake="namesake", reason="It was another person."),
    plain_act("death_withdrawn", NURSE, mistake="namesake", reason="It was another person."),
    transfer_offered,
    _transfer("transfer_accepted", accepted_by="Dr A"),
    _transfer("transfer_declined", reason="No place there."),
    opted_out,
    plain_act("opted_in", NURSE, words="Do write to me again."),
    lead_changed,
    plain_act("lost_to_follow_up", NURSE, tried="Three calls and a letter."),
    plain_act("found_again", NURSE, how="Her GP knows where she lives."),
)

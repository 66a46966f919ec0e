"""The urgent rules against the digest's triggers, written out by hand: people of whom more or less is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from services.pathway.knowledge.factfile import FactFileError, read_person
from services.pathway.knowledge.library import open_library
from services.pathway.knowledge.urgent import judge_urgent
from tests.unit.knowledge.asking import GUIDELINES
from tests.unit.knowledge.test_reference import T, every, no, some

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIBRARY = open_library(GUIDELINES, "cg81", "2026-06-30")
SIGNS = ("new_limb_weakness", "new_gait_disturbance", "new_sensory_loss", "new_bladder_bowel_change")
WITH_CALCIUM = ("confusion", "drowsy", "dehydrated", "acute_kidney_injury")
YES_NO = (*SIGNS, *WITH_CALCIUM, "spinal_pain_suggestive", "unwell", "svco_signs", "seizure", "raised_pressure_signs",
          "new_focal_deficit", "sudden_bone_pain_at_known_lesion", "long_bone_fracture_risk", "uncontrolled_symptoms",
          "uncontrolled_local_disease", "brain_active_treatment_appropriate")  # fmt: skip
CHOICES: dict[str, list[Any]] = {
    "temperature": [36.5, 38, 38.1, 39], "adjusted_calcium": [2.4, 2.6, 2.7, 3.0, 3.1], "ecog": [0, 2, 3, 4],
    "unplanned_admissions_6m": [0, 1, 2], "brain_mets": ["present", "absent"],
    "surprise_question": ["would_be_surprised", "would_not_be_surprised"],
}  # fmt: skip
SUPPRESSES: dict[str, T] = {
    "capecitabine": True, "paclitaxel": True, "cyclophosphamide": True, "trastuzumab deruxtecan": True,
    "sacituzumab govitecan": True, "abemaciclib": True, "letrozole": False, "fulvestrant": False,
    "trastuzumab": False, "goserelin": False, "newdrug": None,
}  # fmt: skip


def day(ago: int) -> str:
    return (AT - timedelta(days=ago)).date().isoformat()


def line(random: Random) -> tuple[dict[str, Any], T]:
    """A line of advanced disease, and whether it was given and suppressed the marrow in the last 42 days."""
    agents = random.sample(list(SUPPRESSES), random.choice([1, 1, 2]))
    kind = some(*(SUPPRESSES[agent] for agent in agents))
    last, ended, start = (random.choice([3, 20, 42, 43, 90]) for _ in range(3))
    found: dict[str, Any] = {"setting": "advanced", "agents": agents}
    shape = random.choice(["dose", "dose and end", "end", "start and end", "start", "nothing"])
    most, fewest = 10_000, 0  # days since its last dose
    if shape.startswith("dose"):
        found |= {"last_dose_on": day(last)}
        most = fewest = last
    if shape == "dose and end":
        found |= {"ended_on": day(max(0, last - 3))}
    if shape.endswith("end") and shape != "dose and end":
        found |= {"ended_on": day(ended)}
        fewest = ended
    if shape.startswith("start"):
        start = max(start, ended) if shape == "start and end" else start
        found |= {"started_on": day(start)}
        most = start
    going_on = shape in {"dose", "start", "nothing"} and random.random() < 0.5
    found["stop_reason"] = "ongoing" if going_on else random.choice(["progression", "toxicity", None])
    return found, every(kind, True if most <= 42 else False if fewest > 42 else None)


def expected(f: dict[str, Any], recent: T) -> dict[str, T]:
    yes = f.get

    def num(name: str, test: Any) -> T:
        return None if name not in f else bool(test(f[name]))

    signs = some(*map(yes, SIGNS))
    calcium = num("adjusted_calcium", lambda n: n > 2.6)
    return {
        "U-MSCC-A": signs,
        "U-MSCC-B": every(yes("spinal_pain_suggestive"), no(signs)),
        "U-NS": every(recent, some(num("temperature", lambda n: n > 38), yes("unwell"))),
        "U-HCM": some(num("adjusted_calcium", lambda n: n > 3), every(calcium, some(*map(yes, WITH_CALCIUM)))),
        "U-SVCO": yes("svco_signs"),
        "U-BM": some(yes("seizure"), yes("raised_pressure_signs"), yes("new_focal_deficit")),
        "U-PF": some(yes("sudden_bone_pain_at_known_lesion"), yes("long_bone_fracture_risk")),
        "U-PALL": some(
            num("ecog", lambda n: n >= 3),
            num("unplanned_admissions_6m", lambda n: n >= 2),
            yes("uncontrolled_symptoms"),
            yes("uncontrolled_local_disease"),
            every(num("brain_mets", lambda v: v == "present"), no(yes("brain_active_treatment_appropriate"))),
            num("surprise_question", lambda v: v == "would_not_be_surprised"),
        ),
    }


def test_the_urgent_rules_say_what_the_digest_says() -> None:
    """What is settled is said; what is open is asked or, with nothing of it reported, not in question: never a yes."""
    assert LIBRARY.urgent is not None
    random, seen = Random(20261123), set[tuple[str, T]]()
    words = {True: {"applies"}, False: {"does_not_apply"}, None: {"cannot_be_decided", "does_not_apply"}}
    for _ in range(700):
        share = random.choice([0.1, 0.5, 0.9])
        facts: dict[str, Any] = {name: random.random() < 0.3 for name in YES_NO if random.random() < share}
        facts |= {name: random.choice(some_) for name, some_ in CHOICES.items() if random.random() < share}
        lines = [line(random) for _ in range(random.choice([0, 1, 2, 3]))]
        told = {**facts, "prior_therapies": [one for one, _ in lines]}
        try:
            picture = read_person(told, LIBRARY.dictionary, AT).picture
        except FactFileError:
            continue
        recent = some(False, *(one for _, one in lines))
        found = {one.number: one for one in judge_urgent(LIBRARY.urgent, picture)}
        for number, truth in expected(facts, recent).items():
            assert found[number].truth in words[truth], (number, truth, told)
            seen.add((number, truth))
            asks = number == "U-NS" and truth is None and some(
                facts.get("unwell"), "temperature" in facts and facts["temperature"] > 38
            )  # fmt: skip
            assert not asks or found[number].truth == "cannot_be_decided", told
    assert len(seen) == 24

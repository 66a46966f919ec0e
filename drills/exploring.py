"""`python -m drills.exploring`: every sequence of a few kinds of reports, to a depth, with what must hold at each."""

from __future__ import annotations

import argparse
import json
import pickle
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from drills.pure_person import PurePerson
from services.pathway.dictionary import Therapy, Value
from workflows.messages import Actor

DEPTH = 3
_ONCOLOGIST = Actor("oncologist.drill", "oncologist", "oncology")
_GP = Actor("coordinator.drill", "coordinator", "coordination")
_MAY_END = frozenset({"item_completed", "death_verified", "transfer_accepted", "pathway_closed"})
_DIED: Mapping[str, Any] = {
    "identity_checked": "nhs_number_and_name",
    "confirmed_with": "the ward",
    "died_on": "2026-11-20",
}
_METASTATIC: Mapping[str, Value] = {
    "disease_extent": "metastatic",
    "er_status": "positive",
    "prior_therapies_none": True,
}
_LINE, _TRANSFER = "line-1", "transfer-1"
_COURSE = Therapy(
    "advanced", 1, ("ribociclib", "letrozole"), ("cdk46", "endocrine", "aromatase_inhibitor"), None, "ongoing"
)
Letter = Callable[[PurePerson], bool]


def _decided(outcome: str) -> Letter:
    """Decide about the first recommendation that is open."""

    def decide(person: PurePerson) -> bool:
        wanted = [i for i in person.state.items.values() if i.rule_id and i.kind in {"decision", "recommendation"}]
        review = "2026-12-10" if outcome == "deferred" else None
        numbers = sorted(item.number for item in wanted)
        if not numbers:
            return False
        return person.said("decision_made", _ONCOLOGIST, number=numbers[-1], outcome=outcome, review_on=review)

    return decide


def _completed(person: PurePerson) -> bool:
    """Do the first task that can be said to be done, an emergency before others."""
    for item in sorted(
        person.state.items.values(), key=lambda item: (item.urgency != "emergency", item.due_at, item.key)
    ):
        if person.said("item_completed", _ONCOLOGIST, item_id=item.item_id, outcome="Done."):
            return True
    return False


def _corrected(person: PurePerson) -> bool:
    """Take back the newest fact that was stated."""
    standing = [fact for fact in person.record.facts if fact.fact_id not in person.record.superseded]
    if not standing:
        return False
    return person.said("fact_corrected", fact_id=standing[-1].fact_id, reason="It was another person's.")


def _waited(days: int) -> Letter:
    def wait(person: PurePerson) -> bool:
        person.days_go_by(days)
        return True

    return wait


LETTERS: Mapping[str, Letter] = {
    "key worker named": lambda p: p.said("key_worker_assigned", _GP, person_id="carys.nurse"),
    "diagnosis, receptors known": lambda p: p.said(
        "diagnosis_confirmed", _ONCOLOGIST, {**_METASTATIC, "her2_ihc": "0", "key_worker_assigned": True}
    ),
    "diagnosis, HER2 left open": lambda p: p.said(
        "diagnosis_confirmed", _ONCOLOGIST, {**_METASTATIC, "her2_ihc": "2+"}
    ),
    "HER2 not amplified": lambda p: p.said("result_received", facts={"her2_ish": "not_amplified"}),
    "legs are weak": lambda p: p.said("symptom_reported", facts={"new_limb_weakness": True, "bone_mets": "present"}),
    "unwell": lambda p: p.said("symptom_reported", facts={"unwell": True}),
    "fatigue, lymphoedema": lambda p: p.said(
        "symptom_reported", facts={"fatigue": "present", "lymphoedema": "present"}
    ),
    "progression": lambda p: p.said("progression_reported", _ONCOLOGIST, site="liver"),
    "the newest fact was wrong": _corrected,
    "accepted": _decided("accepted"),
    "declined": _decided("declined"),
    "put off": _decided("deferred"),
    "a task done": _completed,
    "line started": lambda p: p.said(
        "therapy_line_started", _ONCOLOGIST, {"prior_therapy": _COURSE}, line_id=_LINE, response_check_weeks=9
    ),
    "line ended": lambda p: p.said("therapy_line_ended", _ONCOLOGIST, line_id=_LINE, stop_reason="progression"),
    "referral drafted": lambda p: p.said(
        "referral_drafted", referral_id="referral-1", to_team="palliative_care", reason="Pain."
    ),
    "follow-up triggered": lambda p: p.said("follow_up_triggered", _GP, occasion="bone-1", purpose="Bone health"),
    "death reported": lambda p: p.said("death_reported", _GP, reported_by="gp"),
    "death verified": lambda p: p.said("death_verified", _ONCOLOGIST, **_DIED),
    "death withdrawn": lambda p: p.said("death_withdrawn", _GP, mistake="namesake", reason="Another person."),
    "transfer offered": lambda p: p.said(
        "transfer_offered", transfer_id=_TRANSFER, to_organisation="Anytown", reason="Moved."
    ),
    "transfer accepted": lambda p: p.said(
        "transfer_accepted", transfer_id=_TRANSFER, accepted_by="Dr A", reason="Moved."
    ),
    "pathway closed": lambda p: p.said("pathway_closed", _GP, reason="She moved away."),
    "a day goes by": _waited(1),
    "seven weeks go by": _waited(50),
}


# --- what must hold at each node --------------------------------------------------------------------------------------


def next_step(person: PurePerson) -> Iterator[str]:
    """Until the pathway is closed a task is open, with an owner and a due time."""
    if person.state.ended:
        return
    if not person.state.items:
        yield "nothing is open"
    for item in person.state.items.values():
        if not item.owner_team or not item.due_on:
            yield f"{item.title} has no owner or no due time"


def once_each(person: PurePerson) -> Iterator[str]:
    """One thing to do is one task, and the workflow's picture is the record's."""
    keys = Counter(item.key for item in person.state.items.values())
    yield from (f"{key} is open twice" for key, count in keys.items() if count > 1)
    if {(i.item_id, i.key) for i in person.state.items.values()} != {(i, o.key) for i, o in person.record.open.items()}:
        yield "what the workflow holds open is not what the record shows"


def overdue_is_marked(person: PurePerson) -> Iterator[str]:
    """What is past its due time is marked, and is still open."""
    late = [item for item in person.state.items.values() if item.due_at < person.moment and not item.overdue]
    yield from (f"{item.title} is late, and not marked" for item in late)


def closed_for_a_reason(person: PurePerson) -> Iterator[str]:
    """What closed was asked for by whoever reported something, or by the guideline; the clock closes nothing."""
    for gone in person.record.closed:
        if not gone.reason.strip():
            yield f"{gone.item.title} closed without a reason"
        if not gone.kind and not gone.planned and gone.item.kind != "phone_task":
            yield f"{gone.item.title} was closed by the clock ({gone.how})"


def emergencies_stay(person: PurePerson) -> Iterator[str]:
    """An emergency ends by a clinician's word; a death, a transfer or a closing sets it aside."""
    for gone in person.record.closed:
        if gone.item.urgency == "emergency" and gone.how != "replaced" and gone.kind not in _MAY_END:
            yield f"the emergency {gone.item.title} closed by {gone.kind or 'the clock'}"


def planned_once(person: PurePerson) -> Iterator[str]:
    """Asked again with nothing changed, the planner wants nothing."""
    if person.state.ended or person.state.resting or person.state.waiting_for_check:
        return
    again = person.planned_again()
    yield from (f"asked again, {item.title} would open" for item in again.open)
    yield from (f"asked again, {ending.key} would close" for ending in again.close)


CHECKS = (next_step, once_each, overdue_is_marked, closed_for_a_reason, emergencies_stay, planned_once)


# --- the exploration --------------------------------------------------------------------------------------------------


@dataclass
class Explored:
    """What an exploration came to."""

    depth: int
    sequences: int = 0
    refused: int = 0
    checks: int = 0
    items: int = 0
    violations: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: Explored) -> None:
        """Add what another process explored."""
        self.sequences += other.sequences
        self.refused += other.refused
        self.checks += other.checks
        self.items = max(self.items, other.items)
        self.violations += other.violations

    def plain(self) -> dict[str, Any]:
        """As printed with --json."""
        return {
            "depth": self.depth,
            "letters": len(LETTERS),
            "sequences": self.sequences,
            "refused": self.refused,
            "checks": self.checks,
            "most_open_tasks": self.items,
            "violations": self.violations,
        }


def opened() -> PurePerson:
    """Somebody whose pathway was just opened."""
    person = PurePerson()
    person.said("pathway_opened", _GP, referred_by="clinic")
    return person


def explore(depth: int, beginnings: tuple[str, ...] = tuple(LETTERS)) -> Explored:
    """Try every sequence of letters to this depth that begins with one of these; a refused letter ends its sequence."""
    explored = Explored(depth)
    _deeper(pickle.dumps(opened()), (), beginnings, explored)
    return explored


def _deeper(before: bytes, path: tuple[str, ...], letters: tuple[str, ...], explored: Explored) -> None:
    for letter in letters:
        person: PurePerson = pickle.loads(before)  # noqa: S301 - what this process pickled itself
        person.record.closed.clear()
        if not LETTERS[letter](person):
            explored.refused += 1
            continue
        taken = (*path, letter)
        explored.sequences += 1
        explored.items = max(explored.items, len(person.state.items))
        for check in CHECKS:
            explored.checks += 1
            found = [{"check": check.__name__, "found": said, "path": list(taken)} for said in check(person)]
            explored.violations += found
        if len(taken) < explored.depth and not person.state.closed:
            _deeper(pickle.dumps(person), taken, tuple(LETTERS), explored)


def side_by_side(depth: int, processes: int) -> Explored:
    """Explore with some processes, each beginning with other letters."""
    explored = Explored(depth)
    beginnings = [(depth, (letter,)) for letter in LETTERS]
    with get_context("spawn").Pool(processes) as pool:
        for part in pool.starmap(explore, beginnings, chunksize=1):
            explored.add(part)
    return explored


def main() -> int:
    """Explore; 0 when everything held, 1 when something did not."""
    parser = argparse.ArgumentParser(prog="handrail drill plans", description=__doc__)
    parser.add_argument("--depth", type=int, default=DEPTH, help="how many reports a sequence has at most")
    parser.add_argument("--processes", type=int, default=2, help="how many at once")
    parser.add_argument("--json", action="store_true", help="for machines")
    asked = parser.parse_args()
    began = time.perf_counter()
    explored = side_by_side(max(1, asked.depth), max(1, asked.processes))
    explored.violations.sort(key=lambda violation: len(violation["path"]))
    if asked.json:
        print(json.dumps(explored.plain(), indent=2, ensure_ascii=False))
        return 1 if explored.violations else 0
    said = explored.plain()
    names = ("letters", "depth", "sequences", "refused", "checks", "most_open_tasks")
    print("; ".join(f"{name.replace('_', ' ')} {said[name]}" for name in names), end="")
    print(f" ({time.perf_counter() - began:.0f} s)")
    for violation in explored.violations[:5]:
        print(f"Does not hold ({violation['check'].replace('_', ' ')}): {violation['found']}")
        print(f"  {', then '.join(violation['path'])}.")
    if not explored.violations:
        print("Everything held.")
    return 1 if explored.violations else 0


if __name__ == "__main__":
    sys.exit(main())

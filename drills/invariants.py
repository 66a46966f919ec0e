"""What must hold of one person at every moment (DESIGN, invariants), checked on what the record shows. Pure.

Each check takes the same snapshot and yields what it found, in a clinician's words; nothing yielded means that it held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Plain = Mapping[str, Any]
# The workflow's own clock is asked a moment before the record is read.
GRACE = timedelta(seconds=5)
_CLINICIANS = frozenset({"oncologist", "key_worker", "nurse", "palliative_clinician"})
_NOT_MET_YET = frozenset(
    {"sent", "delivered", "undelivered", "acknowledged", "information_asked", "accepted", "declined"}
)


@dataclass(frozen=True)
class Snapshot:
    """One person as records shows them once all is filed, and what was said and seen before."""

    state: Plain
    items: Sequence[Plain]
    events: Sequence[Plain]
    facts: Sequence[Plain]
    moment: datetime
    accepted: Mapping[str, str]  # event id by idempotency key, of every report that was accepted
    facts_before: Mapping[str, Plain] = field(default_factory=dict)
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)  # the roles of each team


Check = Callable[[Snapshot], Iterator[str]]


def next_step(seen: Snapshot) -> Iterator[str]:
    """An open pathway has an open task, and each has an owner and a due time."""
    if seen.state["pathway"]["status"] != "open":
        return
    if not seen.state["open_items"]:
        yield "Nothing is open for this person: nobody has to do anything."
    for item in seen.state["open_items"]:
        if not item["owner_team"] or not item["due_at"] or not item["due_on"]:
            yield f"“{item['title']}” has no owner or no due time."


def owned_as_the_guideline_says(seen: Snapshot) -> Iterator[str]:
    """A recommendation's task belongs to the role that the guideline names, unless a person handed it on."""
    for item in seen.state["open_items"]:
        if item["rule_id"] and not item["owner_role"]:
            yield f"“{item['title']}” ({item['number']}) has lost whose task it is."


def nothing_expires(seen: Snapshot) -> Iterator[str]:
    """What closed says how and why; what is overdue is marked and stays open."""
    for item in seen.items:
        if item["status"] != "open" and not item["closed_reason"].strip():
            yield f"“{item['title']}” closed without a reason."
        if item["status"] == "open" and not item["overdue_at"] and _instant(item["due_at"]) + GRACE < seen.moment:
            yield f"“{item['title']}” was due on {item['due_on']}, and nobody was told that it is overdue."


def emergencies_end_by_a_clinician(seen: Snapshot) -> Iterator[str]:
    """An emergency is done because a clinician said so; or its question gave way to the emergency itself."""
    ended = {
        event["event"]["item_completed"]["item_id"]: event["actor"]["role"]
        for event in seen.events
        if event["kind"] == "item_completed"
    }
    # A death or a transfer sets everything aside, and gives it back if it was a mistake.
    aside = any(event["kind"] in {"death_verified", "transfer_accepted"} for event in seen.events)
    gone = seen.state["pathway"]["status"] != "open" or aside
    for item in seen.items:
        if item["urgency"] != "emergency" or item["status"] in {"open", "replaced"} or gone:
            continue
        if ended.get(item["item_id"]) not in _CLINICIANS:
            yield f"The emergency “{item['title']}” was closed, and no clinician had said that it was over."


def no_task_twice(seen: Snapshot) -> Iterator[str]:
    """One thing to do is one task."""
    same = Counter(
        (item["kind"], item["title"], item["subject_id"], item["rule_id"], item["due_at"], item["reason"])
        for item in seen.state["open_items"]
    )
    for (_, title, *_rest), count in same.items():
        if count > 1:
            yield f"“{title}” is open {count} times."


def each_report_once(seen: Snapshot) -> Iterator[str]:
    """What was accepted stands in the record once, in the order in which it was taken."""
    ids = Counter(event["event_id"] for event in seen.events)
    refused = sum(item["kind"] == "report_not_filed" for item in seen.items)
    lost = [event_id for event_id in seen.accepted.values() if event_id not in ids]
    if len(lost) > refused:
        yield f"{len(lost) - refused} reports were accepted and are not in the record."
    if any(count > 1 for count in ids.values()):
        yield "A report stands in the record twice."
    places = [event["seq"] for event in seen.events]
    if places != sorted(set(places)):
        yield "The reports do not stand in the order in which they were taken."


def facts_stay(seen: Snapshot) -> Iterator[str]:
    """A fact is appended and superseded, never changed or taken away."""
    now = {fact["fact_id"]: fact for fact in seen.facts}
    for fact_id, before in seen.facts_before.items():
        after = now.get(fact_id)
        if after is None or after["value"] != before["value"] or after["occurred_at"] != before["occurred_at"]:
            yield f"What was recorded as {before['name']} is not what it was."


def responsible_now(seen: Snapshot) -> Iterator[str]:
    """Somebody owns a referral's next action, and the referrer stays responsible until first contact."""
    for referral in seen.state["referrals"]:
        if not referral["responsible_team"]:
            yield f"Nobody is responsible for the referral to {referral['to_team']}."
        if referral["status"] in _NOT_MET_YET and referral["clinically_responsible_team"] != referral["from_team"]:
            yield f"The referral to {referral['to_team']} left its referrer before anybody met the person."


def advice_only(seen: Snapshot) -> Iterator[str]:
    """No line of treatment without a recorded decision by a person."""
    made = {decision["decision_id"]: decision for decision in seen.state["decisions"]}
    imports = [event["event"]["pathway_imported"] for event in seen.events if event["kind"] == "pathway_imported"]
    taken_over = {line["line_id"] for imported in imports for line in imported["lines"]}
    for line in seen.state["therapy_lines"]:
        if line["line_id"] in taken_over:
            continue
        decision = made.get(line["decision_id"])
        if decision is None or decision["outcome"] != "accepted":
            yield "A line of treatment stands on no recorded decision."


def correction_withdraws(seen: Snapshot) -> Iterator[str]:
    """What is superseded is not shown as known any more."""
    known = {fact["fact_id"] for fact in seen.state["facts"]}
    for fact in seen.facts:
        if fact["superseded_by_fact_id"] and fact["fact_id"] in known:
            yield f"A corrected value of {fact['name']} is still shown as known."


CHECKS: Sequence[Check] = (
    next_step,
    owned_as_the_guideline_says,
    nothing_expires,
    emergencies_end_by_a_clinician,
    no_task_twice,
    each_report_once,
    facts_stay,
    responsible_now,
    advice_only,
    correction_withdraws,
)


def violations(seen: Snapshot) -> list[tuple[str, str]]:
    """Return what does not hold: the check's name, and what it found."""
    return [(check.__name__, found) for check in CHECKS for found in check(seen)]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)

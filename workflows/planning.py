"""Comparing a plan with what is open: which tasks open, close and move. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from workflows import data_asked, imports, ladder, names, resting, support
from workflows.messages import Applied, ApplyInput, Closing, Entry, Moved, OpenItem, PathwayState, Plan, PlannedItem


@dataclass(frozen=True)
class Changes:
    """What one entry changes among the open tasks; `close` and `move` by task id.

    `aside` are those of `close` that rest and may stand `again`; `dealt_with` are keys that wait for nobody any more.
    """

    open: list[PlannedItem] = field(default_factory=list)
    close: dict[str, Closing] = field(default_factory=dict)
    move: dict[str, Moved] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    again: list[OpenItem] = field(default_factory=list)
    dealt_with: list[str] = field(default_factory=list)


# What a person may do with a task that stays open, and how its step is called.
ACTIONS = {
    "item_deferred": "moved",
    "item_attempted": "attempted",
    "item_data_asked": "data_asked",
    "item_taken": "taken",
    "item_handed_over": "handed_over",
    "item_escalated": "escalated",
}


def changes(state: PathwayState, entry: Entry, plan: Plan, closing: Iterable[Closing]) -> Changes:
    """Return what opens, closes and moves; a task that stays wanted keeps its clock and owner."""
    by_key = {item.key: item for item in state.items.values()}
    kind = entry.report.kind if entry.report else ""
    if kind == "pathway_closed":
        return Changes(close={i.item_id: Closing(k, "withdrawn", "The pathway was closed.") for k, i in by_key.items()})
    close: dict[str, Closing] = {}
    set_aside = resting.set_aside(state, entry.report)
    endings = [*closing, *plan.close]
    for ending in [*endings, *set_aside]:
        if ending.key in by_key:
            close.setdefault(by_key[ending.key].item_id, ending)
    for ending in [*ladder.no_longer_rung(state, close), *data_asked.no_longer_waited_for(state, close)]:
        close.setdefault(by_key[ending.key].item_id, ending)
    going = {ending.key for ending in close.values()}
    again = resting.again(state, entry.report, [ending.key for ending in endings])
    by_key |= {item.key: item for item in again}
    fresh = [item for item in plan.open if item.key not in by_key or item.key in going]
    staying = [item.kind for item in by_key.values() if item.key not in going]
    held = imports.held_back(state.waiting_for_check, fresh, staying, importing=kind == imports.KIND)
    wanted = [] if state.ended and kind != "pathway_reopened" else resting.wanted(state, entry.report, fresh)
    return Changes(
        open=[_led(state, entry, item) for item in wanted if not imports.is_held(item.key, held)],
        close=close,
        move=_moved(state, entry, plan, going),
        held=held,
        aside=[item_id for item_id, ending in close.items() if ending in set_aside],
        again=again,
        dealt_with=[ending.key for ending in endings],
    )


def _led(state: PathwayState, entry: Entry, item: PlannedItem) -> PlannedItem:
    """Whoever leads the care plans the next contact; what is the key worker's goes to the team of whoever that is."""
    if state.lead and item.kind == "next_contact":
        return replace(item, owner_team=state.lead, owner_role="")
    if item.owner_role == support.KEY_WORKER and not item.owner_team:
        return replace(item, owner_team=support.key_worker_team(state, entry.accepted_at))
    return item


def _moved(state: PathwayState, entry: Entry, plan: Plan, going: Collection[str]) -> dict[str, Moved]:
    """Return what a person did with a task that stays open; it has a new due time where the plan gives it one."""
    report = entry.report
    change = ACTIONS.get(report.kind, "") if report else ""
    item = state.items.get(str(report.event.get("item_id", ""))) if report else None
    if report is not None and report.kind in support.HANDS_OVER:
        return support.hands_over(state, report, going)
    if report is None or item is None or not change or item.key in going:
        return {}
    # The tracks' tasks come last: the planner may want the same one with a due time of its own.
    due = next((planned for planned in reversed(plan.open) if planned.key == item.key), None)
    said = report.event
    asked = f"Asked for: {said['asked']}." if change == "data_asked" else ""
    reason = due.reason if due else asked or str(said.get("reason") or said.get("note") or "Taken on.")
    to = Moved(
        due_on=due.due_on if due else item.due_on,
        due_at=due.due_at if due else item.due_at,
        reason=reason,
        change=change,
        owner_team=str(said.get("to_team", "")),
        taken_by=report.actor.subject if change == "taken" else "",
        waits_for=data_asked.waits_for(state, entry),
        calendar_version=due.calendar_version if due else "",
    )
    return {item.item_id: to}


def handed_over(state: PathwayState, entry: Entry) -> list[OpenItem]:
    """Return the task that another team has from now on, which it is told as it would be of a new one."""
    report = entry.report
    if report is None or report.kind != "item_handed_over":
        return []
    item = state.items.get(str(report.event["item_id"]))
    return [item] if item else []


def to_apply(state: PathwayState, entry: Entry, changed: Changes) -> ApplyInput:
    """Return the changes as the record applies them."""
    return ApplyInput(
        patient_id=state.patient_id,
        seq=entry.seq,
        event_id=entry.event_id,
        applied_at=entry.accepted_at,
        open=changed.open,
        close=[(item_id, ending.how, ending.reason) for item_id, ending in changed.close.items()],
        move=changed.move,
        # One that was put off while its mark waited to be filed is not late any more.
        overdue=[item_id for item_id in entry.overdue if item_id in state.items and state.items[item_id].overdue],
        correlation_id=entry.report.correlation_id if entry.report else "",
        pathway_closed=entry.report is not None and entry.report.kind == "pathway_closed",
        reopen=[(item.item_id, resting.why_again(entry.report)) for item in changed.again],
    )


def take_over(state: PathwayState, entry: Entry, changed: Changes, applied: Applied) -> list[OpenItem]:
    """Change the workflow's own picture of the open tasks as the record was changed; return those opened."""
    gone = {item_id: state.items.pop(item_id) for item_id in changed.close if item_id in state.items}
    resting.settle(state, entry.report, [gone[i] for i in changed.aside if i in gone], changed.dealt_with)
    for item_id, to in changed.move.items():
        if item_id in state.items:
            state.items[item_id] = _after(state.items[item_id], to)
    opened = list(changed.again)
    for item in changed.open:
        item_id = names.derived_id("item", state.patient_id, item.key, entry.event_id)
        opened.append(
            OpenItem(
                item_id=item_id,
                key=item.key,
                kind=item.kind,
                title=item.title,
                owner_team=applied.owners.get(item_id) or item.owner_team,
                due_on=item.due_on,
                due_at=item.due_at,
                urgency=item.urgency,
                number=item.number,
                subject_id=item.subject_id,
                rule_id=item.rule_id,
                owner_role=item.owner_role,
            )
        )
    state.items.update({item.item_id: item for item in opened})
    state.waiting_for_check = changed.held
    if entry.report is not None and entry.report.kind in {"pathway_closed", "pathway_reopened"}:
        state.ended = entry.report.kind == "pathway_closed"
    return opened


def _after(item: OpenItem, to: Moved) -> OpenItem:
    """Return the task as it stands after what a person did with it; a later due time starts its clock again."""
    later = to.due_at > item.due_at
    item = replace(item, due_on=to.due_on, due_at=to.due_at, owner_team=to.owner_team or item.owner_team)
    if later:
        item = replace(item, overdue=False, rung=0, rung_at=None)
    if to.change in {"taken", "handed_over"}:
        item = replace(item, taken=bool(to.taken_by), taken_by=to.taken_by)
    if to.change == "handed_over" and not to.with_role:
        item = replace(item, owner_role="")
    return item

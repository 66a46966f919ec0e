"""Comparing a plan with what is open: which tasks open, close and move. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from workflows import imports, names
from workflows.messages import Applied, ApplyInput, Closing, Entry, OpenItem, PathwayState, Plan, PlannedItem


@dataclass(frozen=True)
class Changes:
    """What one entry changes among the open tasks; `close` and `move` by task id."""

    open: list[PlannedItem] = field(default_factory=list)
    close: dict[str, Closing] = field(default_factory=dict)
    move: dict[str, PlannedItem] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)


def changes(state: PathwayState, entry: Entry, plan: Plan, closing: Iterable[Closing]) -> Changes:
    """Return what opens, closes and moves; a task that stays wanted keeps its clock and owner."""
    by_key = {item.key: item for item in state.items.values()}
    kind = entry.report.kind if entry.report else ""
    if kind == "pathway_closed":
        return Changes(close={i.item_id: Closing(k, "withdrawn", "The pathway was closed.") for k, i in by_key.items()})
    close: dict[str, Closing] = {}
    for ending in [*closing, *plan.close]:
        if ending.key in by_key:
            close.setdefault(by_key[ending.key].item_id, ending)
    going = {ending.key for ending in close.values()}
    put_off = {by_key[item.key].item_id: item for item in plan.open if item.key in by_key and item.key not in going}
    fresh = [item for item in plan.open if item.key not in by_key or item.key in going]
    staying = [item.kind for item in by_key.values() if item.key not in going]
    held = imports.held_back(state.held, fresh, staying, importing=kind == imports.KIND)
    return Changes(
        open=[] if state.ended else [item for item in fresh if not imports.is_held(item.key, held)],
        close=close,
        move=put_off if kind == "item_deferred" else {},
        held=held,
    )


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
    )


def take_over(state: PathwayState, entry: Entry, changed: Changes, applied: Applied) -> list[OpenItem]:
    """Change the workflow's own picture of the open tasks as the record was changed; return those opened."""
    for item_id in changed.close:
        state.items.pop(item_id, None)
    for item_id, to in changed.move.items():
        if item_id in state.items:
            state.items[item_id] = replace(state.items[item_id], due_on=to.due_on, due_at=to.due_at, overdue=False)
    opened = []
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
            )
        )
    state.items.update({item.item_id: item for item in opened})
    state.held = changed.held
    state.ended = state.ended or (entry.report is not None and entry.report.kind == "pathway_closed")
    return opened

"""Every short sequence of reports keeps what must hold, and the exploration finds what is planted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from drills import exploring
from drills.exploring import LETTERS, explore
from drills.pure_person import PurePerson
from workflows import planning
from workflows.messages import Closing, OpenItem


def test_every_sequence_of_two_reports_holds() -> None:
    explored = explore(2)
    assert explored.violations == []
    assert explored.sequences > 300
    assert explored.checks == explored.sequences * len(exploring.CHECKS)


def found(depth: int, *beginnings: str) -> set[str]:
    return {violation["check"] for violation in explore(depth, beginnings).violations}


def test_a_plan_that_leaves_nothing_open_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = planning.changes

    def without_next_contact(*asked: Any) -> planning.Changes:
        changed = changes(*asked)
        return replace(changed, open=[item for item in changed.open if item.kind != "next_contact"])

    monkeypatch.setattr(planning, "changes", without_next_contact)
    assert "next_step" in found(1, "key worker named")


def test_a_clock_that_closes_what_is_late_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = planning.changes

    def expiring(state: Any, entry: Any, plan: Any, closing: Any) -> planning.Changes:
        changed = changes(state, entry, plan, closing)
        late = {i: Closing(state.items[i].key, "withdrawn", "It was not done in time.") for i in entry.overdue}
        return replace(changed, close={**changed.close, **late})

    monkeypatch.setattr(planning, "changes", expiring)
    assert "closed_for_a_reason" in found(1, "seven weeks go by")


def test_a_due_time_that_never_comes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: PurePerson) -> Any:
        return self.moment.replace(year=2200)

    monkeypatch.setattr(PurePerson, "_next_due", never)
    assert "overdue_is_marked" in found(1, "seven weeks go by")


def test_a_task_that_opens_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    take_over = planning.take_over

    def twice(*asked: Any) -> list[OpenItem]:
        opened = take_over(*asked)
        asked[0].items.update({f"{item.item_id}-again": item for item in opened})
        return opened

    monkeypatch.setattr(planning, "take_over", twice)
    assert "once_each" in found(1, "legs are weak")


def test_an_emergency_that_a_correction_closes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = planning.changes

    def closing(state: Any, entry: Any, plan: Any, closing: Any) -> planning.Changes:
        changed = changes(state, entry, plan, closing)
        if entry.report is None or entry.report.kind != "fact_corrected":
            return changed
        acute = {i: item for i, item in state.items.items() if item.urgency == "emergency"}
        ended = {i: Closing(item.key, "withdrawn", "It was a mistake.") for i, item in acute.items()}
        return replace(changed, close={**changed.close, **ended})

    monkeypatch.setattr(planning, "changes", closing)
    assert "emergencies_stay" in found(2, "legs are weak")


def test_every_letter_happens_to_somebody() -> None:
    happened = {letter for letter in LETTERS if explore(1, (letter,)).sequences}
    after = {"line started", "line ended", "death verified", "death withdrawn", "transfer accepted", "pathway closed"}
    assert set(LETTERS) - happened == after
    person = exploring.opened()
    assert LETTERS["key worker named"](person)
    assert LETTERS["pathway closed"](person)
    person = exploring.opened()
    story = ("diagnosis, receptors known", "accepted", "line started", "line ended", "death reported")
    assert [letter for letter in (*story, "death verified", "death withdrawn") if not LETTERS[letter](person)] == []

"""The shortest way to a finding: delta debugging leaves what matters, and steps can be lived by somebody else."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

import pytest

from drills.acts import Said
from drills.script import again, reported
from drills.shrinking import shortest


@pytest.mark.parametrize("needed", [{17}, {3, 20}, {0, 1, 29}, {5, 12, 19, 26}], ids=str)
async def test_what_does_not_matter_is_left_out(needed: set[int]) -> None:
    async def ends_there(steps: Sequence[int]) -> str | None:
        return "found" if needed <= set(steps) else None

    left = await shortest(list(range(30)), "found", ends_there, seconds=5)
    assert set(left.steps) == needed
    assert list(left.steps) == sorted(needed)


async def test_when_time_is_over_what_was_reached_counts() -> None:
    async def slow(steps: Sequence[int]) -> str | None:
        await asyncio.sleep(0.05)
        return "found" if {3, 20} <= set(steps) else None

    left = await shortest(list(range(30)), "found", slow, seconds=0.12)
    assert {3, 20} <= set(left.steps)
    assert left.found == "found"


def a_state(**items: str) -> dict[str, object]:
    tasks = [{"item_id": one, "kind": "chase", "title": title, "subject_id": ""} for title, one in items.items()]
    return {"open_items": tasks, "facts": []}


def test_a_step_is_about_the_same_task_and_the_same_line_of_another_person() -> None:
    task, others, line, patient = (str(uuid.uuid4()) for _ in range(4))
    step = reported(Said("item_completed", {"item_id": task, "line_id": line, "note": "x"}), a_state(HER2=task))
    said = again(step, patient, a_state(ECOG=str(uuid.uuid4()), HER2=others))
    assert said is not None
    assert said.fields["item_id"] == others
    assert said.fields["note"] == "x"
    assert said.fields["line_id"] != line
    assert said == again(step, patient, a_state(HER2=others))


def test_a_task_that_is_not_there_is_no_other_task() -> None:
    task, patient = str(uuid.uuid4()), str(uuid.uuid4())
    said = again(reported(Said("item_taken", {"item_id": task}), a_state(HER2=task)), patient, a_state(ECOG=task))
    assert said is not None
    assert said.fields["item_id"] != task

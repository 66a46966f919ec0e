"""Every stored history still replays: a running pathway survives this version of the workflows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from workflows.worker import WORKFLOWS, runner

HISTORIES: Sequence[Path] = sorted((Path(__file__).parent / "histories").glob("*.json"))


def test_histories_of_every_workflow_are_stored_and_one_crosses_continue_as_new() -> None:
    said = [path.read_text(encoding="utf-8") for path in HISTORIES]
    assert said, "no history is stored, so nothing is known of what runs since the release before"
    for made in WORKFLOWS:
        name = workflow._Definition.must_from_class(made).name
        assert any(f'"name": "{name}"' in text for text in said), f"no history of {name}; see record_histories.py"
    assert any("EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW" in text for text in said)
    assert any('"continuedExecutionRunId": "' in text for text in said)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_stored_history_replays(path: Path) -> None:
    history = WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=runner())
    asyncio.run(replayer.replay_workflow(history))

"""Whom a scene says were told: those whose message left, and those whose message has not, or is not even written."""

from __future__ import annotations

import time
from typing import Any

import pytest

from services.cli.commands import people, stage
from services.cli.commands.stage import Stage
from workflows import telling

Messages = list[dict[str, str]]


def message(number: int, team: str, status: str, event_id: str = "now") -> dict[str, str]:
    return {"message_id": str(number), "team": team, "status": status, "event_id": event_id}


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Messages:
    """What notify has; it answers at once."""
    kept: Messages = []

    async def listed(_desk: object, _patient_id: str) -> Messages:
        return list(kept)

    monkeypatch.setattr(people, "messages", listed)
    monkeypatch.setattr(stage, "TOLD_PATIENCE", 0.3)
    monkeypatch.setattr(stage, "SENT_PATIENCE", 0.1)
    return kept


@pytest.fixture
def played() -> Stage:
    desk: Any = None
    return Stage(desk, "patient", {})


def test_what_is_news_is_what_the_workflows_tell() -> None:
    assert (stage.NEWS, stage.NEWS_TEAM) == (telling.ALWAYS_TOLD, telling.KEY_WORKERS)


async def test_teams_whose_message_left_were_told(played: Stage, there: Messages) -> None:
    there += [message(1, "oncology", "sent"), message(2, "pathology", "delivered")]
    assert await played._messages({"oncology", "pathology"}) == (["oncology", "pathology"], [])
    assert (played.expected, played.owed) == (2, 0)


async def test_teams_that_notify_has_not_heard_of_were_not_told(played: Stage, there: Messages) -> None:
    there += [message(1, "oncology", "queued")]
    assert await played._messages({"oncology", "pathology"}) == ([], ["oncology", "pathology"])
    assert played.expected == 2


async def test_an_earlier_reports_late_message_is_not_told_twice(played: Stage, there: Messages) -> None:
    await played._messages({"oncology"})
    played.told.append({"event_id": "before"})
    there += [message(1, "oncology", "queued", "before")]
    assert await played._messages({"pathology"}) == ([], ["pathology"])
    assert played.expected == 2


async def test_once_messages_wait_the_story_hurries_on(played: Stage, there: Messages) -> None:
    assert there == []
    await played._messages({"oncology"})
    began = time.monotonic()
    await played._messages({"oncology"})
    assert time.monotonic() - began < stage.TOLD_PATIENCE


async def test_a_team_that_the_duty_desk_stands_in_for_is_told(played: Stage, there: Messages) -> None:
    there += [message(1, "duty_desk", "sent")]
    assert await played._messages({"unreachable"}) == (["duty_desk"], [])

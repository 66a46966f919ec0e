"""Who signs a report and whom it names: checked against the teams, asked for once a minute."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.records.v1 import timeline_pb2
from services.pathway import directory
from services.pathway.directory import Directory
from services.runtime.clients import Caller
from services.runtime.context import Actor
from services.runtime.errors import Invalid, Unavailable
from workflows import messages

TEAMS = [
    timeline_pb2.Team(
        team_id="breast_care_nurses", roles=["key_worker"], members=[timeline_pb2.TeamMember(person_id="carys.nurse")]
    ),
    timeline_pb2.Team(team_id="palliative_care", roles=["palliative_care"]),
]


class Records(Caller):
    """Answers ListTeams, or is away."""

    def __init__(self) -> None:
        super().__init__(Actor("test", "worker"), "key")
        self.asked = 0
        self.away = False

    async def call(self, method: object, request: object, **_: object) -> Any:
        self.asked += 1
        if self.away:
            message = "away"
            raise Unavailable(message)
        return timeline_pb2.ListTeamsResponse(teams=TEAMS)


class Timeline:
    """A stub of which only the name of one rpc is used."""

    ListTeams = None


def report(kind: str = "result_received", team: str = "breast_care_nurses", **event: str) -> messages.Report:
    actor = messages.Actor("carys.nurse", "key_worker", team)
    return messages.Report(
        key="k", request_hash="h", kind=kind, event=dict(event), facts=[], actor=actor, occurred_at=datetime.now(UTC)
    )


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def known(records: Records) -> Directory:
    timeline: Any = Timeline()
    return Directory(records, timeline)


@pytest.mark.parametrize("kind", ["result_received", "referral_sent", "item_completed", "pathway_opened"])
async def test_a_team_that_there_is_not_signs_no_report(known: Directory, kind: str) -> None:
    with pytest.raises(Invalid, match=r"There is no team zzz.*breast_care_nurses, palliative_care") as refused:
        await known.check(report(kind, team="zzz"))
    assert [violation.field for violation in refused.value.violations] == ["team"]


async def test_who_acts_for_no_team_is_not_asked_for_one(known: Directory) -> None:
    await known.check(report(team=""))
    await known.check(report("referral_drafted", team="", to_team="palliative_care"))


@pytest.mark.parametrize(
    ("kind", "event", "says"),
    [
        ("referral_drafted", {"to_team": "hospice"}, "Name one of: breast_care_nurses, palliative_care"),
        ("referral_drafted", {"to_team": "breast_care_nurses"}, "A referral goes to another team"),
        ("key_worker_assigned", {"person_id": "nobody"}, "Name one of: carys.nurse"),
    ],
)
async def test_whom_a_report_names_must_be_known(known: Directory, kind: str, event: dict[str, str], says: str) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        await known.check(report(kind, **event))
    assert [violation.field for violation in refused.value.violations] == [f"{kind}.{next(iter(event))}"]


async def test_records_is_asked_once_a_minute(known: Directory, records: Records) -> None:
    for _ in range(5):
        await known.check(report())
    assert records.asked == 1


async def test_while_records_is_away_nothing_is_said_and_it_is_left_alone(known: Directory, records: Records) -> None:
    records.away = True
    for _ in range(5):
        await known.check(report("referral_drafted", team="zzz", to_team="zzz"))
    assert records.asked == 1


async def test_what_was_remembered_outlasts_records(
    known: Directory, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "REMEMBERED_SECONDS", 0.0)
    await known.check(report())
    records.away = True
    with pytest.raises(Invalid):
        await known.check(report(team="zzz"))

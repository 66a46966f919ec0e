"""What the sweep concludes from what it saw, and how it says it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from services.sweep.compare import Finding, Kind, Look, OpenPathway, Swept, agreed, findings, silent, without
from services.sweep.words import WORDS, in_mail, report

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
LONG_AGO, JUST_NOW = AT - timedelta(days=30), AT - timedelta(seconds=20)
ONE, OTHER = str(uuid.uuid4()), str(uuid.uuid4())


def seen(**changes: object) -> Look:
    """One healthy pathway, with changes."""
    whole: dict[str, object] = {"pathways": {ONE: OpenPathway(LONG_AGO, 2)}, "running": {ONE: LONG_AGO}}
    return Look(AT, **(whole | changes))  # type: ignore[arg-type]


def test_a_healthy_house_has_every_count_and_all_are_zero() -> None:
    swept = Swept(1, 1, findings(seen()))
    assert swept.well
    assert swept.counts() == {"pathways_looked_at": 1, "workflows_running": 1} | {kind.value: 0 for kind in Kind}
    lines = report(swept)
    assert len([line for line in lines if line.startswith("     0  ")]) == len(Kind)
    assert lines[-1].startswith("All is well")


@pytest.mark.parametrize(
    ("look", "kind", "subject", "number"),
    [
        (seen(running={}), Kind.LOST, ONE, 1),
        (seen(running={ONE: LONG_AGO, OTHER: LONG_AGO}), Kind.UNRECORDED, OTHER, 1),
        (seen(pathways={ONE: OpenPathway(LONG_AGO, 0)}), Kind.NO_ITEM, ONE, 1),
        (seen(pathways={ONE: OpenPathway(LONG_AGO, 5, astray=3)}), Kind.ASTRAY, ONE, 3),
        (seen(pathways={ONE: OpenPathway(LONG_AGO, 5, untold=2)}), Kind.UNTOLD, ONE, 2),
        (seen(stuck=frozenset({f"pathway:{ONE}"})), Kind.STUCK, f"pathway:{ONE}", 1),
        (seen(silent=frozenset({"schedule:daily-sweep"})), Kind.SILENT, "schedule:daily-sweep", 1),
    ],
    ids=lambda value: value.value if isinstance(value, Kind) else "",
)
def test_each_kind_of_trouble_is_found_counted_and_said(look: Look, kind: Kind, subject: str, number: int) -> None:
    found = findings(look)
    assert found == {Finding(kind, subject): number}
    swept = Swept(len(look.pathways), len(look.running), found)
    assert swept.counts()[kind.value] == number
    said = "\n".join(report(swept))
    assert subject in said
    assert WORDS[kind].do in said
    assert f"\n{number} {WORDS[kind].one if number == 1 else WORDS[kind].many}:" in said


def test_what_has_only_begun_is_accused_of_nothing() -> None:
    opening = seen(pathways={ONE: OpenPathway(JUST_NOW, 0)}, running={ONE: JUST_NOW, OTHER: JUST_NOW})
    assert findings(opening) == {}


def test_only_what_is_seen_twice_is_reported_as_it_was_seen_last() -> None:
    first = findings(seen(running={}, pathways={ONE: OpenPathway(LONG_AGO, 5, astray=3)}))
    second = findings(seen(pathways={ONE: OpenPathway(LONG_AGO, 5, astray=1), OTHER: OpenPathway(LONG_AGO, 1)}))
    assert agreed(first, second) == {Finding(Kind.ASTRAY, ONE): 1}
    assert agreed(first, {}) == {}


def test_what_was_looked_into_and_is_none_is_left_out() -> None:
    found = findings(seen(running={}, stuck=frozenset({"inbound-feed"})))
    assert without(found, [Finding(Kind.LOST, ONE)]) == {Finding(Kind.STUCK, "inbound-feed"): 1}


def test_mail_has_short_ids_and_names_no_more_than_it_can_hold() -> None:
    many = {str(uuid.uuid4()): OpenPathway(LONG_AGO, 1) for _ in range(1000)}
    found = findings(Look(AT, many, {}, frozenset({f"pathway:{ONE}"}), frozenset({"schedule:daily-sweep"})))
    said = dict(in_mail(found))
    assert list(said) == [
        "1000 open pathways without a running workflow",
        "1 schedule inside Temporal that has not done its work in time",
        "1 workflow that is stuck",
    ]
    assert all(len(title) <= 300 and len(text) <= 2000 for title, text in said.items())
    lost = said["1000 open pathways without a running workflow"]
    assert "and 980 more" in lost
    assert not [patient_id for patient_id in many if patient_id in lost]
    assert said["1 workflow that is stuck"].startswith(f"pathway:{ONE[:8]}. ")
    assert said["1 schedule inside Temporal that has not done its work in time"].startswith("schedule:daily-sweep. ")


def test_a_daily_run_may_take_its_time_but_not_a_day() -> None:
    day = timedelta(days=1)
    assert not silent(AT - timedelta(hours=25), AT, day)
    assert silent(AT - timedelta(hours=27), AT, day)

"""The sweep finds who is not looked after, says zero when nobody is, and says so when it cannot look."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.house import House
from workflows import names
from workflows.sweep import Looked, compared

SEEN = Looked({"a": 1, "b": 2}, {"a": 0, "b": 0}, frozenset({"a", "b"}), frozenset())


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, {}),
        ({"running": frozenset({"a"})}, {"lost": ["b"]}),
        ({"running": frozenset({"a", "b", "c"})}, {"without_pathway": ["c"]}),
        ({"open_items": {"a": 0, "b": 2}}, {"without_next_step": ["a"]}),
        ({"astray": {"a": 0, "b": 1}}, {"without_owner_or_due": ["b"]}),
        ({"stuck": frozenset({"b"})}, {"stuck": ["b"]}),
    ],
)
def test_what_both_looks_find_is_found_and_what_was_on_its_way_is_not(
    changed: Mapping[str, object], found: Mapping[str, list[str]]
) -> None:
    wrong = replace(SEEN, **changed)  # type: ignore[arg-type]
    swept = compared(wrong, wrong)
    assert {name: value for name, value in vars(swept).items() if isinstance(value, list) and value} == found
    assert swept.clean is (not found)
    assert compared(wrong, SEEN).clean


async def test_a_pathway_whose_workflow_is_gone_is_found_and_silence_is_an_alarm(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    house.start()
    try:
        door = house.door()
        kept, lost = await door.opened(), await door.opened()
        await door.quiet(kept, lost)
        # nobody is missing, and the count says so
        swept = json.loads(house.cli("sweep", "--json").stdout)
        assert (swept["pathways"], swept["workflows"], swept["clean"]) == (2, 2, True)
        # when a workflow is terminated by hand, then its person is named
        await (await door.temporal()).get_workflow_handle(names.pathway_id(lost)).terminate("by hand")
        found = house.cli("sweep", "--json", check=False)
        assert (found.returncode, json.loads(found.stdout)["lost"]) == (1, [lost])
        assert "keep its promises by hand" in house.cli("sweep", check=False).stdout
        # when Temporal is away, then the sweep does not say that all is well
        house.cli("stop", "temporal")
        silent = house.cli("sweep", check=False)
        assert (silent.returncode, "could not look" in silent.stderr) == (2, True)
        await door.close()
    finally:
        house.stop()

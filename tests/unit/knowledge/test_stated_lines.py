"""Lines of treatment in a facts file: what cannot be is refused, and what came after the day asked about is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.knowledge.asking import PINNED, call, evaluated, missing, truths, written

ON = ("--at", "2026-11-20")
FIRST = {"setting": "advanced", "agents": ["capecitabine"], "stop_reason": "progression", "line": 1}


def told(tmp_path: Path, lines: list[dict[str, Any]]) -> Any:
    return evaluated(tmp_path, {"disease_extent": "metastatic", "prior_therapies": lines}, *ON)


def test_a_line_that_had_not_begun_counts_nothing_and_is_told(tmp_path: Path) -> None:
    later = {"setting": "advanced", "agents": ["eribulin"], "stop_reason": "ongoing", "started_on": "2027-01-01"}
    found = told(tmp_path, [FIRST, later])
    assert found["left_out"] == ["prior_therapies, line 2"]
    without = told(tmp_path, [FIRST])
    assert (truths(found), missing(found)) == (truths(without), missing(without))
    # before the first line of all there was none: that is known
    assert truths(told(tmp_path, [later])) == truths(told(tmp_path, []))


def test_a_line_that_ended_later_was_still_going_on(tmp_path: Path) -> None:
    ended = {**FIRST, "started_on": "2026-11-01", "ended_on": "2026-12-20", "last_dose_on": "2026-12-01"}
    going = {**FIRST, "started_on": "2026-11-01", "stop_reason": "ongoing"}
    found = told(tmp_path, [ended])
    assert found["left_out"] == ["prior_therapies, line 1, its end", "prior_therapies, line 1, its last dose"]
    assert truths(found) == truths(told(tmp_path, [going]))


def test_what_is_left_out_is_called_by_its_name(tmp_path: Path) -> None:
    facts = {
        "specimens": [{"specimen": "liver", "taken_on": "2027-01-31", "er_status": "positive"}],
        "prior_therapies": [{**FIRST, "started_on": "2027-02-01"}],
    }
    said = call("evaluate", *PINNED, "--facts", written(tmp_path, facts), *ON).stdout
    told_in_words = " ".join(said.split())
    assert "Specimen liver" in told_in_words
    assert "Systemic treatment so far (line 1)" in told_in_words


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"started_on": "2026-05-01", "ended_on": "2026-01-01"}, "ended_on (2026-01-01) lies before started_on"),
        ({"last_dose_on": "2026-05-01", "ended_on": "2026-01-01"}, "lies before last_dose_on"),
        ({"stop_reason": "ongoing", "ended_on": "2026-01-01"}, "a line that is ongoing has no `ended_on`"),
        ({"started_on": "0026-01-01"}, "lies before 1900"),
        ({"started_on": "soon"}, "started_on: 'soon' is not a date or time"),
        ({"months": 99999}, "longer than anybody lives"),
        ({"months": "six"}, "months is a number of months"),
        ({"line": "two"}, "line is a whole number from 0 to 60"),
        ({"line": -1}, "line is a whole number from 0 to 60"),
        ({"setting": ["advanced"]}, "setting is one word, not a list with 'advanced' in it"),
        ({"stop_reason": 3}, "stop_reason is one word, not 3"),
        ({"agents": "letrozole"}, "agents is a list of names"),
    ],
)
def test_a_line_that_cannot_be_is_refused_with_what_to_do(tmp_path: Path, line: dict[str, Any], said: str) -> None:
    facts = {"prior_therapies": [FIRST, {"setting": "advanced", "agents": ["letrozole"], **line}]}
    done = call("evaluate", *PINNED, "--facts", written(tmp_path, facts))
    assert done.exit_code == 2
    assert said in done.stderr
    assert "prior_therapies, line 2" in done.stderr


@pytest.mark.parametrize("turn", [False, True])
def test_lines_and_none_at_once_are_refused_in_either_order(tmp_path: Path, *, turn: bool) -> None:
    pairs = [("prior_therapies", [FIRST]), ("prior_therapies_none", True)]
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(dict(reversed(pairs) if turn else pairs)))
    done = call("evaluate", *PINNED, "--facts", str(path))
    assert (done.exit_code, "Correct one of them" in done.stderr) == (2, True)

"""The drill that lives random lives: it finds what is planted, and finds nothing where nothing is wrong."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.house import HANDRAIL, REPOSITORY


def drilled(*words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [str(HANDRAIL), "drill", "lives", *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=REPOSITORY,
        env=os.environ | {"NO_COLOR": "1"},
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_lives_with_kills_duplicates_and_jumps_of_the_clock_hold() -> None:
    code, said = drilled("--count", "1", "--seed", "7", "--events", "8")
    assert (code, said["violations"]) == (0, []), said
    assert said["lives"] == 1
    assert said["events"] >= 8
    assert said["kills"] >= 1
    assert said["checks"] > said["events"]


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("skip-timer", "nothing_expires"),
        ("double-item", "no_task_twice"),
        ("drop-owner", "owned_as_the_guideline_says"),
    ],
)
def test_a_planted_fault_is_found_and_told_in_words(fault: str, check: str) -> None:
    code, said = drilled("--count", "2", "--seed", "3", "--events", "10", "--plant", fault)
    assert code == 1
    (found,) = said["violations"]
    assert found["check"] == check
    assert found["path"]

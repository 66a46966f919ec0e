"""The drill that lives random lives: it finds what is planted, and finds nothing where nothing is wrong."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from tests.house import HANDRAIL, REPOSITORY


def drilled(*words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [str(HANDRAIL), "drill", "lives", *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        cwd=REPOSITORY,
        env=os.environ | {"NO_COLOR": "1"},
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_life_with_a_kill_duplicates_and_jumps_of_the_clock_holds() -> None:
    code, said = drilled("--count", "1", "--seed", "7", "--events", "6")
    assert (code, said["violations"]) == (0, []), said
    assert said["lives"] == 1
    assert said["events"] >= 6
    assert said["kills"] >= 1
    assert said["checks"] > 10 * said["events"]


def test_a_planted_fault_is_found_and_told_in_words() -> None:
    """The one that only a clock shows: a life ends no sooner than something falls due. docs/proof.md has all three."""
    code, said = drilled("--count", "1", "--seed", "6", "--events", "3", "--plant", "skip-timer", "--shrink", "2")
    assert code == 1
    (found,) = said["violations"]
    assert found["check"] == "nothing_expires"
    assert "nobody was told that it is overdue" in found["found"]
    assert 0 < len(found["path"]) <= found["steps_before"]
    assert found["path"][0].startswith("Pathway")

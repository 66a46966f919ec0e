"""`python -m drills.checking FILE...`: check finished histories, and with `--plant` what is planted into them."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drills.histories import PROPERTIES, Broken, judged
from drills.mutants import FAULTS, mutants
from drills.traces import Step, trace_of
from services.runtime.settings import REPOSITORY

STORED = REPOSITORY / "tests" / "workflows" / "histories"
_RUN = re.compile(r"-(\d+)$")


@dataclass
class Checked:
    """What the checking of some histories came to."""

    workflows: int = 0
    steps: int = 0
    violations: list[dict[str, str]] = field(default_factory=list)
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    by_others: int = 0

    def plain(self) -> dict[str, Any]:
        """As printed with --json."""
        recall = {name: f"{self.found[name]} of {count}" for name, count in sorted(self.planted.items())}
        return {
            "workflows": self.workflows,
            "steps": self.steps,
            "properties": len(PROPERTIES),
            "violations": self.violations,
            "planted": self.planted.total(),
            "found": self.found.total(),
            "found_by_another_property_too": self.by_others,
            "recall": recall,
        }

    def take(self, name: str, trace: Sequence[Step], *, plant: bool) -> None:
        """Check one workflow, and every mutant of it if asked."""
        self.workflows += 1
        self.steps += len(trace)
        self.violations += [_said(name, broken) for broken in judged(trace)]
        for mutant in mutants(trace) if plant else ():
            checks = {broken.check for broken in judged(mutant.trace)}
            self.planted[mutant.check] += 1
            self.found[mutant.check] += mutant.check in checks
            self.by_others += bool(checks - {mutant.check})


def stories(files: Iterable[Path]) -> dict[str, list[Mapping[str, Any]]]:
    """Read histories; `story-1.json`, `story-2.json` are the runs of one workflow, in order.

    Raises:
        ValueError: a file holds no JSON.
    """
    runs: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for path in files:
        number = _RUN.search(path.stem)
        story = _RUN.sub("", path.stem)
        runs.setdefault(story, []).append((int(number[1]) if number else 1, json.loads(path.read_text("utf-8"))))
    return {story: [run for _, run in sorted(found, key=lambda one: one[0])] for story, found in sorted(runs.items())}


def check(files: Iterable[Path], *, plant: bool) -> Checked:
    """Check the histories in these files.

    Raises:
        ValueError: a file holds no history.
    """
    checked = Checked()
    for name, runs in stories(files).items():
        checked.take(name, trace_of(runs), plant=plant)
    return checked


def _said(name: str, broken: Broken) -> dict[str, str]:
    return {"history": name, "check": broken.check, "found": broken.found, "at": broken.step.at.isoformat()}


def show(checked: Checked) -> None:
    """Print what a person reads."""
    plain = checked.plain()
    print(f"{plain['workflows']} workflows; {plain['steps']} steps; {plain['properties']} properties")
    for violation in checked.violations:
        print(f"Does not hold in {violation['history']} ({violation['check'].replace('_', ' ')}): {violation['found']}")
    if not checked.violations:
        print("Everything held.")
    for name, said in plain["recall"].items():
        print(f"  planted and found, {name.replace('_', ' ')}: {said}")


def main() -> int:
    """Check; 0 when everything held and all that was planted was found, 1 when not, 2 when it could not be read."""
    parser = argparse.ArgumentParser(prog="handrail drill histories", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="histories as JSON; without any, the stored ones")
    parser.add_argument(
        "--plant", action="store_true", help="plant every fault at every place, and count what is found"
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    asked = parser.parse_args()
    files = asked.files or sorted(STORED.glob("*.json"))
    if not files:
        print("handrail: no history is stored; name files.", file=sys.stderr)
        return 2
    try:
        checked = check(files, plant=asked.plant)
    except (OSError, ValueError, KeyError) as problem:
        print(f"handrail: a history could not be read: {problem}", file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps(checked.plain(), indent=2, ensure_ascii=False))
    else:
        show(checked)
    missed = asked.plant and (checked.found != checked.planted or set(checked.planted) != set(FAULTS))
    return 1 if checked.violations or missed else 0


if __name__ == "__main__":
    sys.exit(main())

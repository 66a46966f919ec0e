"""The command as people and machines call it, and the worked examples to call it with."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from typer import testing
from typer.main import get_command
from typer.testing import CliRunner, Result

from services.cli.__main__ import app

GUIDELINES = Path(__file__).parents[3] / "guidelines"
BOOK = yaml.safe_load((Path(__file__).parents[1] / "pathway" / "cg81_examples.yaml").read_text())
DEFAULTS: dict[str, Any] = BOOK["defaults"]
EXAMPLES: dict[str, dict[str, Any]] = {example["id"]: example for example in BOOK["examples"]}
NOT_JUDGED = {"1.2.2"}
PINNED = ["--guideline", "cg81", "--version", "2026-06-30"]


# Typer's own runner reads all commands anew at each call, which takes as long as many an answer.
_READ_ONCE = cache(get_command)


def call(*arguments: str) -> Result:
    with patch.object(testing, "_get_command", _READ_ONCE):
        return CliRunner().invoke(app, ["guideline", *arguments])


def written(directory: Path, facts: object, name: str = "facts.yaml") -> str:
    path = directory / name
    path.write_text(json.dumps(facts) if name.endswith(".json") else yaml.safe_dump(facts))
    return str(path)


def evaluated(directory: Path, facts: object, *more: str) -> Any:
    done = call("evaluate", *PINNED, "--facts", written(directory, facts), "--json", *more)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def truths(found: dict[str, Any]) -> dict[str, str]:
    return {one["number"]: one["truth"] for one in found["recommendations"]}


def missing(found: dict[str, Any]) -> dict[str, set[str]]:
    return {one["number"]: set(one["missing"]) for one in found["recommendations"] if one["truth"] == "unknown"}


def urgent(found: dict[str, Any], truth: str = "true") -> set[str]:
    return {one["rule"] for one in found["urgent"] if one["truth"] == truth}


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {ta: verdict for one in found["recommendations"] for ta, verdict in one["appraisal"].items()}


def facts_of(example: dict[str, Any]) -> dict[str, Any]:
    return deepcopy({**DEFAULTS, **example["facts"]})

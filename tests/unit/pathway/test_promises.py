"""The promises' file is refused at start, not when somebody's task needs its time."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from services.pathway.promises import NAMES, load_promises
from services.pathway.yaml_lines import GuidelineError
from tests.unit.pathway.person import GUIDELINES
from workflows import tracks

FILE = "promises.yaml"
FIRST = "  referral_agreed: {working_days: 3, local: true}\n"


def promised(text: str) -> set[str]:
    """Return the promises that a workflow's code names: what it gives where a parameter `promise` stands."""
    tree = ast.parse(text)
    places = {
        node.name: [argument.arg for argument in node.args.args].index("promise")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and "promise" in [argument.arg for argument in node.args.args]
    }
    given: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given += [keyword.value for keyword in node.keywords if keyword.arg == "promise"]
            if isinstance(node.func, ast.Name) and node.func.id in places:
                given += node.args[places[node.func.id] :][:1]
    found: set[str] = set()
    while given:
        value = given.pop()
        if isinstance(value, ast.IfExp):  # of `"" if … else "name"` only the outcomes are names
            given += [value.body, value.orelse]
        elif isinstance(value, ast.Constant) and isinstance(value.value, str):
            found.add(value.value)
    return found - {""}


def test_every_promise_of_the_workflows_is_known_and_no_other() -> None:
    files = (Path(tracks.__file__).parent).glob("*.py")
    made = set().union(*(promised(file.read_text(encoding="utf-8")) for file in files))
    assert made | {f"{name}_urgent" for name in tracks._URGENT_PROMISES} == set(NAMES)


def test_the_houses_own_promises_can_be_read() -> None:
    assert set(load_promises(GUIDELINES).promises) == set(NAMES)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (
            "  referral_agreed:",
            "  referal_agreed:",
            7,
            "there is no promise of this name; did you mean referral_agreed?",
        ),
        (FIRST, FIRST + "  tea_time: {hours: 1}\n", 8, "take it out. The promises are referral_agreed, referral_sent"),
        (FIRST, "", 7, "referral_agreed: this promise is missing"),
        ("{working_days: 3,", "{working_days: -3,", 7, "referral_agreed: working_days is -3; give 0"),
        ("{working_days: 3,", "{working_days: 3000,", 7, "to 250"),
        ("{hours: 24,", "{hours: 0,", 10, "referral_acknowledged_urgent: hours is 0; give 1"),
        ("{hours: 24,", "{hours: 1, working_days: 1,", 10, "one of working_days, hours"),
        ("{hours: 24,", "{", 10, "one of working_days, hours"),
        ("{hours: 24,", "{hour: 1,", 10, "an unknown field"),
        ("{hours: 24,", "{hours: soon,", 10, "valid integer"),
        (FIRST, FIRST * 2, 8, "stands twice"),
        ("response_check_weeks: 12", "response_check_weeks: 0", 1, "from 1 to 104"),
        ("response_check_weeks: 12", "response_check_week: 12", 1, "response_check_week"),
        ("promises:", "promise:", 1, "promise"),
    ],
)
def test_refused_with_file_line_and_what_to_do(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    text = (GUIDELINES / FILE).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / FILE).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(GuidelineError, match=re.escape(says)) as refusal:
        load_promises(tmp_path)
    found = re.match(rf"{re.escape(str(tmp_path / FILE))}:(\d+): ", str(refusal.value))
    assert found
    assert abs(int(found[1]) - line) <= (6 if line == 1 else 1)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(GuidelineError, match="this file is missing"):
        load_promises(tmp_path)

"""Facts files of any shape: always an answer or a refusal in plain English, with the file and what to do."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.cli.commands.facts_files import read_facts
from services.cli.commands.guideline_files import instant, library_of
from services.pathway.guideline import load_shared
from tests.unit.knowledge.asking import GUIDELINES, PINNED, call

FACTS = sorted(load_shared(GUIDELINES).dictionary.facts)
LIBRARY = library_of(str(GUIDELINES), "cg81", "2026-06-30")
PYTHON = re.compile(r"\bNone\b|\bTrue\b|\bFalse\b|Traceback|datetime|<class|could not be worked out|\\x|\\u|\{'|\['")
THEIRS = re.compile(r"'.*'")

NAMES = st.sampled_from([*FACTS, "prior_therapies", "specimens", "er_staus"]) | st.text(max_size=8)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates() | st.datetimes()
    | st.binary(max_size=4) | st.sampled_from(["positive", "yes", "2+", "unknown", "not_done", "advanced", "x" * 500])
)  # fmt: skip
INNER = st.sampled_from(
    ["value", "occurred_at", "setting", "agents", "classes", "months", "line", "stop_reason", "started_on", "ended_on",
     "specimen", "taken_on", "er_status", "her2_ihc"]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(INNER | st.integers() | st.none(), inner, max_size=4),
    max_leaves=8,
)
PEOPLE = st.dictionaries(NAMES | st.integers() | st.booleans() | st.none(), VALUES, max_size=4)
FILES = PEOPLE | VALUES | st.lists(PEOPLE, max_size=3)


def answered(path: Path) -> str:
    """The refusal of a file; empty if it was answered."""
    try:
        held = read_facts(str(path))
        for _ in held.each(LIBRARY, instant("2026-11-23")):
            """Each of them is read."""
    except ValueError as error:
        return str(error)
    return ""


def check(path: Path) -> None:
    said = answered(path)
    if said:
        assert said.startswith(str(path)), said
        assert not PYTHON.search(THEIRS.sub("", said.removeprefix(str(path)))), said
        assert len(said) < 700 + len(str(path)), said
        assert said.endswith((".", "?")), said
        assert said.isprintable(), said


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILES)
def test_any_shape_is_answered_or_refused_in_plain_english(shape: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.yaml"
        path.write_text(yaml.safe_dump(shape, allow_unicode=True), encoding="utf-8", errors="surrogatepass")
        check(path)
        path = Path(folder) / "facts.json"
        path.write_text(json.dumps(shape, default=str, skipkeys=True))
        check(path)


PIECES = st.sampled_from(
    [
        *"[]{}:,-?&*!|>'\"%@`#\t\n ",
        ": ",
        "- ",
        "er_status",
        "positive",
        "prior_therapies",
        "---",
        "\x00",
        "<<: *a",
        "!!set",
        "~",
    ]
)


@settings(max_examples=120, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join), st.sampled_from(["facts.yaml", "facts.json"]))
def test_any_text_is_answered_or_refused_in_plain_english(text: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text)
        check(path)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_answered_or_refused_in_plain_english(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.yaml"
        path.write_bytes(content)
        check(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("er_status: positive\nher2_ihc: 2\n", ":2: her2_ihc (HER2 IHC) is one of 0, 1+, 2+, 3+, not 2. Did you mean"),
        ("bone_mets: yes\n", ":1: bone_mets (Bone metastases) is one of present, absent, not yes (true)."),
        ('new_limb_weakness: "yes"\n', "write true or false without quotes, not 'yes'"),
        ("recurrence: 1\n", "write true or false, or leave it out if nobody knows; not 1"),
        ("er_status: positivee\n", "Did you mean 'positive'?"),
        ("age_years: 058\n", "write 58 without quotes"),
        ("age_years: 063\n", "'063' would be read as another number"),
        ("age_years: 1:30\n", "'1:30' would be read as another number"),
        ('age_years: "58"\n', "write 58 without quotes"),
        ("pd_l1_cps: .nan\n", "is a number, not NaN"),
        ("er_status: [positive]\n", "not a list with 'positive' in it"),
        ("er_status:positive\n", "Write a space after the colon"),
        ("specimens: [null]\n", "specimens, number 1: write its name, date and results"),
        ("ecog: 1\nspecimens:\n  - {specimen: a, taken_on: 2024-01-01, er_status: 1}\n", ":3: specimens, a: er_status"),
        ("prior_therapies:\n  - {setting: advanced}\n  - {setting: advnced}\n", ":3: prior_therapies, line 2: The"),
        ("prior_therapies: {setting: advanced}\n", "write a dash before each, also before a single one"),
        ("prior_therapies: [{setting: advanced, classes: [taxan]}]\n", "Did you mean 'taxane'?"),
        ("er_status: {value: positive, occured_at: 2026-01-01}\n", "Did you mean 'occurred_at'?"),
        ("er_status: [positive\n", "a list that begins with [ is not closed with ]"),
        ("a: 1\n\tb: 2\n", ":2: a tab stands before this line; use spaces"),
        ("started: 2026-02-30\n", ":1: '2026-02-30' is not a date or time that there is"),
        ("her2_ihc: '3+'\nher2_status: negative\n", ":2: her2_status: HER2 status was stated as negative"),
    ],
)  # fmt: skip
def test_what_clinicians_get_wrong_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "facts.yaml"
    path.write_text(text)
    done = call("evaluate", "--json", *PINNED, "--facts", str(path))
    assert (done.exit_code, done.stdout, says in done.stderr) == (2, "", True), done.stderr


def test_json_is_told_in_plain_english_too(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    for text, says in (
        ('{\n"ecog": 1,\n}', ":3: a name in double quotes is expected here"),
        ('{"ecog": 1}\n{"ecog": 2}', ":2: something stands after the end"),
        ('{"ecog": 1,\n"ecog": 2}', ":2: the key 'ecog' stands twice"),
        ('{"er_status": "\\ud800"}', "er_status (ER status) is one of"),
    ):
        path.write_text(text)
        assert says in answered(path)

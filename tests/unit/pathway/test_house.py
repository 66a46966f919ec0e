"""What the pathway service refuses to start with, beyond what the loader of a guideline can see."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from services.pathway.house import read_guidelines
from services.pathway.yaml_lines import GuidelineError
from tests.unit.pathway.person import GUIDELINES


def test_the_files_of_the_house_are_read() -> None:
    guidelines, promises = read_guidelines(GUIDELINES)
    assert ("cg81", "2026-06-30") in guidelines
    assert promises.promises


def test_an_event_that_the_contract_does_not_have_is_refused(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(GUIDELINES, tmp_path / "guidelines"))
    events = copy / "events.yaml"
    events.write_text(events.read_text(encoding="utf-8").replace("symptom_reported:", "symptom_reportd:", 1))
    with pytest.raises(GuidelineError, match=r"events.yaml:\d+: there is no event called 'symptom_reportd'; did you"):
        read_guidelines(copy)

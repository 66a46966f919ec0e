"""What a person is told before relying on a version."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.pathway.guideline import load_guideline
from services.pathway.knowledge.standing import warnings
from tests.unit.pathway.person import GUIDELINES


@pytest.mark.parametrize(("day", "warned"), [(date(2027, 2, 20), False), (date(2027, 2, 21), True)])
def test_after_ninety_days_it_must_be_checked_again(day: date, warned: bool) -> None:
    guideline = replace(load_guideline(GUIDELINES, "cg81", "2026-06-30"), checked_on="2026-11-22")
    assert any("check it again" in warning for warning in warnings(guideline, day)) is warned


def test_what_is_moving_is_said() -> None:
    told = warnings(load_guideline(GUIDELINES, "cg81", "2026-06-30"), date(2026, 11, 23))
    assert any(warning.startswith("An update is planned (1.7.16, 1.7.17): ") for warning in told)
    assert any(warning.startswith("An update is under way (1.7.2): ") for warning in told)
    assert not any("superseded" in warning for warning in told)
    told = warnings(load_guideline(GUIDELINES, "cg81", "2025-02-19"), date(2026, 11, 23))
    assert told[0].startswith("CG81 (2025-02-19) is superseded")
    assert told[1].startswith("39 numbers of CG81 (2025-02-19) were written from memory")
    told = warnings(load_guideline(GUIDELINES, "ng101", "2025-04-14"), date(2026, 11, 23))
    assert any("July 2026" in warning for warning in told)

"""The guideline under test, and people of whom nothing is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.pathway.guideline import Guideline, load_guideline
from tests.unit.pathway.person import GUIDELINES, Person


@pytest.fixture(scope="session")
def guideline() -> Guideline:
    """CG81 as of June 2026, from the real directory."""
    return load_guideline(GUIDELINES, "cg81", "2026-06-30")


@pytest.fixture
def person(guideline: Guideline) -> Person:
    """Somebody of whom nothing is known."""
    return Person(guideline)


@pytest.fixture
def new_person(guideline: Guideline) -> Callable[[], Person]:
    """Makes people of whom nothing is known."""
    return lambda: Person(guideline)

"""Which medicines carry the black triangle is data: by name, brand or inside a longer text."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.pathway.guideline import load_shared

DICTIONARY = load_shared(Path(__file__).resolve().parents[3] / "guidelines").dictionary


@pytest.mark.parametrize(
    ("medicine", "carries"),
    [
        ("trastuzumab deruxtecan", True),
        ("Trastuzumab-deruxtecan 100 mg", True),
        ("ENHERTU", True),
        ("Trodelvy infusion", True),
        ("capivasertib and fulvestrant", True),
        ("trastuzumab", False),
        ("letrozole", False),
        ("", False),
    ],
)
def test_a_medicine_carries_the_black_triangle_by_any_of_its_names(medicine: str, carries: bool) -> None:
    assert DICTIONARY.carries_black_triangle(medicine) is carries

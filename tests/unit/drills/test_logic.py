"""The temporal logic of the drills, on traces of letters a minute apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from drills import logic
from drills.logic import Formula, that

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Letter:
    letter: str
    ran: datetime


def spelt(word: str) -> list[Letter]:
    return [Letter(letter, NOON + timedelta(minutes=place)) for place, letter in enumerate(word)]


def shown(formula: Formula, word: str) -> str:
    return "".join("+" if held else "." for held in formula(spelt(word)))


a, b = that(lambda s: s.letter == "a"), that(lambda s: s.letter == "b")
TWO = timedelta(minutes=2)


@pytest.mark.parametrize(
    ("formula", "word", "held"),
    [
        (a, "abca", "+..+"),
        (logic.no(a), "abca", ".++."),
        (logic.both(a, logic.no(b)), "ab", "+."),
        (logic.either(a, b), "abc", "++."),
        (logic.when(a, b), "abc", ".++"),
        (logic.eventually(b), "acbca", "+++.."),
        (logic.eventually(b, TWO), "accb", ".+++"),
        (logic.once(a), "cacbc", ".++++"),
        (logic.once(a, TWO), "acccc", "+++.."),
        (logic.always(a), "abaa", "..++"),
        (logic.before(a), "abab", ".+.+"),
        (logic.since(logic.no(b), a), "cacbca", ".++..+"),
        (logic.since(a, b), "aabaca", "..++.."),
    ],
    ids=[
        "that",
        "no",
        "both",
        "either",
        "when",
        "eventually",
        "eventually-soon",
        "once",
        "once-lately",
        "always",
        "before",
        "since-not-b",
        "since-a",
    ],
)
def test_a_formula_holds_where_it_should(formula: Formula, word: str, held: str) -> None:
    assert shown(formula, word) == held


def test_rising_says_where_the_order_broke() -> None:
    rising = logic.rising(lambda s: ord(s.letter))
    assert shown(rising, "acbd") == "++.+"
    assert shown(rising, "aa") == "+."


def test_nothing_is_said_of_an_empty_trace() -> None:
    for formula in (a, logic.eventually(a), logic.always(a), logic.since(a, b), logic.before(a)):
        assert formula([]) == []
        assert logic.first_failure(formula, []) is None

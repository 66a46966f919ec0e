"""The rules for complications that go before every routine rule: `guidelines/urgent.yaml`, read and judged. Pure.

Their answer differs from other rules in one point: what cannot be decided is in question only while the rule's
`asks_when` holds, that is while something was noticed; otherwise nobody is asked, and it does not apply.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from services.pathway.conditions import Check, compile_condition
from services.pathway.facts import Picture
from services.pathway.guideline import Guideline, Shared, load_version
from services.pathway.rules import Judgement, judge

FILE = "urgent.yaml"


def load_urgent(directory: Path, shared: Shared) -> Guideline | None:
    """The urgent rules of a directory; None if it has none. Raises GuidelineError."""
    path = directory / FILE
    return load_version(path, shared) if path.is_file() else None


def judge_urgent(rules: Guideline, picture: Picture) -> list[Judgement]:
    """Judge every urgent rule; one that nothing puts in question does not apply."""
    asks = _asks(rules)
    return [_in_question(judgement, asks.get(judgement.rule_id), picture) for judgement in judge(rules, picture)]


def _in_question(judgement: Judgement, asks: Check | None, picture: Picture) -> Judgement:
    if judgement.truth != "cannot_be_decided" or (asks is not None and asks(picture.values)[0] is True):
        return judgement
    return replace(judgement, truth="does_not_apply")


@lru_cache(maxsize=8)
def _asks(rules: Guideline) -> dict[str, Check]:
    stated = {rule.rule_id: rule.asks_when for rule in rules.rules if rule.asks_when is not None}
    return {rule_id: compile_condition(condition, rules.dictionary) for rule_id, condition in stated.items()}

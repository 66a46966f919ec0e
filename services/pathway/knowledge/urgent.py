"""The rules for complications that go before every routine rule: `guidelines/urgent.yaml`, read and judged. Pure.

Their answer differs from other rules in one point: with nothing reported they are not in question, nobody is asked, and
they do not apply. What cannot be decided is asked as soon as one of its findings is there; a finding that has gone
stale is there until somebody has looked again. Of the ways in which a rule may apply (the parts of its `any`), only
those that are in question are asked. `asks_when` is what else puts the whole rule in question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from services.pathway.conditions import Among, Check, Compare, Condition, Negated, Some, compile_condition
from services.pathway.dictionary import Dictionary, Value
from services.pathway.facts import Picture
from services.pathway.guideline import Guideline, Shared, load_version
from services.pathway.rules import Judgement, judge

FILE = "urgent.yaml"


@dataclass(frozen=True, slots=True)
class _Way:
    """One of the ways in which a rule may apply, and the findings that put it in question."""

    check: Check
    findings: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class _Question:
    """When a rule is in question: as a whole, or by one of its ways."""

    whole: Check | None
    ways: tuple[_Way, ...]


def load_urgent(directory: Path, shared: Shared) -> Guideline | None:
    """The urgent rules of a directory; None if it has none. Raises GuidelineError."""
    path = directory / FILE
    return load_version(path, shared) if path.is_file() else None


def judge_urgent(rules: Guideline, picture: Picture) -> list[Judgement]:
    """Judge every urgent rule; one that nothing puts in question does not apply."""
    questions, seen = _questions(rules), {**_stale_values(picture), **picture.values}
    return [_in_question(judged, questions[judged.rule_id], picture, seen) for judged in judge(rules, picture)]


def _in_question(judged: Judgement, question: _Question, picture: Picture, seen: Mapping[str, Value]) -> Judgement:
    if judged.truth != "cannot_be_decided" or (question.whole and question.whole(seen)[0] is True):
        return judged
    asked = [way.check for way in question.ways if any(finding(seen)[0] is True for finding in way.findings)]
    told = [outcome for outcome in (check(picture.values) for check in asked) if outcome[0] is None]
    if not told:
        return replace(judged, truth="does_not_apply", missing=())
    known = [name for _, names, _ in told for name in names]
    missing = [name for *_, names in told for name in names]
    return judged.asking(known, missing)


def _stale_values(picture: Picture) -> dict[str, Value]:
    """What was last known of facts that are too old to decide by."""
    stale = [entry for entry in picture.held.values() if any(gap.why == "stale" for gap in entry.gaps)]
    return {entry.name: entry.last.value for entry in stale if entry.last is not None}


@lru_cache(maxsize=8)
def _questions(rules: Guideline) -> dict[str, _Question]:
    found = {}
    for rule in rules.rules:
        if rule.condition is not None:
            ways = rule.condition.parts if isinstance(rule.condition, Some) else (rule.condition,)
            whole = compile_condition(rule.asks_when, rules.dictionary) if rule.asks_when else None
            found[rule.rule_id] = _Question(whole, tuple(_way(part, rules.dictionary) for part in ways))
    return found


def _way(part: Condition, dictionary: Dictionary) -> _Way:
    findings = tuple(compile_condition(finding, dictionary) for finding in _findings(part))
    return _Way(compile_condition(part, dictionary), findings)


def _findings(condition: Condition, *, holds: bool = True) -> Iterator[Condition]:
    """What has to be there for a condition to hold; that something else is absent is no finding."""
    if isinstance(condition, Negated):
        yield from _findings(condition.part, holds=not holds)
    elif isinstance(condition, Among | Compare):
        if holds:
            yield condition
    else:
        for part in condition.parts:
            yield from _findings(part, holds=holds)

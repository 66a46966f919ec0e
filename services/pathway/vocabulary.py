"""Slips of the pen in the vocabulary of treatments: a misspelt class or drug would answer "no" in silence. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from functools import lru_cache

from services.pathway.conditions import Among, Compare, Condition, Negated
from services.pathway.dictionary import Dictionary
from services.pathway.rule_types import Rule
from services.pathway.saying import did_you_mean

_NEAR = 0.8
_PROPOSED = "proposed_"
_REGIMEN = "proposed_regimen"


def problem_with_vocabulary(dictionary: Dictionary) -> tuple[tuple[str, ...], str]:
    """Where the vocabulary names what does not exist, and what is wrong there; an empty sentence if nothing is."""
    for place, name, known, what in _named(dictionary):
        if name not in known:
            return place, f"{'.'.join(place)} names '{name}', which is no {what}.{did_you_mean(name, known)}"
    return (), ""


def _named(dictionary: Dictionary) -> Iterator[tuple[tuple[str, ...], str, Collection[str], str]]:
    classes = dictionary.classes
    either = (*classes, *dictionary.class_groups)
    what = "class of treatment; correct it, or add it to `classes`"
    for agent, given in dictionary.agents.items():
        yield from ((("agents", agent), name, classes, what) for name in given)
    for group, members in dictionary.class_groups.items():
        yield from ((("class_groups", group), name, classes, what) for name in members)
    for one, implied in dictionary.implied_classes.items():
        yield from ((("implied_classes", one), name, either, what) for name in (one, *implied))
    yield from ((("beside",), name, either, what) for name in dictionary.beside)
    drugs = {_plain(agent) for agent in dictionary.agents}
    meant = {*drugs, *map(_plain, either), *_proposable(dictionary)}
    for word, stands_for in dictionary.also_called.items():
        if _made_of(stands_for, meant):
            continue  # one name for two drugs, each of them known
        yield ("also_called", word), stands_for, meant, "drug, class or scan; correct it, or add the drug to `agents`"
    listed = "drug; correct it, or add it to `agents`"
    yield from ((("black_triangle",), name, dictionary.agents, listed) for name in dictionary.black_triangle)
    yield from ((("only_alone",), name, meant, listed) for name in dictionary.only_alone)


def _made_of(code: str, names: Collection[str]) -> bool:
    """Whether a code is a chain of names, joined by `_`."""
    words = code.split("_")
    heads = (("_".join(words[:size]), "_".join(words[size:])) for size in range(1, len(words) + 1))
    return any(head in names and (not rest or _made_of(rest, names)) for head, rest in heads)


def slip_in_regimens(rule: Rule, dictionary: Dictionary) -> str:
    """What is wrong with the regimens that a rule names: a word that is nearly a known one bars nothing. Else empty.

    A word that is near nothing is a new drug, which a guard may name before the dictionary knows it.
    """
    conditions = (rule.when, rule.gate, rule.forbids, rule.done_when, rule.asks_when)
    named = [code for condition in conditions for code in _codes(condition)]
    named += [option.code for option in rule.options]
    known = _words(dictionary) if named else frozenset()
    for code in named:
        for word in _plain(code).split("_"):
            near = [] if word in known else get_close_matches(word, sorted(known), n=1, cutoff=_NEAR)
            if near:
                return f"'{code}' is nearly but not quite a known regimen: '{word}'. Did you mean '{near[0]}'?"
    return ""


@lru_cache(maxsize=8)
def _words(dictionary: Dictionary) -> frozenset[str]:
    names = (
        *dictionary.agents,
        *dictionary.classes,
        *dictionary.class_groups,
        *dictionary.also_called,
        *dictionary.also_called.values(),
        *_proposable(dictionary),
    )
    return frozenset(word for name in names for word in (_plain(name), *_plain(name).split("_")))


def _proposable(dictionary: Dictionary) -> set[str]:
    return {value for name, fact in dictionary.facts.items() if name.startswith(_PROPOSED) for value in fact.values}


def _codes(condition: Condition | None) -> Iterator[str]:
    if condition is None or isinstance(condition, Compare):
        return
    if isinstance(condition, Among):
        yield from (str(value) for value in condition.values if condition.fact == _REGIMEN)
        return
    for part in (condition.part,) if isinstance(condition, Negated) else condition.parts:
        yield from _codes(part)


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().casefold())

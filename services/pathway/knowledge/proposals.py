"""What somebody proposes, as the facts that guards ask about: a scan with its purpose, or a regimen. Pure.

A slip of the pen must not look like silence of the guideline, so a code that is nearly a known one is refused. A code
that is near nothing is allowed: the guideline may well not know it, and then says nothing about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from services.pathway.conditions import Among, Compare, Condition, Negated
from services.pathway.dictionary import UNKNOWN_CODES, Dictionary, Scalar, quoted
from services.pathway.knowledge.library import Library

_IMAGING, _PURPOSE, _REGIMEN = "proposed_modality", "imaging_purpose", "proposed_regimen"
_TREATMENT = "treatment"
_NOTHING = {"", "none", "null", "nothing", *UNKNOWN_CODES}
_LONGEST = 100
_NEAR = 0.8
_NEAR_WHOLE = 0.9
"""Of several words one may be new, as in a new conjugate: the whole is a slip only if nearly all of it is there."""
_SAYS_NO_DRUG = {"and", "with", "plus", "alone", "monotherapy"}
_DOSE = re.compile(r"\b\d+(\.\d+)?\s*mg\b")


class UnknownCodeError(ValueError):
    """A code that is not in its vocabulary; the message names the nearest that is."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed. `facts` asks the guards; `same_as` are known codes that mean the same, or are what it is.

    `part_of` are the codes of combinations that a single drug without a code of its own belongs to.
    """

    facts: Mapping[str, Scalar]
    code: str
    known: bool
    same_as: tuple[str, ...] = ()
    part_of: tuple[str, ...] = ()
    stated: str = ""

    def variants(self) -> list[dict[str, Scalar]]:
        """The proposal under each of its names."""
        return [{**self.facts, _REGIMEN: code} if _REGIMEN in self.facts else dict(self.facts) for code in self._codes]

    def combined(self, code: str) -> dict[str, Scalar]:
        """The proposal as a part of a combination."""
        return {**self.facts, _REGIMEN: code}

    @property
    def _codes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.code, *self.same_as)))


def read_proposal(library: Library, stated: str, stated_purpose: str) -> Proposal:
    """What a code and a purpose stand for, in any case and joined in any way. Raises UnknownCodeError."""
    words = _vocabulary(library)
    text = _plain(stated)[:_LONGEST]
    if text in _NOTHING:
        some = ", ".join(sorted(words.codes.values(), key=str.casefold)[:3])
        message = f"{quoted(stated)} proposes nothing: name a scan or a regimen, such as {some}."
        raise UnknownCodeError(message)
    purpose = _purpose(library.dictionary, stated_purpose)
    imaging = purpose not in {"", _TREATMENT}
    code = words.code(text)
    fact = words.facts.get(code, _REGIMEN)
    if imaging and fact != _IMAGING:
        raise UnknownCodeError(_unknown(stated, library.dictionary.facts[_IMAGING].values, "imaging modality"))
    if code in words.facts:
        facts = {fact: code, **({_PURPOSE: purpose} if imaging else {})}
        return Proposal(facts, code, known=True, same_as=() if _plain(code) == text else (code,), stated=text)
    parts = words.parts(text)
    if near := words.nearest(text, parts):
        message = f"{quoted(stated)} is a code that no recommendation knows. Did you mean {near!r}?"
        raise UnknownCodeError(message)
    same = tuple(known for known in words.regimens if words.means(parts, words.parts(_plain(known))))
    part_of = words.containing(parts[0]) if len(parts) == 1 and not same else ()
    return Proposal({_REGIMEN: text}, text, known=bool(same), same_as=same, part_of=part_of, stated=text)


def _purpose(dictionary: Dictionary, stated: str) -> str:
    purposes = (*dictionary.facts[_PURPOSE].values, _TREATMENT)
    purpose = _plain(stated)
    if purpose and purpose not in purposes:
        raise UnknownCodeError(_unknown(stated, purposes, "purpose"))
    return purpose


def _unknown(code: str, known: Sequence[str], what: str) -> str:
    folded = {_plain(name): name for name in known}
    near = get_close_matches(_plain(code), list(folded), n=1, cutoff=0.5)
    tip = f"Did you mean {folded[near[0]]!r}?" if near else f"It is one of {', '.join(known)}."
    return f"{quoted(code)} is no {what} of the data dictionary. {tip}"


def _plain(text: str) -> str:
    """One spelling of a code: small letters, words joined by `_`, without doses and the words between two drugs."""
    words = [word for word in re.split(r"[\s_+/&,-]+", _DOSE.sub(" ", text.strip().casefold())) if word]
    return "_".join(word for word in words if word not in _SAYS_NO_DRUG)


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """Every code that a proposal may have, with the fact that it is a value of, and the words that codes consist of."""

    dictionary: Dictionary
    codes: Mapping[str, str]  # by their plain spelling
    facts: Mapping[str, str]
    agents: Mapping[str, str]  # by their plain spelling
    names: frozenset[str]  # of drugs and classes; some consist of two words
    words: frozenset[str]

    @property
    def regimens(self) -> list[str]:
        """The codes of regimens."""
        return [code for code, fact in self.facts.items() if fact == _REGIMEN]

    def code(self, text: str) -> str:
        """The known code that is meant, or the text itself."""
        text = _plain(self.dictionary.also_called.get(text, text))
        return self.codes.get(text, text)

    def parts(self, text: str) -> tuple[str, ...]:
        """The drugs and classes that a code consists of, the longest names first; a word that nobody knows is one."""
        words, found = text.split("_"), []
        while words:
            size = next((n for n in range(len(words), 1, -1) if "_".join(words[:n]) in self.names), 1)
            part = "_".join(words[:size])
            found.append(_plain(self.dictionary.also_called.get(part, part)))
            words = words[size:]
        return tuple(found)

    def means(self, parts: tuple[str, ...], known: tuple[str, ...]) -> bool:
        """Whether every drug proposed is the one that a code names, or of the class that it names, one for one."""
        if len(parts) != len(known):
            return False
        first, *rest = parts
        fitting = [i for i, wanted in enumerate(known) if wanted in self._kinds(first)]
        if not rest:
            return bool(fitting)
        return any(self.means(tuple(rest), (*known[:i], *known[i + 1 :])) for i in fitting)

    def containing(self, part: str) -> tuple[str, ...]:
        """The codes of combinations that a drug, or its class, is a part of."""
        kinds = self._kinds(part)
        return tuple(code for code in self.regimens if not kinds.isdisjoint(self.parts(_plain(code))))

    def nearest(self, text: str, parts: tuple[str, ...]) -> str:
        """The code that was probably meant by one that is nearly it; empty if each word is known, or none is near."""
        if all(part in self.words for part in parts):
            return ""
        whole = get_close_matches(text, list(self.codes), n=1, cutoff=_NEAR if len(parts) == 1 else _NEAR_WHOLE)
        if whole:
            return self.codes[whole[0]]
        near = [part if part in self.words else _nearest_word(part, self.words) for part in parts]
        meant = "_".join(right or part for right, part in zip(near, parts, strict=True))
        return self.code(meant) if meant != "_".join(parts) else ""

    def _kinds(self, part: str) -> frozenset[str]:
        return frozenset({part, *self.dictionary.agents.get(self.agents.get(part, ""), ())})


def _nearest_word(part: str, words: Iterable[str]) -> str:
    return "".join(get_close_matches(part, sorted(words), n=1, cutoff=_NEAR))


@lru_cache(maxsize=8)
def _vocabulary(library: Library) -> _Vocabulary:
    dictionary, rules = library.dictionary, library.guideline.rules
    facts: dict[str, str] = {}
    for name, fact in dictionary.facts.items():
        if name.startswith("proposed_"):
            facts |= {value: name for value in fact.values if value not in _NOTHING}
    named = [value for rule in rules for condition in (rule.condition, rule.forbids) for value in _named(condition)]
    for code in (*named, *(option.code for rule in rules for option in rule.options)):
        if code not in _NOTHING:
            facts.setdefault(code, _REGIMEN)
    codes = {_plain(code): code for code in facts}
    rows = library.appraisals.appraisals if library.appraisals else ()
    agents = {_plain(agent): agent for agent in (*dictionary.agents, *(agent for row in rows for agent in row.agents))}
    classes = (*dictionary.classes, *dictionary.class_groups)
    singles = [word for code in codes for word in code.split("_")]
    names = frozenset((*agents, *map(_plain, classes), *dictionary.also_called))
    return _Vocabulary(dictionary, codes, facts, agents, names, names.union(codes, singles))


def _named(condition: Condition | None) -> list[str]:
    """The regimens that a condition names."""
    if condition is None or isinstance(condition, Compare):
        return []
    if isinstance(condition, Among):
        return [str(value) for value in condition.values if condition.fact == _REGIMEN]
    parts = (condition.part,) if isinstance(condition, Negated) else condition.parts
    return [name for part in parts for name in _named(part)]

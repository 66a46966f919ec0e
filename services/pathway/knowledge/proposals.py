"""What somebody proposes, as the facts that guards ask about: a scan with its purpose, or a regimen. Pure.

A slip of the pen must not look like silence of the guideline, so a code that is nearly a known one is refused. A code
that is near nothing is allowed: the guideline may well not know it, and then says nothing about it. What the guideline
has as a whole is asked as that; anything else is asked by its parts too, so that a drug more lifts no caution.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache

from services.pathway.conditions import Among, Compare, Condition, Negated
from services.pathway.dictionary import UNKNOWN_CODES, Dictionary, Scalar, Therapy
from services.pathway.guideline import Guideline
from services.pathway.knowledge.library import Library
from services.pathway.saying import quoted

_IMAGING, _PURPOSE, _REGIMEN = "proposed_modality", "imaging_purpose", "proposed_regimen"
_TREATMENT = "treatment"
_NOTHING = {"", "none", "null", "nothing", *UNKNOWN_CODES}
_LONGEST = 500
_NEAR = 0.8
_NEAR_WHOLE = 0.9
"""Of several words one may be new, as in a new conjugate: the whole is a slip only if nearly all of it is there."""
_SAYS_NO_DRUG = {
    *("and", "with", "plus", "alone", "only", "monotherapy", "therapy", "treatment", "single", "agent"),
    *("injection", "injections", "tablet", "tablets", "oral", "im", "iv", "sc", "po"),
    *("daily", "weekly", "fortnightly", "monthly", "cycle", "cycles"),
}
_DOSE = re.compile(r"\b\d+(\.\d+)?\s*(mg|g|mcg|ml|units?)\b(\s*/\s*(m2|m²|kg|day|week))?")


class UnknownCodeError(ValueError):
    """A code that is not in its vocabulary; the message names the nearest that is."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed. `facts` asks the guards; `same_as` are known codes that mean the same, or are what it is.

    `part_of` are the codes of combinations that a single drug without a code of its own belongs to, or that `several`
    may be, of which one is a class. `contains` are the
    codes that guards name and that are there with something beside them, each with the fact that it is a value of.
    """

    facts: Mapping[str, Scalar]
    code: str
    known: bool
    same_as: tuple[str, ...] = ()
    part_of: tuple[str, ...] = ()
    stated: str = ""
    contains: Mapping[str, str] = field(default_factory=dict)
    several: bool = False

    def variants(self) -> list[tuple[str, dict[str, Scalar]]]:
        """The proposal under each of its names, then each part that a guard may be about, after its code."""
        codes = tuple(dict.fromkeys((self.code, *self.same_as))) if _REGIMEN in self.facts else ()
        whole = [{**self.facts, _REGIMEN: code} for code in codes] or [dict(self.facts)]
        purpose = {name: value for name, value in self.facts.items() if name == _PURPOSE}
        parts = [(code, {**purpose, fact: code}) for code, fact in self.contains.items()]
        return [*(("", facts) for facts in whole), *parts]

    def combined(self, code: str) -> dict[str, Scalar]:
        """The proposal as a part of a combination."""
        return {**self.facts, _REGIMEN: code}


def read_proposal(library: Library, stated: str, stated_purpose: str) -> Proposal:
    """What a code and a purpose stand for, in any case and joined in any way. Raises UnknownCodeError."""
    rows = library.appraisals.appraisals if library.appraisals else ()
    words = _vocabulary(library.guideline, tuple(agent for row in rows for agent in row.agents))
    text = _plain(stated)[:_LONGEST]
    if text in _NOTHING:
        some = ", ".join(sorted(words.codes.values(), key=str.casefold)[:3])
        message = f"{quoted(stated)} proposes nothing: name a scan or a regimen, such as {some}."
        raise UnknownCodeError(message)
    purpose = _purpose(library.dictionary, stated_purpose)
    imaging = purpose not in {"", _TREATMENT}
    code, parts = words.code(text), words.parts(text)
    if imaging and words.facts.get(code, _REGIMEN) != _IMAGING and not words.are_scans(parts):
        raise UnknownCodeError(_unknown(stated, library.dictionary.facts[_IMAGING].values, "imaging modality"))
    if code in words.facts or words.are_scans(parts):
        found = words.read(text, parts)
        return replace(found, facts={**found.facts, **({_PURPOSE: purpose} if imaging else {})})
    if near := words.nearest(text, parts):
        message = f"{quoted(stated)} is a code that no recommendation knows. Did you mean '{near}'?"
        raise UnknownCodeError(message)
    return words.read(text, parts)


def read_regimen(guideline: Guideline, option: str) -> Proposal:
    """What the code of an option stands for, as a report has it: one that is not known, or nearly, refuses nothing."""
    words, text = _vocabulary(guideline, ()), _plain(option)[:_LONGEST]
    return words.read(text, words.parts(text))


def read_course(guideline: Guideline, course: Therapy) -> Proposal:
    """What a line of treatment stands for, by its drugs and by the classes of those that nobody knows by name."""
    words, text = _vocabulary(guideline, ()), _plain("_".join(course.agents))[:_LONGEST]
    told = guideline.dictionary.classes_of(Therapy(course.setting, agents=course.agents))
    more = tuple(_plain(name) for name in course.classes if name not in told)
    return words.read(text, words.parts(text) if text else (), more)


def names_drugs(guideline: Guideline, option: str) -> bool:
    """Whether each word of an option's code is a drug or a class of drugs."""
    words = _vocabulary(guideline, ())
    return all(part in words.names for part in words.parts(_plain(option)))


def _purpose(dictionary: Dictionary, stated: str) -> str:
    purposes = (*dictionary.facts[_PURPOSE].values, _TREATMENT)
    purpose = _plain(stated)
    if purpose and purpose not in purposes:
        raise UnknownCodeError(_unknown(stated, purposes, "purpose"))
    return purpose


def _unknown(code: str, known: Sequence[str], what: str) -> str:
    folded = {_plain(name): name for name in known}
    near = get_close_matches(_plain(code), list(folded), n=1, cutoff=0.5)
    tip = f"Did you mean '{folded[near[0]]}'?" if near else f"It is one of {', '.join(known)}."
    return f"{quoted(code)} is no {what} of the data dictionary. {tip}"


def _plain(text: str) -> str:
    """One spelling of a code: small letters, words joined by `_`, without doses and the words between two drugs."""
    words = [word for word in re.split(r"[\W_]+", _DOSE.sub(" ", text.strip().casefold())) if word]
    return "_".join(word for word in words if word not in _SAYS_NO_DRUG)


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """Every code that a proposal may have, with the fact that it is a value of, and the words that codes consist of."""

    dictionary: Dictionary
    codes: Mapping[str, str]  # by their plain spelling
    facts: Mapping[str, str]
    agents: Mapping[str, str]  # by their plain spelling
    names: frozenset[str]  # of drugs, classes and scans; some consist of two words
    words: frozenset[str]
    options: frozenset[str]  # the codes that recommendations offer
    guarded: tuple[str, ...]  # the codes that guards name

    @property
    def regimens(self) -> list[str]:
        """The codes of regimens."""
        return [code for code, fact in self.facts.items() if fact == _REGIMEN]

    def read(self, text: str, parts: tuple[str, ...], more: tuple[str, ...] = ()) -> Proposal:
        """What a text stands for, and `more` that was given with it."""
        code, main = self.code(text), self._main(parts)
        same: tuple[str, ...] = () if _plain(code) == text else (code,)
        if code not in self.facts:
            same = tuple(known for known in self.regimens if self.means(main, self.parts(_plain(known))))
            code = text
        known = code in self.facts or bool(same) or self.are_scans(parts)
        whole = {code, *same}
        contains = {} if whole & self.options else self._contained((*parts, *more), whole)
        part_of = () if known or contains else self.containing(main[0]) if len(main) == 1 else self._perhaps(main)
        fact = self.facts.get(code, _IMAGING if self.are_scans(parts) else _REGIMEN)
        return Proposal({fact: code}, code, known, same, part_of, text, contains, several=len(main) > 1)

    def are_scans(self, parts: tuple[str, ...]) -> bool:
        """Whether each part is a scan that the dictionary knows."""
        return bool(parts) and all(self.facts.get(self.codes.get(part, "")) == _IMAGING for part in parts)

    def _main(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """The drugs that make the regimen: what only goes beside others makes none, unless it is given alone."""
        beside = self.dictionary.beside
        return tuple(part for part in parts if self._kinds(part).isdisjoint(beside)) or parts

    def _contained(self, parts: tuple[str, ...], whole: Collection[str]) -> dict[str, str]:
        """The codes that guards name and that are part of it; not those that mean a drug alone."""
        asked = [code for code in self.guarded if code not in whole and code not in self.dictionary.only_alone]
        return {code: self.facts[code] for code in asked if self._holds(parts, self.parts(_plain(code)))}

    def code(self, text: str) -> str:
        """The known code that is meant, or the text itself."""
        text = _plain(self.dictionary.also_called.get(text, text))
        return self.codes.get(text, text)

    def parts(self, text: str) -> tuple[str, ...]:
        """The drugs and classes that a code consists of, the longest names first; a word that nobody knows is one."""
        words = text.split("_")
        found: list[str] = []
        while words:
            size = next((n for n in range(len(words), 1, -1) if "_".join(words[:n]) in self.names), 1)
            part = "_".join(words[:size])
            meant = _plain(self.dictionary.also_called.get(part, part))
            found += (meant,) if meant == part else self.parts(meant)  # one name may stand for two drugs
            words = words[size:]
        return tuple(found)

    def _perhaps(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """The codes that guards name and that it is, if a class given in it is meant as a narrower one."""
        found: list[str] = []
        for code in self.guarded:
            known = self.parts(_plain(code)) if "_" in code else ()
            wider = [(name, wide) for name in known for wide in self._wider(name) if wide in parts]
            narrowed = [tuple(name if part == wide else part for part in parts) for name, wide in wider]
            if any(self._holds(one, known) for one in narrowed):
                found.append(code)
        return tuple(found)

    def _wider(self, name: str) -> set[str]:
        groups = self.dictionary.class_groups.items()
        return {*self.dictionary.implied_classes.get(name, ()), *(group for group, names in groups if name in names)}

    def means(self, parts: tuple[str, ...], known: tuple[str, ...]) -> bool:
        """Whether every drug proposed is the one that a code names, or of the class that it names, one for one."""
        return len(parts) == len(known) and self._holds(parts, known)

    def _holds(self, parts: tuple[str, ...], known: tuple[str, ...]) -> bool:
        """Whether for each drug or class that a code names there is one of its own among those proposed."""
        if not known:
            return True
        wanted, *rest = known
        fitting = [i for i, part in enumerate(parts) if wanted in self._kinds(part)]
        return any(self._holds((*parts[:i], *parts[i + 1 :]), tuple(rest)) for i in fitting)

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
def _vocabulary(guideline: Guideline, more_agents: tuple[str, ...]) -> _Vocabulary:
    dictionary, rules = guideline.dictionary, guideline.rules
    facts: dict[str, str] = {}
    for name, fact in dictionary.facts.items():
        if name.startswith("proposed_"):
            facts |= {value: name for value in fact.values if value not in _NOTHING}
    named = [value for rule in rules for condition in (rule.condition, rule.forbids) for value in _named(condition)]
    options = [option.code for rule in rules for option in rule.options]
    for code in (*named, *options):
        if code not in _NOTHING:
            facts.setdefault(code, _REGIMEN)
    codes = {_plain(code): code for code in facts}
    agents = {_plain(agent): agent for agent in (*dictionary.agents, *more_agents)}
    classes = (*dictionary.classes, *dictionary.class_groups)
    scans = (_plain(code) for code, fact in facts.items() if fact == _IMAGING)
    singles = [word for code in codes for word in code.split("_")]
    names = frozenset((*agents, *map(_plain, classes), *dictionary.also_called, *scans))
    guards = [rule for rule in rules if rule.strength == "guard"]
    forbidden = [value for rule in guards for one in (rule.condition, rule.forbids) for value in _named(one)]
    guarded = tuple(dict.fromkeys(code for code in forbidden if code in facts))
    words = names.union(codes, singles)
    return _Vocabulary(dictionary, codes, facts, agents, names, words, frozenset(options), guarded)


def _named(condition: Condition | None) -> list[str]:
    """The regimens and scans that a condition names."""
    if condition is None or isinstance(condition, Compare):
        return []
    if isinstance(condition, Among):
        return [str(value) for value in condition.values if condition.fact in {_REGIMEN, _IMAGING}]
    parts = (condition.part,) if isinstance(condition, Negated) else condition.parts
    return [name for part in parts for name in _named(part)]

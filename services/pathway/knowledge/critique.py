"""What the guideline has against a proposed order or regimen, and what it offers instead. Pure.

It objects or it does not know: with nothing to object it says "no guidance found", never that something is safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from services.pathway.dictionary import Scalar
from services.pathway.facts import Picture
from services.pathway.guideline import Guideline, Rule
from services.pathway.knowledge.assessment import names_of
from services.pathway.knowledge.factfile import Person
from services.pathway.knowledge.library import Library
from services.pathway.rules import Judgement, guards_broken_in, judge

NO_GUIDANCE = "no guidance found"
_IMAGING, _PURPOSE, _REGIMEN = "proposed_modality", "imaging_purpose", "proposed_regimen"
_TREATMENT = "treatment"


class UnknownCodeError(ValueError):
    """A code that is not in its vocabulary; the message names the nearest that is."""


@dataclass(frozen=True, slots=True)
class Critique:
    """The guards that a proposal breaks, and those that a missing fact leaves open."""

    proposal: Mapping[str, Scalar]
    broken: tuple[Judgement, ...]
    undecided: tuple[Judgement, ...]
    instead: tuple[Rule, ...]
    titles: Mapping[str, str]
    hint: str

    def plain(self) -> dict[str, Any]:
        """As printed with --json."""
        return {
            "proposal": dict(self.proposal),
            "broken": [
                {
                    "number": one.number,
                    "rule_id": one.rule_id,
                    "title": self.titles[one.rule_id],
                    "because": one.because,
                }
                for one in self.broken
            ],
            "undecided": [{"number": one.number, "missing": names_of(one.gaps)} for one in self.undecided],
            "instead": [
                {"number": rule.number, "title": rule.title, "options": [option.label for option in rule.options]}
                for rule in self.instead
            ],
            "said": "objection" if self.broken else NO_GUIDANCE,
        }


def critique(library: Library, person: Person, code: str, purpose: str) -> Critique:
    """Ask every guard about a proposal. Raises UnknownCodeError."""
    guideline = library.guideline
    proposal = proposal_of(guideline, code, purpose)
    asked = guards_broken_in(guideline, person.picture, proposal, undecided=True)
    broken = tuple(judgement for judgement in asked if judgement.truth == "applies")
    undecided = tuple(judgement for judgement in asked if judgement.truth == "cannot_be_decided")
    instead = [rule for judgement in broken for rule in _instead(guideline, judgement, person.picture, code)]
    offered = tuple({rule.rule_id: rule for rule in instead}.values())
    titles = {rule.rule_id: rule.title for rule in guideline.rules}
    return Critique(proposal, broken, undecided, offered, titles, _hint(guideline, proposal))


def proposal_of(guideline: Guideline, code: str, purpose: str) -> dict[str, Scalar]:
    """What is proposed, as facts: imaging with its purpose, or a regimen. Raises UnknownCodeError."""
    facts = guideline.dictionary.facts
    modalities, purposes = facts[_IMAGING].values, facts[_PURPOSE].values
    if purpose and purpose not in {*purposes, _TREATMENT}:
        raise UnknownCodeError(_unknown(purpose, (*purposes, _TREATMENT), "purpose"))
    if code in modalities:
        return {_IMAGING: code, **({_PURPOSE: purpose} if purpose in purposes else {})}
    regimens = facts[_REGIMEN].values
    mistyped = get_close_matches(code, modalities, n=1, cutoff=0.8) and not get_close_matches(
        code, regimens, cutoff=0.8
    )
    if purpose in purposes or (mistyped and purpose != _TREATMENT):
        raise UnknownCodeError(_unknown(code, modalities, "imaging modality"))
    return {_REGIMEN: code}


def _unknown(code: str, known: tuple[str, ...], what: str) -> str:
    near = get_close_matches(code, known, n=1, cutoff=0.5)
    tip = f"Did you mean {near[0]!r}?" if near else f"It is one of {', '.join(known)}."
    return f"{code!r} is no {what} of the data dictionary. {tip}"


def _hint(guideline: Guideline, proposal: Mapping[str, Scalar]) -> str:
    """A regimen may be any code, so a slip of the pen is only pointed out."""
    code = str(proposal.get(_REGIMEN, ""))
    known = {*guideline.dictionary.facts[_REGIMEN].values, *(o.code for rule in guideline.rules for o in rule.options)}
    near = [] if not code or code in known else get_close_matches(code, sorted(known), n=1, cutoff=0.8)
    return f"{code!r} is a code that no recommendation knows. Did you mean {near[0]!r}?" if near else ""


def _instead(guideline: Guideline, broken: Judgement, picture: Picture, code: str) -> list[Rule]:
    """The recommendations that a guard points to, or their options, as far as they apply to this person."""
    guard = guideline.rule(broken.rule_id)
    if guard is None or guard.instead is None:
        return []
    supposed = replace(picture, values={**picture.values, **guard.instead.supposing})
    applying = {judgement.rule_id for judgement in judge(guideline, supposed) if judgement.truth == "applies"}
    found = []
    for rule_id in guard.instead.rules:
        options = [rule for rule in guideline.rules if rule.option_for == rule_id]
        found += options or [rule for rule in guideline.rules if rule.rule_id == rule_id]
    return [rule for rule in found if rule.rule_id in applying and code not in {o.code for o in rule.options[:1]}]

"""What the guideline has against a proposed order or regimen, and what it offers instead. Pure.

It objects or it does not know: with nothing to object it says "no guidance found", and while a missing fact leaves a
guard open it says "cannot be decided". It never says that something is safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.pathway.dictionary import Scalar
from services.pathway.facts import Picture
from services.pathway.guideline import Guideline, Rule
from services.pathway.knowledge.assessment import names_of
from services.pathway.knowledge.factfile import Person
from services.pathway.knowledge.library import Library
from services.pathway.knowledge.proposals import Proposal, UnknownCodeError, read_proposal
from services.pathway.rules import Judgement, guards_broken_in, judge
from services.pathway.saying import quoted

__all__ = ["NO_GUIDANCE", "OPEN", "Critique", "UnknownCodeError", "critique"]

NO_GUIDANCE = "no guidance found"
OPEN = "cannot be decided"


@dataclass(frozen=True, slots=True)
class Critique:
    """The guards that a proposal breaks, and those that a missing fact leaves open.

    `about` has, by rule_id, the part of the proposal that a guard is about, if it is not about the whole.
    """

    proposal: Proposal
    broken: tuple[Judgement, ...]
    undecided: tuple[Judgement, ...]
    instead: tuple[Rule, ...]
    combined: Mapping[str, tuple[str, ...]]
    rules: Mapping[str, Rule]
    about: Mapping[str, str]
    left_out: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """The answer in a word or three."""
        if self.broken:
            return "objection"
        return OPEN if self.undecided else NO_GUIDANCE

    @property
    def note(self) -> str:
        """What somebody should know of the code itself; empty for one that the guideline has."""
        proposal = self.proposal
        if proposal.same_as:
            return f"{quoted(proposal.stated)} is read as {' or '.join(proposal.same_as)}."
        if proposal.part_of:
            joint = "as such; it may be" if proposal.several else "alone; it is part of"
            return f"No recommendation has {quoted(proposal.stated)} {joint} {self._combinations()}."
        unknown = "" if proposal.known else f"{quoted(proposal.stated)} is a code that no recommendation knows."
        asked = [*self.broken, *self.undecided]
        parts = [f"{one.number} is about {self.about[one.rule_id]}" for one in asked if one.rule_id in self.about]
        return " ".join(filter(None, (unknown, f"{', '.join(parts)}, which is a part of it." if parts else "")))

    def _combinations(self) -> str:
        told = {code: ", ".join(numbers) for code, numbers in self.combined.items()}
        return ", ".join(f"{code} (which {told[code]} advises against)" if told[code] else code for code in told)

    def plain(self) -> dict[str, Any]:
        """As printed with --json."""
        return {
            "proposal": dict(self.proposal.facts),
            "broken": [{**self._guard(one), "because": one.because} for one in self.broken],
            "undecided": [
                {"number": one.number, "missing": names_of(one.gaps), **self._part(one)} for one in self.undecided
            ],
            "instead": [
                {"number": rule.number, "title": rule.title, "options": [option.label for option in rule.options]}
                for rule in self.instead
            ],
            "said": self.said,
            "known": self.proposal.known,
            "note": self.note,
            "suggestion": "".join(self.proposal.same_as[:1]),
            "part_of": [{"code": code, "broken": list(numbers)} for code, numbers in self.combined.items()],
            "left_out": list(self.left_out),
            "notes": list(self.notes),
        }

    def _guard(self, one: Judgement) -> dict[str, Any]:
        rule = self.rules[one.rule_id]
        told = {"number": one.number, "rule_id": one.rule_id, "title": rule.title, "verified": rule.verified}
        return {**told, **self._part(one)}

    def _part(self, one: Judgement) -> dict[str, str]:
        return {"part": self.about[one.rule_id]} if one.rule_id in self.about else {}


def critique(library: Library, person: Person, code: str, purpose: str) -> Critique:
    """Ask every guard about a proposal. Raises UnknownCodeError."""
    guideline, proposal = library.guideline, read_proposal(library, code, purpose)
    asked = guards_asked(guideline, person.picture, proposal)
    broken = tuple(one for one, _ in asked if one.truth == "applies")
    undecided = tuple(one for one, _ in asked if one.truth == "cannot_be_decided")
    codes = {proposal.code, *proposal.same_as, *proposal.contains}
    instead = [rule for judgement in broken for rule in _instead(guideline, judgement, person.picture, codes)]
    combined = {code: _barred(guideline, person.picture, proposal.combined(code)) for code in proposal.part_of}
    return Critique(
        proposal=proposal,
        broken=broken,
        undecided=undecided,
        instead=tuple({rule.rule_id: rule for rule in instead}.values()),
        combined=combined,
        rules={rule.rule_id: rule for rule in guideline.rules},
        about={one.rule_id: part for one, part in asked if part},
        left_out=person.later,
        notes=person.notes,
    )


def guards_asked(guideline: Guideline, picture: Picture, proposal: Proposal) -> list[tuple[Judgement, str]]:
    """The guards that a proposal breaks or a missing fact leaves open, each once, with the part that it is about.

    The part is empty where a guard is about the whole. One that is broken goes before one that is open.
    """
    asked: dict[str, tuple[Judgement, str]] = {}
    for part, variant in proposal.variants():
        for one in guards_broken_in(guideline, picture, variant, undecided=True):
            known = asked.get(one.rule_id)
            if known is None or (one.truth == "applies" and known[0].truth != "applies"):
                asked[one.rule_id] = one, part
    return list(asked.values())


def _barred(guideline: Guideline, picture: Picture, proposal: Mapping[str, Scalar]) -> tuple[str, ...]:
    return tuple(one.number for one in guards_broken_in(guideline, picture, proposal))


def _instead(guideline: Guideline, broken: Judgement, picture: Picture, codes: set[str]) -> list[Rule]:
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
    return [rule for rule in found if rule.rule_id in applying and codes.isdisjoint(o.code for o in rule.options[:1])]

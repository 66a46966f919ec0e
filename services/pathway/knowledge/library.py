"""One guideline version with all that is judged beside it: urgent rules and appraisals. Read once, then pure."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from services.pathway.dictionary import Dictionary
from services.pathway.guideline import Guideline, Rule, load_guideline, load_shared
from services.pathway.knowledge.appraisals import Appraisals, load_appraisals
from services.pathway.knowledge.specimens import SPECIMENS
from services.pathway.knowledge.urgent import load_urgent


class UnknownNumberError(ValueError):
    """A recommendation number that the version does not have; the message names the nearest."""


@dataclass(frozen=True, slots=True)
class Library:
    """What one evaluation reads."""

    guideline: Guideline
    urgent: Guideline | None
    appraisals: Appraisals | None

    @property
    def dictionary(self) -> Dictionary:
        """The data dictionary that all of it was read with."""
        return self.guideline.dictionary

    def label(self, name: str) -> str:
        """What people call a fact, by its name in a facts file; of a line or a specimen, which one it is too."""
        base, _, which = name.partition(", ")
        if base == SPECIMENS:
            return f"Specimen {which}"
        fact = self.dictionary.facts.get(base, self.dictionary.facts["prior_therapy"])
        return f"{fact.label} ({which})" if which else fact.label

    def rule(self, number: str) -> Rule:
        """The recommendation or urgent rule with this number. Raises UnknownNumberError."""
        both = (self.guideline, self.urgent) if self.urgent else (self.guideline,)
        for book in both:
            if rule := book.by_number(number):
                return rule
        near = get_close_matches(number, [rule.number for book in both for rule in book.rules], n=1)
        name = f"{self.guideline.guideline_id}@{self.guideline.version}"
        raise UnknownNumberError(f"{name} has no {number}.{f' Did you mean {near[0]}?' if near else ''}")

    def is_urgent(self, rule: Rule) -> bool:
        """Whether the rule is one of the urgent ones."""
        return self.urgent is not None and rule in self.urgent.rules


def open_library(directory: Path, guideline_id: str, version: str) -> Library:
    """Read one version and what is judged beside it. Raises GuidelineError."""
    shared = load_shared(directory)
    guideline = load_guideline(directory, guideline_id, version, shared)
    return Library(guideline, load_urgent(directory, shared), load_appraisals(directory, shared))

"""One guideline version with all that is judged beside it: urgent rules and appraisals. Read once, then pure."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from services.pathway.dictionary import Dictionary
from services.pathway.guideline import Guideline, Rule, load_guideline, load_shared
from services.pathway.knowledge.appraisals import Appraisal, Appraisals, load_appraisals
from services.pathway.knowledge.specimens import SPECIMENS
from services.pathway.knowledge.urgent import load_urgent
from services.pathway.saying import quoted


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

    def named(self, name: str) -> str:
        """What people call a fact, with its name in a facts file: `Germline BRCA (gbrca)`."""
        label = self.label(name)
        return label if " " in name or label.casefold() == name else f"{label} ({name})"

    def rule(self, number: str) -> Rule:
        """The recommendation or urgent rule with this number, in any case. Raises UnknownNumberError."""
        wanted = number.strip().rstrip(".").upper()
        for book in self._books:
            if rule := book.by_number(wanted):
                return rule
        asked = quoted(number).strip("'")
        raise UnknownNumberError(f"{self._name} has no {asked}.{self._hint(wanted)}")

    def section(self, section: str) -> list[Rule]:
        """The recommendations under a section such as 1.7. Raises UnknownNumberError."""
        found = [rule for rule in self.guideline.rules if rule.number.startswith(f"{section}.")]
        if not found:
            others = ", ".join(self._sections())
            message = f"{self._name} has no recommendation under {section}. These have some: {others}."
            raise UnknownNumberError(f"{message}{self._elsewhere()}")
        return found

    def appraisals_called(self, ta: str) -> list[Appraisal]:
        """The rows of an appraisal, such as TA801. Raises UnknownNumberError."""
        rows = self.appraisals.appraisals if self.appraisals else ()
        found = [row for row in rows if row.ta == ta]
        if not found:
            near = get_close_matches(ta, [row.ta for row in rows], n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UnknownNumberError(f"No appraisal {ta} stands in this guideline data.{hint}")
        return found

    @property
    def _books(self) -> tuple[Guideline, ...]:
        return (self.guideline, self.urgent) if self.urgent else (self.guideline,)

    @property
    def _name(self) -> str:
        return f"{self.guideline.guideline_id}@{self.guideline.version}"

    def _sections(self) -> list[str]:
        return list(dict.fromkeys(rule.number.rpartition(".")[0] for rule in self.guideline.rules))

    def _elsewhere(self) -> str:
        told = ", ".join(f"{one.guideline}@{one.version}" for one in self.guideline.delegates_to)
        return f" It leaves some matters to {told}." if told else ""

    def _hint(self, wanted: str) -> str:
        """What was probably meant; of a number that its section does not have, how far the section goes."""
        section = wanted.rpartition(".")[0]
        if any(rule.number.startswith(f"{wanted}.") for rule in self.guideline.rules):
            return f" It is a section: `handrail guideline show {wanted}` lists its recommendations."
        if wanted.startswith("TA") and wanted[2:].strip().isdigit():
            return f" It is an appraisal: `handrail guideline show {wanted}` says which recommendations point to it."
        if wanted[:1].isdigit():
            inside = [rule.number for rule in self.guideline.rules if rule.number.startswith(f"{section}.")]
            if section and inside:
                meant = get_close_matches(wanted, inside, n=1)
                hint = f" Did you mean {meant[0]}?" if meant else ""
                return f"{hint} Section {section} goes from {inside[0]} to {inside[-1]}."
            return f" Its sections are {', '.join(self._sections())}; `handrail guideline show 1.7` lists one."
        near = get_close_matches(wanted, [rule.number for book in self._books for rule in book.rules], n=1)
        return (
            f" Did you mean {near[0]}?"
            if near
            else " Write a number such as 1.7.16, an urgent rule such as U-NS, or show an appraisal such as TA495."
        )

    def is_urgent(self, rule: Rule) -> bool:
        """Whether the rule is one of the urgent ones."""
        return self.urgent is not None and rule in self.urgent.rules


def open_library(directory: Path, guideline_id: str, version: str) -> Library:
    """Read one version and what is judged beside it. Raises GuidelineError."""
    shared = load_shared(directory)
    guideline = load_guideline(directory, guideline_id, version, shared)
    return Library(guideline, load_urgent(directory, shared), load_appraisals(directory, shared))

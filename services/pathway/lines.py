"""What follows from the lines of treatment: counts, whether something was given, how long, how long ago.

Pure. Counting rules: CG81.md section 9. A line is one planned course; its classes are those recorded, those that
follow from its agents, and the groups of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from services.pathway.dictionary import Derivation, LineFilter, Therapy, Value

DAYS_PER_MONTH = 365.25 / 12
UNSETTLED = "a line names a drug that the dictionary does not know, and no class: state its class, or correct the name"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of treatment with all its classes; not `settled` if it may have others: nobody knows its agent."""

    therapy: Therapy
    classes: frozenset[str]
    settled: bool = True

    def passes(self, wanted: LineFilter) -> bool | None:
        """Whether the line is one of those wanted; None if that hangs on what nobody knows of it."""
        therapy = self.therapy
        if wanted.settings and therapy.setting not in wanted.settings:
            return False
        given = (not wanted.classes_any or not self.classes.isdisjoint(wanted.classes_any)) and self.classes.issuperset(
            wanted.classes_all
        )
        months = months_of(therapy)
        answers = (
            True if given else None if not self.settled else False,
            _asked(wanted.stop_reasons, therapy.stop_reason),
            True if wanted.months_at_most is None else None if months is None else months <= wanted.months_at_most,
        )
        return False if False in answers else None if None in answers else True


def _asked(wanted: tuple[str, ...], reason: str) -> bool | None:
    """Whether a line stopped for one of these reasons; None if nobody knows why it stopped."""
    return True if not wanted else reason in wanted if reason else None


def months_of(therapy: Therapy) -> float | None:
    """How many months a line lasted, as stated or from its dates."""
    if therapy.months is not None or therapy.started_on is None or therapy.stopped_on is None:
        return therapy.months
    return (therapy.stopped_on - therapy.started_on).days / DAYS_PER_MONTH


def derive(derivation: Derivation, lines: tuple[Line, ...]) -> tuple[Value | None, str]:
    """What `count`, `had` or `longest` gives for a known history; if nothing, what is missing in it."""
    if derivation.longest is not None:
        if any(line.passes(derivation.longest) is None for line in lines):
            return None, UNSETTLED
        months = [months_of(line.therapy) for line in lines if line.passes(derivation.longest)]
        known = [length for length in months if length is not None]
        return (
            (None, "the length of a line is not recorded") if len(known) < len(months) else (max(known, default=0), "")
        )
    wanted = derivation.count or derivation.had or LineFilter()
    passed = [line.passes(wanted) for line in lines]
    sure = passed.count(True)
    if derivation.had is not None and sure:
        return True, ""
    if None in passed:
        return None, _lacking([line for line, one in zip(lines, passed, strict=True) if one is None], wanted)
    return (sure if derivation.count is not None else sure > 0), ""


def _lacking(undecided: Iterable[Line], wanted: LineFilter) -> str:
    for line in undecided:
        if not line.settled:
            return UNSETTLED
        if wanted.stop_reasons and not line.therapy.stop_reason:
            return "why a line stopped is not recorded"
    return "the length of a line is not recorded"


def latest(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines that go on, else the one that ended last: by date, then by place in the list."""
    ongoing = tuple(line for line in lines if line.therapy.stop_reason == "ongoing")
    if ongoing or not lines:
        return ongoing
    dated = [line for line in lines if line.therapy.stopped_on]
    if len(dated) == len(lines):
        return (max(dated, key=lambda line: line.therapy.stopped_on or date.min),)
    return (lines[-1],)


def interval(wanted: LineFilter, lines: tuple[Line, ...], relapse_on: date | None) -> tuple[Value | None, str]:
    """Months from the end of the last such line to the relapse; 0 if it went on until then."""
    if any(line.passes(wanted) is None for line in lines):
        return None, UNSETTLED
    found = [line.therapy for line in lines if line.passes(wanted)]
    if not found:
        return None, "no such line of treatment is recorded"
    if any(therapy.stop_reason in {"progression", "ongoing"} for therapy in found):
        return 0, ""
    ends = [therapy.stopped_on for therapy in found]
    if None in ends:
        return None, "when the line ended is not recorded"
    if relapse_on is None:
        return None, "when the relapse was found is not recorded"
    last = max(end for end in ends if end is not None)
    return max(0.0, (relapse_on - last).days / DAYS_PER_MONTH), ""

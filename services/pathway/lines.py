"""What follows from the lines of treatment: counts, whether something was given, how long, how long ago.

Pure. Counting rules: CG81.md section 9. A line is one planned course; its classes are those recorded, those that
follow from its agents, and the groups of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from math import inf

from services.pathway.dictionary import Derivation, Dictionary, LineFilter, Therapy, Value

DAYS_PER_MONTH = 365.25 / 12
BEFORE = "what was given before the lines that were started here is not recorded"
UNSETTLED = "a line names a drug that the dictionary does not know, and no class: state its class, or correct the name"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of treatment with all its classes and its drugs by the dictionary's names.

    It is not `settled` if it may have other classes: nobody knows its agent. `named`: every drug of it is known.
    """

    therapy: Therapy
    classes: frozenset[str]
    settled: bool = True
    agents: frozenset[str] = frozenset()
    named: bool = False

    @classmethod
    def read(cls, therapy: Therapy, dictionary: Dictionary) -> Line:
        """A line as it was recorded, with what the dictionary knows of its drugs."""
        agents = frozenset(dictionary.agent(name) for name in therapy.agents)
        named = bool(agents) and agents <= dictionary.agents.keys()
        return cls(therapy, dictionary.classes_of(therapy), dictionary.knows_classes_of(therapy), agents, named)

    def passes(self, wanted: LineFilter) -> bool | None:
        """Whether the line is one of those wanted; None if that hangs on what nobody knows of it."""
        therapy = self.therapy
        if wanted.settings and therapy.setting not in wanted.settings:
            return False
        given = (not wanted.classes_any or not self.classes.isdisjoint(wanted.classes_any)) and self.classes.issuperset(
            wanted.classes_all
        )
        months = months_of(therapy)
        least, most = wanted.months_at_least, wanted.months_at_most
        answers = (
            True if given else None if not self.settled else False,
            self._has(wanted.agents_any),
            _asked(wanted.stop_reasons, therapy.stop_reason),
            True if most is None else None if months is None else months <= most,
            True if least is None else None if months is None else months >= least,
            *(None if (out := self.passes(other)) is None else not out for other in wanted.but_not),
        )
        return False if False in answers else None if None in answers else True

    def _has(self, wanted: tuple[str, ...]) -> bool | None:
        """Whether one of these drugs was given; None if a drug of the line is not known by name."""
        return True if not wanted or not self.agents.isdisjoint(wanted) else False if self.named else None


def _asked(wanted: tuple[str, ...], reason: str) -> bool | None:
    """Whether a line stopped for one of these reasons; None if nobody knows why it stopped."""
    return True if not wanted else reason in wanted if reason else None


def months_of(therapy: Therapy) -> float | None:
    """How many months a line lasted, as stated or from its dates."""
    if therapy.months is not None or therapy.started_on is None or therapy.stopped_on is None:
        return therapy.months
    return (therapy.stopped_on - therapy.started_on).days / DAYS_PER_MONTH


@dataclass(frozen=True, slots=True)
class Counted:
    """What follows from lines: a value, or what is missing for it, and between which two numbers it must lie."""

    value: Value | None = None
    lacking: str = ""
    span: tuple[float, float] | None = None


def derive(derivation: Derivation, lines: tuple[Line, ...], *, whole: bool = True) -> Counted:
    """What `count`, `had` or `longest` gives for a known history; a line that nobody knows enough of leaves a span.

    `whole`: these are all lines; else more may have been given before, and what is counted is at least this.
    """
    wanted = derivation.longest or derivation.count or derivation.had or LineFilter()
    passed = [line.passes(wanted) for line in lines]
    sure, maybe = (tuple(line for line, one in zip(lines, passed, strict=True) if one is way) for way in (True, None))
    if derivation.longest is not None:
        return _longest(sure, maybe) if whole else _or_longer(_longest(sure, maybe))
    if derivation.had is not None and sure:
        return Counted(value=True)
    if not whole:
        return Counted(lacking=BEFORE, span=(len(sure), inf) if derivation.count is not None else None)
    if maybe:
        span = (len(sure), len(sure) + len(maybe)) if derivation.count is not None else None
        return Counted(lacking=_lacking(maybe, wanted), span=span)
    return Counted(len(sure) if derivation.count is not None else False)


def _longest(sure: Iterable[Line], maybe: tuple[Line, ...]) -> Counted:
    """The months of the longest; one that is longer than any other can be is that, whatever is not known of those."""
    certain = [months_of(line.therapy) for line in sure]
    lengths = [*certain, *(months_of(line.therapy) for line in maybe)]
    least = max((length for length in certain if length is not None), default=0)
    most = max((inf if length is None else length for length in lengths), default=0)
    if least == most:
        return Counted(least)
    return Counted(lacking=UNSETTLED if maybe else "the length of a line is not recorded", span=(least, most))


def _or_longer(known: Counted) -> Counted:
    least = known.span[0] if known.span else known.value
    return Counted(lacking=BEFORE, span=(float(least) if isinstance(least, int | float) else 0, inf))


def _lacking(undecided: Iterable[Line], wanted: LineFilter) -> str:
    for line in undecided:
        if not line.settled:
            return UNSETTLED
        if any(one.agents_any for one in (wanted, *wanted.but_not)) and not line.named:
            return "which drug a line was is not recorded"
        if any(one.stop_reasons for one in (wanted, *wanted.but_not)) and not line.therapy.stop_reason:
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


def interval(wanted: LineFilter, lines: tuple[Line, ...], relapse_on: date | None) -> Counted:
    """Months from the end of the last such line to the relapse; 0 if it went on until then.

    Another such line could only have ended later, so what is known of one bounds the interval from above.
    """
    passed = [line.passes(wanted) for line in lines]
    found = [line.therapy for line, one in zip(lines, passed, strict=True) if one]
    if any(therapy.stop_reason in {"progression", "ongoing"} for therapy in found):
        return Counted(0)
    unsettled = None in passed
    if not found:
        return Counted(lacking=UNSETTLED if unsettled else "no such line of treatment is recorded")
    known = [end for end in (therapy.stopped_on for therapy in found) if end is not None]
    if relapse_on is None or not known:
        what = "when the relapse was found" if known else "when the line ended"
        return Counted(lacking=UNSETTLED if unsettled else f"{what} is not recorded")
    months = max(0.0, (relapse_on - max(known)).days / DAYS_PER_MONTH)
    if unsettled or len(known) < len(found):
        return Counted(lacking=UNSETTLED if unsettled else "when the line ended is not recorded", span=(0, months))
    return Counted(months)

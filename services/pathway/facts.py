"""What is known of one person at one instant: the latest of each fact, staleness, specimens, derived facts.

Pure. The input is every fact of one person that has not been superseded; the caller leaves out what was not
yet known at `as_of` if it asks about the past. Counting rules: CG81.md section 9; specimens: section 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from services.pathway.conditions import at_least, at_most
from services.pathway.dictionary import (
    Derivation,
    Dictionary,
    FactDef,
    LineFilter,
    Therapy,
    Value,
)
from services.pathway.doses import Treatment, by_doses, from_doses
from services.pathway.due_dates import london_date
from services.pathway.held import Fact, Gap, Held, age_of, is_unknown, same, span_text, value_text
from services.pathway.lines import Counted, Line, derive, interval
from services.pathway.tables import disagreement, from_table, reconciled

__all__ = ["Fact", "Gap", "Held", "Picture", "Therapy", "Value", "current", "is_unknown", "value_text"]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything known of one person: `held` with provenance, `values` to judge, `history` oldest first.

    `known` has the names that are known, `prior_therapy` among them once its history is settled. Of a number that is
    known in part, `values` has between which two it lies (`conditions.at_least`, `at_most`).
    """

    as_of: datetime
    held: Mapping[str, Held]
    values: Mapping[str, Value]
    history: Mapping[str, Sequence[Fact]]
    known: frozenset[str]

    def known_of(self, name: str) -> Value | None:
        """The value of a name, or in words between which two numbers it lies; None if neither is known."""
        value = self.values.get(name)
        held = self.held.get(name) if value is None else None
        return span_text(held.span) if held and held.span else value

    def bases(self, name: str) -> tuple[str, ...]:
        """The names of its gaps, without the cost of them."""
        held = self.held.get(name)
        return tuple([gap.name for gap in held.gaps]) if held and held.gaps else (name,)

    def gaps(self, name: str) -> tuple[Gap, ...]:
        """What would have to be stated for this name to be known."""
        held = self.held.get(name)
        if held is None:
            return (Gap(name, "never_recorded"),)
        return held.gaps or (Gap(name, "left_open", f"recorded as {held.value}, which leaves it open"),)

    def unknown_of(self, names: Iterable[str]) -> dict[str, tuple[Gap, ...]]:
        """Of these names those that are not known, each with what would have to be stated."""
        return {name: self.gaps(name) for name in names if name not in self.known}


def current(facts: Iterable[Fact], dictionary: Dictionary, as_of: datetime) -> Picture:
    """Settle every name: latest by `occurred_at`, then `seq`; disagreement and staleness become unknown."""
    history: dict[str, list[Fact]] = {}
    for fact in sorted(facts, key=age_of):
        history.setdefault(fact.name, []).append(fact)
    held: dict[str, Held] = {}
    for name, reports in history.items():
        definition = dictionary.facts.get(name)
        if definition is None or definition.type == "therapy":
            continue
        entry = _settle_specimens(definition, reports) if definition.per_specimen else _settle(definition, reports)
        if definition.stale_after_days is not None:
            entry = _aged(entry, definition.stale_after_days, as_of)
        held[name] = entry
    lines = _Lines.read(dictionary, history, held)
    _settle_from_lines(dictionary, lines, held, as_of)
    for definition, inputs in _table_facts(dictionary):
        if history.keys().isdisjoint(inputs):
            derived = Held(definition.name, gaps=(Gap(inputs[0], "never_recorded"),))
        else:
            derived = from_table(definition, dictionary, history, held)
        held[definition.name] = reconciled(derived, held.get(definition.name), definition, dictionary, history)
    for definition, findings in _finding_facts(dictionary):
        if implied := _implied_by_findings(definition, findings, held):
            held[definition.name] = implied
    stated = {name: value for name, entry in held.items() if (value := entry.value) is not None}
    values = _presumed(dictionary) | stated
    known = frozenset(values) | ({"prior_therapy"} if lines.known and lines.whole else set())
    return Picture(as_of, held, values | _spans(held), history, known)


def _spans(held: Mapping[str, Held]) -> dict[str, Value]:
    """Between which two numbers those lie that are known in part."""
    spans = {name: entry.span for name, entry in held.items() if entry.span is not None and entry.value is None}
    least: dict[str, Value] = {at_least(name): span[0] for name, span in spans.items()}
    return least | {at_most(name): span[1] for name, span in spans.items()}


def _settle_from_lines(dictionary: Dictionary, lines: _Lines, held: dict[str, Held], as_of: datetime) -> None:
    days, recent = from_doses(dictionary, lines.treatment, held, as_of)
    held.update(days)
    counted = _derived_from_lines(dictionary, lines) | _intervals(dictionary, lines, held, as_of) | recent
    for name, derived in counted.items():
        held[name] = _reconciled(derived, held.get(name), dictionary.facts[name])


_LONG_AGO = (datetime.min.replace(tzinfo=UTC), 0)


def _settle(definition: FactDef, reports: Sequence[Fact]) -> Held:
    """The latest report of a fact that belongs to the person."""
    last = reports[-1]
    if is_unknown(last.value):
        return Held(
            definition.name,
            gaps=(Gap(definition.name, "stated_unknown", "last stated as unknown"),),
            last=last,
        )
    return Held(definition.name, last.value, (last.fact_id,), last)


def _settle_specimens(definition: FactDef, reports: Sequence[Fact]) -> Held:
    """Specimens must agree; a statement for the person governs unless a newer specimen disagrees with it."""
    if len(reports) == 1:
        return _settle(definition, reports)
    by_subject = {fact.subject: fact for fact in reports}
    stated = by_subject.pop("", None)
    specimens = [fact for fact in by_subject.values() if not is_unknown(fact.value)]
    if stated is not None and not is_unknown(stated.value):
        newer = [fact for fact in specimens if age_of(fact) > age_of(stated) and fact.value != stated.value]
        if not newer:
            return Held(definition.name, stated.value, (stated.fact_id,), last=stated)
        specimens.append(stated)
    if not specimens:
        return _settle(definition, reports)
    if len({fact.value for fact in specimens}) > 1:
        return Held(definition.name, gaps=(disagreement(definition.name, definition),), last=reports[-1])
    ids = tuple(fact.fact_id for fact in specimens)
    return Held(definition.name, specimens[-1].value, ids, last=specimens[-1])


def _aged(entry: Held, days: int, as_of: datetime) -> Held:
    if entry.last is None or entry.value is None:
        return entry
    stale_at = entry.last.occurred_at.astimezone(UTC) + timedelta(days=days)
    if stale_at > as_of:
        entry.stale_at = stale_at
        return entry
    gap = Gap(entry.name, "stale", f"the last value, {entry.value}, is more than {days} days old")
    return Held(entry.name, gaps=(gap,), last=entry.last, stale_at=stale_at)


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of treatment, each with all its classes. `known` is False if no history is recorded.

    `whole` is False if all that is recorded is what was started here: what was given before is another question.
    """

    lines: tuple[Line, ...]
    fact_ids: tuple[str, ...]
    known: bool
    gap: Gap
    stated_on: tuple[date, ...] = ()
    whole: bool = True

    @property
    def treatment(self) -> Treatment | None:
        """The lines with the day on which each was stated; None if nobody knows what was given."""
        return Treatment(self.lines, self.stated_on, self.fact_ids) if self.known else None

    @classmethod
    def read(cls, dictionary: Dictionary, history: Mapping[str, Sequence[Fact]], held: Mapping[str, Held]) -> _Lines:
        """The newest report of each line; `prior_therapies_none` makes an empty history a known one."""
        latest = {fact.subject or fact.fact_id: fact for fact in history.get("prior_therapy", ())}
        reported = [fact for fact in latest.values() if isinstance(fact.value, Therapy)]
        none = held.get("prior_therapies_none", Held("prior_therapies_none"))
        gap = Gap("prior_therapy", "never_recorded")
        if none.value is True and none.last is not None:
            ids = (*none.fact_ids, *(fact.fact_id for fact in reported))
            earlier = [fact for fact in reported if not _begun_here(fact)]
            if any(age_of(fact) < age_of(none.last) for fact in earlier):
                note = "a line of treatment is recorded, and a later report says that there was none"
                return cls((), ids, known=False, gap=Gap("prior_therapy", "disagree", note))
        else:
            ids = tuple(fact.fact_id for fact in reported)
        therapies = [fact.value for fact in reported if isinstance(fact.value, Therapy)]
        lines = tuple(Line.read(therapy, dictionary) for therapy in therapies)
        stated_on = tuple(london_date(fact.occurred_at) for fact in reported)
        whole = none.value is True or not all(therapy.begun_here for therapy in therapies)
        return cls(lines, ids, known=bool(ids), gap=gap, stated_on=stated_on, whole=whole)


def _begun_here(fact: Fact) -> bool:
    return isinstance(fact.value, Therapy) and fact.value.begun_here


@lru_cache(maxsize=16)
def _table_facts(dictionary: Dictionary) -> tuple[tuple[FactDef, tuple[str, ...]], ...]:
    """Facts that follow from a table, each with the facts that it reads."""
    derived = ((fact, fact.derived) for fact in dictionary.facts.values() if fact.derived)
    return tuple((fact, how.inputs) for fact, how in derived if how.table)


@lru_cache(maxsize=16)
def _line_facts(dictionary: Dictionary) -> tuple[tuple[FactDef, Derivation], ...]:
    """Facts counted from lines; those that need the date of the relapse as well come apart, in `_intervals`."""
    derived = ((fact, fact.derived) for fact in dictionary.facts.values() if fact.derived and fact.derived.lines)
    return tuple((fact, how) for fact, how in derived if how.interval is None and not by_doses(how))


@lru_cache(maxsize=16)
def _interval_facts(dictionary: Dictionary) -> tuple[tuple[FactDef, LineFilter], ...]:
    derived = ((fact, fact.derived.interval) for fact in dictionary.facts.values() if fact.derived)
    return tuple((fact, wanted) for fact, wanted in derived if wanted is not None)


@lru_cache(maxsize=16)
def _finding_facts(dictionary: Dictionary) -> tuple[tuple[FactDef, tuple[str, ...]], ...]:
    derived = ((fact, fact.derived.findings) for fact in dictionary.facts.values() if fact.derived)
    return tuple((fact, findings) for fact, findings in derived if findings)


@lru_cache(maxsize=16)
def _presumed(dictionary: Dictionary) -> dict[str, Value]:
    return {name: fact.presumed for name, fact in dictionary.facts.items() if fact.presumed is not None}


@lru_cache(maxsize=1024)
def _derived_from_lines(dictionary: Dictionary, lines: _Lines) -> dict[str, Held]:
    """Every fact that is counted from the lines of treatment; callers must not change the mapping."""
    return {fact.name: _derive_from_lines(fact, how, lines) for fact, how in _line_facts(dictionary)}


def _derive_from_lines(definition: FactDef, derivation: Derivation, lines: _Lines) -> Held:
    if not lines.known:
        return Held(definition.name, gaps=(lines.gap,))
    return _from_lines(definition.name, derive(derivation, lines.lines, whole=lines.whole), lines.fact_ids)


def _from_lines(name: str, counted: Counted, fact_ids: tuple[str, ...]) -> Held:
    open_ = (Gap("prior_therapy", "left_open", counted.lacking),) if counted.value is None else ()
    ids = fact_ids if counted.value is not None or counted.span else ()
    return Held(name, counted.value, ids, note=_COUNTED if ids else "", gaps=open_, span=counted.span)


_COUNTED = "counted from the lines of treatment"
_SHORT_MONTHS = 6.0  # the shortest limit that an appraisal sets


def _intervals(dictionary: Dictionary, lines: _Lines, held: Mapping[str, Held], as_of: datetime) -> dict[str, Held]:
    """Months from the end of a line to the relapse, which is dated by the report of `recurrence`.

    A relapse that is only known to be so now came some time before: that proves a short interval, never a long one.
    """
    relapse = held.get("recurrence", Held("recurrence"))
    on = london_date(relapse.last.occurred_at) if relapse.value is True and relapse.last else None
    found = {}
    for fact, wanted in _interval_facts(dictionary) if lines.known else ():
        counted = interval(wanted, lines.lines, on)
        undated = relapse.last is not None and relapse.last.occurred_at == as_of
        if undated and isinstance(counted.value, float) and counted.value > _SHORT_MONTHS:
            counted = Counted(lacking="when the relapse was found is not recorded", span=(0, counted.value))
        found[fact.name] = _from_lines(fact.name, counted, (*lines.fact_ids, *relapse.fact_ids))
    return found


def _implied_by_findings(definition: FactDef, findings: tuple[str, ...], held: Mapping[str, Held]) -> Held | None:
    """A suspicion as its findings imply it; one that was stated stands if no finding is there."""
    stated = held.get(definition.name)
    present = [held[name] for name in findings if name in held and held[name].value is True]
    present.sort(key=lambda entry: age_of(entry.last) if entry.last else _LONG_AGO)
    ids = tuple(fact_id for entry in present for fact_id in entry.fact_ids)
    if present:
        implied = Held(definition.name, value=True, fact_ids=ids, last=present[-1].last)
        if stated is not None and stated.value is False:
            note = f"{definition.label} was stated as no, but a finding implies it"
            return Held(definition.name, gaps=(Gap(definition.name, "disagree", note),), last=stated.last)
        return implied
    if stated is not None or not all(name in held and held[name].value is False for name in findings):
        return stated
    ids = tuple(fact_id for name in findings for fact_id in held[name].fact_ids)
    return Held(definition.name, value=False, fact_ids=ids, note="none of its findings is there")


def _reconciled(derived: Held, stated: Held | None, definition: FactDef) -> Held:
    """A derived fact may be stated; if statement and derivation disagree, neither is believed."""
    if stated is None or stated.value is None:
        return stated if stated is not None and any(gap.why == "disagree" for gap in stated.gaps) else derived
    if derived.value is None:
        if derived.span is None or _within(stated.value, derived.span):
            return stated
        return _contradicted(definition, stated, span_text(derived.span))
    if same(derived.value, stated.value):
        return replace(derived, fact_ids=tuple(dict.fromkeys((*stated.fact_ids, *derived.fact_ids))), last=stated.last)
    return _contradicted(definition, stated, str(derived.value))


def _contradicted(definition: FactDef, stated: Held, follows: str) -> Held:
    base = definition.derived.inputs[0] if definition.derived else definition.name
    note = f"{definition.label} was stated as {stated.value}, but follows as {follows} from other facts"
    return Held(definition.name, gaps=(Gap(base, "disagree", note),), last=stated.last)


def _within(value: Value, span: tuple[float, float]) -> bool:
    return isinstance(value, int | float) and span[0] <= value <= span[1]

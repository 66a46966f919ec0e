"""What follows from other facts by a table of the dictionary, specimen by specimen. Pure.

Specimens may disagree: then what was stated for the person, the MDT's word, governs unless a specimen is newer. Only a
specimen (or the person, of whom no specimen is named) that contradicts itself is a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from services.pathway.dictionary import Derivation, Dictionary, FactDef, TableRow, Value
from services.pathway.held import Fact, Gap, Held, age_of, is_unknown, same, value_text

_History = Mapping[str, Sequence[Fact]]


def disagreement(name: str, definition: FactDef) -> Gap:
    """Specimens disagree, and nobody has said yet which governs."""
    return Gap(name, "disagree", f"specimens disagree on {definition.label}: the MDT states which governs")


def from_table(definition: FactDef, dictionary: Dictionary, history: _History, held: Mapping[str, Held]) -> Held:
    """Each specimen is judged alone; then they must agree, or the MDT's statement of the inputs governs."""
    inputs = definition.derived.inputs if definition.derived else ()
    reports = [fact for name in inputs for fact in history.get(name, ())]
    subjects = dict.fromkeys(fact.subject for fact in reports if fact.subject and definition.per_specimen)
    settled = {name: held[name] for name in inputs if name in held}
    governed = settled.get(inputs[0], Held(inputs[0]))
    stated_for_person = governed.value is not None and governed.last is not None and not governed.last.subject
    standing = [one for one in subjects if not _overruled(definition, one, dictionary, history, held)]
    if stated_for_person or (len(subjects) <= 1 and len(standing) == len(subjects)):
        return _apply_table(definition, dictionary, settled)
    results = [
        _apply_table(definition, dictionary, _of_specimen(inputs, reports, {one, ""})) for one in standing or [""]
    ]
    open_gaps = tuple(dict.fromkeys(gap for result in results for gap in result.gaps))
    newest = max(reports, key=age_of)
    if open_gaps:
        return Held(definition.name, gaps=open_gaps, last=newest)
    if len({result.value for result in results}) > 1:
        return Held(definition.name, gaps=(disagreement(inputs[0], definition),), last=newest)
    ids = tuple(dict.fromkeys(fact_id for result in results for fact_id in result.fact_ids))
    return replace(results[-1], fact_ids=ids)


def reconciled(
    derived: Held, stated: Held | None, definition: FactDef, dictionary: Dictionary, history: _History
) -> Held:
    """A fact of a table may be stated; what disagrees within one specimen is believed in neither way."""
    if stated is None:
        return derived
    reports = [fact for name in (definition.derived or Derivation()).inputs for fact in history.get(name, ())]
    if wrong := _contradiction(definition, dictionary, history.get(definition.name, ()), reports):
        return Held(definition.name, gaps=(wrong,), last=stated.last)
    if stated.value is None or stated.last is None:
        # what one specimen's tests say settles nothing while another's is stated otherwise
        return stated if any(gap.why == "disagree" for gap in stated.gaps) else derived
    if derived.value is None:
        return derived if _outdated(stated.last, derived) else stated
    if same(derived.value, stated.value):
        return replace(derived, fact_ids=tuple(dict.fromkeys((*stated.fact_ids, *derived.fact_ids))), last=stated.last)
    return _governing(derived, stated, stated.last, definition, reports)


def _governing(derived: Held, stated: Held, last: Fact, definition: FactDef, reports: Sequence[Fact]) -> Held:
    """Which of the two is the person's, unless what a specimen showed is newer."""
    rests_on = [fact for fact in reports if fact.fact_id in derived.fact_ids]
    newest = max(rests_on, key=age_of)
    if not last.subject and age_of(last) >= age_of(newest):
        return stated
    if last.subject and not any(fact.subject for fact in rests_on) and age_of(newest) >= age_of(last):
        return derived
    base = reports[0].name
    return Held(definition.name, gaps=(disagreement(base, definition),), last=max((last, newest), key=age_of))


def _contradiction(
    definition: FactDef, dictionary: Dictionary, stated: Iterable[Fact], reports: Sequence[Fact]
) -> Gap | None:
    """What one specimen is stated to be, and follows as otherwise from its own results."""
    newest = {fact.subject: fact for fact in stated}
    inputs = definition.derived.inputs if definition.derived else ()
    for subject, fact in newest.items():
        value = _apply_table(definition, dictionary, _of_specimen(inputs, reports, {subject})).value
        if value is not None and not is_unknown(fact.value) and not same(value, fact.value):
            told = f"{definition.label} was stated as {value_text(fact.value)}, but follows as {value_text(value)}"
            return Gap(inputs[0], "disagree", f"{told} from other facts")
    return None


def _overruled(
    definition: FactDef, subject: str, dictionary: Dictionary, history: _History, held: Mapping[str, Held]
) -> bool:
    """Whether the MDT's word on an input that the table reads is another than this specimen's own tests give."""
    rows = definition.derived.table if definition.derived else ()
    for fact in (dictionary.facts[name] for name in {name for row in rows for name in row.when}):
        entry = held.get(fact.name, Held(fact.name))
        if fact.derived is None or entry.value is None or entry.last is None or entry.last.subject:
            continue
        inputs = fact.derived.inputs
        own = [report for name in inputs for report in history.get(name, ())]
        value = _apply_table(fact, dictionary, _of_specimen(inputs, own, {subject})).value
        read = any(row.when.get(fact.name) == entry.value for row in rows)
        if read and value is not None and not same(value, entry.value):
            return True
    return False


def _of_specimen(inputs: Sequence[str], reports: Sequence[Fact], subjects: set[str]) -> dict[str, Held]:
    """The inputs as reported for one specimen, else (the empty subject) as reported for none."""
    found: dict[str, Held] = {}
    for name in inputs:
        own = [fact for fact in reports if fact.name == name and fact.subject in subjects]
        own.sort(key=lambda fact: (bool(fact.subject), *age_of(fact)))
        if own and not is_unknown(own[-1].value):
            found[name] = Held(name, own[-1].value, (own[-1].fact_id,), last=own[-1])
    return found


def _apply_table(definition: FactDef, dictionary: Dictionary, known: Mapping[str, Held]) -> Held:
    derivation = definition.derived or Derivation()
    values = {name: entry.value for name, entry in known.items() if entry.value is not None}
    for row in derivation.table:
        if row.when.items() <= values.items():
            ids = tuple(fact_id for name in row.when for fact_id in known[name].fact_ids)
            return Held(definition.name, row.value, ids, note=_listed(row.when, dictionary))
    possible = [row for row in derivation.table if not _contradicted(row, values)]
    for name in derivation.inputs:
        entry = known.get(name, Held(name))
        if entry.value is None and any(name in row.when for row in possible):
            others = _listed(values, dictionary)
            note = f"{others} alone does not settle {definition.label}" if others else ""
            return Held(definition.name, gaps=entry.gaps or (Gap(name, "never_recorded", note),))
    gap = Gap(derivation.inputs[0], "left_open", f"the results do not settle {definition.label}: the MDT states it")
    return Held(definition.name, gaps=(gap,))


def _listed(values: Mapping[str, Value], dictionary: Dictionary) -> str:
    return ", ".join(f"{dictionary.facts[name].label} {value_text(value)}" for name, value in values.items())


def _contradicted(row: TableRow, values: Mapping[str, Value]) -> bool:
    return any(values.get(name, value) != value for name, value in row.when.items())


def _outdated(last: Fact, derived: Held) -> bool:
    """Whether specimens disagree, and the statement is of one specimen, or older than the newest."""
    if not any(gap.why == "disagree" for gap in derived.gaps):
        return False
    return bool(last.subject) or (derived.last is not None and age_of(derived.last) > age_of(last))

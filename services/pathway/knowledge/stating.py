"""How somebody could state facts so that a name gets a value: directly, or by what it follows from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.pathway.dictionary import Derivation, Dictionary, DoseFilter, LineFilter, Scalar, Therapy
from services.pathway.knowledge.factfile import lines_of
from services.pathway.knowledge.stated_lines import LINES
from services.pathway.lines import Line

_LATER = 12
"""Months that an invented line lasts where only its being long enough matters."""


def statements(
    dictionary: Dictionary, written: Mapping[str, Any], name: str, value: Scalar
) -> Iterator[dict[str, Any]]:
    """Mappings for a facts file, the most natural first; which of them works out is for the caller to try."""
    derived = dictionary.facts[name].derived
    stated = written.get(name) is not None
    lines = lines_of(written) if derived and derived.lines else None
    if derived is None or stated or (derived.lines and lines is None):
        yield {name: value}
    if derived is None:
        return
    if derived.findings:
        if value is False:
            yield {name: False} | {finding: False for finding in derived.findings if finding in written}
        yield {name: value}
    for row in derived.table:
        if row.value == value:
            yield dict(row.when) | ({name: value} if stated else {})
    if derived.within is not None:
        yield from _recency(dictionary, written, derived.within, value)
    elif derived.lines is not None and not derived.last_dose:
        yield from ({LINES: history} for history in _histories(dictionary, lines or [], derived, value))
    if derived.lines is not None:
        yield {name: value}


def _recency(
    dictionary: Dictionary, written: Mapping[str, Any], wanted: DoseFilter, value: Scalar
) -> Iterator[dict[str, Any]]:
    """So many days since the last treatment; for a yes, also with such a line that goes on."""
    if value is not True:
        yield {wanted.days: wanted.at_most + 1}
        yield {LINES: [], wanted.days: None}
        return
    yield {wanted.days: wanted.at_most}
    lines = [as_written(line) for line in lines_of(written) or ()]
    for line in _invented(dictionary, LineFilter(classes_any=wanted.classes_any)):
        yield {LINES: [*lines, {**line, "stop_reason": "ongoing"}], wanted.days: wanted.at_most}


def _histories(
    dictionary: Dictionary, lines: list[Therapy], derived: Derivation, value: Scalar
) -> Iterator[list[dict[str, Any]]]:
    """Lists of lines of treatment that give a derived fact its value: some more lines, or some fewer."""
    wanted = derived.lines or LineFilter()
    passing = [line for line in lines if Line.read(line, dictionary).passes(wanted)]
    others = [line for line in lines if line not in passing]
    if derived.longest is not None or derived.interval is not None:
        for line in _invented(dictionary, wanted):
            yield [*map(as_written, others), {**line, "months": value}]
    else:
        count = int(value)  # a yes is one line or more, a no is none
        if count > len(passing):
            for line in _invented(dictionary, wanted):
                yield [*map(as_written, lines), *[line] * (count - len(passing))]
        elif value is not True:
            yield [*map(as_written, others), *map(as_written, passing[:count])]


def _invented(dictionary: Dictionary, wanted: LineFilter) -> Iterator[dict[str, Any]]:
    """Lines that pass a filter, one for each setting."""
    any_class = [member for name in wanted.classes_any[:1] for member in dictionary.class_groups.get(name, (name,))[:1]]
    classes = list(dict.fromkeys([*wanted.classes_all, *any_class]))
    reason = wanted.stop_reasons[0] if wanted.stop_reasons else "completed"
    months = next((n for n in (wanted.months_at_least, wanted.months_at_most) if n is not None), _LATER)
    for setting in wanted.settings or tuple(reversed(dictionary.settings)):
        drugs = {"agents": list(wanted.agents_any[:1])} if wanted.agents_any else {"classes": classes}
        yield {"setting": setting, **drugs, "months": months, "stop_reason": reason}


def as_written(line: Therapy) -> dict[str, Any]:
    """A line of treatment as a facts file has it; what is not known is left out."""
    found: dict[str, Any] = {"setting": line.setting, "line": line.line}
    found |= {"agents": list(line.agents), "classes": list(line.classes), "months": line.months}
    found |= {"stop_reason": line.stop_reason, "response": line.response}
    dates = {"started_on": line.started_on, "ended_on": line.ended_on, "last_dose_on": line.last_dose_on}
    found |= {name: day.isoformat() for name, day in dates.items() if day}
    return {name: content for name, content in found.items() if content not in (None, "", [])}

"""Receptors by specimen, as a facts file has them: `specimens`, a list of dated specimens with what each showed. Pure.

Specimens that disagree leave the receptor unknown, whichever is newer, until somebody states beside them which governs:
`er_status: positive`, without a specimen, is the MDT's statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from services.pathway.dictionary import UNKNOWN_CODES, Dictionary
from services.pathway.held import Gap
from services.pathway.saying import nearest, quoted, shown

SPECIMENS = "specimens"
_NAME, _TAKEN = "specimen", "taken_on"
_EXAMPLE = "{specimen: primary, taken_on: 2024-01-31, er_status: positive}"


class SpecimenError(ValueError):
    """Specimens that cannot be used: what is wrong, and what to write. `line`: of the file, 0 if it is not known."""

    def __init__(self, message: str, node: object = None) -> None:
        """Take the message and what is wrong, whose `line` attribute is kept."""
        super().__init__(f"{SPECIMENS}{message}")
        self.line = int(getattr(node, "line", 0))


def unfolded(written: Mapping[object, object], dictionary: Dictionary) -> Iterator[tuple[object, str, object]]:
    """Every entry of a facts file, with its specimen (empty: the person's) and value or {value, occurred_at}."""
    for name, entry in written.items():
        if name == SPECIMENS:
            yield from _results(entry, [fact.name for fact in dictionary.facts.values() if fact.per_specimen])
        else:
            yield name, "", entry


def _results(written: object, allowed: Sequence[str]) -> Iterator[tuple[object, str, object]]:
    if written is None or (isinstance(written, str) and written in UNKNOWN_CODES):
        return
    if not isinstance(written, Sequence) or isinstance(written, str | bytes):
        raise SpecimenError(
            f" is a list, each with a dash before it, such as {_EXAMPLE}; not {quoted(written)}.", written
        )
    seen: set[str] = set()
    for number, entry in enumerate(written, 1):
        specimen = _name_of(entry, number, entry if hasattr(entry, "line") else written)
        if specimen in seen:
            raise SpecimenError(f": {quoted(specimen)} stands twice; give each specimen a name of its own.", entry)
        seen.add(specimen)
        for name in entry:
            if name not in {_NAME, _TAKEN, *allowed}:
                near = nearest(name, [*allowed, _NAME, _TAKEN]) if isinstance(name, str) else ""
                hint = f"Did you mean '{near}'?" if near else f"A specimen shows {', '.join(allowed)}."
                raise SpecimenError(f", {shown(specimen)}: {quoted(name)} is no result of a specimen. {hint}", entry)
        for name in (name for name in entry if name in allowed):
            yield name, specimen, {"value": entry[name], "occurred_at": entry[_TAKEN]}


def _name_of(entry: object, number: int, node: object) -> str:
    """The name of a specimen that has a name and a date. Raises SpecimenError."""
    if not isinstance(entry, Mapping):
        raise SpecimenError(
            f", number {number}: write its name, date and results, as {_EXAMPLE}; not {quoted(entry)}.", node
        )
    name = entry.get(_NAME)
    if isinstance(name, bool) or not isinstance(name, str | int) or not str(name).strip():
        raise SpecimenError(
            f", number {number}: `{_NAME}` is its name, such as primary or liver; not {quoted(name)}.", node
        )
    if entry.get(_TAKEN) is None:
        message = f", {shown(str(name))}: each has a name, a date and results, as {_EXAMPLE}; `{_TAKEN}` is missing."
        raise SpecimenError(message, node)
    return str(name)


def place_of(written: object, specimen: str) -> int:
    """The line of the file on which a specimen begins; 0 if it is not known."""
    entries = written if isinstance(written, Sequence) else ()
    named = (entry for entry in entries if isinstance(entry, Mapping) and str(entry.get(_NAME)) == specimen)
    return int(getattr(next(named, None), "line", 0))


def discordant(gap: Gap) -> bool:
    """Whether specimens disagree, which may be so: it is unknown what governs, and no mistake of the file."""
    return gap.why == "disagree" and gap.note.startswith("specimens disagree")

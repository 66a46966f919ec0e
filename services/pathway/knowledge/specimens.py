"""Receptors by specimen, as a facts file has them: `specimens`, a list of dated specimens with what each showed. Pure.

Specimens that disagree leave the receptor unknown, whichever is newer, until somebody states beside them which governs:
`er_status: positive`, without a specimen, is the MDT's statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from services.pathway.dictionary import UNKNOWN_CODES, Dictionary
from services.pathway.held import Gap

SPECIMENS = "specimens"
_NAME, _TAKEN = "specimen", "taken_on"
_EXAMPLE = "{specimen: primary, taken_on: 2024-01-31, er_status: positive}"


class SpecimenError(ValueError):
    """Specimens that cannot be used: what is wrong, and what to write."""


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
    if not isinstance(written, Sequence) or isinstance(written, str):
        raise SpecimenError(f"{SPECIMENS} is a list such as [{_EXAMPLE}], not {written!r}.")
    seen: set[str] = set()
    for entry in written:
        if not isinstance(entry, Mapping) or not entry.get(_NAME) or entry.get(_TAKEN) is None:
            raise SpecimenError(f"{SPECIMENS}: each has a name, a date and results, as {_EXAMPLE}; not {entry!r}.")
        specimen = str(entry[_NAME])
        if specimen in seen:
            raise SpecimenError(f"{SPECIMENS}: {specimen!r} stands twice; give each specimen a name of its own.")
        seen.add(specimen)
        for name in entry.keys() - {_NAME, _TAKEN} - set(allowed):
            near = get_close_matches(str(name), [*allowed, _NAME, _TAKEN], n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"A specimen shows {', '.join(allowed)}."
            raise SpecimenError(f"{SPECIMENS}, {specimen}: {name!r} is no result of a specimen. {hint}")
        for name in (name for name in entry if name in allowed):
            yield name, specimen, {"value": entry[name], "occurred_at": entry[_TAKEN]}


def discordant(gap: Gap) -> bool:
    """Whether specimens disagree, which may be so: it is unknown what governs, and no mistake of the file."""
    return gap.why == "disagree" and gap.note.startswith("specimens disagree")

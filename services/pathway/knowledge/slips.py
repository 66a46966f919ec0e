"""Slips of the pen that a facts file may hold, told beside the answer: a misspelt drug counts as none in silence. Pure.

A drug that nobody knows yet is no mistake, so nothing here refuses: it is said what stands there, what it was probably
meant to be, and what it counts as until then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache

from services.pathway.dictionary import UNKNOWN_CODES, Dictionary
from services.pathway.knowledge.stated_lines import LINES
from services.pathway.saying import nearest, quoted

_NEAR = 0.8
"""As in the rules' own vocabulary: a new drug is seldom so near a known one, and is only told of."""


def notes_on_lines(value: object, dictionary: Dictionary) -> tuple[str, ...]:
    """What to look at in the lines of treatment: drugs that the dictionary does not know, the nearest named."""
    lines = value.get("value") if isinstance(value, Mapping) else value
    if not isinstance(lines, Sequence) or isinstance(lines, str):
        return ()
    return tuple(note for number, line in enumerate(lines, 1) for note in _of_line(line, number, dictionary))


def _of_line(line: object, number: int, dictionary: Dictionary) -> Iterator[str]:
    if not isinstance(line, Mapping):
        return
    at = int(getattr(line, "line", 0))
    place = f"{LINES}, line {number}{f' (line {at} of the file)' if at else ''}"
    counted = "it counts as the classes that stand beside it" if line.get("classes") else "what it counts as is unknown"
    for agent in line.get("agents") or ():
        name = str(agent).strip()
        if name and dictionary.agent(name.lower()) not in dictionary.agents:
            near = _nearest_agent(dictionary, name.lower())
            hint = f"Did you mean {near}?" if near else "If that is right, state its `classes`."
            yield f"{place}: {quoted(name)} is no drug that the dictionary knows. {hint} As it stands, {counted}."


@lru_cache(maxsize=1024)
def _nearest_agent(dictionary: Dictionary, name: str) -> str:
    return nearest(name, _known(dictionary), _NEAR)


@lru_cache(maxsize=8)
def _known(dictionary: Dictionary) -> Collection[str]:
    brands = (name.replace("_", " ") for name in dictionary.also_called)
    return (*dictionary.agents, *(name for name in brands if dictionary.agent(name) in dictionary.agents))


def notes_on_codes(written: Mapping[object, object], dictionary: Dictionary) -> tuple[str, ...]:
    """Codes that may be other than those listed, and are near a listed one."""
    return tuple(
        note
        for name in _open_facts(dictionary)
        if name in written
        if (note := _of_code(name, written[name], dictionary))
    )


def _of_code(name: str, entry: object, dictionary: Dictionary) -> str:
    value = entry.get("value") if isinstance(entry, Mapping) else entry
    known = dictionary.facts[name].values
    if not isinstance(value, str) or value in known or value in UNKNOWN_CODES:
        return ""
    near = nearest(value, known, _NEAR)
    return (
        f"{name}: {quoted(value)} is none of the codes that the guideline names. Did you mean {near}?" if near else ""
    )


@lru_cache(maxsize=8)
def _open_facts(dictionary: Dictionary) -> tuple[str, ...]:
    return tuple(fact.name for fact in dictionary.facts.values() if fact.open_values)

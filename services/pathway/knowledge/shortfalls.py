"""Why an appraisal does not take a person: which of its conditions fails, and on which fact. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.pathway.conditions import Condition, Every, compile_condition, facts_of
from services.pathway.dictionary import Dictionary, Therapy, Value
from services.pathway.facts import Picture, value_text
from services.pathway.knowledge.appraisals import Appraisals, Ruling, not_excused
from services.pathway.knowledge.wording import condition_text


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One condition that fails, in words, and the known facts that it fails on, by the names of a facts file."""

    condition: str
    facts: Mapping[str, bool | int | float | str]
    said: str

    def plain(self) -> dict[str, object]:
        """As printed with --json."""
        return {"condition": self.condition, "facts": dict(self.facts)}


def shortfalls(ruling: Ruling, table: Appraisals, picture: Picture) -> tuple[Shortfall, ...]:
    """What makes a person not eligible; empty for every other verdict, and for a drug that is not recommended."""
    row, dictionary = ruling.appraisal, table.dictionary
    if ruling.why == "failed_before":
        return tuple(_given_before(ruling, picture, dictionary))
    if ruling.why != "conditions_not_met" or row.when is None:
        return ()
    values = {**not_excused(row, table, picture), **picture.values}
    return tuple(_told(part, dictionary, picture) for part in _failing(row.when, dictionary, values))


def _failing(condition: Condition, dictionary: Dictionary, values: Mapping[str, Value]) -> Iterator[Condition]:
    """The parts that each make the whole fail; alternatives of which none holds are one part."""
    if isinstance(condition, Every):
        for part in condition.parts:
            if compile_condition(part, dictionary)(values)[0] is False:
                yield from _failing(part, dictionary, values)
    else:
        yield condition


def _told(condition: Condition, dictionary: Dictionary, picture: Picture) -> Shortfall:
    """An exception that nobody stated is told as that: it counts as a no, and is none."""
    text = condition_text(condition, dictionary)
    held = {name: picture.values.get(name, picture.known_of(name)) for name in facts_of(condition)}
    here = [
        f"{dictionary.facts[name].label}: {'not stated' if value is None else value_text(value)}"
        for name, value in held.items()
    ]
    facts = {name: value for name, value in held.items() if value is not None and not isinstance(value, Therapy)}
    return Shortfall(text, facts, f"it asks that {text}; here {'; '.join(here)}")


def _given_before(ruling: Ruling, picture: Picture, dictionary: Dictionary) -> Iterator[Shortfall]:
    """The lines of treatment in which the drug was given and stopped for what rules it out."""
    row = ruling.appraisal
    latest = {fact.subject or fact.fact_id: fact.value for fact in picture.history.get("prior_therapy", ())}
    for line in latest.values():
        if isinstance(line, Therapy) and line.stop_reason in row.out_after:
            for agent in {dictionary.agent(agent) for agent in line.agents}.intersection(row.agents):
                reason = line.stop_reason.replace("_", " ")
                yield Shortfall(
                    f"{agent} not given before and stopped for {reason}",
                    {"prior_therapies": agent},
                    f"{agent} was given before ({line.setting}) and stopped: {reason}",
                )

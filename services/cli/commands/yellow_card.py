"""The Yellow Card of a suspected reaction, ready to be read and submitted by a person. Pure: the record in, lines out.

The scheme asks for four things at least: a person who can be told apart, a reaction, a suspected medicine or device,
and a reporter (MHRA, Yellow Card scheme). Names and NHS numbers are left out: the record finds the person again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.cli.commands.lines import Line, heading, wrapped
from services.cli.commands.words import day, moment, words

Values = Mapping[str, Any]
_LOCAL_REFERENCE = 8


def filled(person: Values, lines: Sequence[Values], event: Values) -> dict[str, Any]:
    """Return the report as far as the record has it; `missing` names what the scheme's minimum still lacks."""
    said = event["event"]["adverse_event_reported"]
    on_treatment = [line for line in lines if line["status"] == "ongoing"]
    card = {
        "reference": person["patient_id"][:_LOCAL_REFERENCE],
        "sex": person["sex"] or "",
        "age_years": _age(person["birth_date"], event["occurred_at"]),
        "reaction": said.get("reaction", ""),
        "reaction_on": event["occurred_at"][:10],
        "serious": bool(said.get("serious")),
        "outcome": said.get("outcome", ""),
        "suspected_medicine": said.get("suspected_medicine", ""),
        "black_triangle": bool(said.get("black_triangle")),
        "suspected_device": said.get("device", ""),
        "other_medicines": sorted({agent for line in on_treatment for agent in line["course"]["agents"]}),
        "reporter_role": event["actor"]["role"],
        "told_by": said.get("told_by", ""),
        "adverse_event_id": event["event_id"],
    }
    return card | {"missing": _missing(card)}


def _missing(card: Values) -> list[str]:
    """What of the four things is not there yet."""
    needed = {
        "a person who can be told apart: sex or age": card["sex"] or card["age_years"] is not None,
        "the reaction": card["reaction"],
        "the suspected medicine or device": card["suspected_medicine"] or card["suspected_device"],
        "the reporter": card["reporter_role"],
    }
    return [name for name, there in needed.items() if not there]


def show_card(card: Values) -> list[Line]:
    """Show the report for reading; a person submits it."""
    age = f"{card['age_years']} years" if card["age_years"] is not None else "age not known"
    triangle = " (black triangle)" if card["black_triangle"] else ""
    told_by = f", told by {card['told_by']}" if card["told_by"] else ""
    rows = [
        ("Local reference", card["reference"]),
        ("Sex, age", f"{card['sex'] or 'not known'}, {age}"),
        ("Suspected reaction", f"{card['reaction']}, from {day(card['reaction_on'])}"),
        ("Serious", "yes" if card["serious"] else "no"),
        ("Outcome", card["outcome"] or "not recorded"),
        ("Suspected medicine", f"{card['suspected_medicine'] or 'none'}{triangle}"),
        ("Suspected device", card["suspected_device"] or "none"),
        ("Other medicines", ", ".join(card["other_medicines"]) or "none recorded"),
        ("Reporter", f"{words(card['reporter_role'])}{told_by}"),
    ]
    lines = heading("Yellow Card, ready to be read and submitted")
    for name, text in rows:
        lines += wrapped(f"{name}: {text}", 2, hang=4)
    if card["missing"]:
        lines += wrapped(f"Missing of the minimum: {'; '.join(card['missing'])}.", style="warn")
    submit = f"report yellow_card_submitted PATIENT --set adverse_event_id={card['adverse_event_id']} --set reference=…"
    return [*lines, Line(f"When it was submitted: handrail {submit}", "quiet")]


def _age(birth_date: str, at: str) -> int | None:
    if not birth_date:
        return None
    born, on = date.fromisoformat(birth_date), moment(at).date()
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))

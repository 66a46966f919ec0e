"""How the demo tells what happened. Pure: scenes in, lines out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.cli.commands.lines import BLANK, Line, table, wrapped
from services.cli.commands.screens import urgency
from services.cli.commands.words import banner, day, event, label, listed, nhs_number, truth, value, words

Values = Mapping[str, Any]
_CHASE = "chase"
SENT = frozenset({"sent", "delivered"})
"""The statuses of a message that left; the others wait, or failed."""


@dataclass(frozen=True)
class Scene:
    """One report, and everything that came of it."""

    number: int
    title: str
    kind: str
    on: str
    who: str
    said: Sequence[str] = ()
    facts: Sequence[tuple[str, object]] = ()
    opened: Sequence[Values] = ()
    closed: Sequence[Values] = ()
    told: Sequence[str] = ()
    not_told: Sequence[str] = ()
    notes: Sequence[str] = ()
    teams: Mapping[str, str] = field(default_factory=dict)


def opening(person: Values, guideline: str) -> list[Line]:
    """Say whose story it is."""
    return [
        Line("One synthetic person's story. Nobody here is real.", "quiet"),
        BLANK,
        Line(banner(person), "title"),
        Line(f"Guideline: {guideline}", "quiet"),
    ]


def scene(told: Scene) -> list[Line]:
    """Tell one report: who said what, what is asked now and why, what is missing, what closed, who was told."""
    lines = [BLANK, Line(f"{told.number:>2}  {day(told.on)}  {told.title}", "strong")]
    lines += wrapped(f"{event(told.kind)}, by {told.who}.", 4)
    for said in told.said:
        lines += wrapped(said, 4, hang=2)
    if told.facts:
        lines += wrapped("; ".join(f"{label(name)}: {value(held)}" for name, held in told.facts) + ".", 4)
    asked = [item for item in told.opened if item["kind"] != _CHASE]
    missing = [item for item in told.opened if item["kind"] == _CHASE]
    lines += _part("Asked for now", [line for item in asked for line in _task(item, told.teams)])
    lines += _part("Missing", [line for item in missing for line in _chase(item, told.teams)])
    lines += _part("Closed", [line for item in told.closed for line in _closed(item)])
    for note in told.notes:
        lines += wrapped(note, 4, hang=2)
    for said, teams, style in (
        ("Told", told.told, "quiet"),
        ("Not told yet (mail not delivered)", told.not_told, "warn"),
    ):
        if teams:
            lines += wrapped(
                f"{said}: {listed([told.teams.get(team, label(team)) for team in teams])}.", 4, style=style
            )
    return lines


def judgement_notes(evaluation: Values, number: str) -> list[str]:
    """Return whether a recommendation applies and why; nothing when the guideline does not have it."""
    notes = []
    for judgement in evaluation["judgements"]:
        if judgement["number"] != number:
            continue
        notes.append(f"{number} {truth(judgement['truth'])}: {judgement['title']}. {judgement['because']}")
        pairs = zip(judgement["missing"], judgement["supplied_by"], strict=False)
        notes += [f"Missing for it: {words(name)}; {words(supplier)} supplies it." for name, supplier in pairs]
    return notes


def option_notes(options: Sequence[Values]) -> list[str]:
    """Return the options that the guideline has now."""
    return [f"Option ({option['number']}): {option['label']}." for option in options]


def responsible_note(referral: Values, names: Mapping[str, str]) -> str:
    """Return who is responsible for a referral now."""
    step, clinical = (
        names.get(referral[key], label(referral[key])) for key in ("responsible_team", "clinically_responsible_team")
    )
    return f"Referral now: {words(referral['status'])}. Next step: {step}. Clinically responsible: {clinical}."


def ending(
    open_tasks: Sequence[Values], messages: Sequence[Values], teams: Mapping[str, str], expected: int = 0
) -> list[Line]:
    """Say what is open now, and what became of the messages; `expected`: how many there are at least."""
    lines = [BLANK, Line(f"{len(open_tasks)} tasks are open now, each with an owner and a date:", "strong")]
    rows = [
        (day(item["due_on"]) + urgency(item), _owner(item, teams), f"{item['number']} {item['title']}".strip())
        for item in open_tasks
    ]
    said = f"{_sent(messages, expected)} A task that is overdue stays open, and its team and lead are told."
    return [*lines, *table(rows, 4), BLANK, *wrapped(said, style="quiet")]


def _sent(messages: Sequence[Values], expected: int) -> str:
    sent = [message for message in messages if message["status"] in SENT]
    waiting = max(len(messages), expected) - len(sent)
    if messages and all(message["channel"] == "log" for message in messages):
        said = f"{len(sent)} messages written (kept by notify; no mail server is set)"
    else:
        said = f"{len(sent)} messages went to staff"
    if expected > len(messages):
        return f"{said}; at least {waiting} not delivered yet."
    return f"{said}; {waiting} not delivered yet." if waiting else f"{said}."


def hints(person: Values, command: str, number: str) -> list[Line]:
    """Say what to type next."""
    patient = nhs_number(person["nhs_number"])
    typed = (
        (f'{command} patient show "{patient}"', "the whole record"),
        (f'{command} patient show "{patient}" --history', "every event"),
        (f'{command} explain "{patient}" {number}'.rstrip(), "why, on which results"),
        (f"{command} worklist --team breast_care_nurses", "one team's tasks"),
        (f'{command} patient messages "{patient}"', "what the teams were told"),
        (f"{command} referral list", "who is responsible now"),
    )
    return [BLANK, Line("Type next:", "strong"), *table(typed, 4)]


def _part(title: str, lines: list[Line]) -> list[Line]:
    return [Line(f"    {title}:"), *lines] if lines else []


def _owner(item: Values, teams: Mapping[str, str]) -> str:
    return teams.get(item["owner_team"], label(item["owner_team"] or item["owner_role"]))


def _task(item: Values, teams: Mapping[str, str]) -> list[Line]:
    number = f"{item['number']}  " if item["number"] else ""
    lines = wrapped(f"{number}{item['title']}", 6, hang=2, style="strong")
    return lines + wrapped(f"{_owner(item, teams)}, by {day(item['due_on'])}{urgency(item)}. {item['reason']}", 8)


def _chase(item: Values, teams: Mapping[str, str]) -> list[Line]:
    who = f"{label(item['supplied_by'])} supplies it. To be chased by {_owner(item, teams)}, by {day(item['due_on'])}"
    return wrapped(item["title"], 6, style="warn") + wrapped(f"{who}{urgency(item)}. {item['reason']}", 8)


def _closed(item: Values) -> list[Line]:
    number = f"{item['number']}  " if item["number"] and item["kind"] != _CHASE else ""
    return wrapped(f"{number}{item['title']}: {item['status']}. {item['closed_reason']}", 6, hang=2)

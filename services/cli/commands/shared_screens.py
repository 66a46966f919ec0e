"""Information and shared decisions on a person's page: what they want to know, who is beside them, who decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.cli.commands.lines import Line, heading, wrapped
from services.cli.commands.words import actor, day, label, listed, words

Values = Mapping[str, Any]
_NEWEST = 10
_KNOWS = {
    "everything": "Wants to know everything",
    "main_points": "Wants to know the main points",
    "when_asked": "Wants to know only what they ask for",
    "nothing_now": "Does not want to know now: nothing is sent",
}
_DECIDES = {
    "alone": "decides themselves",
    "together": "decides together with the team",
    "team": "leaves decisions to the team",
    "undecided": "has not said yet who is to decide",
}


def involvement(standing: Values) -> list[Line]:
    """Show what whoever talks with the person reads first: how much they want to know, what they cannot decide."""
    held = standing["involvement"]
    lines: list[Line] = []
    if held:
        said = held["involvement"]
        but = f", but not about {listed([words(topic) for topic in said['not_about']])}" if said["not_about"] else ""
        known = f"{_KNOWS[said['wants_to_know']]}{but}; {_DECIDES[said['wants_to_decide']]} ({day(held['at'])})."
        lines += wrapped(known, 0, hang=2)
    for one in standing["capacity"]:
        if one["current"] and one["assessment"]["outcome"] == "lacks_capacity":
            lines += wrapped(
                f"Cannot decide now: {one['assessment']['decision']} ({day(one['at'])}).", 0, style="strong"
            )
    return lines


def shared_decisions(standing: Values) -> list[Line]:
    """Show who is beside the person, what was told, what was assessed; of what nothing is known, nothing."""
    lines: list[Line] = []
    for title, render, found in (
        ("Beside the person", _related, standing["related_people"]),
        ("Information", _information, standing["information"][:_NEWEST]),
        ("Capacity", _capacity, standing["capacity"]),
    ):
        lines += [*heading(title), *(line for one in found for line in render(one))] if found else []
    return lines


def _related(held: Values) -> list[Line]:
    said = held["related_person"]
    authority = f", {words(said['authority'])}" if said["authority"] else ""
    unseen = " (document not seen)" if said["authority"] and not said["authority_seen"] else ""
    young = ", under 18" if said["under_18"] else ""
    rings = f", {said['telephone']}" if said["telephone"] else ""
    lines = wrapped(
        f"{said['name']}, {words(said['relationship'])}{young}{authority}{unseen}{rings}", 2, style="strong"
    )
    told = {
        "everything": "May be told everything",
        "practical_only": "May be told practical matters only",
        "nothing": "May be told nothing",
        "not_asked": "What they may be told is not known: the person has not been asked",
    }
    lines += wrapped(told[said["may_be_told"]], 4, style="plain" if said["may_be_told"] == "everything" else "warn")
    if said["gives_care"]:
        needs = {"": "not known, nobody has asked", "has_needs": "has needs", "none": "none"}
        helped = f"; arranged: {said['help']}" if said["help"] else ""
        lines += wrapped(f"Gives care. Own needs: {needs.get(said['own_needs'], words(said['own_needs']))}{helped}", 4)
    elif said["help"]:
        lines += wrapped(f"Arranged: {said['help']}", 4)
    return [*lines, Line(f"    related person id {said['related_person_id']}", "quiet")]


def _information(held: Values) -> list[Line]:
    said = held["information"]
    shape = [words(said["form"]), *([said["language"]] if said["language"] else []), *map(words, said["formats"])]
    lines = wrapped(f"{day(held['at'])}  {label(said['topic'])}: {said['title']}, {words(said['outcome'])}", 2, hang=13)
    return [*lines, *wrapped(f"{', '.join(shape)}. By {actor(held['actor'])}", 15)]


def _capacity(held: Values) -> list[Line]:
    said = held["assessment"]
    title = f"{day(held['at'])}  {said['decision']}: {words(said['outcome'])}"
    lines = wrapped(title, 2, style="strong" if held["current"] else "quiet", hang=13)
    if said["cannot"]:
        lines += wrapped(f"Cannot {listed(said['cannot'])}, because of: {said['because']}", 15)
    if held["decided"]:
        made = held["decided"]
        not_all = " Not everybody agrees." if made["disagreement"] else ""
        by = f"In their best interests, by the {made['decided_by']}, {day(held['decided_at'])}"
        lines += wrapped(f"{by}: {made['decision']}.{not_all}", 15)
        lines += wrapped(f"What the person wants or wanted: {made['person_wishes']}", 15)
    return [*lines, Line(f"    assessment id {said['assessment_id']}", "quiet")]

"""Supportive care on a person's page: cover, needs before and after, wishes, research, complications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.cli.commands.lines import Line, heading, wrapped
from services.cli.commands.words import actor, day, label, listed, words

Values = Mapping[str, Any]


def cover(standing: Values) -> list[Line]:
    """Show who stands in for the key worker, now or soon."""
    held = standing["cover"]
    if not held:
        return []
    when = (
        f"until {day(held['until_on'])}" if held["in_force"] else f"{day(held['from_on'])} to {day(held['until_on'])}"
    )
    return [Line(f"Key worker covered by {held['person_id']}, {when}.", "strong")]


def support(standing: Values) -> list[Line]:
    """Show needs, wishes, research and complications; a part of which nothing was said is left out."""
    lines: list[Line] = []
    if standing["goals"]:
        lines += heading("What matters now")
        lines += wrapped(f"{label(standing['goals']['aim'])}, {day(standing['goals_at'])}", 2, style="strong")
        lines += wrapped(standing["goals"]["words"], 4)
    for title, render, found in (
        ("Needs", _domain, standing["needs"]),
        ("Wishes", _wish, standing["wishes"]),
        ("Research", _research, standing["research"]),
        ("Complications", _complication, standing["complications"]),
    ):
        lines += [*heading(title), *(line for one in found for line in render(one))] if found else []
    return lines


def _domain(domain: Values) -> list[Line]:
    """An unanswered domain is not known: that is not the same as no concern."""
    asked = f", {day(domain['asked_at'])}" if domain["asked_at"] else ""
    state = {"concern": "", "no_concern": f": no concern{asked}", "unknown": ": not known, nobody has asked"}
    lines = [Line(f"  {label(domain['domain'])}{state[domain['state']]}", "strong")]
    for concern in domain["concerns"]:
        lines += wrapped(f"{concern['concern']}: {_scores(concern['scores'])}", 4, hang=2)
        if concern["plan"]:
            team = f", {words(concern['owner_team'])}" if concern["owner_team"] else ""
            lines += wrapped(f"Plan: {concern['plan']}{team}, review {day(concern['review_on'])}", 6, hang=2)
    return lines


def _scores(scores: Sequence[Values]) -> str:
    """Return the first score and the newest, or the only one."""
    first, last = scores[0], scores[-1]
    if len(scores) == 1:
        return f"{first['score']} of 10, {day(first['at'])}"
    return f"before {first['score']} of 10, {day(first['at'])}; after {last['score']} of 10, {day(last['at'])}"


def _wish(wish: Values) -> list[Line]:
    said = wish["preference"]
    made = f", made {day(said['made_on'])}" if said["made_on"] else ""
    state = "" if wish["current"] else " (superseded)" if said["answer"] != "withdrawn" else " (no longer stands)"
    title = f"{_kind(said['kind'])}: {words(said['answer'])}, recorded {day(wish['recorded_at'])}{made}{state}"
    lines = wrapped(title, 2, style="strong" if wish["current"] else "quiet", hang=2)
    lines += wrapped(said["wish"], 4) if said["wish"] else []
    lines += wrapped(f"Refuses: {listed(said['refuses'])}", 4, style="warn") if said["refuses"] else []
    kept = f"Kept at {said['kept_at']}. " if said["kept_at"] else ""
    again = f"Looked at again on {day(said['review_on'])}. " if said["review_on"] and wish["current"] else ""
    if said["answer"] == "declined_to_talk" and not said["review_on"]:
        again = "Not to be asked again unless the person wants to. "
    return lines + wrapped(f"{kept}{again}By {actor(wish['actor'])}", 4)


def _kind(kind: str) -> str:
    return {"adrt": "Advance decision to refuse treatment", "dnacpr": "DNACPR", "respect_form": "ReSPECT form"}.get(
        kind, label(kind)
    )


def _research(talk: Values) -> list[Line]:
    said = talk["research"]
    study = f": {said['study']}" if said["study"] else ""
    lines = wrapped(f"{day(talk['at'])}  {label(said['outcome'])}{study}", 2, hang=13)
    return lines + (wrapped(said["words"], 4) if said["words"] else [])


def _complication(held: Values) -> list[Line]:
    looked = f", looked at {day(held['reviewed_at'])}" if held["reviewed_at"] else ""
    again = f", next look {day(held['next_on'])}" if held["next_on"] else ""
    title = f"{label(held['complication'])}: {words(held['state'])} since {day(held['since'])}{looked}{again}"
    if held["state"] == "settled":
        title = f"{label(held['complication'])}: settled, first reported {day(held['since'])}{looked}"
    return wrapped(title, 2, hang=2) + (wrapped(held["note"], 4) if held["note"] else [])

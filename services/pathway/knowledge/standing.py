"""How far a guideline version may be trusted on a day: last check, updates on the way, what nobody has read. Pure."""

from __future__ import annotations

from datetime import date

from services.pathway.guideline import Guideline

CHECK_AGAIN_AFTER_DAYS = 90
_KINDS = {
    "planned": "An update is planned",
    "in_progress": "An update is under way",
    "published_later": "A later text is out",
}


def doubts(guideline: Guideline, today: date) -> tuple[str, ...]:
    """Return why an answer of this version may be out of date: a check long ago, a newer version in its place."""
    name = _named(guideline)
    found = []
    days = (today - date.fromisoformat(guideline.checked_on)).days
    if days > CHECK_AGAIN_AFTER_DAYS:
        found.append(
            f"{name} was last checked against its source {days} days ago: check it again at {guideline.source}."
        )
    if guideline.status == "superseded":
        found.append(f"{name} is superseded: people are moved on from it, and nobody new is put on it.")
    return tuple(found)


def warnings(guideline: Guideline, today: date) -> tuple[str, ...]:
    """Return what a person should know before relying on this version, in plain English; empty if nothing."""
    found = [*doubts(guideline, today)]
    if guideline.unverified:
        found.append(
            f"{len(guideline.unverified)} numbers of {_named(guideline)} were written from memory: "
            "nobody has read them there."
        )
    for update in guideline.updates:
        if update.kind in _KINDS:
            touched = f" ({', '.join(update.numbers)})" if update.numbers else ""
            doubt = "" if update.verified else " Not verified."
            found.append(f"{_KINDS[update.kind]}{touched}: {update.summary}{doubt}")
    return tuple(found)


def _named(guideline: Guideline) -> str:
    return f"{guideline.guideline_id.upper()} ({guideline.version})"

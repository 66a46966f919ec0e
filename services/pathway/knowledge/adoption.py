"""Which version a house follows for new people, and which other guidelines it follows beside it. Pure.

A version that is superseded, or that rests on content which nobody has read at the source, can be migrated from and
is never adopted for new people. What a version leaves to another guideline (`delegates_to`) is followed with it, each
number under the other guideline's name (NG101-1.14.6); what nobody has read there is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from services.pathway.guideline import Guideline, GuidelineError, Rule

_NAMED = 5


def why_not_adopted(guideline: Guideline) -> str:
    """Return why nobody new is put on this version, and what to do; empty if it may be adopted."""
    name = f"{guideline.guideline_id}@{guideline.version}"
    if guideline.status == "superseded":
        return (
            f"{name} is superseded: people are moved on from it, and nobody new is put on it. Use the current version."
        )
    if unread := guideline.unverified:
        numbers = ", ".join(unread[:_NAMED]) + (" and more" if len(unread) > _NAMED else "")
        return (
            f"{name} rests on content that nobody has read at the source ({numbers}): nobody new is put on it. "
            "Read it there, correct it and take `verified: false` out."
        )
    return ""


def version_for_new_people(guidelines: Mapping[tuple[str, str], Guideline], guideline_id: str) -> Guideline | None:
    """Return the newest version that may be adopted; None if there is none."""
    fit = [
        (version, guideline)
        for (name, version), guideline in guidelines.items()
        if name == guideline_id and not why_not_adopted(guideline)
    ]
    return max(fit, key=lambda pair: pair[0])[1] if fit else None


def with_delegated(guidelines: Mapping[tuple[str, str], Guideline]) -> dict[tuple[str, str], Guideline]:
    """Return every version as a house follows it: with what it leaves to others.

    Raises:
        GuidelineError: a version leaves something to one that is not here.
    """
    return {key: _joined(guideline, guidelines) for key, guideline in guidelines.items()}


def _joined(guideline: Guideline, guidelines: Mapping[tuple[str, str], Guideline]) -> Guideline:
    if not guideline.delegates_to:
        return guideline
    rules = list(guideline.rules)
    hashes = [guideline.content_hash]
    for asked in guideline.delegates_to:
        other = guidelines.get((asked.guideline, asked.version))
        if other is None:
            known = ", ".join(sorted(f"{name}@{version}" for name, version in guidelines))
            raise GuidelineError(
                f"{guideline.guideline_id}@{guideline.version} leaves something to {asked.guideline}@{asked.version}, "
                f"which is not here; put its file there or correct `delegates_to`. Versions found: {known}."
            )
        rules += [_borrowed(rule, other) for rule in other.rules if rule.verified]
        hashes.append(other.content_hash)
    joined = hashlib.sha256(" ".join(hashes).encode()).hexdigest()
    return replace(guideline, rules=tuple(rules), content_hash=joined)


def _borrowed(rule: Rule, other: Guideline) -> Rule:
    """A rule under its guideline's name: NG101 and CG81 both have a 1.14.1."""
    return replace(rule, number=f"{other.guideline_id.upper()}-{rule.number}", source=rule.source or other.source)

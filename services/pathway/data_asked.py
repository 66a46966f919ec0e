"""Asking for data: which facts are meant, in words, and who holds them. Pure."""

from __future__ import annotations

import difflib
from dataclasses import replace

from services.pathway.guideline import Guideline
from services.runtime.errors import Invalid, Violation
from workflows.messages import Report

KIND = "item_data_asked"


def completed(report: Report, guideline: Guideline) -> Report:
    """Return the report with who supplies what is asked for, and what that is in words.

    Raises:
        Invalid: the dictionary does not know a fact, or they are of several holders; one violation for each.
    """
    known = guideline.dictionary.facts
    asked = list(dict.fromkeys(str(name) for name in report.event["facts"]))
    violations = [
        Violation(f"{KIND}.facts[{place}]", _unknown(name, list(known)))
        for place, name in enumerate(asked)
        if name not in known
    ]
    holders = {name: known[name].supplied_by for name in asked if name in known}
    if not violations and len(set(holders.values())) > 1:
        each = "; ".join(f"{name}: {holder.replace('_', ' ')}" for name, holder in holders.items())
        violations = [Violation(f"{KIND}.facts", f"each of these holds a part, so ask each of them by itself ({each})")]
    if violations:
        listed = "; ".join(f"{v.field}: {v.description}" for v in violations)
        message = f"Please correct and send again: {listed}"
        raise Invalid(message, violations=violations)
    labels = ", ".join(known[name].label for name in asked)
    return replace(
        report, event={**report.event, "facts": asked, "supplied_by": holders[asked[0]], "asked": labels[:1000]}
    )


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"no fact is called {name}{f'; did you mean {near[0]}?' if near else '. The dictionary lists them'}"

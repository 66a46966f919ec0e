"""What the guideline says about one person: the newest judgement of a recommendation, and what it stood on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.cli.commands.lines import Line, heading, table, wrapped
from services.cli.commands.screens import decision, fact_line
from services.cli.commands.words import actor, guideline, label, strength, truth, words

Values = Mapping[str, Any]
_FACT = ("fact_id", "name", "value", "subject", "occurred_at", "source", "superseded_by_fact_id", "entered_in_error")


def summary(evaluation: Values) -> list[dict[str, Any]]:
    """Return every recommendation with its truth."""
    names = ("number", "rule_id", "title", "strength", "section", "truth", "missing", "supplied_by")
    return [{name: judgement[name] for name in names} for judgement in evaluation["judgements"]]


def explained(
    evaluation: Values, number: str, facts: Sequence[Values], decisions: Sequence[Values]
) -> list[dict[str, Any]]:
    """Return each judgement with this number, with the facts, options and decisions that belong to it."""
    by_id = {fact["fact_id"]: fact for fact in facts}
    return [
        {
            **{name: judgement[name] for name in ("number", "rule_id", "title", "strength", "section", "truth")},
            **{name: judgement[name] for name in ("action", "because", "source")},
            "guideline": f"{evaluation['guideline']}@{evaluation['version']}",
            "facts": [_stood_on(by_id[fact_id]) for fact_id in judgement["fact_ids"] if fact_id in by_id],
            "missing": [
                {"name": name, "supplied_by": supplier}
                for name, supplier in zip(judgement["missing"], judgement["supplied_by"], strict=False)
            ],
            "options": options(evaluation, judgement),
            "decisions": [made for made in decisions if _is_about(made, judgement, evaluation)],
        }
        for judgement in evaluation["judgements"]
        if judgement["number"] == number
    ]


def options(evaluation: Values, judgement: Values) -> list[dict[str, str]]:
    """Return the options of a recommendation, with those of the options that stand under it and apply."""
    under = [j for j in evaluation["judgements"] if j["option_for"] == judgement["rule_id"] and j["truth"] == "applies"]
    return [
        {"number": one["number"], "code": code, "label": text}
        for one in [judgement, *under]
        for code, text in zip(one["option_codes"], one["option_labels"], strict=False)
    ]


def show_summary(evaluation: Values) -> list[Line]:
    """Show the truth of every recommendation."""
    pin = guideline(f"{evaluation['guideline']}@{evaluation['version']}")
    rows = [
        (j["number"], truth(j["truth"]), j["title"], _missing(j["missing"], j["supplied_by"]))
        for j in evaluation["judgements"]
    ]
    return [Line(pin, "title"), *table(rows, 2, (0, 0, 60, 60))]


def show_explained(entry: Values) -> list[Line]:
    """Show one judgement: whether it applies, why, on what, what is missing, what was decided."""
    lines = wrapped(f"{entry['number']}  {entry['title']}", style="title", hang=2)
    lines += [Line(f"{truth(entry['truth']).capitalize()} ({strength(entry['strength'])})", "strong")]
    lines += wrapped(entry["action"], 2)
    lines += wrapped(f"Why: {entry['because']}", 2) if entry["because"] else []
    if entry["facts"]:
        lines += heading("It stands on")
        for fact in entry["facts"]:
            lines += wrapped(fact_line(fact), 2, hang=2)
    if entry["missing"]:
        lines += heading("Not known yet")
        for gap in entry["missing"]:
            lines += wrapped(f"{label(gap['name'])}: {words(gap['supplied_by'])} supplies it", 2, style="warn")
    if entry["options"]:
        lines += [*heading("Options"), *table([(o["number"], o["label"], o["code"]) for o in entry["options"]], 2)]
    if entry["decisions"]:
        lines += heading("Decisions")
        for made in entry["decisions"]:
            lines += decision(made)
    lines += heading("Guideline")
    return [*lines, *wrapped(f"{guideline(entry['guideline'])}, {entry['source']}", 2)]


def numbers(evaluation: Values) -> Iterable[str]:
    """Return the numbers of the recommendations, in the guideline's order."""
    return dict.fromkeys(judgement["number"] for judgement in evaluation["judgements"])


def _missing(names: Sequence[str], suppliers: Sequence[str]) -> str:
    pairs = zip(names, suppliers, strict=False)
    return "; ".join(f"not known: {words(name)} ({words(supplier)})" for name, supplier in pairs)


def _stood_on(fact: Values) -> dict[str, Any]:
    return {**{name: fact[name] for name in _FACT}, "recorded_by": actor(fact["recorded_by"])}


def _is_about(made: Values, judgement: Values, evaluation: Values) -> bool:
    under = {j["rule_id"] for j in evaluation["judgements"] if j["option_for"] == judgement["rule_id"]}
    return made["rule_id"] == judgement["rule_id"] or made["rule_id"] in under

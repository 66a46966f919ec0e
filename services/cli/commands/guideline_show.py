"""`guideline show`: one recommendation, the recommendations of a section, or those that an appraisal stands behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer

from services.cli.commands.acting import AsJson
from services.cli.commands.guideline_files import GuidelineDir, Number, OfGuideline, OfVersion, library_of, refusing
from services.cli.commands.lines import Line, heading, show, table, wrapped
from services.cli.commands.shapes import to_json
from services.cli.commands.words import guideline as named
from services.cli.commands.words import strength, words

if TYPE_CHECKING:
    from services.pathway.guideline import Rule
    from services.pathway.knowledge.appraisals import Appraisal
    from services.pathway.knowledge.library import Library

_UNREAD = "unverified"
_SECTION = re.compile(r"\d+(\.\d+)?\.?")
_APPRAISAL = re.compile(r"ta *\d+", re.IGNORECASE)


def register(app: typer.Typer) -> None:
    """Add `show` to the guideline commands."""
    app.command("show")(show_number)


def show_number(
    number: Number,
    guideline: OfGuideline = "cg81",
    version: OfVersion = "",
    as_json: AsJson = False,
    guideline_dir: GuidelineDir = "",
) -> None:
    """Show one recommendation: what to do, for whom, who decides, where to read it. Or a section, or an appraisal."""
    with refusing():
        library = library_of(guideline_dir, guideline, version)
        asked = number.strip()
        if _APPRAISAL.fullmatch(asked):
            plain, lines = _appraisal(library, asked.upper().replace(" ", ""))
        elif _SECTION.fullmatch(asked):
            plain, lines = _section(library, asked.rstrip("."))
        else:
            rule = library.rule(asked)
            plain, lines = _plain_rule(rule, library), _told(rule, library)
        if as_json:
            print(to_json(plain))
        else:
            show(lines)


def _pin(library: Library) -> str:
    return named(f"{library.guideline.guideline_id}@{library.guideline.version}")


def _head(library: Library) -> dict[str, Any]:
    return {"guideline": library.guideline.guideline_id, "version": library.guideline.version}


def _section(library: Library, section: str) -> tuple[dict[str, Any], list[Line]]:
    rules = library.section(section)
    plain = {**_head(library), "section": section, "recommendations": [_brief(rule) for rule in rules]}
    title = f"Section {section} of {_pin(library)}: {len(rules)} recommendation{'s' * (len(rules) != 1)}"
    lines = [Line(title, "title"), *_listed(rules)]
    return plain, [*lines, Line(f"handrail guideline show {rules[0].number} shows one of them.", "quiet")]


def _appraisal(library: Library, ta: str) -> tuple[dict[str, Any], list[Line]]:
    rows = library.appraisals_called(ta)
    ids = dict.fromkeys(rule_id for row in rows for rule_id in row.rules)
    rules = [rule for rule in library.guideline.rules if rule.rule_id in ids]
    plain = {
        **_head(library),
        "ta": ta,
        "appraisals": [_plain_row(row, library) for row in rows],
        "recommendations": [_brief(rule) for rule in rules],
    }
    lines = [Line(f"{ta}  {rows[0].drug}", "title")]
    for row, said in zip(rows, plain["appraisals"], strict=True):
        until = f" to {row.effective_to}" if row.effective_to else ""
        lines += wrapped(f"{row.drug}: {words(row.status)}, from {row.effective_from}{until}.")
        lines += wrapped(f"For whom: {said['applies_when']}.", 2, hang=2) if said["applies_when"] else []
        lines += wrapped(row.note, 2) if row.note else []
        lines += [] if row.verified else wrapped("Nobody has read this at the source yet.", 2, style="warn")
    lines += heading(f"Recommendations of {_pin(library)} that point to it")
    return plain, lines + (_listed(rules) or [Line("  none")])


def _brief(rule: Rule) -> dict[str, Any]:
    return {"number": rule.number, "rule_id": rule.rule_id, "title": rule.title, "strength": rule.strength}


def _listed(rules: list[Rule]) -> list[Line]:
    return [line for rule in rules for line in wrapped(f"{rule.number}  {rule.title}", 2, hang=4)]


def _plain_row(row: Appraisal, library: Library) -> dict[str, Any]:
    from services.pathway.knowledge.wording import condition_text

    return {
        "ta": row.ta,
        "drug": row.drug,
        "status": row.status,
        "effective_from": row.effective_from,
        "verified": row.verified,
        "note": row.note,
        "applies_when": condition_text(row.when, library.dictionary) if row.when else "",
    }


def _plain_rule(rule: Rule, library: Library) -> dict[str, Any]:
    from services.pathway.knowledge.wording import condition_text

    rows = library.appraisals.of(rule.rule_id) if library.appraisals else ()
    condition = rule.condition
    return {
        **_head(library),
        "number": rule.number,
        "rule_id": rule.rule_id,
        "title": rule.title,
        "action": rule.action,
        "strength": rule.strength,
        "tag": rule.tag,
        "applies_when": condition_text(condition, library.dictionary) if condition else "",
        "no_condition": rule.no_condition,
        "owner": rule.owner,
        "decided_by": rule.decided_by,
        "urgency": rule.urgency,
        "ring": rule.ring,
        "options": [{"code": option.code, "label": option.label} for option in rule.options],
        "appraisals": [_plain_row(row, library) for row in rows],
        "cautions": list(rule.cautions),
        "note": rule.note,
        "verified": rule.verified,
        "source": rule.source or library.guideline.source,
    }


def _told(rule: Rule, library: Library) -> list[Line]:
    plain = _plain_rule(rule, library)
    book = library.urgent if library.urgent and library.is_urgent(rule) else library.guideline
    pin = named(f"{book.guideline_id}@{book.version}") if book is library.guideline else book.title
    lines = [
        Line(f"{rule.number}  {rule.title}", "title"),
        Line(f"{pin}, {strength(rule.strength)}, {rule.tag}", "quiet"),
    ]
    lines += wrapped(rule.action)
    why = f"Applies when {plain['applies_when']}." if rule.condition else f"Not judged: {rule.no_condition}"
    lines += heading("For whom") + wrapped(why, 2, hang=2)
    ring = f" Ring: {words(rule.ring)}." if rule.ring else ""
    lines += wrapped(f"Owner: {words(rule.owner)}. Decided by: {words(rule.decided_by)}.{ring}", 2)
    if rule.options:
        lines += heading("Options") + [Line(f"  {option.label}") for option in rule.options]
    if plain["appraisals"]:
        rows = [
            (one["ta"], one["drug"], words(one["status"]), one["effective_from"], "" if one["verified"] else _UNREAD)
            for one in plain["appraisals"]
        ]
        lines += heading("Appraisals") + table(rows, 2)
    for text in rule.cautions:
        lines += wrapped(f"Ask first: {text}", 2, hang=2, style="warn")
    if rule.note:
        lines += heading("Note") + wrapped(rule.note, 2)
    if not rule.verified:
        lines += wrapped("Nobody has read this at the source yet.", style="warn")
    return [*lines, Line(f"Read it at {plain['source']}", "quiet")]

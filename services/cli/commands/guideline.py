"""`guideline`: which versions there are, what each recommendation says. No running system is needed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.commands import guideline_ask, guideline_critique, guideline_diff, guideline_verify
from services.cli.commands.acting import AsJson
from services.cli.commands.guideline_files import (
    At,
    GuidelineDir,
    OfGuideline,
    OfVersion,
    directory_of,
    instant,
    library_of,
    refusing,
)
from services.cli.commands.lines import Line, heading, show, table, wrapped
from services.cli.commands.shapes import to_json
from services.cli.commands.words import guideline as named
from services.cli.commands.words import strength

if TYPE_CHECKING:
    from services.pathway.guideline import Guideline, Rule

_app = typer.Typer(
    help="What the guideline says: versions, recommendations, one person's answer.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    _app.command("list")(list_guidelines)
    _app.command("show")(show_number)
    guideline_ask.register(_app)
    guideline_critique.register(_app)
    guideline_diff.register(_app)
    guideline_verify.register(_app)
    app.add_typer(_app, name="guideline")


def list_guidelines(at: At = "", as_json: AsJson = False, guideline_dir: GuidelineDir = "") -> None:
    """List the guideline versions: how much of each is judged, what is unverified, what has moved."""
    from services.pathway.guideline import load_all, load_shared
    from services.pathway.knowledge.appraisals import load_appraisals
    from services.pathway.knowledge.urgent import load_urgent

    with refusing():
        directory = directory_of(guideline_dir)
        today = instant(at).date() if at else datetime.now(UTC).date()
        versions = list(load_all(directory).values())
        shared = load_shared(directory)
        urgent = load_urgent(directory, shared)
        appraisals = load_appraisals(directory, shared, versions)
    listed = [_counts(version, today) for version in [*versions, *([urgent] if urgent else [])]]
    if as_json:
        table_of = {"checked_on": appraisals.checked_on, "appraisals": len(appraisals.appraisals)} if appraisals else {}
        print(to_json({"guidelines": listed, "appraisals": table_of}))
    else:
        show(_listing(listed))


def _counts(version: Guideline, today: date) -> dict[str, Any]:
    from services.pathway.knowledge.adoption import why_not_adopted
    from services.pathway.knowledge.standing import warnings

    with_condition = sum(rule.when is not None for rule in version.rules)
    reasons = sum(bool(rule.no_condition) for rule in version.rules)
    return {
        "guideline": version.guideline_id,
        "version": version.version,
        "title": version.title,
        "status": version.status,
        "recommendations": len(version.rules),
        "with_condition": with_condition,
        "with_reason_for_none": reasons,
        "unverified": list(version.unverified),
        "adoptable": not why_not_adopted(version),
        "checked_on": version.checked_on,
        "source": version.source,
        "content_hash": version.content_hash,
        "updates": [
            {
                "kind": update.kind,
                "summary": update.summary,
                "numbers": list(update.numbers),
                "verified": update.verified,
            }
            for update in version.updates
        ],
        "warnings": list(warnings(version, today)),
    }


def _listing(listed: list[dict[str, Any]]) -> list[Line]:
    rows = [("Guideline", "Status", "Numbers", "Judged", "Not judged, with a reason", "Unverified", "Last checked")]
    rows += [
        (
            named(f"{one['guideline']}@{one['version']}"),
            one["status"],
            str(one["recommendations"]),
            str(one["with_condition"]),
            str(one["with_reason_for_none"]),
            str(len(one["unverified"])),
            one["checked_on"],
        )
        for one in listed
    ]
    lines = table(rows)
    for one in listed:
        if one["warnings"]:
            lines += heading(named(f"{one['guideline']}@{one['version']}"))
            lines += [line for text in one["warnings"] for line in wrapped(text, 2, hang=2, style="warn")]
    return lines


Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The number of a recommendation, such as 1.7.16.")]


def show_number(
    number: Number,
    guideline: OfGuideline = "cg81",
    version: OfVersion = "",
    as_json: AsJson = False,
    guideline_dir: GuidelineDir = "",
) -> None:
    """Show one recommendation: what to do, for whom, who decides, where to read it."""
    with refusing():
        library = library_of(guideline_dir, guideline, version)
        rule = library.rule(number)
        rows = library.appraisals.of(rule.rule_id) if library.appraisals else ()
    said = [(row.ta, row.drug, row.status, row.effective_from, row.verified, row.note) for row in rows]
    if as_json:
        print(to_json(_plain_rule(rule, library.guideline, said)))
    else:
        show(_told(rule, library.guideline, said))


def _plain_rule(rule: Rule, guideline: Guideline, appraisals: list[tuple[Any, ...]]) -> dict[str, Any]:
    from services.pathway.knowledge.wording import condition_text

    keys = ("ta", "drug", "status", "effective_from", "verified", "note")
    condition = rule.condition
    return {
        "guideline": guideline.guideline_id,
        "version": guideline.version,
        "number": rule.number,
        "rule_id": rule.rule_id,
        "title": rule.title,
        "action": rule.action,
        "strength": rule.strength,
        "tag": rule.tag,
        "applies_when": condition_text(condition, guideline.dictionary) if condition else "",
        "no_condition": rule.no_condition,
        "owner": rule.owner,
        "decided_by": rule.decided_by,
        "options": [{"code": option.code, "label": option.label} for option in rule.options],
        "appraisals": [dict(zip(keys, row, strict=True)) for row in appraisals],
        "cautions": list(rule.cautions),
        "note": rule.note,
        "verified": rule.verified,
        "source": rule.source or guideline.source,
    }


def _told(rule: Rule, guideline: Guideline, appraisals: list[tuple[Any, ...]]) -> list[Line]:
    plain = _plain_rule(rule, guideline, appraisals)
    pin = named(f"{guideline.guideline_id}@{guideline.version}")
    lines = [
        Line(f"{rule.number}  {rule.title}", "title"),
        Line(f"{pin}, {strength(rule.strength)}, {rule.tag}", "quiet"),
    ]
    lines += wrapped(rule.action)
    why = f"Applies when {plain['applies_when']}." if rule.condition else f"Not judged: {rule.no_condition}"
    lines += heading("For whom") + wrapped(why, 2, hang=2)
    who = f"Owner: {rule.owner.replace('_', ' ')}. Decided by: {rule.decided_by.replace('_', ' ')}."
    lines += wrapped(who, 2)
    if rule.options:
        lines += heading("Options") + [Line(f"  {option.label}") for option in rule.options]
    if appraisals:
        rows = [
            (row[0], row[1], row[2].replace("_", " "), row[3], "" if row[4] else "unverified") for row in appraisals
        ]
        lines += heading("Appraisals") + table(rows, 2)
    for text in rule.cautions:
        lines += wrapped(f"Ask first: {text}", 2, hang=2, style="warn")
    if rule.note:
        lines += heading("Note") + wrapped(rule.note, 2)
    if not rule.verified:
        lines += wrapped("Nobody has read this at the source yet.", style="warn")
    return [*lines, Line(f"Read it at {plain['source']}", "quiet")]

"""`guideline`: which versions there are, what each recommendation says. No running system is needed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import typer

from services.cli.commands import guideline_ask, guideline_critique, guideline_diff, guideline_show, guideline_verify
from services.cli.commands.acting import AsJson
from services.cli.commands.guideline_files import (
    At,
    GuidelineDir,
    directory_of,
    instant,
    refusing,
)
from services.cli.commands.lines import BLANK, Line, heading, show, table, wrapped
from services.cli.commands.shapes import to_json
from services.cli.commands.telephones import teams_named
from services.cli.commands.words import guideline as named

if TYPE_CHECKING:
    from services.pathway.guideline import Guideline

_app = typer.Typer(
    help="What the guideline says: versions, recommendations, one person's answer.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    _app.command("list")(list_guidelines)
    guideline_show.register(_app)
    guideline_ask.register(_app)
    guideline_critique.register(_app)
    guideline_diff.register(_app)
    guideline_verify.register(_app)
    app.add_typer(_app, name="guideline")


def list_guidelines(at: At = "", as_json: AsJson = False, guideline_dir: GuidelineDir = "") -> None:
    """List the guideline versions: how much of each is judged, what is unverified, what has moved."""
    from services.pathway.knowledge.folder import read_folder

    with refusing():
        directory = directory_of(guideline_dir)
        today = instant(at).date() if at else datetime.now(UTC).date()
        found = read_folder(directory, teams_named())
        books = [*found.versions.values(), *([found.urgent] if found.urgent else [])]
        listed = [_counts(version, today) for version in books]
        rows = found.appraisals
        if as_json:
            table_of = {"checked_on": rows.checked_on, "appraisals": len(rows.appraisals)} if rows else {}
            print(to_json({"guidelines": listed, "appraisals": table_of, "notes": list(found.doubts)}))
        else:
            doubts = [line for text in found.doubts for line in wrapped(text, style="warn", hang=2)]
            show([*_listing(listed), *([BLANK] * bool(doubts)), *doubts])


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

"""`guideline evaluate`, `explain` and `critique`: what a version says of the facts in a file. Nothing is kept."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from services.cli.commands.acting import AsJson
from services.cli.commands.guideline_files import (
    At,
    FactsFile,
    GuidelineDir,
    OfGuideline,
    OfVersion,
    facts_in,
    instant,
    library_of,
    refusing,
)
from services.cli.commands.lines import Line, heading, show, table, wrapped
from services.cli.commands.shapes import to_json
from services.cli.commands.words import day, words
from services.cli.commands.words import value as in_words

Label = Callable[[str], str]
_OBJECTION = 1
_SAYS = {"true": "applies", "false": "does not apply", "unknown": "cannot be decided", None: "is not judged"}
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The number of a recommendation, such as 1.7.16.")]
Code = Annotated[str, typer.Option("--propose", metavar="CODE", help="An imaging modality, or a code of a regimen.")]
Purpose = Annotated[
    str, typer.Option("--purpose", metavar="PURPOSE", help="Of imaging: diagnosis, characterisation or monitoring.")
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("evaluate")(evaluate)
    app.command("explain")(explain)
    app.command("critique")(critique)


def evaluate(
    facts: FactsFile,
    guideline: OfGuideline = "cg81",
    version: OfVersion = "",
    at: At = "",
    as_json: AsJson = False,
    guideline_dir: GuidelineDir = "",
) -> None:
    """Say of every recommendation whether it applies to the person, and which missing facts could still settle it."""
    from services.pathway.knowledge.assessment import assess
    from services.pathway.knowledge.factfile import FactFileError, read_person

    with refusing():
        library, when, held = library_of(guideline_dir, guideline, version), instant(at), facts_in(facts)
        found = []
        for number, written in enumerate(held if isinstance(held, list) else [held], 1):
            try:
                person = read_person(written, library.dictionary, when)
            except FactFileError as error:
                place = f", person {number}" if isinstance(held, list) else ""
                raise FactFileError(f"{facts}{place}: {error}") from None
            found.append(assess(library, person, when))
    if as_json:
        print(to_json(found if isinstance(held, list) else found[0]))
    else:
        for one in found:
            show(_answer(one, library.label))


def _answer(found: dict[str, Any], label: Label) -> list[Line]:
    lines = [Line(f"{found['guideline'].upper()} ({found['version']})", "title")]
    urgent = [one for one in found["urgent"] if one["truth"] != "false"]
    if urgent:
        lines += heading("First")
        lines += [
            Line(f"  {one['rule']} {_SAYS[one['truth']]}: {one['title']}{_waiting(one, label, '. Needs ')}", "warn")
            for one in urgent
        ]
    for truth, title in (("true", "Applies"), ("unknown", "Cannot be decided")):
        chosen = [one for one in found["recommendations"] if one["truth"] == truth]
        lines += heading(f"{title} ({len(chosen)})")
        for one in chosen:
            verdicts = "; ".join(f"{ta} {verdict.replace('_', ' ')}" for ta, verdict in one["appraisal"].items())
            lines += wrapped(
                f"{one['number']}  {one['title']}{_waiting(one, label)}{f'. {verdicts}' if verdicts else ''}", 2, hang=4
            )
    no = [one["number"] for one in found["recommendations"] if one["truth"] == "false"]
    lines += heading(f"Does not apply ({len(no)})") + wrapped(", ".join(no), 2)
    if found["left_out"]:
        lines += wrapped(
            f"Left out, because they happened later: {', '.join(map(label, found['left_out']))}.", style="quiet"
        )
    return lines


def _waiting(one: dict[str, Any], label: Label, before: str = ": needs ") -> str:
    return f"{before}{', '.join(label(name) for name in one['missing'])}" if one["missing"] else ""


def explain(
    number: Number,
    facts: FactsFile,
    guideline: OfGuideline = "cg81",
    version: OfVersion = "",
    at: At = "",
    as_json: AsJson = False,
    guideline_dir: GuidelineDir = "",
) -> None:
    """Explain one recommendation for the person: why, on which facts, what is missing, what would change it."""
    from services.pathway.knowledge.assessment import explain as explained
    from services.pathway.knowledge.factfile import read_person

    with refusing():
        library, when = library_of(guideline_dir, guideline, version), instant(at)
        rule = library.rule(number)
        found = explained(library, rule, read_person(facts_in(facts), library.dictionary, when), when)
    if as_json:
        print(to_json(found))
    else:
        show(_explanation(found, library.label))


def _explanation(found: dict[str, Any], label: Label) -> list[Line]:
    lines = [Line(f"{found['number']}  {found['title']}", "title"), *wrapped(found["action"])]
    lines += heading(f"It {_SAYS[found['truth']]}") + wrapped(found["because"], 2)
    if not found["verified"]:
        lines += wrapped("Nobody has read this at the source yet.", 2, style="warn")
    if found["truth"] is None:
        return lines
    if found["facts"]:
        rows = [(f["label"], in_words(f["value"]), _age(f), f["note"] or f["source"]) for f in found["facts"]]
        lines += heading("Facts used") + table(rows, 2)
    lines += [Line(f"  {label(one['name'])}: too old since {day(one['since'])}", "warn") for one in found["stale"]]
    if found["missing"]:
        lines += heading("Missing") + [Line(f"  {label(name)}") for name in found["missing"]]
    if found["would_change"]:
        lines += heading("What would change it")
        for change in found["would_change"]:
            stated = ", ".join(f"{label(name)}: {_stated(value)}" for name, value in change["set"].items())
            lines += wrapped(f"{stated} → {_SAYS[change['then']]}", 2, hang=4)
    if found["appraisals"]:
        lines += heading("Appraisals")
        for one in found["appraisals"]:
            verdict = one["verdict"].replace("_", " ")
            text = f"{one['ta']} {one['drug']}: {verdict}; {one['because']}.{_waiting(one, label, ' Needs ')}"
            lines += wrapped(text if one["verified"] else f"{text} Unverified.", 2, hang=4)
    return lines + [line for text in found["cautions"] for line in wrapped(f"Ask first: {text}", 2, style="warn")]


def _stated(value: object) -> str:
    if isinstance(value, list):
        return ", then ".join(_line_of_treatment(line) for line in value) or "none"
    return "not known" if value is None else in_words(value)


def _line_of_treatment(line: dict[str, Any]) -> str:
    what = " + ".join(line.get("agents") or [words(name) for name in line.get("classes", [])]) or "a treatment"
    reason = f", {line['stop_reason'].replace('_', ' ')}" if line.get("stop_reason") else ""
    return f"{what} ({line['setting']}{reason})"


def _age(fact: dict[str, Any]) -> str:
    return "today" if fact["age_days"] == 0 else f"{fact['age_days']} days ago"


def critique(
    facts: FactsFile,
    propose: Code,
    purpose: Purpose = "",
    guideline: OfGuideline = "cg81",
    version: OfVersion = "",
    at: At = "",
    as_json: AsJson = False,
    guideline_dir: GuidelineDir = "",
) -> None:
    """Say what the guideline has against a proposed scan or regimen; exit code 1 with the number if it objects."""
    from services.pathway.knowledge.critique import critique as judged
    from services.pathway.knowledge.factfile import read_person

    with refusing():
        library, when = library_of(guideline_dir, guideline, version), instant(at)
        person = read_person(facts_in(facts), library.dictionary, when)
        found = judged(library, person, propose, purpose)
    plain = found.plain()
    if found.hint:
        print(f"handrail: {found.hint}", file=sys.stderr)
    if as_json:
        print(to_json(plain))
    else:
        show(_objections(plain, library.label))
    if found.broken:
        raise typer.Exit(_OBJECTION)


def _objections(plain: dict[str, Any], label: Label) -> list[Line]:
    lines: list[Line] = []
    for one in plain["broken"]:
        lines += wrapped(f"{one['number']} advises against it. {one['title']}. {one['because']}", style="warn")
    if plain["instead"]:
        lines += heading("What the guideline offers instead")
        for rule in plain["instead"]:
            options = f": {'; '.join(rule['options'])}" if rule["options"] else ""
            lines += wrapped(f"{rule['number']} {rule['title']}{options}", 2, hang=4)
    for one in plain["undecided"]:
        needs = ", ".join(label(name) for name in one["missing"])
        lines += wrapped(f"{one['number']} cannot be decided; it needs {needs}.", style="warn")
    if not plain["broken"]:
        lines.append(Line(f"For this proposal: {plain['said']}. Silence is not permission."))
    return lines

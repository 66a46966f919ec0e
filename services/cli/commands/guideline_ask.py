"""`guideline evaluate` and `explain`: what a version says of the facts in a file. Nothing is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.commands.acting import AsJson
from services.cli.commands.facts_files import read_facts
from services.cli.commands.guideline_files import (
    At,
    FactsFile,
    GuidelineDir,
    OfGuideline,
    OfVersion,
    instant,
    library_of,
    refusing,
)
from services.cli.commands.lines import Line, heading, show, table, wrapped
from services.cli.commands.shapes import to_json
from services.cli.commands.words import day, words
from services.cli.commands.words import value as in_words

if TYPE_CHECKING:
    from services.cli.commands.facts_files import FactsHeld
    from services.pathway.knowledge.library import Library

Label = Callable[[str], str]
_UNREAD = "unverified"
_SAYS = {"true": "applies", "false": "does not apply", "unknown": "cannot be decided", None: "is not judged"}
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The number of a recommendation, such as 1.7.16.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("evaluate")(evaluate)
    app.command("explain")(explain)


def evaluate(
    facts: FactsFile,
    guideline: OfGuideline = "cg81",
    version: OfVersion = "",
    at: At = "",
    as_json: AsJson = False,
    guideline_dir: GuidelineDir = "",
) -> None:
    """Say of every recommendation whether it applies to the person, and which missing facts could still settle it."""
    with refusing():
        library, when, held = library_of(guideline_dir, guideline, version), instant(at), read_facts(facts)
        if held.many:
            for _ in held.each(library, when):
                """Every person is read before one is told: a refusal leaves nothing half printed."""
        if as_json:
            for text in _as_json(held, library, when):
                print(text)
        else:
            for one in _assessed(held, library, when):
                show(_answer(one, library.label))


def _assessed(held: FactsHeld, library: Library, when: datetime) -> Iterator[dict[str, Any]]:
    from services.pathway.knowledge.assessment import assess

    return (assess(library, person, when) for person in held.each(library, when))


def _as_json(held: FactsHeld, library: Library, when: datetime) -> Iterator[str]:
    """One person as always; of many each in a line, as soon as it is known: nobody could hold them all at once."""
    found = _assessed(held, library, when)
    if not held.many:
        yield to_json(next(found))
        return
    yield "["
    for left, one in zip(reversed(range(len(held.people))), found, strict=True):
        yield json.dumps(one, ensure_ascii=False) + ("," if left else "")
    yield "]"


def _answer(found: dict[str, Any], label: Label) -> list[Line]:
    lines = [Line(f"{found['guideline'].upper()} ({found['version']})", "title")]
    lines += [line for text in found["warnings"] for line in wrapped(text, style="warn")]
    lines += left_out(found["left_out"], label)
    lines += _first(found["urgent"], label)
    for truth, title in (("true", "Applies"), ("unknown", "Cannot be decided")):
        chosen = [one for one in found["recommendations"] if one["truth"] == truth]
        lines += heading(f"{title} ({len(chosen)})") + [Line("  none")] * (not chosen)
        for one in chosen:
            verdicts = "; ".join(f"{ta} {verdict.replace('_', ' ')}" for ta, verdict in one["appraisal"].items())
            said = f"{one['title']}{_waiting(one, label)}{f'. {verdicts}' if verdicts else ''}"
            lines += wrapped(f"{_number(one)}  {said}", 2, hang=4)
    no = [_number(one) for one in found["recommendations"] if one["truth"] == "false"]
    return lines + heading(f"Does not apply ({len(no)})") + wrapped(", ".join(no) or "none", 2)


def _first(urgent: list[dict[str, Any]], label: Label) -> list[Line]:
    """What goes before every routine rule; that nobody asked is not the same as that it does not apply."""
    lines: list[Line] = []
    put = [one for one in urgent if one["truth"] != "false"]
    for one in put:
        doubt = "" if one["verified"] else f" ({_UNREAD})"
        said = f"{one['rule']} {_SAYS[one['truth']]}: {one['title']}{doubt}{_waiting(one, label, '. Needs ')}"
        lines += wrapped(said, 2, hang=4, style="warn")
    silent = [one["rule"] for one in urgent if not one["asked"]]
    if silent:
        said = f"Not asked, because nothing was reported that puts them in question: {', '.join(silent)}."
        lines += wrapped(said, 2, hang=4)
    return heading("First") + lines if lines else []


def _number(one: dict[str, Any]) -> str:
    return one["number"] if one["verified"] else f"{one['number']} ({_UNREAD})"


def left_out(names: list[str], label: Label) -> list[Line]:
    """Facts that the answer could not use, told before the answer."""
    if not names:
        return []
    told = ", ".join(map(label, names))
    return wrapped(f"Left out, because they are dated after the time asked about (--at): {told}.", style="warn")


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

    with refusing():
        library, when = library_of(guideline_dir, guideline, version), instant(at)
        rule = library.rule(number)
        found = explained(library, rule, read_facts(facts).only(library, when), when)
        if as_json:
            print(to_json(found))
        else:
            show(_explanation(found, library.label))


def _explanation(found: dict[str, Any], label: Label) -> list[Line]:
    lines = [Line(f"{found['number']}  {found['title']}", "title"), *wrapped(found["action"])]
    lines += left_out(found["left_out"], label)
    says = _SAYS[found["truth"]] if found["asked"] else "is not asked"
    lines += heading(f"It {says}") + wrapped(found["because"], 2)
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

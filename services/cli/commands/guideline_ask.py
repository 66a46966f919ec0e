"""`guideline evaluate` and `explain`: what a version says of the facts in a file. Nothing is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from services.cli.commands.acting import AsJson
from services.cli.commands.facts_files import read_facts
from services.cli.commands.guideline_files import (
    At,
    FactsFile,
    GuidelineDir,
    Number,
    OfGuideline,
    OfVersion,
    instant,
    library_of,
    refusing,
)
from services.cli.commands.lines import BLANK, Line, heading, show, table, wrapped
from services.cli.commands.shapes import to_json
from services.cli.commands.telephones import telephones
from services.cli.commands.words import clock, day, words
from services.cli.commands.words import value as in_words

if TYPE_CHECKING:
    from services.cli.commands.facts_files import FactsHeld
    from services.pathway.knowledge.library import Library

Label = Callable[[str], str]
_UNREAD = "unverified"
_SAYS = {"true": "applies", "false": "does not apply", "unknown": "cannot be decided", None: "is not judged"}


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
            return
        for number, one in enumerate(_assessed(held, library, when), 1):
            if held.many:
                show([*([BLANK, BLANK] if number > 1 else []), Line(f"Person {number}", "title")])
            show(_answer(one, library))


def _assessed(held: FactsHeld, library: Library, when: datetime) -> Iterator[dict[str, Any]]:
    from services.pathway.knowledge.assessment import assess

    rung = telephones()
    for person in held.each(library, when):
        found = assess(library, person, when)
        for one in found["urgent"]:
            one["telephone"] = rung.get(one["ring"], "")
        yield found


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


def _answer(found: dict[str, Any], library: Library) -> list[Line]:
    label, named = library.label, library.named
    lines = [Line(f"{found['guideline'].upper()} ({found['version']})", "title")]
    lines += [line for text in found["warnings"] for line in wrapped(text, style="warn")]
    lines += left_out(found["left_out"], label) + notes(found["notes"])
    lines += _first(found["urgent"], named)
    for truth, title in (("true", "Applies"), ("unknown", "Cannot be decided")):
        chosen = [one for one in found["recommendations"] if one["truth"] == truth]
        lines += heading(f"{title} ({len(chosen)})") + [Line("  none")] * (not chosen)
        for one in chosen:
            lines += wrapped(f"{_number(one)}  {one['title']}{_waiting(one, named)}", 2, hang=4)
            lines += [line for text in _verdicts(one, named) for line in wrapped(text, 6, hang=2)]
    no = [_number(one) for one in found["recommendations"] if one["truth"] == "false"]
    return lines + heading(f"Does not apply ({len(no)})") + wrapped(", ".join(no) or "none", 2)


def _verdicts(one: dict[str, Any], named: Label) -> list[str]:
    """What the appraisals say, those with one answer together: `TA495, TA496 not eligible: it asks that ...`."""
    found: dict[str, list[str]] = {}
    for ta, verdict in one["appraisal"].items():
        reason = one["appraisal_reasons"].get(ta)
        why = (_waiting(reason, named) or f": {reason['because']}") if reason else ""
        found.setdefault(f"{verdict.replace('_', ' ')}{why}", []).append(ta)
    return [f"{', '.join(names)} {said}" for said, names in found.items()]


def _first(urgent: list[dict[str, Any]], label: Label) -> list[Line]:
    """What goes before every routine rule; that nobody asked is not the same as that it does not apply."""
    lines: list[Line] = []
    put = [one for one in urgent if one["truth"] != "false"]
    for one in put:
        doubt = "" if one["verified"] else f" ({_UNREAD})"
        said = f"{one['rule']} {_SAYS[one['truth']]}: {one['title']}{doubt}{_waiting(one, label, '. Ask now: ')}"
        lines += wrapped(said, 2, hang=4, style="warn")
        lines += [line for text in what_to_do(one) for line in wrapped(text, 6, hang=2)]
    silent = [one["rule"] for one in urgent if not one["asked"]]
    if silent:
        said = f"Not asked, because nothing was reported that puts them in question: {', '.join(silent)}."
        lines += wrapped(said, 2, hang=4)
    return heading("First") + lines if lines else []


def _number(one: dict[str, Any]) -> str:
    return one["number"] if one["verified"] else f"{one['number']} ({_UNREAD})"


def what_to_do(one: dict[str, Any]) -> list[str]:
    """What an urgent rule asks for, whom to ring, who acts and how soon."""
    applies, due = one["truth"] == "true", one["due"]
    said = [f"Do: {one['action']}" if applies else f"If it applies: {one['action']}"]
    if one["ring"]:
        number = f": {one['telephone']}" if one["telephone"] else "; the number stands in the teams file"
        said.append(f"{'Ring' if applies else 'If in doubt ring'} {_service(one['ring'])}{number}.")
    who = f"Who: {words(one['owner'])}. Decided by: {words(one['decided_by'])}."
    return [*said, f"{who} {_soon(due, one)}" if due else who]


def _service(role: str) -> str:
    return {"mscc_coordinator": "the cord compression (MSCC) coordinator"}.get(role, words(role))


def _soon(due: dict[str, Any], one: dict[str, Any]) -> str:
    local = " This time is a local choice." if due["local"] else ""
    if due["hours"] is None:
        return f"By when: within {due['working_days']} working days.{local}"
    hours = f"{due['hours']} hour{'' if due['hours'] == 1 else 's'}"
    by = ""
    if one["act_by"]:
        since = "no time is stated, so from now" if one["noticed_at"] == one["at"] else clock(one["noticed_at"])
        by = f" ({since}: by {clock(one['act_by'])})"
    return f"By when: within {hours} of when it was first noticed{by}.{local}"


def notes(told: list[str]) -> list[Line]:
    """What was taken as it stands though it may be a slip of the pen."""
    return [line for text in told for line in wrapped(f"Look at this: {text}", style="warn", hang=2)]


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
        if "ring" in found:
            found["telephone"] = telephones().get(found["ring"], "")
        if as_json:
            print(to_json(found))
        else:
            show(_explanation(found, library))


def _explanation(found: dict[str, Any], library: Library) -> list[Line]:
    label, named = library.label, library.named
    lines = [Line(f"{found['number']}  {found['title']}", "title"), *wrapped(found["action"])]
    lines += left_out(found["left_out"], label) + notes(found["notes"])
    says = _SAYS[found["truth"]] if found["asked"] else "is not asked"
    if "ring" in found and found["truth"] != "false":
        lines += heading("What to do") + [line for text in what_to_do(found) for line in wrapped(text, 2, hang=2)]
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
        lines += heading("Missing") + [
            line for name in found["missing"] for line in wrapped(_asked_for(name, library), 2, hang=2)
        ]
    if found["would_change"]:
        lines += heading("What would change it")
        for change in found["would_change"]:
            stated = ", ".join(f"{label(name)}: {_stated(value)}" for name, value in change["set"].items())
            lines += wrapped(f"{stated} → {_SAYS[change['then']]}", 2, hang=4)
    if found["appraisals"]:
        lines += heading("Appraisals")
        for one in found["appraisals"]:
            verdict = one["verdict"].replace("_", " ")
            text = f"{one['ta']} {one['drug']}: {verdict}; {one['because']}.{_waiting(one, named, ' Needs ')}"
            lines += wrapped(text if one["verified"] else f"{text} Unverified.", 2, hang=4)
    return lines + [line for text in found["cautions"] for line in wrapped(f"Ask first: {text}", 2, style="warn")]


def _asked_for(name: str, library: Library) -> str:
    """A missing fact with its name in a facts file; of one that findings imply, which would say so too."""
    from services.pathway.saying import either

    fact = library.dictionary.facts.get(name)
    findings = fact.derived.findings if fact and fact.derived else ()
    if not findings:
        return library.named(name)
    return f"{library.named(name)}; it follows as well from {either([_inside(library.label(one)) for one in findings])}"


def _inside(label: str) -> str:
    """A label within a sentence: New limb weakness, but HER2 status, loses its capital."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


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

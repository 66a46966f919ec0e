"""Supportive care in a report: what it must say, what follows from it, and which complications it speaks of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.json_format import ParseDict

from handrail.clinical.v1 import events_pb2, terms_pb2
from services.pathway.convert import value_from_proto
from services.pathway.dictionary import Scalar, Therapy
from services.pathway.facts import is_unknown
from services.pathway.guideline import Guideline
from services.pathway.saying import did_you_mean, quoted
from services.runtime.errors import Violation

REFUSED = "refused_in_advance"
NOTHING_REFUSED = "none"
DOMAINS = ("physical", "psychological", "social", "spiritual", "financial")


def watched(facts: Sequence[Mapping[str, Any]], guideline: Guideline) -> dict[str, bool]:
    """Return the complications that facts speak of (as reported: name, value), and whether each is still there."""
    found = {}
    for fact in facts:
        settles = settling(str(fact["name"]), guideline)
        value = value_from_proto(ParseDict(fact["value"], terms_pb2.FactValue()))
        if settles and not is_unknown(value):
            found[str(fact["name"])] = value not in settles
    return found


def settling(name: str, guideline: Guideline) -> tuple[Scalar, ...]:
    """Return the values that settle a complication; none for a fact that is not watched."""
    known = guideline.dictionary.facts.get(name)
    return known.settles if known else ()


def implied(request: object, kind: str, guideline: Guideline) -> dict[str, Scalar]:
    """Return the facts that follow from what an event of supportive care says in its own fields."""
    event = getattr(request, kind)
    if kind == "complication_reviewed" and event.state == "resolved":
        return {event.complication: settling(event.complication, guideline)[0]}
    if kind == "preference_recorded" and event.kind == "adrt" and event.answer in {"stated", "withdrawn"}:
        refused = ", ".join(code.strip().lower() for code in event.refuses) if event.answer == "stated" else ""
        return {REFUSED: refused or NOTHING_REFUSED}
    return {}


def refused_among(refused: object, proposed: Sequence[str], guideline: Guideline) -> list[str]:
    """Return what was refused in advance and stands behind these codes or names of drugs, classes or regimens.

    `refused` is the value of the fact, its terms joined by commas. A drug counts for its classes: whoever refused
    chemotherapy refused capecitabine.
    """
    terms = [_plain(term) for term in str(refused).split(",") if term.strip() and term.strip() != NOTHING_REFUSED]
    dictionary = guideline.dictionary
    meant: set[str] = set()
    for code in map(_plain, proposed):
        words = (code, *code.split())
        parts = {code, *(_plain(dictionary.also_called.get(word.replace(" ", "_"), word)) for word in words)}
        parts |= {_plain(dictionary.agent(word)) for word in words}
        parts |= {name for name in dictionary.agents if f" {name} " in f" {code} "}
        known = tuple(name for name in dictionary.classes if _plain(name) in parts)
        classes = dictionary.classes_of(Therapy(setting="advanced", agents=tuple(parts), classes=known))
        meant |= parts | {_plain(name) for name in classes}
    return [term for term in terms if {term, _plain(dictionary.agent(term))} & meant]


def _plain(code: str) -> str:
    return code.strip().lower().replace("_", " ")


def problems(
    request: object, kind: str, facts: Sequence[terms_pb2.ReportedFact], guideline: Guideline
) -> list[Violation]:
    """Find what an event of supportive care leaves unsaid, or says two ways with the facts beside it."""
    event = getattr(request, kind)
    match kind:
        case "key_worker_covered":
            backwards = event.until_on < event.from_on
            found = [("until_on", "the cover ends before it begins; check the dates")] if backwards else []
        case "needs_assessed":
            found = _needs(event)
        case "preference_recorded":
            found = _preference(event)
        case "complication_reviewed":
            found = _complication(event, facts, guideline)
        case _:
            found = []
    return [Violation(f"{kind}.{name}" if name else kind, problem) for name, problem in found]


def _needs(event: events_pb2.NeedsAssessed) -> list[tuple[str, str]]:
    if not event.concerns and not event.no_concern:
        return [("concerns", "say what was found: a concern, or a domain without one in no_concern")]
    found = [
        ("no_concern", f"{quoted(name)} is no domain; the domains are {', '.join(DOMAINS)}")
        for name in event.no_concern
        if name not in DOMAINS
    ]
    said: set[tuple[str, str]] = set()
    for place, one in enumerate(event.concerns):
        spot = f"concerns[{place}]"
        named = (one.domain, one.concern.strip().casefold())
        checks = [
            ("concern", named in said, "this concern stands here twice; score it once"),
            ("domain", one.domain in event.no_concern and one.score > 0, "the domain is said to have no concern"),
            ("review_on", one.plan and not one.review_on, "say on which date the plan is looked at again"),
            ("plan", (one.review_on or one.owner_team) and not one.plan, "say what is to be done, or leave this out"),
            ("plan", one.plan and one.score == 0, "what is no concern any more needs no plan"),
        ]
        said.add(named)
        found += [(f"{spot}.{name}", problem) for name, wrong, problem in checks if wrong]
    return found


def _preference(event: events_pb2.PreferenceRecorded) -> list[tuple[str, str]]:
    stated = event.answer == "stated"
    checks = [
        ("wish", stated and not event.wish, "say what the person wants, in their words"),
        ("refuses", stated and event.kind == "adrt" and not event.refuses, "say which treatments it refuses"),
        ("refuses", event.refuses and not (stated and event.kind == "adrt"), "only an adrt that is stated refuses"),
    ]
    return [(name, problem) for name, wrong, problem in checks if wrong]


def _complication(
    event: events_pb2.ComplicationReviewed, facts: Sequence[terms_pb2.ReportedFact], guideline: Guideline
) -> list[tuple[str, str]]:
    settles = settling(event.complication, guideline)
    if not settles:
        known = [name for name, fact in guideline.dictionary.facts.items() if fact.settles]
        hint = did_you_mean(event.complication, known)
        return [("complication", f"this is not watched; those that are: {', '.join(known)}.{hint}")]
    ongoing = event.state == "ongoing"
    carried = [value_from_proto(fact.value) for fact in facts if fact.name == event.complication]
    checks = [
        ("next_on", ongoing and not event.next_on, "say on which date it is looked at again"),
        ("next_on", not ongoing and event.next_on, "what is resolved is not looked at again; leave the date out"),
        ("state", any((value in settles) is ongoing for value in carried), "the reported fact says the opposite"),
    ]
    return [(name, problem) for name, wrong, problem in checks if wrong]

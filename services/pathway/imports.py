"""A person taken over mid-pathway: their lines of treatment are checked, and what follows from the lines is said.

Each fact bears the date at which it was so, so that whatever was reported later than that stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from google.protobuf.json_format import ParseDict

from handrail.clinical.v1 import terms_pb2
from services.pathway.convert import therapy_from_proto
from services.pathway.due_dates import london_date, start_of
from services.pathway.guideline import Guideline
from services.runtime.clock import now
from services.runtime.errors import Invalid, Violation
from workflows.messages import Report

ONGOING = "ongoing"


def completed(report: Report, guideline: Guideline, *, opening: bool) -> Report:
    """Return the report with the day of the import, and with the facts that follow from what it says.

    Raises:
        Invalid: a line of treatment cannot be as it is said; one violation for each.
    """
    lines = report.event.get("lines", [])
    if violations := _problems(lines, str(report.event.get("diagnosed_on", "")), guideline):
        listed = "; ".join(f"{v.field}: {v.description}" for v in violations[:5])
        message = f"Please correct and send again: {listed}"
        raise Invalid(message, violations=violations)
    carried = {fact["name"] for fact in report.facts}
    implied = [fact for fact in _implied(report.event, opening=opening) if fact["name"] not in carried]
    return replace(
        report,
        event={**report.event, "imported_on": london_date(now()).isoformat()},
        facts=[*report.facts, *implied, *(_line_fact(line) for line in lines)],
    )


def _problems(lines: Sequence[dict[str, Any]], diagnosed_on: str, guideline: Guideline) -> list[Violation]:
    today = london_date(now()).isoformat()
    found = []
    if diagnosed_on > today:
        found.append(Violation("pathway_imported.diagnosed_on", "this lies in the future; check the year"))
    for place, line in enumerate(lines):
        course = line["course"]
        started, ended = course.get("started_on", ""), course.get("ended_on", "")
        therapy = therapy_from_proto(ParseDict(course, terms_pb2.TherapyCourse()))
        checks = [
            ("course", guideline.dictionary.problem_with("prior_therapy", therapy)),
            ("course.started_on", "this lies in the future; check the year" if started > today else ""),
            ("course.ended_on", "this lies in the future; check the year" if ended > today else ""),
            ("course.ended_on", "this lies before the start" if ended and ended < started else ""),
            ("course.ended_on", "a line that goes on has no end" if ended and course["stop_reason"] == ONGOING else ""),
        ]
        spot = f"pathway_imported.lines[{place}]"
        found += [Violation(f"{spot}.{name}", problem) for name, problem in checks if problem]
    return found


def _implied(event: dict[str, Any], *, opening: bool) -> list[dict[str, Any]]:
    """What a clinic would have reported along the way: the newest key point, and whether a decision is due."""
    courses = [line["course"] for line in event.get("lines", [])]
    under_way = [course for course in courses if course["stop_reason"] == ONGOING]
    facts = []
    if event.get("key_worker") or opening:
        facts.append(_fact("key_worker_assigned", {"flag": bool(event.get("key_worker"))}))
    if under_way:
        on = max(course.get("started_on", "") for course in under_way)
        point = "treatment_start"
        facts += [_fact(name, {"flag": name == "on_treatment_pathway"}, on) for name in _OF_A_RUNNING_LINE]
    elif courses:
        on, point = max(course.get("ended_on", "") for course in courses), "treatment_end"
    else:
        on, point = event.get("diagnosed_on", ""), "diagnosis"
    if courses or (opening and on):
        facts.append(_fact("key_point_open", {"code": point}, on))
    if opening and not under_way and event.get("diagnosed_on"):
        facts.append(_fact("sact_decision_due", {"flag": True}, max(on, event["diagnosed_on"])))
    return facts


_OF_A_RUNNING_LINE = ("on_treatment_pathway", "sact_decision_due", "monitoring_due")


def _line_fact(line: dict[str, Any]) -> dict[str, Any]:
    course = line["course"]
    on = course.get("ended_on") or course.get("started_on", "")
    return _fact("prior_therapy", {"therapy": course}, on) | {"subject": line["line_id"]}


def _fact(name: str, value: dict[str, Any], on: str = "") -> dict[str, Any]:
    """Return a fact as it is reported, since the beginning of a day in London; without one, since the report."""
    made: dict[str, Any] = {"name": name, "value": value}
    if on:
        made["occurred_at"] = start_of(date.fromisoformat(on)).isoformat().replace("+00:00", "Z")
    return made

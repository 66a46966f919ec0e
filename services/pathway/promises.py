"""The promises that teams make and no guideline times: `guidelines/promises.yaml`, read and checked at start. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import TypeAdapter

from services.pathway.dictionary import NO_OTHER_FIELDS
from services.pathway.guideline import Due, GuidelineError
from services.pathway.yaml_lines import line_at, read, refused, validated

FILE = "promises.yaml"
# Every promise that the workflows make. A test compares this with their code: a promise that the file lacks would be
# found out only when somebody's task needs its time, and none could open then.
NAMES = (
    "referral_agreed",
    "referral_sent",
    "referral_acknowledged",
    "referral_acknowledged_urgent",
    "referral_undelivered",
    "referral_information_asked",
    "referral_accepted",
    "referral_first_contact",
    "referral_first_contact_urgent",
    "referral_declined",
    "follow_up_booked",
    "missed_checked",
    "missed_appointment",
    "not_brought",
    "missed_reviewed",
    "data_supplied",
    "report_not_filed",
    "investigation_resulted",
    "result_read",
    "yellow_card_submitted",
    "treatment_reviewed",
    "phone_task",
    "death_verified",
    "family_contacted",
    "arrangements_cancelled",
    "treatment_death_reviewed",
    "referral_closed_after_death",
    "pathway_closed",
    "transfer_accepted",
    "transfer_declined",
    "opt_out_agreed",
    "lead_contact",
    "person_found",
    "found_contact",
    "reopened_contact",
    "interpreter_booked",
    "information_found",
    "consent_asked",
    "authority_seen",
    "carer_asked",
    "carer_helped",
    "best_interests_decided",
    "advocate_instructed",
    "capacity_assessed",
    "disagreement_settled",
    "import_checked",
    "concern_planned",
    "concern_scored_again",
    "needs_completed",
    "research_answered",
    "research_referred",
    "complication_reviewed",
)
LONGEST_WORKING_DAYS = 250
LONGEST_HOURS = 24 * 365
LONGEST_WEEKS = 104


@dataclass(frozen=True, slots=True)
class Promises:
    """Each promise's time, in working days or hours, and the interval between response checks, in weeks."""

    __pydantic_config__ = NO_OTHER_FIELDS
    promises: Mapping[str, Due]
    response_check_weeks: int


_PROMISES = TypeAdapter(Promises)


def load_promises(directory: Path) -> Promises:
    """Read the promises.

    Raises:
        GuidelineError: the file is missing or says something that cannot be: file, line, what to do.
    """
    path = directory / FILE
    raw = read(path)
    found = validated(_PROMISES, raw, path)
    for name, due in found.promises.items():
        if problem := _problem_with_name(name, found.promises) or _problem_with_time(due):
            raise _refused_at(path, name, line_at(raw, ("promises", name)), problem)
    if missing := [name for name in NAMES if name not in found.promises]:
        problem = "this promise is missing, and tasks that need its time could not open; add it"
        raise _refused_at(path, missing[0], line_at(raw, ("promises",)), problem)
    if not 1 <= found.response_check_weeks <= LONGEST_WEEKS:
        problem = f"give the weeks between two response checks, from 1 to {LONGEST_WEEKS}"
        raise _refused_at(path, "response_check_weeks", line_at(raw, ()), problem)
    return found


def _problem_with_name(name: str, given: Mapping[str, Due]) -> str:
    if name in NAMES:
        return ""
    missing = [known for known in NAMES if known not in given]
    near = get_close_matches(name, missing, n=1) or get_close_matches(name, NAMES, n=1)
    if near:
        return f"there is no promise of this name; did you mean {near[0]}?"
    return f"there is no promise of this name; take it out. The promises are {', '.join(NAMES)}"


def _problem_with_time(due: Due) -> str:
    if (due.working_days is None) is (due.hours is None):
        return "a due time has one of working_days, hours"
    if due.working_days is not None and not 0 <= due.working_days <= LONGEST_WORKING_DAYS:
        return f"working_days is {due.working_days}; give 0 (by the end of the day) to {LONGEST_WORKING_DAYS}"
    if due.hours is not None and not 1 <= due.hours <= LONGEST_HOURS:
        return f"hours is {due.hours}; give 1 to {LONGEST_HOURS}"
    return ""


def _refused_at(path: Path, name: str, line: int, problem: str) -> GuidelineError:
    return refused(path, line, f"{name}: {problem}.")

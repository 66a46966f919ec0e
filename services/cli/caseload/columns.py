"""The columns of a caseload: which there are, what the header of a file names, and the template. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches

from services.cli.caseload.table import COMMENT, FileUnusableError
from services.pathway.dictionary import Dictionary, FactDef

_EXAMPLE = (
    "advanced: letrozole+ribociclib 2024-03-01..2025-06-30 progression; advanced: capecitabine 2025-07-14..ongoing"
)
# Name, whether each row must fill it, and what stands in it.
PERSON: dict[str, tuple[bool, str]] = {
    "nhs_number": (False, "ten digits, spaces allowed; empty for a person without one"),
    "local_identifier": (False, "your own number; needed where there is no NHS number"),
    "family_name": (True, "as the person uses it"),
    "given_name": (True, "as the person uses it"),
    "birth_date": (True, "1961-04-02 or 02/04/1961"),
    "sex": (False, "female, male, other or unknown"),
    "key_worker": (False, "the id of the named key worker in the teams file"),
    "diagnosed_on": (True, "the day on which advanced disease was confirmed"),
    "lines": (
        False,
        f"{_EXAMPLE} (? for a date that is not known; none: no systemic treatment so far)",
    ),
    "response_check_weeks": (False, "weeks between the response checks of the treatment that goes on"),
    "next_appointment": (False, "2026-12-01 10:30"),
    "next_appointment_purpose": (False, "what it is for"),
    "next_appointment_place": (False, "where it is"),
    "facts_as_of": (False, "since when the results of this row are so, for those without a date of their own"),
}
MAIN_FACTS = (
    "disease_extent",
    "er_status",
    "pr_status",
    "her2_ihc",
    "her2_ish",
    "menopausal_status",
    "bone_mets",
    "liver_mets",
    "lung_mets",
    "brain_mets",
    "ecog",
)
DATED = "@date"
_MEANT = {
    "dob": "birth_date",
    "date_of_birth": "birth_date",
    "surname": "family_name",
    "last_name": "family_name",
    "forename": "given_name",
    "first_name": "given_name",
    "nhs_no": "nhs_number",
    "hospital_number": "local_identifier",
    "mrn": "local_identifier",
    "appointment": "next_appointment",
    "treatment": "lines",
}


def named(header: Sequence[str], dictionary: Dictionary) -> list[str]:
    """Return the columns that a header names, in its order; an empty cell of it stays empty.

    Raises:
        FileUnusableError: a column that there is not, one that comes twice, or one that is missing.
    """
    names = [re.sub(r"[\s-]+", "_", cell.strip("\ufeff ").lower()) for cell in header]
    problems = [
        f"column {place} ({_letter(place)}): {problem}"
        for place, name in enumerate(names, start=1)
        if name and (problem := _problem(name, dictionary))
    ]
    problems += [
        f"the column {name} comes twice; keep one" for name, times in Counter(names).items() if name and times > 1
    ]
    problems += [f"the column {name} is missing" for name, (must, _) in PERSON.items() if must and name not in names]
    if not {"nhs_number", "local_identifier"} & set(names):
        problems.append("a column nhs_number or local_identifier is missing")
    problems += [
        f"the column {name} has no column {name.removesuffix(DATED)} beside it"
        for name in names
        if name.endswith(DATED) and name.removesuffix(DATED) not in names
    ]
    if problems:
        raise FileUnusableError(*problems)
    return names


def _problem(name: str, dictionary: Dictionary) -> str:
    bare = name.removesuffix(DATED)
    fact = dictionary.facts.get(bare)
    if bare == name and name in PERSON:
        return ""
    if fact is not None:
        return "lines of treatment stand in the column lines" if fact.type == "therapy" else ""
    near = _MEANT.get(bare) or next(iter(get_close_matches(bare, [*PERSON, *dictionary.facts], n=1)), "")
    meant = f"; did you mean {near}?" if near else ""
    return (
        f"there is no column {name[:40]}{meant} Rename it, or take it out of the file"
        if meant
        else (f"there is no column {name[:40]}; take it out of the file")
    )


def _letter(place: int) -> str:
    """Return how a spreadsheet calls the n-th column."""
    letters = ""
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def template(dictionary: Dictionary) -> str:
    """Return a header row, and what stands in each column as lines that the import skips."""
    facts = [dictionary.facts[name] for name in MAIN_FACTS if name in dictionary.facts]
    dated = [
        name for fact in facts for name in ([fact.name, fact.name + DATED] if fact.stale_after_days else [fact.name])
    ]
    out = io.StringIO()
    csv.writer(out).writerow([*PERSON, *dated])
    explained = [(name, f"{'needed; ' if must else ''}{said}") for name, (must, said) in PERSON.items()]
    explained += [(fact.name, f"{fact.label}: {_allowed(fact)}") for fact in facts]
    explained.append(("<fact>" + DATED, "since when the column <fact> is so, where it is not facts_as_of"))
    lines = [f"{COMMENT}{name}: {said}" for name, said in explained]
    others = ", ".join(
        name
        for name, fact in dictionary.facts.items()
        if fact.type != "therapy" and fact not in facts and name not in PERSON
    )
    lines.append(f"{COMMENT}Every other fact of the dictionary may be a column too: {others}")
    lines.append(
        f"{COMMENT}An empty cell says that it is not known, never that it is not so. Lines like this are skipped."
    )
    for line in lines:
        csv.writer(out).writerow([line])
    return out.getvalue().replace("\r\n", "\n")


def _allowed(fact: FactDef) -> str:
    if fact.type == "bool":
        return "yes or no"
    if fact.values:
        return ", ".join(fact.values)
    bounds = "" if fact.minimum is None or fact.maximum is None else f" from {fact.minimum:g} to {fact.maximum:g}"
    return f"a number{bounds}" if fact.type in {"integer", "number"} else "words"

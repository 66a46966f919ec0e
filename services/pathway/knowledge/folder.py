"""A whole folder of guideline data, every file of it read and checked. Pure but for reading."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.pathway import ladders, promises, visits
from services.pathway.guideline import Guideline, load_all, load_shared
from services.pathway.knowledge.appraisals import Appraisals, load_appraisals
from services.pathway.knowledge.changes import FILE as CHANGES
from services.pathway.knowledge.changes import doubt_about_changes
from services.pathway.knowledge.urgent import load_urgent
from services.pathway.knowledge.verify_subject import load_all_explanations


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder holds: every version, the urgent rules and the appraisals if it has any, and what is in doubt."""

    versions: Mapping[tuple[str, str], Guideline]
    urgent: Guideline | None
    appraisals: Appraisals | None
    doubts: tuple[str, ...]


def read_folder(directory: Path, teams: Mapping[str, Collection[str]] | None = None) -> Folder:
    """Read every file of a folder; `teams` has the people of each team, where the teams file is known.

    A copy may leave out what only a running house needs; what is there must be right.

    Raises:
        GuidelineError: file, line, and what to do.
    """
    versions = load_all(directory)
    shared = load_shared(directory)
    doubt = doubt_about_changes(directory, versions) if (directory / CHANGES).is_file() else ""
    found = Folder(
        versions,
        load_urgent(directory, shared),
        load_appraisals(directory, shared, list(versions.values())),
        (f"guideline diff refuses this data: {doubt}",) if doubt else (),
    )
    load_all_explanations(directory, versions.values())
    if (directory / promises.FILE).is_file():
        promises.load_promises(directory)
    if (directory / ladders.FILE).is_file():
        ladders.load_ladders(directory, teams)
    if (directory / visits.FILE).is_file():
        visits.load_visits(directory, teams)
    return found

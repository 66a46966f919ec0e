"""How a visit may be held: `guidelines/visits.yaml`, and what of it this person prefers. Pure but for reading it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from services.pathway.dictionary import NO_OTHER_FIELDS
from services.pathway.saying import did_you_mean, quoted
from services.pathway.yaml_lines import line_at, read, refused, validated

FILE = "visits.yaml"
PREFERENCE = "visit_preference"
Mode = Literal["face_to_face", "telephone", "video", "home_visit"]
_HELD: Mapping[str, str] = {
    "face_to_face": "face to face",
    "telephone": "by telephone",
    "video": "by video",
    "home_visit": "at home",
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One kind of visit: the ways to hold it that are clinically equal, the usual one first, and who may join."""

    __pydantic_config__ = NO_OTHER_FIELDS
    label: str
    modes: tuple[Mode, ...]
    joint: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Visits:
    """All kinds of visits."""

    __pydantic_config__ = NO_OTHER_FIELDS
    visits: Mapping[str, Visit]

    def problem_with(self, code: str) -> str:
        """Why a report cannot name this kind of visit; empty if it can."""
        if code in self.visits:
            return ""
        near = difflib.get_close_matches(code, self.visits, 1)
        listed = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.visits)}"
        return f"there is no kind of visit {code}; {listed}"

    def said(self, code: str, preferred: object) -> str:
        """What a booking task says of how this visit is held; empty where only the usual is possible.

        `preferred` is the person's `visit_preference`, or None when nobody knows it.
        """
        visit = self.visits.get(code)
        if visit is None or (len(visit.modes) == 1 and not visit.joint):
            return ""
        joint = f" It may be a joint visit with {_listed(visit.joint)}." if visit.joint else ""
        equal = _listed([_HELD[mode] for mode in visit.modes])
        if len(visit.modes) == 1:
            return joint.strip()
        if preferred in visit.modes:
            return f"Book it {_HELD[str(preferred)]}, as the person prefers; for this visit that is as good.{joint}"
        if preferred in _HELD:
            said = f"The person prefers to be seen {_HELD[str(preferred)]}, which does not suit this visit"
            return f"{said}: book it {_HELD[visit.modes[0]]}, and tell them why.{joint}"
        if preferred == "no_preference":
            return f"The person has no preference: {equal} are equal.{joint}"
        return f"Ask the person which they prefer: {equal} are equal for this visit.{joint}"


_VISITS = TypeAdapter(Visits)


def load_visits(directory: Path, teams: Collection[str] | None = None) -> Visits:
    """Read the kinds of visits; `teams` has the team ids, where the teams file is known.

    Raises:
        GuidelineError: file, line, what to do.
    """
    path = directory / FILE
    raw = read(path)
    found = validated(_VISITS, raw, path)
    for code, visit in found.visits.items():
        if not visit.modes or len(set(visit.modes)) != len(visit.modes):
            problem = f"{code}: name each way to hold it once, at least one."
            raise refused(path, line_at(raw, ("visits", code)), problem)
        if stranger := next((team for team in visit.joint if teams is not None and team not in teams), ""):
            problem = f"{code}: joint names {quoted(stranger)}, and the teams file has no such team."
            hint = did_you_mean(stranger, teams or ()) or f" Its teams are {', '.join(teams or ())}."
            raise refused(path, line_at(raw, ("visits", code)), f"{problem}{hint}")
    return found


def _listed(words: tuple[str, ...] | list[str]) -> str:
    plain = [word.replace("_", " ") for word in words]
    return f"{', '.join(plain[:-1])} and {plain[-1]}" if len(plain) > 1 else plain[0]

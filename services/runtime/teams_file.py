"""The teams file, as far as its two readers agree: read and checked at start, before anybody is told anything by it.

records seeds its table from it and notify takes addresses from it; each adds what only it needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

Entry = Mapping[str, Any]
# The plain kind of address that every mail server takes: one, in ASCII, without quotes, comments or a display name.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_LONGEST_ADDRESS = 254


def is_address(text: str) -> bool:
    """Return whether this is one e-mail address that can be written into a mail."""
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def read_entries(path: Path) -> list[Entry]:
    """Return the teams as the file has them.

    Raises:
        SystemExit: with one sentence, when the file cannot be used; it names the file, the team and what to do.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"The teams file {path} cannot be read ({error.strerror}); HANDRAIL_TEAMS_FILE names it."
        raise SystemExit(message) from None
    except (yaml.YAMLError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where else ""
        message = f"The teams file {path} is not YAML{line}; correct it there."
        raise SystemExit(message) from None
    teams = content.get("teams") if isinstance(content, dict) else None
    if not isinstance(teams, list) or not all(_has_names(team, "team_id", "name") for team in teams):
        message = f"The teams file {path} is not a list `teams`, each with a team_id and a name."
        raise SystemExit(message)
    for team in teams:
        if problem := _problem(team, [str(other["team_id"]) for other in teams]):
            raise refused(path, str(team["team_id"]), problem)
    return teams


def members(team: Entry) -> Sequence[Entry]:
    """Return the people of a team."""
    return team.get("members") or ()


def refused(path: Path, team_id: str, problem: str) -> SystemExit:
    """Return the refusal of one team."""
    return SystemExit(f"The teams file {path}, team {team_id!r}: {problem}.")


def _has_names(entry: object, *keys: str) -> bool:
    return isinstance(entry, dict) and all(entry.get(key) for key in keys)


def _problem(team: Entry, ids: Sequence[str]) -> str:
    if ids.count(str(team["team_id"])) > 1:
        return "this team_id stands twice; give each team its own"
    if not isinstance(members(team), list | tuple) or not isinstance(team.get("roles") or [], list):
        return "`members` and `roles` are lists"
    people = members(team)
    if not all(_has_names(member, "person_id", "name") for member in people):
        return "a member has no person_id or no name"
    for whose, address in [("the team", team.get("email")), *((m["person_id"], m.get("email")) for m in people)]:
        if address and not is_address(str(address)):
            return f"{str(address)!r} ({whose}) is not one e-mail address; write it as name@example.org"
    known = [str(member["person_id"]) for member in people]
    for part in ("lead", "deputy"):
        if (named := team.get(part)) and str(named) not in known:
            listed = ", ".join(known) or "nobody yet"
            return f"its {part} {str(named)!r} is not the person_id of a member; the members are {listed}"
    return ""

"""The telephones of the teams that urgent rules have rung up, as far as the teams file of this house says them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path


def telephones() -> Mapping[str, str]:
    """Return how each role is rung up, `01632 960120 (Breast oncology)`: of the first team that has it.

    The teams file is the one that HANDRAIL_TEAMS_FILE names, else that of this home, else the house's own. One that
    cannot be read says no telephone: the answer about a person does not wait for it.
    """
    from services.runtime.settings import REPOSITORY
    from services.runtime.teams_file import read_entries

    try:
        teams = read_entries(Path(_named() or REPOSITORY / "deploy" / "teams.yaml"))
    except SystemExit:
        return {}
    found: dict[str, str] = {}
    for team in teams:
        for role in team.get("roles") or () if team.get("telephone") else ():
            found.setdefault(str(role), f"{team['telephone']} ({team['name']})")
    return found


def teams_named() -> Mapping[str, Sequence[str]] | None:
    """Return the people of each team of the teams file that is named for this house; None where none is named.

    Guideline data of one's own are not held against the teams of somebody else.

    Raises:
        ValueError: the file cannot be used.
    """
    from services.runtime.teams_file import members, read_entries

    named = _named()
    if not named:
        return None
    try:
        return {str(t["team_id"]): [str(m["person_id"]) for m in members(t)] for t in read_entries(Path(named))}
    except SystemExit as error:
        raise ValueError(str(error)) from None


def _named() -> str:
    from services.cli.home import Home, current_home

    return os.environ.get("HANDRAIL_TEAMS_FILE") or Home(current_home()).given().get("--teams-file", "")

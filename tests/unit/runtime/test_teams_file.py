"""The teams file is refused at start in one sentence that names the file and the team."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import yaml

from services.notify.teams import Teams
from services.pathway.dictionary import Role
from services.records.permissions import READERS
from services.records.teams import NEEDED, PERSON_ROLES, TEAM_ROLES, read_teams
from services.runtime.settings import REPOSITORY
from services.runtime.teams_file import is_address
from workflows import telling

SHIPPED = REPOSITORY / "deploy" / "teams.yaml"
MAIL = "email: coordination@example.org"


def test_the_roles_are_those_that_the_guidelines_name() -> None:
    dictionary = yaml.safe_load((REPOSITORY / "guidelines" / "dictionary.yaml").read_text(encoding="utf-8"))
    assert set(TEAM_ROLES) == {*get_args(Role), *dictionary["services"], "duty_desk"}
    assert set(PERSON_ROLES) < READERS


def test_the_teams_that_are_needed_are_those_that_the_workflows_turn_to() -> None:
    assert {telling.KEY_WORKERS, telling.DUTY_DESK} < set(NEEDED)


def test_the_shipped_file_can_be_used() -> None:
    assert {row["team_id"] for row in read_teams(SHIPPED)} > set(NEEDED)
    assert Teams.from_file(SHIPPED).reach("coordination").recipients == ("coordination@example.org",)


@pytest.mark.parametrize("address", ["a@b", "breast-care.nurses+urgent@trust.nhs.uk", "x_1@mail.example.org"])
def test_an_address_is_taken(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        *("", "nobody", "@example.org", "a@", "a@b@c.org", "a@b.org, c@d.org", "a@b.org;c@d.org", "A <a@b.org>"),
        *(
            "a@b.org\nBcc: c@d.org",
            "a@b.org\n",
            "a b@c.org",
            "a@b..org",
            "ä@b.org",
            "a@b.org\x00",
            "a" * 250 + "@b.org",
        ),
    ],
)
def test_what_is_not_one_address_is_none(address: str) -> None:
    assert not is_address(address)


BY_BOTH = [
    (MAIL, "email: coordination", "coordination", "'coordination' (the team) is not one e-mail address"),
    (MAIL, 'email: "a@b.org\\r\\nBcc: c@d.org"', "coordination", "is not one e-mail address"),
    (MAIL, "email: a@b.org, c@d.org", "coordination", "is not one e-mail address"),
    ("email: ben.coordinator@example.org", "email: ben", "coordination", "'ben' (ben.coordinator) is not one"),
    ("lead: amara.coordinator", "lead: amara", "coordination", "its lead 'amara' is not the person_id of a member"),
    ("deputy: dipa.nurse", "deputy: dipa", "breast_care_nurses", "members are carys.nurse, dipa.nurse"),
    ("team_id: pathology", "team_id: radiology", "radiology", "stands twice"),
    ("{person_id: ben.coordinator, ", "{person: ben, ", "coordination", "no person_id"),
    ("roles: [coordination]", "roles: coordination", "coordination", "are lists"),
]
BY_RECORDS = [
    ("roles: [oncology]", "roles: [oncolgy]", "oncology", "did you mean oncology? The roles are coordination"),
    (
        "Carys Sample, role: key_worker",
        "Carys Sample, role: keyworker",
        "breast_care_nurses",
        "did you mean key_worker",
    ),
]


def edited(tmp_path: Path, old: str, new: str) -> Path:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "teams.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(("old", "new", "team", "says"), BY_BOTH + BY_RECORDS)
def test_records_refuses_a_wrong_team(tmp_path: Path, old: str, new: str, team: str, says: str) -> None:
    path = edited(tmp_path, old, new)
    with pytest.raises(SystemExit) as refused:
        read_teams(path)
    assert str(refused.value).startswith(f"The teams file {path}, team '{team}': ")
    assert says in str(refused.value)


@pytest.mark.parametrize(("old", "new", "team", "says"), BY_BOTH)
def test_notify_refuses_a_wrong_team(tmp_path: Path, old: str, new: str, team: str, says: str) -> None:
    with pytest.raises(SystemExit) as refused:
        Teams.from_file(edited(tmp_path, old, new))
    assert f"team '{team}': " in str(refused.value)
    assert says in str(refused.value)


@pytest.mark.parametrize("team_id", list(NEEDED))
def test_a_team_that_the_product_turns_to_must_be_there(tmp_path: Path, team_id: str) -> None:
    path = edited(tmp_path, f"team_id: {team_id}", f"team_id: {team_id}s")
    with pytest.raises(SystemExit, match=rf"has no team '{team_id}', which .*; is '{team_id}s' meant\?"):
        read_teams(path)


@pytest.mark.parametrize("text", ["", "teams: 3", "teams:\n  - nothing", "{", "teams: [{team_id: a}]", "- a\n", "\x00"])
def test_what_is_no_teams_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "teams.yaml"
    path.write_text(text, encoding="utf-8")
    for read in (read_teams, Teams.from_file):
        with pytest.raises(SystemExit, match="The teams file"):
            read(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="cannot be read"):
        read_teams(tmp_path / "none.yaml")

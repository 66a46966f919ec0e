"""A caseload is imported into a real house: bad rows are told, good ones go on, a second run imports nobody twice."""

from __future__ import annotations

import asyncio
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.house import HANDRAIL, REPOSITORY, Door, House, nhs_number
from tests.journeys.stories import a_day

HEADER = (
    "NHS Number;local_identifier;family_name;given_name;birth_date;sex;key_worker;diagnosed_on;lines;"
    "response_check_weeks;next_appointment;facts_as_of;disease_extent;er_status;pr_status;her2_ihc;ecog;ecog@date"
)
RUNNING = (
    '"advanced: letrozole+ribociclib 2024-03-01..2025-06-30 progression; advanced: capecitabine 2025-07-14..ongoing"'
)
FAMILY = "Importsson"


def spaced(number: str) -> str:
    return f"{number[:3]} {number[3:6]} {number[6:]}"


def row(number: str, given: str, **cells: str) -> str:
    said = {
        "nhs_number": number,
        "local_identifier": "",
        "family_name": FAMILY,
        "given_name": given,
        "birth_date": "02/04/1961",
        "sex": "F",
        "key_worker": "carys.nurse",
        "diagnosed_on": "20/02/2024",
        "lines": "",
        "response_check_weeks": "",
        "next_appointment": "",
        "facts_as_of": "04/05/2026",
        "disease_extent": "Metastatic",
        "er_status": "positive",
        "pr_status": "positive",
        "her2_ihc": "1+",
        "ecog": "",
        "ecog@date": "",
    }
    return ";".join((said | cells).values())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Rows as Excel saves them: eight people, one of them twice, and four that cannot be taken."""
    appointment = f"{a_day(20)} 10:30"
    first = row(spaced(nhs_number()), "Ada", lines=RUNNING, response_check_weeks="9", next_appointment=appointment)
    rows = [
        first,  # row 2
        row(nhs_number(), "Bea", lines="advanced: anastrozole ?..ongoing", ecog="1", **{"ecog@date": "2026-10-12"}),
        row("", "Cleo", local_identifier=f"CI-{nhs_number()}", lines="none"),
        first,  # row 5: the same row again
        row(nhs_number(), "Dina", er_status="positive!"),
        row("9997011375", "Edda"),
        row(nhs_number(), "Fay", key_worker="nobody.known"),
        row(nhs_number(), "Gwen", next_appointment="2026-01-05 09:00"),
        row(nhs_number(), "Hedda", key_worker=""),
    ]
    path = tmp_path / "caseload.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([HEADER, *rows, ";;;;;", ""]).encode())
    return path


def imported(house: House, file: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    done = house.cli("import", "caseload", str(file), "--json", *options, check=False)
    return done.returncode, json.loads(done.stdout), done.stderr


def numbers_in(file: Path) -> set[str]:
    return {line.split(";")[0].replace(" ", "") for line in file.read_text(encoding="utf-8-sig").splitlines()}


def written(folder: Path, *lines: str) -> Path:
    file = folder / "caseload.csv"
    file.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return file


def changed(file: Path, old: str, new: str) -> None:
    file.write_text(file.read_text(encoding="utf-8-sig").replace(old, new), encoding="utf-8")


def begun(house: House, file: Path) -> subprocess.Popen[bytes]:
    words = [str(HANDRAIL), "import", "caseload", str(file), "--home", str(house.home)]
    return subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def people(door: Door) -> int:
    base = await door.database()
    try:
        return int(await base.fetchval("SELECT count(*) FROM records.person WHERE family_name = $1", FAMILY))
    finally:
        await base.close()


async def test_a_caseload_is_looked_at_then_imported_then_imported_again(house: House, door: Door, file: Path) -> None:
    # when it is only looked at, then it is said what would happen, and nothing is written
    before = await people(door)
    code, looked, told = imported(house, file, "--dry-run")
    assert (code, looked["rows"], looked["imported"], looked["already_there"]) == (1, 9, 4, 1)
    assert await people(door) == before
    # then each refusal is a line with row, column and what to do, and names nobody
    assert [(refused["row"], refused["column"]) for refused in looked["refused"]] == [
        (6, "er_status"),
        (7, "nhs_number"),
        (8, "key_worker"),
        (9, "next_appointment"),
    ]
    assert told.splitlines()[0] == (
        "row 6, er_status: write one of positive, negative, or leave it empty if it is not known; "
        "did you mean positive?"
    )
    assert FAMILY not in told
    # when it is imported, then that is what happens
    code, done, _ = imported(house, file)
    assert (code, done) == (1, looked)
    assert await people(door) == before + 4
    # when it is imported again, then nobody comes twice
    code, again, _ = imported(house, file)
    assert (code, again["imported"], again["already_there"]) == (1, 0, 5)
    assert await people(door) == before + 4


async def test_each_person_has_one_check_and_what_was_known_of_them(house: House, door: Door, file: Path) -> None:
    imported(house, file)
    found = json.loads(house.cli("patient", "find", FAMILY, "--json").stdout)["people"]
    numbers = numbers_in(file)
    ada = next(p["patient_id"] for p in found if p["given_name"] == "Ada" and p["nhs_number"] in numbers)
    state = await door.until(ada, lambda s: len(s.open_items) == 3, "the import is filed")
    assert sorted(item.kind for item in state.open_items) == ["appointment", "import_check", "response_check"]
    assert all(item.due_on >= a_day(0) for item in state.open_items)
    assert (state.pathway.key_worker, len(state.event_ids), len(state.appointments)) == ("carys.nurse", 1, 1)
    assert [(line.status, list(line.course.agents)) for line in state.therapy_lines] == [("ongoing", ["capecitabine"])]
    since = {fact.name: fact.occurred_at.ToDatetime(tzinfo=UTC) for fact in state.facts}
    assert since["er_status"] == datetime(2026, 5, 3, 23, tzinfo=UTC)  # the beginning of 4 May, in London
    # when the row says something new, then that alone is imported
    changed(file, "2025-07-14..ongoing", "2025-07-14..2026-09-30 toxicity")
    _, done, _ = imported(house, file)
    assert done["imported"] == 1
    state = await door.until(ada, lambda s: len(s.event_ids) == 2, "the news is filed")
    assert [line.status for line in state.therapy_lines] == ["ended"]
    assert len([fact for fact in state.facts if fact.name == "er_status"]) == 1


async def test_a_number_that_is_somebody_elses_imports_nothing(house: House, door: Door, tmp_path: Path) -> None:
    number = nhs_number()
    patient = await door.register("Otherperson", nhs_number=number)
    file = written(tmp_path, row(number, "Ida"))
    code, done, told = imported(house, file)
    assert (code, done["imported"], done["refused"][0]["column"]) == (1, 0, "nhs_number")
    assert "registered with another name" in told
    assert (await door.patient(patient)).event_ids == []


async def test_a_run_that_is_killed_is_continued_by_the_next(house: House, door: Door, tmp_path: Path) -> None:
    file = written(tmp_path, *(row(nhs_number(), f"Kit{number}", lines=RUNNING) for number in range(24)))
    before = await people(door)
    run = begun(house, file)
    for _ in range(1500):
        if await people(door) >= before + 5 or run.poll() is not None:
            break
        await asyncio.sleep(0.02)
    run.kill()
    run.wait(5)
    code, done, _ = imported(house, file)
    assert (code, done["imported"] + done["already_there"], done["refused"]) == (0, 24, [])
    assert await people(door) == before + 24
    base = await door.database()
    try:
        kinds = await base.fetch(
            "SELECT p.patient_id, count(*) AS events FROM records.person p JOIN records.event e USING (patient_id) "
            "WHERE p.given_name LIKE 'Kit%' AND p.registered_at > $1 GROUP BY p.patient_id",
            datetime.now(UTC) - timedelta(minutes=5),
        )
    finally:
        await base.close()
    assert {kind["events"] for kind in kinds} == {1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [("er_statsu;family_name\n", "did you mean er_status?"), ("", "no header row"), (None, "No such file")],
)
def test_a_file_that_cannot_be_used_ends_with_two(house: House, tmp_path: Path, text: str | None, problem: str) -> None:
    file = tmp_path / "caseload.csv"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    done = house.cli("import", "caseload", str(file), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr

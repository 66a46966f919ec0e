"""Reading a caseload: what spreadsheets make of a file, what a cell may say, and how a refusal reads."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.cli.caseload import cells, columns, reports, rows, run, table
from services.cli.caseload.cells import BadCellError
from services.cli.caseload.reports import Record
from services.cli.caseload.rows import Reading, Refusal
from services.cli.caseload.table import FileUnusableError
from services.cli.commands import people
from services.cli.errors import NotAnsweringError
from services.pathway.guideline import load_shared
from tests.house import REPOSITORY

DICTIONARY = load_shared(REPOSITORY / "guidelines").dictionary
TODAY = date(2026, 11, 22)
WORKERS = ["carys.nurse"]
HEADER = "nhs_number,family_name,given_name,birth_date,diagnosed_on,facts_as_of"
ADA = "9997011376,Sampleton,Ada,1958-03-14,2024-02-20,2026-05-04"
PATIENT = "3f8f4c2e-6f0e-4f5c-9d3a-0c8f6a1b2c3d"


def read(text: str) -> Reading:
    held = table.parse(text, "a file")
    return rows.read(held, columns.named(held.header, DICTIONARY), DICTIONARY, WORKERS, TODAY)


def one(column: str, cell: str) -> Reading:
    return read(f"{HEADER},{column}\n{ADA},{cell}\n")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (f"{HEADER}\n{ADA}\n".encode(), "plain"),
        (b"\xef\xbb\xbf" + f"{HEADER}\r\n{ADA}\r\n".encode(), "UTF-8 with a mark, and CRLF"),
        (f"{HEADER}\r\n{ADA}\r\n".replace(",", ";").encode(), "semicolons"),
        (f"sep=;\r\n{HEADER}\r\n{ADA}\r\n".replace(",", ";").encode(), "Excel's own first line"),
        (f"{HEADER}\n{ADA}\n".replace(",", "\t").encode("utf-16"), "Unicode text"),
        (f"{HEADER}\n{ADA}\n,,,,,\n\n , \n".encode(), "empty rows at the end"),
        (f"{HEADER.upper().replace('_', ' ')}\n{ADA}\n".encode(), "another case, and blanks"),
        (f"{HEADER},,\n{ADA},,\n".encode(), "empty columns at the end"),
        (f"# a remark, with a comma\n{HEADER}\n{ADA}\n".encode(), "a remark"),
        (f"{HEADER}\n{ADA.replace('9997011376', ' 999 701 1376 ')}\n".encode(), "a number with spaces"),
        (f"{HEADER}\n{ADA.replace('1958-03-14', '14/03/1958 00:00')}\n".encode(), "a date as Excel shows it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_spreadsheets_make_of_a_file_is_read(raw: bytes, why: str, tmp_path: Path) -> None:
    file = tmp_path / "caseload.csv"
    file.write_bytes(raw)
    held = table.read(file)
    reading = rows.read(held, columns.named(held.header, DICTIONARY), DICTIONARY, WORKERS, TODAY)
    assert (reading.rows, reading.refused) == (1, [])
    (person,) = reading.people
    assert (person.nhs_number, person.birth_date, person.diagnosed_on) == (
        "9997011376",
        "1958-03-14",
        date(2024, 2, 20),
    )


def test_a_name_in_windows_own_code_page_is_read(tmp_path: Path) -> None:
    file = tmp_path / "caseload.csv"
    file.write_bytes(f"{HEADER}\n{ADA.replace('Sampleton', 'Müller')}\n".encode("cp1252"))
    assert "Müller" in table.read(file).rows[0][1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no header row"),
        ("\n,,\n", "there is no header row"),
        ("nhs_number\n9997011376\n", "one column only"),
        (f'{HEADER}\n{ADA},"open\n', "Is a quotation mark left open?"),
        (f"{HEADER},er_statsu\n", "column 7 (G): there is no column er_statsu; did you mean er_status?"),
        (f"{HEADER},surname\n", "did you mean family_name?"),
        (f"{HEADER},prior_therapy\n", "lines of treatment stand in the column lines"),
        (f"{HEADER},er_status,ER status\n", "the column er_status comes twice"),
        (f"{HEADER},er_status@date\n", "the column er_status@date has no column er_status beside it"),
        ("family_name,given_name,birth_date,diagnosed_on\n", "a column nhs_number or local_identifier is missing"),
        ("nhs_number,family_name,given_name,diagnosed_on\n", "the column birth_date is missing"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, problem: str) -> None:
    with pytest.raises(FileUnusableError) as caught:
        read(text)
    assert problem in str(caught.value)


def test_a_workbook_or_no_file_is_refused(tmp_path: Path) -> None:
    book = tmp_path / "caseload.xlsx"
    book.write_bytes(b"PK\x03\x04rest")
    with pytest.raises(FileUnusableError, match="save it as CSV"):
        table.read(book)
    with pytest.raises(FileUnusableError, match="No such file"):
        table.read(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("er_status", "positive!", "did you mean positive?"),
        ("ecog", "7", "lies between 0 and 5"),
        ("ecog", "one", "write a number"),
        ("bone_mets_newly_diagnosed", "perhaps", "write yes or no"),
        ("key_worker", "nobody", "name one of carys.nurse"),
        ("sex", "w", "write female, male, other or unknown"),
        ("next_appointment", "2026-12-01", "write the date and the time"),
        ("next_appointment", "2026-12-01 25:00", "no such time of day"),
        ("next_appointment_place", "Clinic 3", "there is no next_appointment"),
        ("response_check_weeks", "9 weeks", "give whole weeks"),
        ("lines", "letrozole since 2024", "line 1 cannot be read"),
        ("lines", "advanced: letrozol 2024-03-01..ongoing", "did you mean letrozole?"),
        ("lines", "palliative: letrozole 2024-03-01..ongoing", "begin with one of"),
        ("lines", "advanced: letrozole 2024-03-01..2024-01-01 progression", "ends before it starts"),
        ("lines", "advanced: letrozole 2024-03-01..2025-01-01", "no reason for it"),
        ("lines", "advanced: letrozole 2024-03-01..2025-01-01 boredom", "the reason is one of"),
        ("lines", "advanced: letrozole 2024-03-01..ongoing progression", "says that it goes on and that it ended"),
        ("lines", "advanced: letrozole 2031-03-01..ongoing", "lies in the future"),
    ],
)
def test_a_cell_that_cannot_be_used_is_a_refusal_that_does_not_repeat_it(column: str, cell: str, problem: str) -> None:
    reading = one(column, cell)
    assert reading.people == []
    (refused,) = reading.refused
    assert (refused.row, refused.column) == (2, column)
    assert problem in refused.problem
    assert "Sampleton" not in refused.line
    assert "9997011376" not in refused.line


@pytest.mark.parametrize(
    ("old", "new", "column", "problem"),
    [
        ("9997011376", "", "nhs_number", "give an NHS number"),
        ("9997011376", "9.99701E+09", "nhs_number", "rounded"),
        ("9997011376", "9997011375", "nhs_number", "mistyped"),
        ("Sampleton", "", "family_name", "needed and is empty"),
        ("1958-03-14", "14/03/58", "birth_date", "four digits"),
        ("1958-03-14", "03/14/1958", "birth_date", "the day before the month"),
        ("1958-03-14", "21258", "birth_date", "a spreadsheet made of a date"),
        ("2024-02-20", "2027-02-20", "diagnosed_on", "lies in the future"),
        ("2024-02-20", "2024-02-30", "diagnosed_on", "not a date of the calendar"),
        (",2026-05-04", ",2026-05-04,stray", "", "moved sideways"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_and_the_next_one_goes_on(
    old: str, new: str, column: str, problem: str
) -> None:
    other = ADA.replace("9997011376", "9997012747")
    reading = read(f"{HEADER}\n{ADA.replace(old, new, 1)}\n{other}\n")
    assert [(refused.row, refused.column) for refused in reading.refused] == [(2, column)]
    assert problem in reading.refused[0].problem
    assert [person.row for person in reading.people] == [3]


def test_a_refusal_reads_as_one_sentence() -> None:
    assert Refusal(7, "ecog", "lies between 0 and 5").line == "row 7, ecog: lies between 0 and 5."
    assert Refusal(7, "", "it is closed.").line == "row 7: it is closed."


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("er_status", "Positive", "positive"),
        ("her2_ihc", "1+", "1+"),
        ("her2_ish", "not amplified", "not_amplified"),
        ("her2_ish", "not done", "not_done"),
        ("er_status", "unknown", "unknown"),
        ("bone_mets_newly_diagnosed", "TRUE", True),
        ("bone_mets_newly_diagnosed", "not known", "unknown"),
        ("ecog", "1", 1),
        ("preference", "To stay at home", "To stay at home"),
    ],
)
def test_a_fact_is_read_as_the_dictionary_has_it(column: str, cell: str, value: object) -> None:
    reading = one(column, cell)
    assert reading.refused == []
    assert [(fact.name, fact.value, fact.on) for fact in reading.people[0].facts] == [(column, value, date(2026, 5, 4))]


def test_a_fact_needs_a_day_and_its_own_day_goes_first() -> None:
    dated = read(f"{HEADER},ecog,ecog@date\n{ADA},1,12/10/2026\n")
    assert [fact.on for fact in dated.people[0].facts] == [date(2026, 10, 12)]
    assert dated.people[0].as_of == date(2026, 10, 12)
    undated = read(f"{HEADER},ecog\n{ADA.removesuffix('2026-05-04')},1\n")
    assert [(refused.column, "since when" in refused.problem) for refused in undated.refused] == [("ecog", True)]


def test_a_decimal_comma_is_read_where_semicolons_separate() -> None:
    number = next(f for f in DICTIONARY.facts.values() if f.type == "number" and (f.maximum is None or f.maximum > 40))
    header, ada = HEADER.replace(",", ";"), ADA.replace(",", ";")
    reading = read(f"{header};{number.name}\n{ada};37,5\n")
    assert reading.refused == []
    assert reading.people[0].facts[0].value == 37.5


def test_lines_of_treatment_are_read_in_order_with_dates_that_may_not_be_known() -> None:
    text = (
        "adjuvant: tamoxifen ?..31/08/2019 completed; advanced: letrozole + ribociclib 2024-03-01..2025-06-30 patient "
        "choice;advanced: trastuzumab deruxtecan 2025-07-14..ongoing;"
    )
    found = cells.lines(text, DICTIONARY, TODAY)
    assert [(line.setting, line.number, line.agents, line.stop_reason) for line in found] == [
        ("adjuvant", 0, ("tamoxifen",), "completed"),
        ("advanced", 1, ("letrozole", "ribociclib"), "patient_choice"),
        ("advanced", 2, ("trastuzumab deruxtecan",), "ongoing"),
    ]
    assert [(line.started_on, line.ended_on) for line in found] == [
        ("", "2019-08-31"),
        ("2024-03-01", "2025-06-30"),
        ("2025-07-14", ""),
    ]
    none = one("lines", "None").people[0]
    assert (none.lines, [(fact.name, fact.value) for fact in none.facts]) == ((), [("prior_therapies_none", True)])


def test_an_appointment_is_told_in_londons_time() -> None:
    assert cells.moment("01/07/2027 10:30").isoformat() == "2027-07-01T09:30:00+00:00"
    with pytest.raises(BadCellError):
        cells.moment("tomorrow 10:30")


def test_the_same_row_twice_counts_once_and_another_word_about_the_same_person_is_refused() -> None:
    reading = read(f"{HEADER}\n{ADA}\n{ADA}\n{ADA.replace('Ada', 'Eda')}\n")
    assert ([person.row for person in reading.people], reading.repeated) == ([2], 1)
    assert [(refused.row, refused.column) for refused in reading.refused] == [(4, "nhs_number")]
    assert "row 2 is about the same person" in reading.refused[0].problem


def test_the_template_is_a_file_that_can_be_filled_in() -> None:
    held = table.parse(columns.template(DICTIONARY), "the template")
    assert columns.named(held.header, DICTIONARY)[:3] == ["nhs_number", "local_identifier", "family_name"]
    assert held.rows == []


def kept(name: str, value: object, on: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "subject": "",
        "occurred_at": f"{on}T00:00:00Z",
        "superseded_by_fact_id": "",
        "entered_in_error": False,
        **more,
    }


def test_what_the_record_holds_is_not_reported_again_and_the_same_news_has_the_same_key() -> None:
    text = f"{HEADER},er_status,ecog,lines\n{ADA},positive,1,advanced: letrozole 2024-03-01..ongoing\n"
    (person,) = read(text).people
    fresh = Record(PATIENT)
    everything = reports.what_is_new(person, fresh, DICTIONARY)
    assert ([fact.name for fact in everything.facts], len(everything.lines), everything.opens) == (
        ["er_status", "ecog"],
        1,
        True,
    )
    first, again = (reports.import_request(person, PATIENT, everything) for _ in range(2))
    assert first == again
    # what stands is not news, even under a later day, unless it grows old; what was corrected here stays corrected
    line_id, _ = everything.lines[0]
    course = {"setting": "advanced", "agents": ["letrozole"], "stop_reason": "ongoing", "started_on": "2024-03-01"}
    facts = [
        kept("er_status", "positive", "2026-01-10"),
        kept("ecog", 1, "2026-01-10"),
        kept("prior_therapy", {**course, "ended_on": ""}, "2024-03-01", subject=line_id),
    ]
    later = reports.what_is_new(person, Record(PATIENT, "open", "", facts), DICTIONARY)
    assert ([fact.name for fact in later.facts], later.lines, later.opens) == (["ecog"], [], False)
    assert reports.import_request(person, PATIENT, later).idempotency_key != first.idempotency_key
    corrected = [
        kept("er_status", "positive", "2026-05-03", occurred_at="2026-05-03T23:00:00Z", superseded_by_fact_id="x")
    ]
    named = [
        fact.name for fact in reports.what_is_new(person, Record(PATIENT, "open", "", corrected), DICTIONARY).facts
    ]
    assert named == ["ecog"]


def test_a_line_that_ended_meanwhile_is_news_under_the_id_it_has() -> None:
    (person,) = read(f"{HEADER},lines\n{ADA},advanced: letrozole 2024-03-01..2026-02-03 toxicity\n").people
    course = {
        "setting": "advanced",
        "agents": ["letrozole"],
        "stop_reason": "ongoing",
        "started_on": "",
        "ended_on": "",
    }
    record = Record(PATIENT, "open", "", [kept("prior_therapy", course, "2024-03-01", subject="their-own-id")])
    assert [line_id for line_id, _ in reports.what_is_new(person, record, DICTIONARY).lines] == ["their-own-id"]


@pytest.mark.parametrize(
    ("path", "column"),
    [
        ("facts[1].value", "ecog"),
        ("pathway_imported.lines[0].course.agents[0]", "lines"),
        ("pathway_imported.key_worker", "key_worker"),
        ("pathway_imported.next_appointment.place", "next_appointment_place"),
        ("appointment_booked.starts_at", "next_appointment"),
        ("family_name", "family_name"),
        ("idempotency_key", ""),
    ],
)
def test_a_field_that_a_service_refuses_is_told_by_its_column(path: str, column: str) -> None:
    (person,) = read(f"{HEADER},er_status,ecog\n{ADA},positive,1\n").people
    request = reports.import_request(person, PATIENT, reports.what_is_new(person, Record(PATIENT), DICTIONARY))
    assert reports.column_of(path, request) == column


async def test_a_house_that_stops_answering_stops_the_run_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody: Any = None
    asked: list[str] = []

    async def find(_desk: object, text: str) -> list[Any]:
        asked.append(text)
        raise NotAnsweringError("records is not answering")

    monkeypatch.setattr(run, "_WAITS", (0.0, 0.0))
    monkeypatch.setattr(people, "find", find)
    (person,) = read(f"{HEADER}\n{ADA}\n").people
    result = await run.Importer(nobody, DICTIONARY, dry=False).take([person] * 100, lambda: None)
    assert (result.stopped, result.imported, result.refused) == ("records is not answering", {}, [])
    assert len(asked) == run.AT_ONCE * 3  # each worker's person is tried three times, and nobody after them

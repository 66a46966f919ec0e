"""A file as a spreadsheet program saves it, as rows of cells: its encoding, its delimiter, its empty rows."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

COMMENT = "# "
_DELIMITERS = ",;\t"
_LARGEST = 50_000_000
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class FileUnusableError(Exception):
    """A file of which nothing can be imported; one sentence for each thing that is wrong."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Table:
    """The cells, by the number that the spreadsheet shows beside each row; no row is empty."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    delimiter: str


def read(path: Path) -> Table:
    """Read a file.

    Raises:
        FileUnusableError: it is not there, or is no table with a header row.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FileUnusableError(f"{path}: {error.strerror or 'cannot be read'}.") from error
    if len(raw) > _LARGEST:
        raise FileUnusableError(f"{path}: this is larger than {_LARGEST // 1_000_000} MB; split it.")
    if raw.startswith(_WORKBOOKS):
        raise FileUnusableError(f"{path}: this is a workbook; save it as CSV UTF-8 and import that file.")
    return parse(_decoded(raw), str(path))


def parse(text: str, name: str) -> Table:
    """Read the text of a file.

    Raises:
        FileUnusableError: it is no table with a header row.
    """
    lines = text.splitlines(keepends=True)
    skipped = 0
    delimiter = ""
    if lines and lines[0].lower().startswith("sep="):  # Excel's own line about the delimiter, which it does not show
        delimiter = lines.pop(0)[4:].strip("\r\n") or "\t"
        skipped = 1
    header = next((line for line in lines if line.strip(" \r\n\t,;") and not _is_comment(line)), "")
    if not header:
        raise FileUnusableError(f"{name}: there is no header row; `handrail import caseload --template` prints one.")
    delimiter = delimiter or max(_DELIMITERS, key=header.count)
    try:
        found = list(csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        problem = f"{name}: this cannot be read as CSV ({error}). Is a quotation mark left open?"
        raise FileUnusableError(problem) from error
    kept = [(number, [cell.strip() for cell in cells]) for number, cells in enumerate(found, start=1)]
    kept = [(number, cells) for number, cells in kept if any(cells) and not _is_comment(cells[0])]
    # A header of one cell has no delimiter to find, and that is as good as no header.
    return Table(kept[0][1], kept[1:], delimiter) if skipped or len(kept[0][1]) > 1 else _no_columns(name)


def _decoded(raw: bytes) -> str:
    """Excel saves UTF-8 with a mark, UTF-16 as "Unicode text", and Windows' own code page as plain CSV."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _is_comment(line: str) -> bool:
    return line.lstrip('"').startswith(COMMENT)


def _no_columns(name: str) -> Table:
    raise FileUnusableError(
        f"{name}: the header row has one column only. Separate the columns by commas, semicolons or tabs."
    )

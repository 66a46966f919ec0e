"""Lines of text with an optional style: renderers return them, `show` prints them; plain where nobody watches."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

WIDTH = 100
GAP = "  "


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and how it stands out: title, strong, quiet or warn."""

    text: str = ""
    style: str = ""


_STYLES = {"title": "bold cyan", "strong": "bold", "quiet": "dim", "warn": "bold yellow"}
BLANK = Line()


def wrapped(text: str, indent: int = 0, *, style: str = "", hang: int = 0) -> list[Line]:
    """Return a text in lines of at most `WIDTH`; all but the first go `hang` further in."""
    pad = " " * indent
    cut = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=pad,
        subsequent_indent=pad + " " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [Line(line, style) for line in cut] or [Line()]


def table(rows: Iterable[Sequence[str]], indent: int = 0, limits: Sequence[int] = ()) -> list[Line]:
    """Return rows in columns of equal width; a cell wider than its column's limit is cut short."""
    cut = [[_short(cell, limit or 0) for cell, limit in zip_longest(row, limits[: len(row)])] for row in rows]
    if not cut:
        return []
    widths = [max(len(cell) for cell in column) for column in zip_longest(*cut, fillvalue="")]
    pad = " " * indent
    return [
        Line((pad + GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))).rstrip())
        for row in cut
    ]


def heading(text: str) -> list[Line]:
    """Return a heading with a blank line above it."""
    return [BLANK, Line(text, "strong")]


def show(lines: Iterable[Line]) -> None:
    """Print lines; with colour only where a person watches and has not asked for none."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        for line in lines:
            print(line.text, flush=True)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    for line in lines:
        console.print(Text(line.text, style=_STYLES.get(line.style, "")))


def _short(cell: str | None, limit: int) -> str:
    text = cell or ""
    return text if not limit or len(text) <= limit else f"{text[: limit - 1]}…"

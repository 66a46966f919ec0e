"""What the documents say exists, exists."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import click
import pytest
import typer.main

from services.cli.__main__ import app
from services.runtime.errors import CODES, RETRIED

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    REPOSITORY / "README.md",
    REPOSITORY / "deploy" / "README.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
ADRS = sorted((REPOSITORY / "docs" / "adr").glob("[0-9]*.md"))
TOP = {path.name for path in REPOSITORY.iterdir() if path.is_dir()}
PLACEHOLDER = re.compile(r"[<>*{}…]")
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))


def without_blocks(text: str) -> str:
    """The text outside of fenced blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def inline_code(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", without_blocks(text))


def anchors(document: Path) -> set[str]:
    """The headings of a document as links name them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def all_text() -> str:
    """The contract, the code and the data, in one text."""
    folders = ("proto/handrail", "services", "workflows", "guidelines", "deploy")
    kinds = {".proto", ".py", ".yaml"}
    paths = [path for folder in folders for path in sorted((REPOSITORY / folder).rglob("*")) if path.suffix in kinds]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if "_pb2" not in path.name)


@each_document
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", without_blocks(document.read_text(encoding="utf-8"))):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = document.parent / name if name else document
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), target


@each_document
def test_every_path_that_is_named_exists(document: Path) -> None:
    for code in inline_code(document.read_text(encoding="utf-8")):
        if re.fullmatch(r"[\w.~-]+(/[\w.-]*)+", code) and code.split("/")[0] in TOP and not PLACEHOLDER.search(code):
            assert (REPOSITORY / code).exists(), code


@each_document
def test_every_command_that_is_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for code in inline_code(text):
        words = code.removeprefix(".venv/bin/").split()
        if words[0] == "make" and len(words) > 1:
            assert words[1] in targets, code
        if words[0] == "handrail" and len(words) > 1:
            command = typer.main.get_command(app)
            for word in words[1:]:
                if not isinstance(command, click.Group) and not hasattr(command, "commands"):
                    break
                assert word in command.commands, code
                command = command.commands[word]


def test_the_glossary_names_what_stands_in_the_code() -> None:
    text = (REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8")
    names = re.findall(r"^\| [^|]+ \| `([^`]+)`", text, re.MULTILINE)
    assert len(names) > 20
    assert not [name for name in names if not re.search(rf"\b{re.escape(name)}\b", all_text())]


def test_the_error_table_is_the_one_in_the_code() -> None:
    text = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| `(\w+)` \| (\w+) \| (yes|no) \| .+ \|$", text, re.MULTILINE)
    assert shown == [(c.value, code.name, "yes" if c in RETRIED else "no") for c, code in CODES.items()]


def test_decisions_are_numbered_once_and_in_order() -> None:
    assert [path.name[:4] for path in ADRS] == [f"{number:04d}" for number in range(1, len(ADRS) + 1)]
    for path in ADRS:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}. "), path.name
        parts = re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences"], path.name


@each_document
def test_documents_name_no_machine_of_ours(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert not re.search(r"/(work|home|root)/|\d+\.\d+\.\d+\.\d+:\d{4,5}/simple", text)
    hosts = {host.split("/")[0] for host in re.findall(r"https?://([^\s)>`]+)", text)}
    assert hosts <= {"www.nice.org.uk"}

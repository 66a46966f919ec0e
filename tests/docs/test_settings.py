"""deploy/env.example names every environment variable that the code reads, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from services.cli.database import SCHEMAS
from services.cli.parts import PORT_PARTS

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "deploy" / "env.example"
OURS = re.compile(r"(?:HANDRAIL|TEMPORAL)_[A-Z][A-Z_]*|DATABASE_URL")
# Names that are put together while running.
PUT_TOGETHER = {
    "HANDRAIL_*_ADDRESS": {f"HANDRAIL_{name}_ADDRESS" for name in ("RECORDS", "PATHWAY", "NOTIFY")},
    "HANDRAIL_*_DATABASE_URL": {f"HANDRAIL_{schema.upper()}_DATABASE_URL" for schema in SCHEMAS},
    "HANDRAIL_*_PORT": {f"HANDRAIL_{part.upper()}_PORT" for part in PORT_PARTS},
}


def read_by_python() -> set[str]:
    """Every string in the code that is the name of a setting, or is put together into one."""
    found: set[str] = set()
    for folder in ("services", "workflows", "bench"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and OURS.fullmatch(node.value):
                    found.add(node.value)
                elif isinstance(node, ast.JoinedStr):
                    pattern = "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values
                    )
                    found |= PUT_TOGETHER.get(pattern, set())
                    assert pattern in PUT_TOGETHER or not re.fullmatch(r"(HANDRAIL|TEMPORAL)_[A-Z_*]+", pattern), (
                        f"{path}: {pattern} is put together; say in this test which names that makes"
                    )
    return found


def read_by_scripts() -> set[str]:
    """Every setting that a shell script or the Makefile mentions."""
    paths = [REPOSITORY / "Makefile", *(REPOSITORY / "scripts").iterdir(), *(REPOSITORY / ".ci").iterdir()]
    return {name for path in paths if path.is_file() for name in OURS.findall(path.read_text(encoding="utf-8"))}


def named() -> list[str]:
    """The settings that the file names."""
    return re.findall(r"^#?([A-Z][A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_setting_that_the_code_reads_is_explained() -> None:
    missing = sorted((read_by_python() | read_by_scripts()) - set(named()))
    assert not missing, f"add to deploy/env.example, with a line on each: {', '.join(missing)}"


def test_no_setting_is_named_that_nobody_reads() -> None:
    unread = sorted({name for name in named() if OURS.fullmatch(name)} - read_by_python() - read_by_scripts())
    assert not unread, f"nobody reads: {', '.join(unread)}"


def test_each_setting_stands_once_under_a_line_that_explains_it() -> None:
    names = named()
    assert len(names) == len(set(names))
    explained = False
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if re.match(r"#?[A-Z][A-Z_]+=", line):
            assert explained, f"{line}: say what it is"
        else:
            explained = line.startswith("# ") and not line.startswith("# ---")

"""How each version came from the one before: nothing left out, refused where it cannot be, told to people."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.__main__ import app
from services.pathway.guideline import Guideline, GuidelineError, load_all
from services.pathway.knowledge.changes import KEPT, Change, load_changes
from services.pathway.knowledge.differences import UnknownVersionError, between, find_version
from tests.unit.pathway.person import GUIDELINES

V2017, V2025, V2026 = "2017-08-16", "2025-02-19", "2026-06-30"
CHANGES = "changes.yaml"


@pytest.fixture(scope="module")
def versions() -> Mapping[tuple[str, str], Guideline]:
    return load_all(GUIDELINES)


@pytest.fixture(scope="module")
def changes(versions: Mapping[tuple[str, str], Guideline]) -> tuple[Change, ...]:
    return load_changes(GUIDELINES, versions)


def test_every_number_of_both_sides_appears(
    versions: Mapping[tuple[str, str], Guideline], changes: tuple[Change, ...]
) -> None:
    assert [(change.old, change.new) for change in changes] == [(V2017, V2025), (V2025, V2026)]
    for change in changes:
        for version, told in (
            (change.old, {number for relation in change.relations for number in relation.old}),
            (change.new, {number for relation in change.relations for number in relation.new}),
        ):
            assert told == {rule.number for rule in versions["cg81", version].rules}
    assert len(versions["cg81", V2026].rules) == 55


def test_a_rule_that_stays_keeps_its_id(
    versions: Mapping[tuple[str, str], Guideline], changes: tuple[Change, ...]
) -> None:
    for change in changes:
        old, new = versions["cg81", change.old], versions["cg81", change.new]
        kept = {rule.rule_id for rule in old.rules} & {rule.rule_id for rule in new.rules}
        stays = [relation for relation in change.relations if relation.relation in KEPT]
        assert len(kept) == len(stays)


def test_what_is_called_the_same_asks_the_same(
    versions: Mapping[tuple[str, str], Guideline], changes: tuple[Change, ...]
) -> None:
    for change in changes:
        for relation in change.relations:
            if relation.relation == "same":
                before = versions["cg81", change.old].by_number(relation.old[0])
                after = versions["cg81", change.new].by_number(relation.new[0])
                assert before is not None
                assert after is not None
                assert (before.strength, before.condition, before.forbids) == (
                    after.strength,
                    after.condition,
                    after.forbids,
                )


@pytest.mark.parametrize(
    ("old", "new", "number", "relation", "becomes"),
    [
        (V2017, V2025, "1.5.4", "stood_down", []),
        (V2025, V2026, "1.1.8", "reversed", ["1.5.1", "1.5.2"]),
        (V2017, V2026, "1.1.8", "reversed", ["1.5.1", "1.5.2"]),
        (V2017, V2026, "1.1.5", "reversed", ["1.3.1", "1.3.2"]),
        (V2017, V2026, "1.1.7", "same", ["1.5.3"]),
        (V2017, V2026, "1.1.6", "amended", ["1.4.1"]),
        (V2017, V2026, "1.3.4", "replaced_by_xref", ["1.7.16"]),
        (V2017, V2026, "1.3.8", "split", ["1.7.5", "1.7.13", "1.7.22"]),
        (V2017, V2026, "1.3.10", "reversed", ["1.7.6", "1.7.14", "1.7.23"]),
        (V2017, V2026, "1.3.12", "stood_down", []),
        (V2017, V2026, "1.5.4", "stood_down", []),
        (V2017, V2026, "1.5.10", "reworded", ["1.10.3"]),
        (V2017, V2026, "1.1.2", "merged", ["1.3.1", "1.3.3"]),
        (V2026, V2026, "1.8.1", "same", ["1.8.1"]),
    ],
)
def test_what_became_of_a_number(
    versions: Mapping[tuple[str, str], Guideline],
    changes: tuple[Change, ...],
    old: str,
    new: str,
    number: str,
    relation: str,
    becomes: list[str],
) -> None:
    found = between(versions, changes, "cg81", old, new)
    told = [each for each in found.relations if number in each.old]
    assert [(each.relation, list(each.new)) for each in told] == [(relation, becomes)]


def test_over_two_steps_nothing_is_left_out(
    versions: Mapping[tuple[str, str], Guideline], changes: tuple[Change, ...]
) -> None:
    found = between(versions, changes, "cg81", V2017, V2026)
    assert {n for each in found.relations for n in each.old} == {rule.number for rule in found.old.rules}
    assert {n for each in found.relations for n in each.new} == {rule.number for rule in found.new.rules}
    assert found.counts()["reversed"] == 3
    assert found.verified is False


@pytest.mark.parametrize(
    ("guideline", "old", "new", "says"),
    [
        ("cg81", "2017", V2026, "Did you mean '2017-08-16'"),
        ("cg81", "V2025", V2026, "Did you mean '2025-02-19'"),
        ("cg81", V2017, "2026-06-03", "Did you mean '2026-06-30'"),
        ("cg18", V2017, V2026, "Did you mean 'cg81'"),
        ("cg81", V2026, V2017, "name the older version first"),
    ],
)
def test_an_unknown_version_is_refused(
    versions: Mapping[tuple[str, str], Guideline],
    changes: tuple[Change, ...],
    guideline: str,
    old: str,
    new: str,
    says: str,
) -> None:
    with pytest.raises(UnknownVersionError, match=says):
        between(versions, changes, guideline, old, new)


def test_steps_that_nobody_told_are_refused(versions: Mapping[tuple[str, str], Guideline]) -> None:
    with pytest.raises(UnknownVersionError, match="does not tell how"):
        between(versions, (), "cg81", V2017, V2026)
    assert find_version(versions, "cg81", "CG81@2017-08-16").version == V2017


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('{from: ["1.1.7"], to: ["1.5.3"], relation: same}', "{}", "relations, entry 8"),
        ('      - {from: ["1.1.7"], to: ["1.5.3"], relation: same}\n', "", "no relation names 1.1.7"),
        ('to: ["1.5.3"], relation: same', 'to: ["1.5.33"], relation: same', "has no 1.5.33. Did you mean '1.5.3'"),
        ('to: ["1.5.3"], relation: same', 'to: ["1.5.3"], relation: equal', "Input should be"),
        ('to: ["1.5.3"], relation: same', 'to: ["1.5.3"], relation: new', "only `new` has no `from`"),
        ('to: ["1.5.3"], relation: same', 'to: ["1.5.3"], relation: stood_down', "only `stood_down` no `to`"),
        ('to: ["1.5.3"], relation: same', 'to: ["1.5.3"], relation: split', "split leads to two numbers"),
        ('to: ["1.5.3"], relation: same', 'to: ["1.5.3"], relation: replaced', "no relation says same"),
        ('to: ["1.5.3"], relation: same', 'to: ["1.5.3", "1.5.2"], relation: same', "joins one number with one"),
        ('["1.4.1"], relation: amended', '["1.1.3"], relation: amended', "a rule that stays keeps its rule_id"),
        ('to: ["1.5.3"], relation: same', 'too: ["1.5.3"], relation: same', "an unknown field"),
        ('from: [], to: ["1.4.2"]', 'from: ["1.1.7"], to: ["1.4.2"]', "only `new` has no `from`"),
        ('from: [], to: ["1.4.2"]', 'from: [], to: ["1.4.2", "1.5.3"]', "different stories of 1.5.3"),
        ('new: "2026-06-30"', 'new: "2026-06-03"', "no cg81@2026-06-03 here. Did you mean '2026-06-30'"),
        ("changes:", "change:", "one list `changes:`"),
        ("    relations:\n      - {from", "    relations:\n      - same\n      - {from", "a relation is a mapping"),
    ],
)
def test_refused_with_file_and_line(
    tmp_path: Path, versions: Mapping[tuple[str, str], Guideline], old: str, new: str, says: str
) -> None:
    text = (GUIDELINES / CHANGES).read_text()
    assert old in text
    (tmp_path / CHANGES).write_text(text.replace(old, new))
    with pytest.raises(GuidelineError) as refusal:
        load_changes(tmp_path, versions)
    assert says in str(refusal.value)
    assert str(refusal.value).startswith(f"{tmp_path / CHANGES}:")


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["guideline", "diff", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_diff_for_machines() -> None:
    code, said, complained = run(V2017, V2026, "--json")
    assert (code, complained) == (0, "")
    found = json.loads(said)
    assert (found["guideline"], found["old"], found["new"], found["verified"]) == ("cg81", V2017, V2026, False)
    by_number = {number: each for each in found["recommendations"] for number in each["from"]}
    assert (by_number["1.1.8"]["relation"], by_number["1.1.8"]["to"]) == ("reversed", ["1.5.1", "1.5.2"])
    assert by_number["1.1.8"]["verified"] is True
    assert by_number["1.5.4"]["see"] == ["NG101 1.14.9"]
    assert by_number["1.5.4"]["verified"] is False
    assert sum(found["counts"].values()) == len(found["recommendations"])


def test_diff_for_people() -> None:
    code, said, _ = run(V2025, V2026)
    assert code == 0
    assert "From CG81 (2025-02-19) to CG81 (2026-06-30)" in said
    assert "Reversed: the newer version says the opposite (3)" in said
    assert "1.1.8* → 1.5.1, 1.5.2" in said
    assert "4 replaced by another source" in " ".join(said.split())
    assert "See NG99 1.7 to 1.11." in said
    assert "nobody has read this number at the source" in said
    assert "1.1.8 → 1.5.1, 1.5.2" in run(V2017, V2026)[1]
    assert max(map(len, said.splitlines())) <= 100


def test_diff_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    code, said, complained = run(V2017, "2026-06-03", "--json")
    assert (code, said) == (2, "")
    assert "Did you mean '2026-06-30'" in complained
    code, _, complained = run(V2017, V2026, "--guideline-dir", str(tmp_path))
    assert code == 2
    assert "this file is missing" in complained


def test_diff_reads_edited_data(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(GUIDELINES, tmp_path / "guidelines"))
    path = copy / CHANGES
    path.write_text(path.read_text().replace('note: "Fungating became ulcerated."', 'note: "Edited here."'))
    code, said, _ = run(V2025, V2026, "--guideline-dir", str(copy))
    assert code == 0
    assert "Edited here." in said

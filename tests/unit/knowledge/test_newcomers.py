"""What newcomers try: misspelt and half-known codes, contradictions, dates to come, broken files, many people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.knowledge.asking import DEFAULTS, EXAMPLES, PINNED, call, evaluated, facts_of, written

LUMINAL = {**DEFAULTS, "er_status": "positive", "her2_status": "negative"}
BONE = {**DEFAULTS, "bone_mets": "present"}


@pytest.mark.parametrize(
    ("code", "exit_code", "says"),
    [
        ("Eribulinn", 2, "Did you mean 'eribulin'"),
        ("ribociclb_letrozole", 2, "Did you mean 'ribociclib_letrozole'"),
        ("trastuzumabderuxtecan", 2, "Did you mean 'trastuzumab_deruxtecan'"),
        ("palbocilcib_ai", 2, "Did you mean 'palbociclib_ai'"),
        ("MIR", 2, "Did you mean 'MRI'"),
        ("", 2, "name a scan or a regimen"),
        ("None", 2, "name a scan or a regimen"),
        ("not_tested", 2, "name a scan or a regimen"),
        ("x" * 5000, 0, "xxx…"),
        ("mri", 0, ""),
        ("CT", 0, "'ct' is read as CECT"),
        ("fdg pet-ct", 0, ""),
        ("BEVACIZUMAB_TAXANE", 1, "1.8.1"),
        ("bevacizumab with paclitaxel", 1, "is read as bevacizumab_taxane"),
        ("letrozole + trastuzumab", 1, "is read as trastuzumab_ai"),
        ("bevacizumab", 0, "part of bevacizumab_capecitabine (which 1.8.1 advises against)"),
        ("datopotamab_deruxtecan", 0, "no recommendation knows"),
        ("tamoxifen_ofs", 0, "no recommendation knows"),
        ("xyz", 0, "no recommendation knows"),
    ],
)
def test_codes_as_people_type_them(tmp_path: Path, code: str, exit_code: int, says: str) -> None:
    asked = ["critique", *PINNED, "--facts", written(tmp_path, {**LUMINAL, "sact_decision_due": True})]
    done = call(*asked, "--propose", code)
    assert (done.exit_code, says in " ".join((done.stdout + done.stderr).split())) == (exit_code, True), done.output
    assert max(map(len, done.stderr.splitlines()), default=0) < 300
    told = call(*asked, "--propose", code, "--json")
    assert (told.exit_code, bool(told.stdout)) == (exit_code, exit_code != 2)
    if exit_code == 0:
        found = json.loads(told.stdout)
        assert (found["said"], found["known"]) == (
            "no guidance found",
            "no recommendation" not in found["note"].lower(),
        )
        assert "safe" not in done.stdout


def test_what_a_missing_fact_leaves_open_is_not_called_silence(tmp_path: Path) -> None:
    asked = ["critique", *PINNED, "--facts", written(tmp_path, BONE), "--propose", "bone_scan"]
    found = json.loads(call(*asked, "--json").stdout)
    assert (found["said"], found["undecided"]) == (
        "cannot be decided", [{"number": "1.5.3", "missing": ["imaging_purpose"]}],
    )  # fmt: skip
    read = call(*asked).stdout
    assert "no guidance found" not in read
    assert "it needs Purpose of the imaging" in read
    broken = call(*asked, "--purpose", "Monitoring")
    assert (broken.exit_code, "1.5.3 advises against it" in broken.stdout) == (1, True)


def test_a_guard_that_offers_nothing_says_so(tmp_path: Path) -> None:
    facts = written(tmp_path, {**LUMINAL, "disease_extent": "early_or_resectable"})
    done = call("critique", *PINNED, "--facts", facts, "--propose", "bevacizumab_taxane")
    assert (done.exit_code, "names nothing else that applies to this person now" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"n_adv": 0, "n_adv_chemo": 5}, ("n_adv", "n_adv_chemo")),
        ({"n_systemic": 1, "n_anti_her2": 2}, ("n_systemic", "n_anti_her2")),
        ({"had_endocrine": False, "n_adv_endocrine": 1}, ("had_endocrine", "n_adv_endocrine")),
        ({"n_systemic": 0, "had_taxane": True}, ("n_systemic", "had_taxane")),
        ({"had_cdk46": False, "months_on_et_cdk46": 9}, ("had_cdk46", "months_on_et_cdk46")),
        ({"on_trastuzumab": True, "had_trastuzumab": False}, ("on_trastuzumab", "had_trastuzumab")),
        ({"bone_mets": "absent", "bone_pain_from_mets": True}, ("bone_mets", "bone_pain_from_mets")),
        ({"liver_mets": "present", "disease_extent": "early_or_resectable"}, ("liver_mets", "disease_extent")),
        # these can be true
        ({"n_adv": 1, "n_adv_chemo": 1, "n_adv_endocrine": 1, "n_systemic": 1}, ()),
        ({"n_adv": 2, "n_adv_chemo": 0, "had_taxane": True, "n_systemic": 3}, ()),
        ({"n_adv": {"value": 0, "occurred_at": "2024-01-01"}, "n_adv_chemo": 1}, ()),
        ({"bone_mets": {"value": "absent", "occurred_at": "2024-01-01"}, "bone_pain_from_mets": True}, ()),
        ({"bone_mets": "absent", "sudden_bone_pain_at_known_lesion": True, "long_bone_fracture_risk": True}, ()),
        ({"liver_mets": "present", "disease_extent": "locally_advanced_unresectable"}, ()),
        ({"n_adv": 3, "n_adv_chemo": "unknown", "had_endocrine": None}, ()),
    ],
)  # fmt: skip
def test_only_what_cannot_be_is_refused(tmp_path: Path, facts: dict[str, Any], named: tuple[str, ...]) -> None:
    done = call("evaluate", *PINNED, "--facts", written(tmp_path, facts), "--json")
    assert (done.exit_code, bool(done.stdout)) == (2 if named else 0, not named), done.stderr
    assert all(name in done.stderr for name in named)


def test_facts_that_are_still_to_come_are_told_first(tmp_path: Path) -> None:
    path = written(tmp_path, {"bone_mets": {"value": "present", "occurred_at": "2026-06-01"}})
    for command in (["evaluate"], ["explain", "1.5.1"], ["critique", "--propose", "bone_scan"]):
        asked = [command[0], *command[1:], *PINNED, "--facts", path, "--at", "2026-05-01"]
        assert json.loads(call(*asked, "--json").stdout)["left_out"] == ["bone_mets"]
        read = call(*asked).stdout.split("\n\n")[0]
        assert "Left out, because they are dated after the time asked about (--at): Bone metastases." in read


BROKEN = {
    "itself.yaml": (b"&a [*a]", "holds itself"),
    "deep.yaml": (b"[" * 100_000, "nested too deeply"),
    "deep.json": (b"[" * 100_000, "nested too deeply"),
    "lines.yaml": (b"- " * 100_000 + b"a", "nested too deeply"),
    "binary.yaml": (b"\x80\x81\xff\x00", "not text in UTF-8"),
    "empty.yaml": (b"", "the file is empty"),
    "remark.yaml": (b"# nothing\n", "no facts stand here"),
    "yes.yaml": (b"yes: 1\n", "an unquoted yes, on or true"),
    "list.yaml": (b"? [a]\n: 1\n", "cannot be a list"),
    "digits.json": (b'{"ecog": ' + b"9" * 5000 + b"}", "more digits than can be read"),
    "digits.yaml": (b"ecog: " + b"9" * 5000, "more digits than can be read"),
    "endless.yaml": (b"ecog: .inf", "ecog (ECOG performance status) is a number, not infinity"),
    "dated.yaml": (b"preference: 2026-01-01", "the date 2026-01-01"),
    "unit.yaml": (b"\n\necog: 9", "unit.yaml:3: ecog (ECOG performance status) lies between 0 and 5, not 9"),
    "case.yaml": (b"ER_status: positive", "Did you mean 'er_status'"),
    "number.yaml": (b"7: positive", "this one is 7"),
    "long.yaml": (b"er_status: " + b"p" * 5000, "not 'ppp"),
    "twice.json": (b'{"ecog": 1, "ecog": 2}', "'ecog' stands twice"),
    "people.yaml": (b"- {ecog: 1}\n- {ecog: 2}\n", ""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused_in_plain_english(tmp_path: Path, name: str) -> None:
    content, says = BROKEN[name]
    path = tmp_path / name
    path.write_bytes(content)
    for command in (["evaluate"], ["explain", "1.6.1"], ["critique", "--propose", "MRI"]):
        done = call(*command, *PINNED, "--facts", str(path))
        if name == "people.yaml":
            says = "" if command == ["evaluate"] else "one person at a time"
        assert done.exit_code == (0 if name == "people.yaml" and command == ["evaluate"] else 2), done.output
        assert says in done.stderr
        assert len(done.stderr) < 400 + len(str(path))
        assert not any(python in done.stderr for python in ("None", "True", "datetime", "codec", "Traceback"))
        assert done.exit_code == 0 or str(path) in done.stderr


def test_a_file_as_other_programs_write_it(tmp_path: Path) -> None:
    path = tmp_path / "bom.json"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"ecog":\t1}')
    assert call("evaluate", *PINNED, "--facts", str(path), "--json").exit_code == 0


def test_many_people_are_told_together_or_not_at_all(tmp_path: Path) -> None:
    people = [facts_of(example) for example in EXAMPLES.values()]
    found = evaluated(tmp_path, people, "--at", "2026-11-23")
    assert found == [evaluated(tmp_path, one, "--at", "2026-11-23") for one in people]
    assert evaluated(tmp_path, []) == []
    done = call("evaluate", *PINNED, "--facts", written(tmp_path, [*people, {"ecog": 9}]))
    assert (done.exit_code, done.stdout, ", person 4: ecog" in done.stderr) == (2, "", True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["evaluate", "--version", "2026-06-03"], "Did you mean '2026-06-30'?"),
        (["explain", "1.6.1", "--guideline", "cg18"], "Did you mean 'cg81'? Guidelines found: cg81, ng101"),
        (["critique", "--propose", "MRI", "--version", "2026"], "Versions found: 2017-08-16"),
        (["show", "1.6.1", "--version", "2025-02-91"], "Did you mean '2025-02-19'?"),
        (["verify", "--version", "2026-06-3"], "Did you mean '2026-06-30'?"),
        (["diff", "2017-08-16", "2026-06-3"], "Did you mean '2026-06-30'?"),
        (["diff", "2017-08-16", "2026-06-30", "--guideline", "cg18"], "Did you mean 'cg81'?"),
    ],
)
def test_versions_that_there_are_not(tmp_path: Path, arguments: list[str], says: str) -> None:
    more = ["--facts", written(tmp_path, {})] if arguments[0] in {"evaluate", "explain", "critique"} else []
    done = call(*arguments, *more)
    assert (done.exit_code, says in done.stderr) == (2, True), done.stderr


def test_what_is_uncertain_is_marked(tmp_path: Path) -> None:
    path = written(tmp_path, {"ecog": 3, "adjusted_calcium": 2.5, "prior_therapies": []})
    old = call("evaluate", "--version", "2017-08-16", "--facts", path)
    top, first = old.stdout.split("\n\n")[:2]
    assert "CG81 (2017-08-16) is superseded" in top
    assert " (unverified)  " in old.stdout
    late = call("evaluate", *PINNED, "--facts", path, "--at", "2027-06-01")
    assert "was last checked against its source" in late.stdout.split("\n\n")[0]
    assert "U-PALL applies" in first
    silent = first.partition("Not asked")[2]
    assert "U-SVCO" in silent
    assert "U-HCM" not in silent
    read = call("explain", "U-SVCO", *PINNED, "--facts", path).stdout
    assert ("It is not asked" in read, "does not apply" in read) == (True, False)
    assert json.loads(call("explain", "U-SVCO", *PINNED, "--facts", path, "--json").stdout)["truth"] == "false"


def test_brackets_stand_only_where_they_are_needed(tmp_path: Path) -> None:
    path = written(tmp_path, {**LUMINAL, "disease_extent": "early_or_resectable"})
    for number in ("1.7.20", "1.7.21", "1.7.5", "1.8.1"):
        because = json.loads(call("explain", number, *PINNED, "--facts", path, "--json").stdout)["because"]
        assert "((" not in because
        assert not because.endswith(")).")

"""What CG81 leaves to NG101 reaches a person's tasks by data alone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.pathway.guideline import Guideline, GuidelineError, load_all
from services.pathway.house import current_guideline, read_guidelines
from services.pathway.knowledge.adoption import with_delegated
from tests.unit.pathway.person import GUIDELINES, Person, guards_broken, numbers

READ = ["1.14.4", "1.14.6", "1.14.7", "1.14.8", "1.14.9", "1.14.10", "1.14.11"]
UNREAD = ["1.14.1", "1.14.2", "1.14.3", "1.14.5"]


@pytest.fixture(scope="module")
def followed() -> Mapping[tuple[str, str], Guideline]:
    return read_guidelines(GUIDELINES)[0]


@pytest.fixture
def person(followed: Mapping[tuple[str, str], Guideline]) -> Person:
    return Person(current_guideline(followed, "cg81")).state(key_worker_assigned=True, disease_extent="metastatic")


def test_the_section_is_complete_and_says_what_was_not_read() -> None:
    ng101 = load_all(GUIDELINES)["ng101", "2025-04-14"]
    assert [rule.number for rule in ng101.rules] == [f"1.14.{number}" for number in range(1, 12)]
    assert list(ng101.unverified) == UNREAD


def test_only_what_was_read_is_followed_under_its_own_name(followed: Mapping[tuple[str, str], Guideline]) -> None:
    alone, together = load_all(GUIDELINES)["cg81", "2026-06-30"], followed["cg81", "2026-06-30"]
    borrowed = [rule for rule in together.rules[len(alone.rules) :] if not rule.number.startswith("SUPPORT-")]
    assert together.rules[: len(alone.rules)] == alone.rules
    assert [rule.number for rule in borrowed] == [f"NG101-{number}" for number in READ]
    own = [rule.number for rule in together.rules if rule.number.startswith("SUPPORT-")]
    assert own == [f"SUPPORT-{number}" for number in (1, 2, 3, 4, 5)]
    assert {rule.source for rule in borrowed} == {"https://www.nice.org.uk/guidance/ng101"}
    assert len({rule.rule_id for rule in together.rules}) == len({rule.number for rule in together.rules})
    own_1_14_1 = together.by_number("1.14.1")
    assert own_1_14_1 is not None
    assert own_1_14_1.rule_id.startswith("cg81.")


def test_lymphoedema_brings_ng101_tasks(person: Person) -> None:
    before = {item.number for item in person.plan().open}
    assert not any(number.startswith("NG101") for number in before)
    opened = person.report("symptom_reported", lymphoedema="present").plan().open
    referral = next(item for item in opened if item.number == "NG101-1.14.6")
    assert (referral.owner_role, referral.rule_id) == ("key_worker", "ng101.lymphoedema.specialist-referral")
    assert numbers([item for item in opened if item.number.startswith("NG101")]) == sorted(
        f"NG101-1.14.{number}" for number in (6, 7, 8, 9, 11)
    )
    person.decide("NG101-1.14.6", "accepted")
    follow_on = [item for item in person.plan().open if item.kind == "follow_on"]
    assert [item.title for item in follow_on] == ["Prepare the lymphoedema referral"]
    person.referrals.add("lymphoedema_service")
    assert [closing.how for closing in person.plan().close if closing.key == follow_on[0].key] == ["done"]


def test_who_is_only_at_risk_gets_no_task_and_no_compression(person: Person) -> None:
    opened = person.report("symptom_reported", lymphoedema="at_risk").plan().open
    assert not any(item.number.startswith("NG101") for item in opened)
    broken = guards_broken(person.guideline, person.facts, {"proposed_lymphoedema_care": "compression"}, person.now)
    assert [guard.number for guard in broken] == ["NG101-1.14.4"]
    person.report("symptom_reported", lymphoedema="present")
    assert not guards_broken(person.guideline, person.facts, {"proposed_lymphoedema_care": "compression"}, person.now)


def test_tape_waits_for_the_word_that_compression_does_not_suit(person: Person) -> None:
    person.report("symptom_reported", lymphoedema="present")
    tape = person.judgement("NG101-1.14.10")
    assert (tape.truth, tape.missing) == ("cannot_be_decided", ("compression_suitable",))
    assert person.state(compression_suitable=False).judgement("NG101-1.14.10").truth == "applies"


def test_a_change_of_ng101_changes_what_people_are_pinned_to(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(GUIDELINES, tmp_path / "guidelines"))
    path = copy / "ng101" / "2025-04-14.yaml"
    before = with_delegated(load_all(copy))
    path.write_text(path.read_text().replace("as soon as possible", "soon"))
    after = with_delegated(load_all(copy))
    assert after["cg81", "2026-06-30"].content_hash != before["cg81", "2026-06-30"].content_hash
    assert after["cg81", "2017-08-16"].content_hash == before["cg81", "2017-08-16"].content_hash
    path.unlink()
    with pytest.raises(GuidelineError, match="leaves something to ng101@2025-04-14, which is not here"):
        with_delegated(load_all(copy))

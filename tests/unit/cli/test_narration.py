"""What clinicians read: the demo's scenes, the record, the worklist, explanations. Rendering only; nothing runs."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import nhs_number
import pytest

from services.cli.commands import judged, narration, screens, words
from services.cli.commands.lines import WIDTH, Line, table, wrapped
from services.cli.commands.narration import Scene
from services.cli.commands.story import synthetic_nhs_number

PERSON = {
    "patient_id": "7828f747-b70a-435c-a7e2-6f8d811d3a1e",
    "nhs_number": "9991987150",
    "local_identifier": "",
    "given_name": "Nora",
    "family_name": "Copley",
    "birth_date": "1945-07-14",
    "sex": "female",
}
CHASE = {
    "number": "1.7.16",
    "kind": "chase",
    "title": "Get: HER2 ISH",
    "reason": "HER2 ISH is not known.",
    "owner_team": "breast_care_nurses",
    "owner_role": "key_worker",
    "supplied_by": "pathology",
    "due_on": "2026-11-25",
    "due_at": "2026-11-26T00:00:00Z",
    "moved": 0,
    "taken_by": "",
    "attempts": 0,
    "waiting_on": "pathology",
    "contact": None,
    "for_person": "",
    "item_id": "5e1f1b1c-0000-4000-8000-000000000001",
    "urgency": "routine",
    "status": "open",
    "closed_reason": "",
    "person": PERSON,
}
TASK = {**CHASE, "number": "1.12.3", "kind": "recommendation", "title": "Bring in palliative care", "urgency": "urgent"}
DONE = {**CHASE, "status": "done", "closed_reason": "HER2 ISH is now known."}
TEAMS = {"breast_care_nurses": "Breast care nurses", "pathology": "Cellular pathology"}
FACT = {
    "fact_id": "f1",
    "name": "her2_ish",
    "value": "not_amplified",
    "subject": "",
    "occurred_at": "2026-08-26T10:05:00Z",
    "recorded_at": "2026-11-22T15:13:20Z",
    "recorded_by": {"subject": "kofi", "role": "pathologist", "team": "pathology"},
    "source": "Pathology report",
    "superseded_by_fact_id": "",
    "supersedes_fact_id": "",
    "entered_in_error": False,
}


def judgement(**changes: object) -> dict[str, object]:
    return {
        "rule_id": "r1",
        "number": "1.7.16",
        "title": "First endocrine treatment",
        "strength": "option",
        "section": "systemic_therapy",
        "truth": "cannot_be_decided",
        "missing": ["her2_ish"],
        "supplied_by": ["pathology"],
        "fact_ids": [],
        "because": "Not known: HER2 ISH.",
        "action": "Offer a CDK4/6 inhibitor.",
        "source": "https://www.nice.org.uk/guidance/cg81",
        "option_for": "r0",
        "option_codes": ["ribociclib_ai"],
        "option_labels": ["Ribociclib with an aromatase inhibitor"],
        **changes,
    }


def evaluation(*judgements: dict[str, object]) -> dict[str, object]:
    return {"guideline": "cg81", "version": "2026-06-30", "judgements": list(judgements)}


def text(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines)


def scene(**changes: object) -> Scene:
    told = {"number": 3, "title": "The diagnosis", "kind": "diagnosis_confirmed", "on": "2026-08-19T13:20:00+00:00"}
    return Scene(**{**told, "who": "Elena Sample, oncologist (Breast oncology)", "teams": TEAMS, **changes})  # type: ignore[arg-type]


def test_a_scene_says_who_what_whose_when_and_who_was_told() -> None:
    said = text(narration.scene(scene(facts=[("her2_ihc", "2+")], opened=[TASK], told=["pathology", "new_team"])))
    assert "19-Aug-2026  The diagnosis" in said
    assert "Diagnosis confirmed, by Elena Sample, oncologist (Breast oncology)." in said
    assert "HER2 IHC: 2+." in said
    assert "1.12.3  Bring in palliative care" in said
    assert "Breast care nurses, by 25-Nov-2026, urgent." in said
    assert "Told: Cellular pathology and New team." in said


def test_who_was_not_told_yet_is_not_among_the_told() -> None:
    said = text(narration.scene(scene(told=["pathology"], not_told=["breast_care_nurses"])))
    assert "Told: Cellular pathology." in said
    assert "Not told yet (mail not delivered): Breast care nurses." in said


@pytest.mark.parametrize(
    ("channel", "statuses", "told"),
    [
        ("log", ["sent"], "1 messages written (kept by notify; no mail server is set)."),
        ("email", ["sent", "delivered"], "2 messages went to staff."),
        ("email", ["sent", "queued", "failed"], "1 messages went to staff; 2 not delivered yet."),
    ],
)
def test_the_ending_counts_what_was_sent(channel: str, statuses: list[str], told: str) -> None:
    messages = [{"channel": channel, "status": status} for status in statuses]
    assert told in text(narration.ending([TASK], messages, TEAMS))


@pytest.mark.parametrize(
    ("statuses", "expected", "told"),
    [
        ([], 3, "0 messages went to staff; at least 3 not delivered yet."),
        (["sent", "queued"], 27, "1 messages went to staff; at least 26 not delivered yet."),
        (["sent", "sent"], 1, "2 messages went to staff."),
    ],
)
def test_the_ending_counts_what_notify_has_not_heard_of(statuses: list[str], expected: int, told: str) -> None:
    messages = [{"channel": "email", "status": status} for status in statuses]
    assert told in " ".join(text(narration.ending([TASK], messages, TEAMS, expected)).split())


def test_messages_are_shown_with_what_became_of_them() -> None:
    message = {
        "created_at": "2026-11-22T14:05:00Z",
        "team": "pathology",
        "template": "referral_sent",
        "status": "in_doubt",
        "channel": "email",
        "subject": "A referral",
        "body": "Please look.\n\nThank you.\n",
    }
    said = text(screens.messages([message], TEAMS))
    assert "22-Nov-2026 14:05  Cellular pathology: Referral sent (in doubt)" in said
    assert "    A referral\n    Please look.\n\n    Thank you." in said
    kept = {**message, "status": "sent", "channel": "log"}
    assert "(sent, kept and not mailed)" in text(screens.messages([kept], TEAMS))
    assert text(screens.messages([], TEAMS)) == "No messages."


def test_the_worklist_says_why_and_cuts_no_title() -> None:
    long = {**CHASE, "title": "Get: " + "a very long title " * 5}
    said = " ".join(text(screens.worklist([long], datetime(2026, 11, 22, tzinfo=UTC))).split())
    assert str(long["title"]).strip() in said
    assert "HER2 ISH is not known." in said
    assert "waiting on pathology" in said


def test_a_missing_result_is_told_with_who_supplies_it() -> None:
    said = text(narration.scene(scene(opened=[CHASE])))
    assert "Missing:" in said
    assert "Asked for now" not in said
    assert "Pathology supplies it. To be chased by Breast care nurses, by 25-Nov-2026." in said


def test_what_closed_is_told_with_its_reason() -> None:
    assert "Get: HER2 ISH: done. HER2 ISH is now known." in text(narration.scene(scene(closed=[DONE])))


def test_a_recommendation_that_the_guideline_lacks_is_not_told() -> None:
    assert narration.judgement_notes(evaluation(), "1.7.16") == []
    notes = narration.judgement_notes(evaluation(judgement()), "1.7.16")
    assert notes[0].startswith("1.7.16 cannot be decided: First endocrine treatment.")
    assert notes[1] == "Missing for it: HER2 ISH; pathology supplies it."


def test_who_is_responsible_for_a_referral() -> None:
    held = {"status": "information_asked", "responsible_team": "pathology", "clinically_responsible_team": "wound_care"}
    said = narration.responsible_note(held, TEAMS)
    assert said == (
        "Referral now: information asked. Next step: Cellular pathology. Clinically responsible: Wound care."
    )


def test_hints_can_be_typed() -> None:
    said = text(narration.hints(PERSON, ".venv/bin/handrail", "1.12.1"))
    assert '.venv/bin/handrail patient show "999 198 7150"' in said
    assert 'explain "999 198 7150" 1.12.1' in said


def test_banner_dates_and_numbers_are_written_the_clinical_way() -> None:
    assert words.banner(PERSON) == "COPLEY, Nora   Born 14-Jul-1945   Female   NHS No. 999 198 7150"
    assert words.clock("2026-07-01T12:00:00Z") == "01-Jul-2026 13:00"
    assert words.day("2026-06-30T23:30:00Z") == "01-Jul-2026"
    assert words.day("") == "Not known"
    assert words.guideline("cg81@2026-06-30") == "CG81 (2026-06-30)"


@pytest.mark.parametrize(
    ("held", "said"),
    [(True, "yes"), (2, "2"), (0.5, "0.5"), ("not_amplified", "not amplified"), ("2+", "2+"), (None, "no value")],
)
def test_values_in_words(held: object, said: str) -> None:
    assert words.value(held) == said


@pytest.mark.parametrize(
    ("at", "status"),
    [
        ("2026-11-24T12:00:00+00:00", "On track"),
        ("2026-11-25T09:00:00+00:00", "Due today"),
        ("2026-11-26T00:00:00+00:00", "Overdue"),
    ],
)
def test_status_at_an_instant(at: str, status: str) -> None:
    assert words.due_status("2026-11-25", "2026-11-26T00:00:00Z", datetime.fromisoformat(at)) == status
    assert status in text(screens.worklist([CHASE], datetime.fromisoformat(at)))


def test_history_keeps_both_values_of_a_corrected_result() -> None:
    old = {**FACT, "superseded_by_fact_id": "f2"}
    new = {**FACT, "fact_id": "f2", "value": "amplified", "supersedes_fact_id": "f1"}
    wrong = {**FACT, "fact_id": "f3", "value": None, "supersedes_fact_id": "f0", "entered_in_error": True}
    event = {
        "event_id": "e1",
        "seq": 4,
        "kind": "result_received",
        "event": {"result_received": {"investigation": "HER2 ISH"}},
        "occurred_at": FACT["occurred_at"],
        "recorded_at": FACT["recorded_at"],
        "actor": FACT["recorded_by"],
        "source": "",
        "facts": [old, new, wrong],
    }
    said = text(screens.history([event]))
    assert "HER2 ISH: not amplified (superseded) [fact f1]" in said
    assert "HER2 ISH: amplified (corrected value)" in said
    assert "HER2 ISH: entered in error" in said
    assert "event e1" in said


def test_an_explanation_names_facts_gaps_options_and_decisions() -> None:
    parent = judgement(rule_id="r0", number="1.6.1", option_for="", truth="applies", missing=[], fact_ids=["f1"])
    held = evaluation({**parent, "option_codes": [], "option_labels": []}, judgement(truth="applies"))
    made = {"rule_id": "r1", "number": "1.7.16"}
    entry = judged.explained(held, "1.6.1", [FACT], [made, {"rule_id": "other"}])[0]
    assert [option["code"] for option in entry["options"]] == ["ribociclib_ai"]
    assert entry["decisions"] == [made]
    assert entry["facts"][0]["value"] == "not_amplified"
    entry["decisions"] = []
    said = text(judged.show_explained(entry))
    assert "HER2 ISH: not amplified, 26-Aug-2026, from Pathology report" in said
    assert "CG81 (2026-06-30), https://www.nice.org.uk/guidance/cg81" in said
    gap = judged.explained(evaluation(judgement()), "1.7.16", [], [])[0]
    assert "HER2 ISH: pathology supplies it" in text(judged.show_explained(gap))


def test_lines_are_never_wider_than_the_page() -> None:
    assert all(len(line.text) <= WIDTH for line in wrapped("word " * 80, 8, hang=2))
    assert table([("a", "long cell"), ("bcd", "x")], 2, (0, 6))[0].text == "  a    long …"


def test_synthetic_numbers_are_valid_and_of_the_test_range() -> None:
    source = random.Random(7)
    numbers = [synthetic_nhs_number(source) for _ in range(200)]
    assert all(number.startswith("999") and nhs_number.is_valid(number) for number in numbers)


def test_nothing_on_screen_blames() -> None:
    made = {
        "number": "1.10.1",
        "outcome": "declined",
        "option": "",
        "decided_at": datetime(2026, 11, 22, tzinfo=UTC).isoformat(),
        "actor": FACT["recorded_by"],
        "person_view": "Not now.",
        "reason": "She prefers to wait.",
        "reason_code": "person_preference",
        "review_on": "2026-12-22",
        "departure": True,
        "options_shown": [],
        "decided_by": "",
        "decided_with": "",
        "made_without": [],
    }
    said = text(screens.decision(made))
    assert "Reason not followed: She prefers to wait. (person preference)" in said
    assert "departure" not in said.lower()

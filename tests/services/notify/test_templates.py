from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from jinja2 import Environment, meta

from handrail.clinical.v1 import events_pb2 as events_pb
from services.notify.rendering import TEMPLATES, Item, Telling, Template, Templates, due_words, plain
from services.notify.teams import Teams
from services.runtime.errors import Category, HandrailError
from tests.services.notify.house import TEAMS, House, notice

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.notify.mail import MailServer

NAMES = sorted(path.stem for path in TEMPLATES.glob("*.txt") if not path.name.startswith("_"))
PROMISES = {
    "item_overdue", "item_unacknowledged", "items_opened", "report_not_filed", "phone_task", "sweep_found", "mdt_list",
    "alert_digest",
}  # fmt: skip
# Reported by the team that would be told, or told by another message of the same moment.
# Sent to the person's own address.
TO_THE_PERSON = {"information_given"}
NOT_TOLD = {
    "item_completed", "item_deferred", "item_taken", "item_attempted", "item_handed_over", "item_data_asked",
    "cycle_given", "cycle_deferred", "dose_changed", "yellow_card_submitted",
    "investigation_ordered", "investigation_cancelled", "referral_drafted", "referral_agreed", "referral_delivered",
    "appointment_booked", "appointment_moved", "appointment_cancelled", "appointment_attended",
    "transfer_offered", "pathway_imported", "contact_agreed",
    "key_worker_covered", "needs_assessed", "goals_changed", "preference_recorded", "research_discussed",
    "complication_reviewed", "key_worker_left",
    "involvement_agreed", "related_person_recorded", "capacity_assessed", "best_interests_decided",
}  # fmt: skip
PERSONAL = {
    "name", "given_name", "family_name", "first_name", "last_name", "surname", "nhs_number", "birth_date", "dob",
    "date_of_birth", "address", "postcode", "phone", "sex", "histology", "note", "diagnosis", "person_view",
}  # fmt: skip
CLINICAL_WORDS = re.compile(
    r"cancer|tumou?r|breast|oncolog|palliat|hospice|metasta|progress|diagnos|chemo|HER2|death|died", re.IGNORECASE
)


@pytest.fixture
def teams(teams_file: Path) -> Teams:
    return Teams.from_file(teams_file)


@pytest.fixture
def templates(teams: Teams) -> Templates:
    return Templates(teams)


def telling(teams: Teams, **changes: object) -> Telling:
    fields: dict[str, object] = {
        "destination": teams.reach("palliative"),
        "message_id": "6f0c0c9e-0000-4000-8000-000000000001",
        "patient_id": "0b0e9f1c-1111-4222-8333-444455556666",
    }
    return Telling(**{**fields, **changes})  # type: ignore[arg-type]


def filled(template: Template) -> dict[str, str]:
    names = template.required | template.optional
    return {name: "yes" if name == "serious" else f"the {name.replace('_', ' ')}" for name in names}


def test_each_event_that_is_told_and_each_promise_has_its_own_message() -> None:
    events = {field.name for field in events_pb.ClinicalEvent.DESCRIPTOR.fields}
    assert set(NAMES) == (events - NOT_TOLD) | PROMISES


@pytest.mark.parametrize("name", sorted({*NAMES} - TO_THE_PERSON))
def test_every_message_can_be_rendered_with_the_values_it_declares(
    templates: Templates, teams: Teams, name: str
) -> None:
    template = templates.get(name)
    items = (Item("Book the visit", "2026-12-01", "It was asked for", "1.7.16"),)
    subject, body = templates.render(template, telling(teams, items=items, urgency="routine"), filled(template))
    assert subject.startswith("Handrail: ")
    assert "\n" not in subject
    for value in filled(template).values():
        assert value in body or value in {"yes", "the urgency"}
    for part in ("Book the visit", "2026-12-01", "It was asked for", "1.7.16", "0b0e9f1c", "worklist"):
        assert part in body
    assert "0b0e9f1c-1111" not in body


@pytest.mark.parametrize("name", NAMES)
def test_every_message_can_be_rendered_with_only_what_it_needs(templates: Templates, teams: Teams, name: str) -> None:
    template = templates.get(name)
    needed = {value: f"the {value}" for value in template.required}
    _, body = templates.render(template, telling(teams, patient_id=""), needed)
    assert "()" not in body
    assert "None" not in body
    assert "About:" not in body


@pytest.mark.parametrize("name", NAMES)
def test_no_message_declares_or_reads_personal_data(templates: Templates, name: str) -> None:
    template = templates.get(name)
    text = (TEMPLATES / f"{name}.txt").read_text(encoding="utf-8")
    read = meta.find_undeclared_variables(Environment(autoescape=True).parse(_without_filters(text)))
    assert not (template.required | template.optional | read) & PERSONAL
    assert read - {"team", "heading", "tasks"} <= template.required | template.optional
    assert template.audience == ("patient" if name in TO_THE_PERSON else "staff")


@pytest.mark.parametrize("name", sorted(TO_THE_PERSON))
def test_what_a_person_gets_says_what_they_asked_for_and_whom_to_ring(
    templates: Templates, teams: Teams, name: str
) -> None:
    template = templates.get(name)
    values = {"title": "Living with fatigue", "link": "https://www.example.org/fatigue"}
    subject, body = templates.render(template, telling(teams), values)
    assert subject == "Information from your care team"
    assert all(value in body for value in values.values())
    assert teams.telephone("palliative") in body
    assert not any(word in body for word in ("Handrail", "worklist", "0b0e9f1c"))


@pytest.mark.parametrize("name", NAMES)
def test_no_subject_says_what_it_is_about(templates: Templates, teams: Teams, name: str) -> None:
    template = templates.get(name)
    subject, _ = templates.render(template, telling(teams), filled(template))
    assert not CLINICAL_WORDS.search(subject)
    assert not any(value in subject for value in filled(template).values())
    assert "0b0e9f1c" not in subject


def test_only_escalations_are_marked_urgent_and_only_when_they_are(templates: Templates, teams: Teams) -> None:
    marked = set()
    for template in templates:
        for urgency in ("", "routine", "urgent", "emergency"):
            subject, _ = templates.render(template, telling(teams, urgency=urgency), filled(template))
            if subject.startswith("["):
                assert subject.startswith(f"[{urgency}] ")
                marked.add((template.name, urgency))
    escalations = (PROMISES | {"item_escalated"}) - {"items_opened", "mdt_list"}
    emergencies = {(template.name, "emergency") for template in templates}
    assert marked == {(name, "urgent") for name in escalations} | emergencies


def test_a_task_says_when_it_is_due_and_how_urgent_it_is() -> None:
    assert due_words("2026-11-25", datetime(2026, 11, 26, tzinfo=UTC)) == "25-Nov-2026"
    assert due_words("2026-11-25", datetime(2026, 11, 25, 19, 32, tzinfo=UTC)) == "25-Nov-2026 19:32"
    assert due_words("2026-07-01", datetime(2026, 7, 1, 23, tzinfo=UTC)) == "01-Jul-2026"
    assert (due_words("", None), due_words("2026-11-25", None)) == ("", "25-Nov-2026")


def test_a_referral_says_all_that_is_needed_to_act(templates: Templates, teams: Teams) -> None:
    values = {"from_team": "breast_care", "reason": "Fatigue that does not yield"}
    about = telling(teams, urgency="urgent", owner_id="R-17")
    _, body = templates.render(templates.get("referral_sent"), about, values)
    for part in ("R-17", "urgent", "Fatigue that does not yield", "Care coordination", "0113 496 0001"):
        assert part in body
    assert "acknowledge" in body
    assert "http" not in body


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("call 943 476 5919 today", "call [number removed] today"),
        ("999 000 0018", "[number removed]"),
        ("9434765919", "[number removed]"),
        ("0113 496 0000", "0113 496 0000"),
        ("two\nlines\t here", "two lines here"),
    ],
)
def test_values_stay_on_one_line_and_lose_nhs_numbers(given: str, kept: str) -> None:
    assert plain(given) == kept


def test_a_value_is_never_run_as_a_template(templates: Templates, teams: Teams) -> None:
    _, body = templates.render(templates.get("result_received"), telling(teams), {"investigation": "{{ 7 * 7 }} <b>&"})
    assert "{{ 7 * 7 }} <b>&" in body


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"values": {"family_name": "x"}}, "values[family_name]"),
        ({"template": "referral_sent", "values": {"from_team": "x"}}, "values[reason]"),
        ({"template": "birthday_greetings"}, "template"),
    ],
)
async def test_what_a_message_does_not_take_is_refused_by_name(
    house: House, mail: MailServer, changes: dict[str, object], field: str
) -> None:
    request = notice(**changes)
    with pytest.raises(HandrailError) as refused:
        await house.send(request)
    assert refused.value.category is Category.INVALID
    assert [violation.field for violation in refused.value.violations] == [field]
    assert mail.taken == []
    with pytest.raises(HandrailError):
        await house.message(request.idempotency_key)


def test_without_a_duty_desk_the_teams_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "teams.yaml"
    path.write_text(TEAMS.replace("duty_desk", "front_desk"), encoding="utf-8")
    with pytest.raises(SystemExit, match="duty_desk"):
        Teams.from_file(path)


@pytest.mark.parametrize("text", ["", "teams: 3", "teams:\n  - nothing", "{"])
def test_a_teams_file_that_is_none_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "teams.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit, match="teams file"):
        Teams.from_file(path)


def _without_filters(text: str) -> str:
    return re.sub(r"\| team_\w+", "", text)

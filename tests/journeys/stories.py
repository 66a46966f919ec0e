"""Beginnings that several journeys share: a person with a diagnosis, a decision, a line of treatment, a referral."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handrail.clinical.v1 import events_pb2, terms_pb2
from services.runtime.errors import Category, HandrailError
from tests.house import COORDINATOR, NURSE, ONCOLOGIST, Door, fact

LUMINAL = [
    fact("disease_extent", "metastatic"),
    fact("er_status", "positive"),
    fact("pr_status", "positive"),
    fact("her2_ihc", "1+"),
    fact("prior_therapies_none", True),
]
FIRST_ENDOCRINE = "1.7.16"


def a_day(ahead: int) -> str:
    """An ISO date so many days from now."""
    return (datetime.now(UTC) + timedelta(days=ahead)).date().isoformat()


def new_id() -> str:
    """An id, as a client makes it."""
    return str(uuid.uuid4())


async def diagnosed(door: Door, family: str = "Testperson", **values: str) -> str:
    """A person with advanced, hormone receptor-positive, HER2-negative disease and no treatment so far."""
    patient = await door.opened(family, **values)
    await door.told(ONCOLOGIST, "ConfirmDiagnosis", patient, events_pb2.DiagnosisConfirmed(), facts=LUMINAL)
    return patient


def accepted(number: str = FIRST_ENDOCRINE, option: str = "ribociclib_ai") -> events_pb2.DecisionMade:
    """A decision that takes up an option."""
    return events_pb2.DecisionMade(
        number=number,
        outcome=events_pb2.DecisionMade.OUTCOME_ACCEPTED,
        option=option,
        person_view="She wants tablets and to stay out of hospital.",
    )


async def treated(door: Door, weeks: int = 8) -> tuple[str, str]:
    """A person on a first line of treatment; returns the person's and the line's id."""
    patient, line = await diagnosed(door), new_id()
    await door.told(ONCOLOGIST, "MakeDecision", patient, accepted())
    await door.told(ONCOLOGIST, "StartTherapyLine", patient, started(line, weeks))
    await door.until(patient, lambda s: of_kind(s, "response_check"), "the first response check is planned")
    return patient, line


def started(line: str, weeks: int = 8) -> events_pb2.TherapyLineStarted:
    """The start of ribociclib with letrozole."""
    return events_pb2.TherapyLineStarted(
        line_id=line,
        course=terms_pb2.TherapyCourse(
            setting="advanced",
            line=1,
            agents=["ribociclib", "letrozole"],
            classes=["cdk46", "aromatase_inhibitor"],
            stop_reason="ongoing",
        ),
        response_check_weeks=weeks,
    )


async def tired(door: Door) -> Any:
    """A person with a diagnosis who is very tired; returns the whole state."""
    patient = await diagnosed(door)
    return await door.told(
        NURSE,
        "ReportSymptom",
        patient,
        events_pb2.SymptomReported(told_by="person"),
        facts=[fact("fatigue", "significant")],
    )


async def sent_referral(door: Door, urgency: str = "urgent") -> tuple[str, str]:
    """A palliative referral that was drafted, agreed and sent; returns the person's and the referral's id."""
    patient, referral = await diagnosed(door), new_id()
    await door.told(COORDINATOR, "DraftReferral", patient, drafted(referral, urgency))
    await door.told(COORDINATOR, "AgreeReferral", patient, agreed(referral))
    await door.told(COORDINATOR, "SendReferral", patient, events_pb2.ReferralSent(referral_id=referral))
    await door.until(patient, lambda s: s.referrals[0].status in {"sent", "delivered"}, "the referral is sent")
    return patient, referral


def drafted(referral: str, urgency: str = "urgent") -> events_pb2.ReferralDrafted:
    """A draft to palliative care."""
    return events_pb2.ReferralDrafted(
        referral_id=referral,
        to_team="palliative_care",
        reason="Local disease is not controlled; pain and wound care.",
        urgency=urgency,
    )


def agreed(referral: str) -> events_pb2.ReferralAgreed:
    """The person's agreement."""
    return events_pb2.ReferralAgreed(referral_id=referral, agreed_by="person", words="Yes, if they come to my home.")


def numbers(state: Any) -> set[str]:
    """The recommendations that have an open task."""
    return {item.number for item in state.open_items if item.number}


def of_kind(state: Any, kind: str) -> list[Any]:
    """The open tasks of one kind."""
    return [item for item in state.open_items if item.kind == kind]


def the(state: Any, number: str, kind: str = "") -> Any:
    """The one open task of a recommendation."""
    found = [item for item in state.open_items if item.number == number and (not kind or item.kind == kind)]
    assert len(found) == 1, [(item.number, item.kind, item.title) for item in state.open_items]
    return found[0]


async def how_closed(door: Door, patient: str, number: str) -> list[tuple[str, str]]:
    """How the closed tasks of a recommendation ended: status and reason."""
    items = await door.items(patient)
    return [(item.status, item.closed_reason) for item in items if item.number == number and item.status != "open"]


async def refused(waits: Any) -> HandrailError:
    """The refusal that a call ends with."""
    with pytest.raises(HandrailError) as caught:
        await waits
    assert caught.value.category is not Category.INTERNAL, caught.value.message
    return caught.value

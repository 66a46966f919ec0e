"""The demo's story: one synthetic person from diagnosis to a palliative referral, told by staff."""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from services.cli.commands import judged, narration
from services.cli.commands.narration import Scene
from services.cli.commands.shapes import Plain
from services.cli.commands.stage import Happening, Player, Stage
from services.cli.commands.words import LONDON, sentence, value

GIVEN = ("Agnes", "Beryl", "Cora", "Doreen", "Edith", "Freda", "Gwen", "Hilda", "Ivy", "Joan", "Mabel", "Nora", "Olive")
FAMILY = ("Ashdown", "Birchall", "Copley", "Dunmore", "Elmhirst", "Fairlie", "Garside", "Hawksworth", "Kettlewell")
BORN = "1962-03-09"
OPTIONS, DECISION = "1.7.16", "1.6.1"
PALLIATIVE = "1.12.3"
KNOWN_AT_DIAGNOSIS = (
    ("disease_extent", "metastatic"),
    ("er_status", "positive"),
    ("pr_status", "positive"),
    ("her2_ihc", "2+"),
    ("menopausal_status", "post"),
    ("prior_therapies_none", True),
    ("ecog", 1),
    ("bone_mets", "present"),
    ("bone_mets_newly_diagnosed", True),
)
SOURCES = {
    "diagnosis_confirmed": "Breast MDT meeting",
    "result_received": "Pathology report",
    "decision_made": "Oncology clinic",
    "therapy_line_started": "Oncology clinic",
    "therapy_line_ended": "Oncology clinic",
    "progression_reported": "CT report",
    "symptom_reported": "Conversation with the person",
    "referral_first_contact": "Home visit",
}
Ago = tuple[int, int, int]
"""So many days ago, at an hour and minute in London."""
_ACCEPTED = 1  # DecisionMade.OUTCOME_ACCEPTED
_AGENTS = ["ribociclib", "letrozole"]
_WEEKS = 12


@dataclass(frozen=True)
class Cast:
    """The staff of the story."""

    coordinator: Player
    key_worker: Player
    oncologist: Player
    pathologist: Player
    palliative: Player


def synthetic_nhs_number(source: random.Random) -> str:
    """Return a valid number of the range 999, which is reserved for tests."""
    while True:
        digits = f"999{source.randrange(10**6):06d}"
        check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:  # noqa: PLR2004 - such a number is never given out
            return f"{digits}{check % 11}"


class Story:
    """The scenes, in order. What the guideline does not ask is not told."""

    def __init__(self, stage: Stage, cast: Cast, source: random.Random) -> None:
        self.stage = stage
        self.cast = cast
        self.line_id = ""
        self.referral_id = str(uuid.UUID(int=source.getrandbits(128), version=4))
        self._new_line_id = str(uuid.UUID(int=source.getrandbits(128), version=4))
        self._now = datetime.now(UTC)

    async def scenes(self) -> AsyncIterator[Scene]:
        """Play the story, scene by scene."""
        for part in (self._diagnosis, self._treatment, self._progression, self._referral, self._hand_over):
            async for scene in part():
                yield scene

    async def _diagnosis(self) -> AsyncIterator[Scene]:
        coordinator, key_worker = self.cast.coordinator, self.cast.key_worker
        play, report = self.stage.play, self._report
        yield await play(
            report("The pathway is opened", coordinator, "pathway_opened", (96, 9, 10), referred_by="Breast clinic")
        )
        named = report("A key worker takes her on", coordinator, "key_worker_assigned", (96, 10, 0))
        yield await play(replace(named, fields={"person_id": key_worker.actor.subject}))
        confirmed = report(
            "The diagnosis is confirmed; HER2 is not known yet",
            self.cast.oncologist,
            "diagnosis_confirmed",
            (95, 14, 20),
            histology="ductal",
            note="HER2 ISH was asked for; the result is outstanding.",
        )
        yield self._noted(await play(confirmed.bringing(*KNOWN_AT_DIAGNOSIS)), OPTIONS)
        result = report(
            "The missing result arrives",
            self.cast.pathologist,
            "result_received",
            (88, 11, 5),
            investigation="HER2 ISH",
            reported_by="Cellular pathology",
        )
        scene = self._noted(await play(result.bringing(("her2_ish", "not_amplified"))), OPTIONS)
        yield replace(scene, notes=[*scene.notes, *narration.option_notes(self._options())])

    async def _treatment(self) -> AsyncIterator[Scene]:
        number = next((n for n in (OPTIONS, DECISION) if self._applies(n)), "")
        if not number:
            return
        offered = {option["code"]: option["label"] for option in self._options()} or {"ribociclib_ai": "ribociclib"}
        option = next((code for code in offered if code.startswith("ribociclib")), next(iter(offered)))
        title = "She and her oncologist decide on treatment"
        view = "I want to keep working for as long as I can, and tablets suit me better than visits to the day unit."
        scene = await self.stage.play(self._accepted(title, number, view, (84, 15, 30), option=option))
        yield replace(scene, notes=[f"Accepted under {number}: {offered[option]}.", f"Her view: '{view}'"])
        self.line_id = self._new_line_id
        course = self._course("ongoing")
        started = self._report(
            f"The line of treatment starts; its response is checked every {_WEEKS} weeks",
            self.cast.oncologist,
            "therapy_line_started",
            (77, 10, 0),
            line_id=self.line_id,
            course=course,
            intent="To control the disease",
            response_check_weeks=_WEEKS,
        )
        scene = await self.stage.play(started.expecting(opens=self._response_check))
        yield replace(scene, notes=[f"{sentence(value(course))}."])

    async def _progression(self) -> AsyncIterator[Scene]:
        play, oncologist = self.stage.play, self.cast.oncologist
        progressed = self._report(
            "The disease has progressed",
            oncologist,
            "progression_reported",
            (5, 10, 15),
            line_id=self.line_id,
            site="Liver and chest wall",
        )
        yield await play(progressed.bringing(("ecog", 2), ("liver_mets", "present")))
        if self.line_id:
            yield await play(self._line_ends())
        tired = self._report(
            "She tells her key worker how tired she is",
            self.cast.key_worker,
            "symptom_reported",
            (4, 11, 30),
            note="Too tired to climb the stairs; sleeps in the afternoon.",
            told_by="person",
        )
        yield await play(tired.bringing(("fatigue", "significant")))
        seen = self._report(
            "The disease at the chest wall is not controlled",
            oncologist,
            "symptom_reported",
            (4, 15, 0),
            note="The chest wall disease is breaking through the skin.",
            told_by="clinician",
        )
        yield self._noted(await play(seen.bringing(("uncontrolled_local_disease", True))), PALLIATIVE)

    def _line_ends(self) -> Happening:
        ended = self._report(
            "The line of treatment ends",
            self.cast.oncologist,
            "therapy_line_ended",
            (5, 16, 0),
            line_id=self.line_id,
            stop_reason="progression",
        )
        return ended.expecting(closes=self._response_check)

    async def _referral(self) -> AsyncIterator[Scene]:
        key_worker, palliative = self.cast.key_worker, self.cast.palliative
        asked = [PALLIATIVE] if self._applies(PALLIATIVE) else []
        if asked:
            title = "She and her oncologist agree to bring in palliative care"
            view = "I would like help with the wound and the tiredness, at home if it can be done."
            scene = await self.stage.play(self._accepted(title, PALLIATIVE, view, (3, 12, 0)))
            yield replace(scene, notes=[f"Her view: '{view}'"])
        drafted = self._report(
            "The palliative referral is drafted",
            key_worker,
            "referral_drafted",
            (3, 16, 0),
            to_team=palliative.actor.team,
            reason="Uncontrolled local disease of the chest wall and significant fatigue; lives with her daughter.",
            urgency="urgent",
            numbers=asked,
        )
        yield await self._step(drafted, opens="draft")
        agreed = self._report(
            "She agrees to the referral",
            key_worker,
            "referral_agreed",
            (2, 9, 45),
            agreed_by="person",
            words="Yes, please ask them to come.",
        )
        yield await self._step(agreed, opens="send")
        sent = self._report("The referral is sent", key_worker, "referral_sent", (2, 10, 5))
        yield await self._step(sent, opens="outstanding")

    async def _hand_over(self) -> AsyncIterator[Scene]:
        palliative = self.cast.palliative
        taken = self._report(
            "A person at the palliative team takes the referral",
            palliative,
            "referral_acknowledged",
            (1, 9, 30),
            taken_by=palliative.name,
        )
        yield await self._step(taken, opens="outstanding-answer")
        accepted = self._report(
            "The palliative team will see her",
            palliative,
            "referral_accepted",
            (1, 11, 0),
            plan="Home visit, wound and symptom plan with the district nurses.",
        )
        yield await self._step(accepted, opens="contact")
        met = self._report(
            "The palliative team meets her at home: responsibility has passed",
            palliative,
            "referral_first_contact",
            (0, 0, 0),
            how="visit",
            note="Dressings changed, plan for fatigue agreed; next visit in a week.",
        )
        yield await self._step(met.bringing(("palliative_or_eol_care_being_provided", True)), closes="contact")

    async def _step(self, happening: Happening, *, opens: str = "", closes: str = "") -> Scene:
        """Play one step of the referral, and say who is responsible then."""
        prefix = f"track|referral|{self.referral_id}|"
        step = replace(happening, fields={"referral_id": self.referral_id, **happening.fields})
        scene = await self.stage.play(
            step.expecting(opens=f"{prefix}{opens}" if opens else "", closes=f"{prefix}{closes}" if closes else "")
        )
        status = "draft" if opens == "draft" else happening.kind.removeprefix("referral_")
        referral = await self.stage.referral(self.referral_id, status)
        return replace(scene, notes=[narration.responsible_note(referral, self.stage.team_names)])

    def _accepted(self, title: str, number: str, view: str, at: Ago, option: str = "") -> Happening:
        made = {"number": number, "outcome": _ACCEPTED, "option": option, "person_view": view}
        return replace(self._report(title, self.cast.oncologist, "decision_made", at), fields=made)

    def _report(self, title: str, who: Player, kind: str, at: Ago, **fields: object) -> Happening:
        return Happening(title, who, kind, fields, self._at(*at), source=SOURCES.get(kind, "Handrail demo"))

    @property
    def _response_check(self) -> str:
        return f"track|response-check|{self.line_id}|1"

    def _noted(self, scene: Scene, number: str) -> Scene:
        return replace(scene, notes=narration.judgement_notes(self.stage.evaluation, number))

    def _applies(self, number: str) -> bool:
        return any(
            judgement["number"] == number and judgement["truth"] == "applies"
            for judgement in self.stage.evaluation["judgements"]
        )

    def _options(self) -> list[dict[str, str]]:
        """Return the options of the treatment decision that apply now."""
        judgements: list[Plain] = self.stage.evaluation["judgements"]
        asking = [j for j in judgements if j["number"] == DECISION]
        return [option for judgement in asking for option in judged.options(self.stage.evaluation, judgement)]

    def _course(self, stop_reason: str) -> dict[str, object]:
        ended = "" if stop_reason == "ongoing" else self._day(5).isoformat()
        return {
            "setting": "advanced",
            "line": 1,
            "agents": _AGENTS,
            "classes": ["cdk46", "aromatase_inhibitor"],
            "stop_reason": stop_reason,
            "started_on": self._day(77).isoformat(),
            "ended_on": ended,
        }

    def _day(self, days_ago: int) -> date:
        return self._now.astimezone(LONDON).date() - timedelta(days=days_ago)

    def _at(self, days_ago: int, hour: int, minute: int) -> datetime:
        """Return a time of a past day in London; today is a few minutes ago."""
        if days_ago == 0:
            return self._now - timedelta(minutes=5)
        return datetime.combine(self._day(days_ago), time(hour, minute), LONDON).astimezone(UTC)

"""What a death or a transfer sets aside, and how all of it stands again when that was a mistake. Pure.

Nothing is thrown away: a task that is set aside rests in the state as it stood, with its owner and its clock, and a
task that would have opened meanwhile is held. Lines of treatment and referrals keep their workflows until the pathway
is closed by a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from workflows import tracks
from workflows.messages import Closing, OpenItem, PathwayState, PlannedItem, Report, TrackItem

DEATH, TRANSFER = "death", "transfer"
CLOSE_PATHWAY = "close_pathway"
DOUBT = f"{tracks.PREFIX}death|doubt"
# What is reported of the living.
_OF_THE_LIVING = frozenset(
    {
        "symptom_reported",
        "appointment_attended",
        "cycle_given",
        "needs_assessed",
        "complication_reviewed",
        "progression_reported",
        "involvement_agreed",
        "decision_made",
    }
)
# What is still to be done after a death: for the family, for those who treated, and for the medicines' regulator.
SURVIVES = frozenset(
    {
        "bereavement",
        "arrangements",
        "treatment_death_review",
        "referral_after_death",
        "yellow_card",
        "adverse_event",
        "result_to_read",
        "report_not_filed",
        "death_in_doubt",
        CLOSE_PATHWAY,
    }
)
# Supportive care, which whoever took the person over goes on with.
CARE_GOES_ON = frozenset(
    {"complication", "concern", "care_plan", "concern_again", "needs", "preference", "research", "cover"}
)
_SETS_ASIDE = {"death_verified": DEATH, "transfer_accepted": TRANSFER}
_GIVES_BACK = {"death_withdrawn": DEATH, "transfer_declined": TRANSFER}
_WHY = {DEATH: "The person has died.", TRANSFER: "Another organisation took the care over."}
_WHY_AGAIN = {
    DEATH: "The report of the death was withdrawn: this task stands again.",
    TRANSFER: "The transfer fell through: this task stands again.",
}


def given_back(report: Report | None) -> str:
    """Return the cause that this report takes back; empty if none."""
    return _GIVES_BACK.get(report.kind, "") if report else ""


def causes(state: PathwayState, report: Report | None) -> set[str]:
    """Return why this pathway rests once this report is filed."""
    held = set(state.resting)
    if report is not None and report.kind in _SETS_ASIDE:
        held.add(_SETS_ASIDE[report.kind])
    return held - {given_back(report)}


def set_aside(state: PathwayState, report: Report | None) -> list[Closing]:
    """Return how the tasks are closed that this report sets aside."""
    cause = _SETS_ASIDE.get(report.kind, "") if report else ""
    if not cause:
        return []
    return [Closing(item.key, "withdrawn", _WHY[cause]) for item in state.items.values() if _rests(item, cause)]


def standing(state: PathwayState, report: Report | None) -> list[OpenItem]:
    """Return the tasks that are open once this report is filed, before anything else closes or opens."""
    going = {ending.key for ending in set_aside(state, report)}
    return [item for item in state.items.values() if item.key not in going] + again(state, report, ())


def again(state: PathwayState, report: Report | None, going: Iterable[str]) -> list[OpenItem]:
    """Return what stands again as it stood, but for what closes in the same moment (`going`)."""
    cause = given_back(report)
    if not cause or causes(state, report):
        return []  # something else still keeps it at rest
    taken = {item.key for item in state.items.values()} | set(going)
    return [item for item in state.resting.get(cause, []) if item.key not in taken]


def why_again(report: Report | None) -> str:
    """Say why a task stands again."""
    return _WHY_AGAIN.get(given_back(report), "")


def wanted(state: PathwayState, report: Report | None, fresh: Sequence[PlannedItem]) -> list[PlannedItem]:
    """Return what opens: while a pathway rests the guideline's tasks do not, but for an emergency."""
    if causes(state, report):
        return [item for item in fresh if item.key.startswith(tracks.PREFIX) or item.urgency == "emergency"]
    return list(fresh)


def let_through(state: PathwayState, report: Report | None, moved: Sequence[TrackItem]) -> list[TrackItem]:
    """Return what opens although the person died; what does not is held, and opens if that was a mistake.

    An emergency always opens: somebody whom it is reported of may well be alive.
    """
    if given_back(report) == DEATH:
        return [*moved, *state.held]
    if DEATH not in causes(state, report):
        return list(moved)
    through = [item for item in moved if item.kind in SURVIVES or item.urgency == "emergency"]
    late = [item for item in moved if item not in through]
    keys = {item.key for item in late}
    state.held = [item for item in state.held if item.key not in keys] + late
    return through


def in_doubt(state: PathwayState, report: Report | None) -> list[TrackItem]:
    """Return the task to find out who a report is about that says of the dead what is said of the living."""
    if report is None or report.kind not in _OF_THE_LIVING or state.death.status != "verified":
        return []
    if report.occurred_at.date() <= date.fromisoformat(state.death.died_on):
        return []
    item = TrackItem(
        key=DOUBT,
        kind="death_in_doubt",
        title="Something was reported of this person after their recorded death: find out now who it is about",
        reason=f"Reported: {report.kind.replace('_', ' ')}. The death is recorded for {state.death.died_on}. If "
        "that is a mistake, withdraw it, and all that was set aside stands again; if the report is, correct it.",
        owner_role="coordination",
        promise="death_verified",
        urgency="urgent",
    )
    return [item]


def last_step(
    state: PathwayState, report: Report | None, moved: Sequence[TrackItem], closed: Sequence[Closing]
) -> list[TrackItem]:
    """Return the task to close the pathway, when it rests and nothing else is left; a person closes it."""
    going = {ending.key for ending in closed}
    left = [item for item in standing(state, report) if item.key not in going]
    if not causes(state, report) or moved or left or (report is not None and report.kind == "pathway_closed"):
        return []
    return [
        TrackItem(
            key=f"{tracks.PREFIX}close",
            kind=CLOSE_PATHWAY,
            title="Nothing is open: close the pathway, with the reason",
            reason=" ".join(_WHY[cause] for cause in sorted(causes(state, report))),
            owner_role="coordination",
            promise="pathway_closed",
        )
    ]


def settle(state: PathwayState, report: Report | None, gone: Sequence[OpenItem], closed: Iterable[str]) -> None:
    """Keep what was set aside (`gone`), and forget what rested and was dealt with meanwhile (`closed`, by key)."""
    dealt_with = set(closed)
    state.held = [item for item in state.held if item.key not in dealt_with]
    for cause, items in state.resting.items():
        state.resting[cause] = [item for item in items if item.key not in dealt_with]
    if report is None:
        return
    if report.kind in _SETS_ASIDE:
        state.resting.setdefault(_SETS_ASIDE[report.kind], []).extend(gone)
    cause = given_back(report)
    rested = state.resting.pop(cause, [])
    if cause == DEATH:
        state.held = []
    for other in sorted(state.resting)[:1]:
        state.resting[other] += rested


def _rests(item: OpenItem, cause: str) -> bool:
    """After a death all rests but what has to be done for it; after a transfer what the care itself asks for."""
    if cause == DEATH:
        return item.kind not in SURVIVES
    return item.kind in CARE_GOES_ON or not item.key.startswith(tracks.PREFIX)

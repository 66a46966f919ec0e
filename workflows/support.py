"""Supportive care and complications: whose the person is, what was found needed or wished, and what is watched. Pure.

A concern keeps a task open until it is scored again, a complication until it is settled, and each task closes only
together with opening the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from workflows import names
from workflows.messages import Closing, Cover, Moved, PathwayState, Report, TrackItem
from workflows.tracks import PREFIX, TrackMoves

KEY_WORKER = "key_worker"
HANDS_OVER = frozenset({"key_worker_assigned", "key_worker_left"})
DOMAINS = ("physical", "psychological", "social", "spiritual", "financial")
COVER, UNASKED, RESEARCH = f"{PREFIX}key-worker|cover", f"{PREFIX}needs|unasked", f"{PREFIX}research"
_FORMER_KEPT = 20


# --- whose the person is ----------------------------------------------------------------------------------------------


def take_effect(state: PathwayState, report: Report) -> None:
    """Change who the key worker is, or who stands in."""
    match report.kind:
        case "key_worker_assigned" | "key_worker_left":
            person = str(report.event.get("person_id", ""))
            gone = [state.key_worker, *([state.cover.person] if state.cover else [])]
            former = [*state.former_key_workers, *gone][-_FORMER_KEPT:]
            state.former_key_workers = [name for name in dict.fromkeys(former) if name not in {"", person}]
            state.key_worker, state.key_worker_team, state.cover = person, report.key_worker_team, None
        case "pathway_imported" if report.event.get("key_worker"):
            state.key_worker, state.key_worker_team = str(report.event["key_worker"]), report.key_worker_team
        case "key_worker_covered" if report.cover_begins_at and report.cover_ends_at:
            person = str(report.event["person_id"])
            state.cover = Cover(person, report.key_worker_team, report.cover_begins_at, report.cover_ends_at)
        case _:
            pass


def key_worker_team(state: PathwayState, at: datetime) -> str:
    """Return whose the key worker's tasks are at an instant: the cover's team while it stands, else the key worker's.

    Empty: nobody said, and the team that has the role gets them.
    """
    cover = state.cover
    if cover is not None and cover.team and cover.begins_at <= at < cover.ends_at:
        return cover.team
    return state.key_worker_team


def hands_over(state: PathwayState, report: Report, going: Collection[str]) -> dict[str, Moved]:
    """Return what changes hands when the key worker changes: nobody who left has anything in hand any more.

    What was meant for the key worker goes to the new one's team; what a person handed elsewhere stays there.
    """
    reason = str(report.event.get("reason") or "Another key worker was named.")
    moved = {}
    for item in state.items.values():
        to = state.key_worker_team if item.owner_role == KEY_WORKER else ""
        left = item.taken_by in state.former_key_workers
        if item.key in going or not (left or (to and to != item.owner_team)):
            continue
        moved[item.item_id] = Moved(
            due_on=item.due_on,
            due_at=item.due_at,
            reason=reason,
            change="handed_over",
            owner_team=to or item.owner_team,
            taken_by="" if left else item.taken_by,
            with_role=True,
        )
    return moved


# --- which tasks follow -----------------------------------------------------------------------------------------------


def moves(state: PathwayState, report: Report) -> TrackMoves:
    """Return the tasks of supportive care that one event opens and closes."""
    maker = _MOVES.get(report.kind)
    opened, closed = maker(state, report) if maker else ([], [])
    # A review says for itself what follows; who is taken over mid-pathway is checked by a person first.
    apart = report.kind in {"complication_reviewed", "pathway_imported"}
    watched, settled = ([], []) if apart else _watched(state, report)
    return [*opened, *watched], [*closed, *settled]


def _covered(_: PathwayState, report: Report) -> TrackMoves:
    event = report.event
    item = TrackItem(
        key=COVER,
        kind="cover",
        title="The cover ends: hand back to the key worker",
        reason=f"{event['person_id']} covers from {event['from_on']} until {event['until_on']}. What comes after that "
        "day is the key worker's again.",
        owner_role=KEY_WORKER,
        on_date=str(event["until_on"]),
    )
    return [item], [Closing(COVER, "replaced", "Another cover was agreed.")]


def _cover_over(_: PathwayState, __: Report) -> TrackMoves:
    return [], [Closing(COVER, "withdrawn", "The key worker changed.")]


def concern_key(patient_id: str, domain: str, concern: str, step: str) -> str:
    """Return the key of a concern's task: to `plan` for, its `care` plan, or to score it `again`."""
    return f"{PREFIX}concern|{names.derived_id('concern', patient_id, domain, concern.strip().casefold())}|{step}"


def _needs(state: PathwayState, report: Report) -> TrackMoves:
    opened, closed = _unasked(state, report)
    for concern in report.event.get("concerns", []):
        more = _concern(state, concern)
        opened += more[0]
        closed += more[1]
    return opened, closed


def _concern(state: PathwayState, concern: Mapping[str, object]) -> TrackMoves:
    """A concern that stands has a plan, or somebody who makes one."""
    said, domain, score = str(concern["concern"]), str(concern["domain"]), int(str(concern["score"]))
    to_plan, care, again = (concern_key(state.patient_id, domain, said, step) for step in ("plan", "care", "again"))
    about = f"{said} ({domain}): {score} of 10."
    closed = [Closing(again, "done", f"Scored again: {score} of 10.")]
    if score == 0:
        return [], [*closed, *(Closing(key, "done", "It is no concern any more.") for key in (to_plan, care))]
    if plan := str(concern.get("plan", "")):
        team = str(concern.get("owner_team", ""))
        item = TrackItem(
            key=care,
            kind="care_plan",
            title=plan,
            reason=about,
            owner_role="" if team else KEY_WORKER,
            owner_team=team,
            on_date=str(concern["review_on"]),
            subject_id=care.split("|")[2],
        )
        return [item], [
            *closed,
            Closing(care, "replaced", "There is a newer plan."),
            Closing(to_plan, "done", "A plan was made."),
        ]
    if any(item.key == care for item in state.items.values()):
        return [], closed
    item = TrackItem(
        key=to_plan,
        kind="concern",
        title="Plan help for a concern",
        reason=about,
        owner_role=KEY_WORKER,
        promise="concern_planned",
        subject_id=to_plan.split("|")[2],
    )
    return [item], closed


def _unasked(state: PathwayState, report: Report) -> TrackMoves:
    """What an assessment at a key point left out is asked about: not asked is not the same as no concern."""
    event = report.event
    waiting = next((item for item in state.items.values() if item.key == UNASKED), None)
    if any(item.rule_id in report.answers for item in state.items.values()):
        before = list(DOMAINS)
    elif waiting is not None:
        before = waiting.subject_id.split("+")
    else:
        return [], []  # between key points somebody may well ask about one thing only
    asked = {*event.get("no_concern", []), *(concern["domain"] for concern in event.get("concerns", []))}
    left = [domain for domain in before if domain not in asked]
    if not left:
        return [], [Closing(UNASKED, "done", "All domains were asked about.")]
    item = TrackItem(
        key=UNASKED,
        kind="needs",
        title=f"Needs not asked about yet: {', '.join(left)}",
        reason="The assessment at this key point left them out, so they are not known.",
        owner_role=KEY_WORKER,
        promise="needs_completed",
        subject_id="+".join(left),
    )
    return [item], [Closing(UNASKED, "replaced", "Some of it was asked about.")]


def _after_plan(state: PathwayState, report: Report) -> TrackMoves:
    """Whether a plan helped shows only when the concern is scored again."""
    item = state.items.get(str(report.event["item_id"]))
    if item is None or item.kind != "care_plan":
        return [], []
    again = TrackItem(
        key=f"{item.key.rpartition('|')[0]}|again",
        kind="concern_again",
        title="Ask whether the plan helped, and score the concern again",
        reason=f"Done: {item.title}. {report.event['outcome']}",
        owner_role=KEY_WORKER,
        promise="concern_scored_again",
        subject_id=item.subject_id,
    )
    return [again], []


def _preference(_: PathwayState, report: Report) -> TrackMoves:
    """A wish is looked at again on its day; who does not want to talk is asked again then, or never."""
    event = report.event
    words = str(event["kind"]).replace("_", " ")
    key = f"{PREFIX}preference|{event['kind']}"
    closed = [Closing(key, "done", f"It was talked about again: {str(event['answer']).replace('_', ' ')}.")]
    if event["answer"] == "withdrawn" or not event.get("review_on"):
        return [], closed
    declined = event["answer"] == "declined_to_talk"
    item = TrackItem(
        key=key,
        kind="preference",
        title=f"Ask whether the person wants to talk now: {words}" if declined else f"Look at it again: {words}",
        reason="They did not want to talk about it, and agreed to be asked again."
        if declined
        else "It was agreed to look at this wish again.",
        owner_role=KEY_WORKER,
        on_date=str(event["review_on"]),
        subject_id=str(event["kind"]),
    )
    return [item], closed


def _research(_: PathwayState, report: Report) -> TrackMoves:
    event = report.event
    closed = [Closing(RESEARCH, "done", f"Research was talked about: {str(event['outcome']).replace('_', ' ')}.")]
    study = str(event.get("study") or "a study")
    if event["outcome"] == "wants":
        item = TrackItem(
            key=RESEARCH,
            kind="research",
            title=f"Refer to the research team: {study}",
            reason="The person wants to join.",
            owner_role="oncology",
            promise="research_referred",
        )
        return [item], closed
    if event["outcome"] != "offered":
        return [], closed
    item = TrackItem(
        key=RESEARCH,
        kind="research",
        title=f"Ask for the answer about joining {study}",
        reason="It was offered, and the person is thinking it over.",
        owner_role="oncology",
        promise="research_answered",  # unless the person named a day
        on_date=str(event.get("answer_by", "")),
    )
    return [item], closed


def complication_key(name: str) -> str:
    """Return the key of the task that a watched complication keeps open."""
    return f"{PREFIX}complication|{name}"


def _watched(state: PathwayState, report: Report) -> TrackMoves:
    """A complication is watched from its first report, whatever brought it, until a report settles it."""
    opened, closed = [], []
    standing = {item.key for item in state.items.values()}
    for name, there in report.watched.items():
        if not there:
            closed.append(Closing(complication_key(name), "done", "It is settled."))
        elif complication_key(name) not in standing:
            opened.append(_look(name, "It was reported, and is watched until it is settled."))
    return opened, closed


def _reviewed(_: PathwayState, report: Report) -> TrackMoves:
    event = report.event
    name = str(event["complication"])
    if event["state"] == "resolved":
        return [], [Closing(complication_key(name), "done", "It is resolved.")]
    again = _look(name, str(event.get("note") or "It goes on."), str(event["next_on"]))
    return [again], [Closing(again.key, "replaced", "It was looked at, and goes on.")]


def _look(name: str, reason: str, on_date: str = "") -> TrackItem:
    return TrackItem(
        key=complication_key(name),
        kind="complication",
        title=f"See how it is: {name.replace('_', ' ')}",
        reason=reason,
        owner_role=KEY_WORKER,
        promise="complication_reviewed",  # unless a day was named
        on_date=on_date,
        subject_id=name,
    )


_MOVES: Mapping[str, Callable[[PathwayState, Report], TrackMoves]] = {
    "key_worker_covered": _covered,
    "key_worker_assigned": _cover_over,
    "key_worker_left": _cover_over,
    "needs_assessed": _needs,
    "item_completed": _after_plan,
    "preference_recorded": _preference,
    "research_discussed": _research,
    "complication_reviewed": _reviewed,
}

"""Information and shared decisions: what the person wants to know, who is beside them, who decides. Pure.

What the person does not want to know is not sent. Capacity is of one decision: while somebody cannot make it, it is
made in their best interests, by the attorney or deputy where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from workflows import names
from workflows.messages import Beside, Capacity, Closing, Notice, PathwayState, Report, TrackItem
from workflows.tracks import PREFIX, TrackMoves

KEY_WORKER, ONCOLOGY = "key_worker", "oncology"
# A cause to send nothing that speaks of anything, or of one topic.
INFORMATION = "information"
SPEAK_FOR = frozenset({"attorney", "deputy"})
TREATMENT, CARE = "treatment", "care"
EMAIL = "email"
TEMPLATE = "information_given"
_REVIEW = f"{PREFIX}involvement|review"


# --- at once ----------------------------------------------------------------------------------------------------------


def withheld(state: PathwayState, report: Report) -> dict[str, bool]:
    """Return the causes to send no information that begin (True) or end (False) with a report."""
    event = report.event
    known = {cause for cause in state.suppressed if cause.startswith(INFORMATION)}
    match report.kind:
        case "involvement_agreed":
            wanted = {f"{INFORMATION}_{topic}" for topic in event.get("not_about", [])}
            wanted |= {INFORMATION} if event["wants_to_know"] == "nothing_now" else set()
        case "information_given":
            about = f"{INFORMATION}_{event['topic']}"
            theirs = not event.get("related_person_id")
            wanted = known | ({about} if theirs and event["outcome"] == "declined" else set())
            wanted -= {about} if event.get("asked_for") else set()
        case _:
            return {}
    return {cause: cause in wanted for cause in sorted(wanted ^ known)}


def take_effect(state: PathwayState, report: Report) -> None:
    """Change who is beside the person, where they are written to, and which decisions they cannot make."""
    event = report.event
    match report.kind:
        case "contact_agreed":
            state.email = str(event.get("email", "")) if EMAIL in event["ways"] else ""
        case "related_person_recorded":
            beside = Beside(
                str(event["relationship"]),
                str(event["may_be_told"]),
                str(event.get("authority", "")) if event.get("authority_seen") else "",
            )
            state.beside.pop(str(event["related_person_id"]), None)
            if not event.get("no_longer"):
                state.beside[str(event["related_person_id"])] = beside
        case "capacity_assessed":
            state.capacity.pop(str(event["about"]), None)
            if event["outcome"] == "lacks_capacity":
                state.capacity[str(event["about"])] = Capacity(str(event["assessment_id"]))
        case "best_interests_decided":
            _decided(state, str(event["assessment_id"]), decided=True)
        case _:
            pass


def take_back(state: PathwayState, report: Report) -> None:
    """Undo what a report did that could not be filed."""
    event = report.event
    match report.kind:
        case "related_person_recorded":
            state.beside.pop(str(event["related_person_id"]), None)
        case "capacity_assessed":
            state.capacity.pop(str(event["about"]), None)
        case "best_interests_decided":
            _decided(state, str(event["assessment_id"]), decided=False)
        case _:
            pass


def _decided(state: PathwayState, assessment_id: str, *, decided: bool) -> None:
    for about, known in state.capacity.items():
        if known.assessment_id == assessment_id:
            state.capacity[about] = replace(known, decided=decided)


# --- which tasks follow -----------------------------------------------------------------------------------------------


def moves(state: PathwayState, report: Report) -> TrackMoves:
    """Return the tasks that information, people beside the person, and capacity open and close."""
    maker = _MOVES.get(report.kind)
    return maker(state, report) if maker else ([], [])


def _involvement(_: PathwayState, report: Report) -> TrackMoves:
    closed = [Closing(_REVIEW, "done", "It was asked again.")]
    if not report.event.get("review_on"):
        return [], closed
    item = TrackItem(
        key=_REVIEW,
        kind="involvement",
        title="Ask again how much the person wants to know, and to decide",
        reason="They want to be asked again on this day.",
        owner_role=KEY_WORKER,
        on_date=str(report.event["review_on"]),
    )
    return [item], [Closing(_REVIEW, "replaced", "Another day was agreed.")]


def _information(state: PathwayState, report: Report) -> TrackMoves:
    event = report.event
    topic = str(event["topic"])
    key = f"{PREFIX}information|{topic}"
    words = topic.replace("_", " ")
    if event["outcome"] == "declined":
        return [], [Closing(key, "withdrawn", "The person does not want it.")]
    if event["outcome"] == "not_available":
        shape = ", ".join([str(event.get("language") or "en"), *event.get("formats", [])]).replace("_", " ")
        item = TrackItem(
            key=key,
            kind="information",
            title=f"Find information that this person can use ({shape}): {words}",
            reason=f"There was none: {event['title']}.",
            owner_role=KEY_WORKER,
            promise="information_found",
            subject_id=topic,
        )
        return [item], [Closing(key, "replaced", "It was looked for again.")]
    closed = [Closing(key, "done", "It was given.")]
    beside = state.beside.get(str(event.get("related_person_id", "")))
    if beside is None or beside.may_be_told == "everything" or topic in {"support", "family"}:
        return [], closed
    told = TrackItem(
        key=f"{PREFIX}told|{event['related_person_id']}|{topic}",
        kind="told_without_consent",
        title=f"Tell the person that their {_relation(beside)} was told: {words}",
        reason="The person had not agreed to that. What happened is recorded; what they want now is to be asked.",
        owner_role=KEY_WORKER,
        promise="consent_asked",
        subject_id=str(event["related_person_id"]),
    )
    return [told], closed


def _relation(beside: Beside) -> str:
    return beside.relationship.replace("_", " ")


def _related(_: PathwayState, report: Report) -> TrackMoves:
    """Consent, authority, their own needs, and help for a child: each waits until it is answered."""
    event = report.event
    steps = [] if event.get("no_longer") else [*_about_consent(event), *_about_help(event)]
    waits = {item.key for item in steps}
    prefix = f"{PREFIX}related-person|{event['related_person_id']}|"
    keys = [f"{prefix}{step}" for step in _RELATED_STEPS]
    return steps, [Closing(key, "replaced" if key in waits else "done", "It was recorded.") for key in keys]


_RELATED_STEPS = ("consent", "authority", "needs", "young", "help", "child")


def _about_consent(event: Mapping[str, object]) -> list[TrackItem]:
    relation = str(event["relationship"]).replace("_", " ")
    steps = []
    if event["may_be_told"] == "not_asked":
        steps.append(
            TrackItem(
                key="consent",
                kind="related_person",
                title=f"Ask the person what their {relation} may be told",
                reason="Nobody has asked yet. Until then nothing is told.",
                promise="consent_asked",
            )
        )
    if event.get("authority") in SPEAK_FOR and not event.get("authority_seen"):
        steps.append(
            TrackItem(
                key="authority",
                kind="related_person",
                title=f"See the document by which the {relation} decides for the person",
                reason="They are said to be an attorney or deputy; nobody has seen the registered power or the order.",
                promise="authority_seen",
            )
        )
    return [_beside(event, item) for item in steps]


def _about_help(event: Mapping[str, object]) -> list[TrackItem]:
    relation = str(event["relationship"]).replace("_", " ")
    cares, young = bool(event.get("gives_care")), bool(event.get("under_18"))
    needs, helped = str(event.get("own_needs", "")), bool(event.get("help"))
    if young and not helped:
        title = "Ask for a young carer's assessment" if cares else "Offer help with what to tell the children"
        reason = (
            "Somebody under 18 gives care (Children Act 1989, section 17ZA)."
            if cares
            else "Somebody under 18 belongs to the person, and no help is recorded."
        )
        key = "young" if cares else "child"
        return [_beside(event, TrackItem(key, "related_person", title, reason, promise="carer_helped"))]
    if needs == "has_needs" and not helped:
        title, reason = f"Arrange help for the {relation}", "They have needs of their own."
        return [_beside(event, TrackItem("help", "related_person", title, reason, promise="carer_helped"))]
    if cares and not needs and not young:
        title = f"Ask how the {relation} who cares for the person is doing"
        reason = "Whoever gives care may have an assessment of their own needs (Care Act 2014, section 10)."
        return [_beside(event, TrackItem("needs", "related_person", title, reason, promise="carer_asked"))]
    return []


def _beside(event: Mapping[str, object], item: TrackItem) -> TrackItem:
    person = str(event["related_person_id"])
    return replace(item, key=f"{PREFIX}related-person|{person}|{item.key}", owner_role=KEY_WORKER, subject_id=person)


def capacity_key(about: str, step: str) -> str:
    """Return the key of a task about one kind of decision: to `decide`, for an `advocate`, or to assess `again`."""
    return f"{PREFIX}capacity|{about}|{step}"


def _capacity(state: PathwayState, report: Report) -> TrackMoves:
    event = report.event
    about, outcome = str(event["about"]), event["outcome"]
    steps: dict[str, TrackItem] = {}
    decision = str(event["decision"])
    if outcome == "lacks_capacity":
        speaking = next((one for one in state.beside.values() if one.authority in SPEAK_FOR), None)
        who = f"the {speaking.authority}" if speaking else "the team"
        decide = _step(about, "decide", f"A decision in the person's best interests, by {who}", decision)
        steps["decide"] = replace(decide, promise="best_interests_decided")
        if not any(one.relationship != "professional" for one in state.beside.values()):
            reason = "Nobody but staff is recorded who could be asked (Mental Capacity Act 2005, sections 37 and 38)."
            instruct = _step(about, "advocate", "Instruct an independent mental capacity advocate", reason)
            steps["advocate"] = replace(instruct, promise="advocate_instructed")
    if outcome == "unclear" or event.get("review_on"):
        again = _step(about, "again", "Assess again whether the person can decide", decision)
        day = str(event.get("review_on", ""))
        steps["again"] = replace(again, promise="capacity_assessed", on_date=day)
    closed = []
    for step in ("decide", "advocate", "again", "disagreement"):
        how = "replaced" if step in steps else "withdrawn"
        closed.append(Closing(capacity_key(about, step), how, "Capacity was assessed again."))
    return [*steps.values()], closed


def _step(about: str, step: str, title: str, reason: str) -> TrackItem:
    return TrackItem(
        key=capacity_key(about, step),
        kind="capacity",
        title=title,
        reason=reason,
        owner_role=ONCOLOGY if about in {TREATMENT, "research"} else KEY_WORKER,
        subject_id=about,
    )


def _best_interests(state: PathwayState, report: Report) -> TrackMoves:
    event = report.event
    about = next((a for a, known in state.capacity.items() if known.assessment_id == event["assessment_id"]), "")
    closed = [
        Closing(
            capacity_key(about, "decide"), "done", f"Decided by the {event['decided_by']}: {event['decision']}"[:400]
        )
    ]
    if not event.get("disagreement"):
        return [], [*closed, Closing(capacity_key(about, "disagreement"), "done", "Nobody disagrees any more.")]
    title = "Settle a disagreement about the person's best interests: a second opinion, mediation, or the court"
    item = _step(about, "disagreement", title, "Somebody who was asked does not agree with what was decided.")
    item = replace(item, promise="disagreement_settled")
    return [item], [*closed, Closing(item.key, "replaced", "It was decided again, and not all agree.")]


_MOVES: Mapping[str, Callable[[PathwayState, Report], TrackMoves]] = {
    "involvement_agreed": _involvement,
    "information_given": _information,
    "related_person_recorded": _related,
    "capacity_assessed": _capacity,
    "best_interests_decided": _best_interests,
}


# --- what is sent -----------------------------------------------------------------------------------------------------


def sent(state: PathwayState, report: Report | None, event_id: str) -> Sequence[Notice]:
    """Return the message to the person, when information is given by e-mail."""
    if report is None or report.kind != TEMPLATE:
        return []
    event = report.event
    if event["form"] != EMAIL or event["outcome"] != "given" or not state.email:
        return []
    message = Notice(
        message_id=names.derived_id("information", event_id),
        template=TEMPLATE,
        team=state.key_worker_team or "breast_care_nurses",
        patient_id=state.patient_id,
        event_id=event_id,
        values={"title": str(event["title"]), "link": str(event["link"])},
        correlation_id=report.correlation_id,
        address=state.email,
        topic=str(event["topic"]),
    )
    return [message]


def held_back(notice: Notice, suppressed: Sequence[str]) -> bool:
    """Say whether a message to the person must still wait: for a cause that is about all, or about its topic."""
    about = {INFORMATION, f"{INFORMATION}_{notice.topic}"} if notice.topic else set()
    return any(cause in about or not cause.startswith(INFORMATION) for cause in suppressed)

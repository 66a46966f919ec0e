"""Whether information may be sent now, and whether somebody can have decided this. Pure; refusals say what to do."""

from __future__ import annotations

from workflows import names
from workflows.messages import PathwayState, Report
from workflows.refusals import Refusal
from workflows.shared_decisions import CARE, EMAIL, INFORMATION, SPEAK_FOR, TREATMENT

_NOT_WRITTEN_TO = {
    "death": "A death was reported of this person, so nothing was sent. If that is a mistake, withdraw the report.",
    "preference": "This person wants no messages from Handrail, so nothing was sent. Give it in another form, or "
    "report that they opted in again.",
    "safe_contact": "Only the safe ways may be used to reach this person; Handrail writes nothing to them. "
    "Give it in a way that was agreed with them.",
}
_PERSONS_OWN = frozenset({"", "person", "person_with_support"})


def refusal(state: PathwayState, report: Report) -> Refusal | None:
    """Return why information is not sent, or why somebody cannot have decided this, or None."""
    match report.kind:
        case "information_given":
            return _not_sent(state, report)
        case "best_interests_decided":
            return _not_in_best_interests(state, report)
        case "decision_made":
            return _not_theirs(state, report)
        case _:
            return None


def _conflict(message: str) -> Refusal:
    return Refusal(names.NOT_IN_THIS_STATE, message)


def _not_sent(state: PathwayState, report: Report) -> Refusal | None:
    event = report.event
    related = str(event.get("related_person_id", ""))
    if related and related not in state.beside:
        return Refusal("not_found", "Nobody with this id stands beside the person. Record who they are first.")
    if event["form"] != EMAIL or event["outcome"] != "given":
        return None  # what was said or handed over has happened, whatever was agreed
    if why := next((said for cause, said in _NOT_WRITTEN_TO.items() if cause in state.suppressed), ""):
        return _conflict(why)
    if not state.email:
        return _conflict(
            "No e-mail address is agreed with this person, so nothing was sent. Agree with them how to reach them, "
            "with e-mail among the ways and their own address; or give it in another form."
        )
    unwanted = {INFORMATION, f"{INFORMATION}_{event['topic']}"} & {*state.suppressed}
    if unwanted and not event.get("asked_for"):
        topic = str(event["topic"]).replace("_", " ")
        return _conflict(
            f"This person does not want information about this ({topic}), so nothing was sent. If they ask for it now, "
            "report it again and say so: asked_for."
        )
    return None


def _not_in_best_interests(state: PathwayState, report: Report) -> Refusal | None:
    event = report.event
    unable = {known.assessment_id for known in state.capacity.values()}
    if event["assessment_id"] not in unable:
        return _conflict(
            "No assessment with this id says that the person cannot make this decision. An adult can, until it was "
            "assessed that they cannot. Record the assessment of capacity first, or let the person decide."
        )
    beside = [*event.get("consulted", []), *filter(None, [event.get("related_person_id", "")])]
    if any(person not in state.beside for person in beside):
        return Refusal("not_found", "One of those named does not stand beside the person. Record who they are first.")
    speaking = {person: known for person, known in state.beside.items() if known.authority in SPEAK_FOR}
    if event["decided_by"] in SPEAK_FOR:
        named = speaking.get(str(event.get("related_person_id", "")))
        if named is None or named.authority != event["decided_by"]:
            return _conflict(
                f"Nobody named here is recorded as the person's {event['decided_by']} with the document seen. Record "
                "that first, in related_person_recorded."
            )
    if event["decided_by"] == "team" and speaking:
        who = " and ".join(sorted({known.authority for known in speaking.values()}))
        return _conflict(
            f"This person has an {who} for health and welfare, and it is theirs to decide. Record their decision; if "
            "they cannot be reached in time, ask the Court of Protection, or record that their authority ended."
        )
    return None


def _not_theirs(state: PathwayState, report: Report) -> Refusal | None:
    """A decision is the person's own, unless it was assessed that they cannot make it."""
    event = report.event
    if event["outcome"] == "OUTCOME_DEFERRED":
        return None
    known = state.capacity.get(TREATMENT if report.treatment else CARE)
    own = str(event.get("decided_by", "")) in _PERSONS_OWN
    if own and known is not None:
        return _conflict(
            "It was assessed that this person cannot make this decision now. Record what was decided in their best "
            "interests, and then this decision with decided_by; if they can decide again, assess their capacity anew."
        )
    if own:
        return None
    if known is None:
        return _conflict(
            "Nobody decides for an adult who can. Record the assessment of capacity for this decision first, or say "
            "that the person decided."
        )
    if not known.decided:
        return _conflict(
            "What is in this person's best interests is not recorded yet: best_interests_decided, with who was asked. "
            "Record that first."
        )
    return None

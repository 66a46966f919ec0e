"""Violations planted into good traces, at every place where they fit: what a checker of histories must find. Pure.

A mutant breaks one property and no other, so that finding it is not somebody else's luck.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from drills.histories import SOON, dealt_with, judged
from drills.traces import Step

Trace = Sequence[Step]
_FILING = frozenset({"recorded", "refused", "decided", "planned"})
LATE = SOON + timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A trace with one fault in it: which property that breaks, and what was done."""

    check: str
    fault: str
    trace: Trace


def _without(trace: Trace, *gone: int) -> Trace:
    return [step for place, step in enumerate(trace) if place not in gone]


def _with(trace: Trace, place: int, step: Step) -> Trace:
    return [*trace[:place], step, *trace[place:]]


def _changed(trace: Trace, place: int, **detail: Any) -> Trace:  # noqa: ANN401 - any detail
    step = trace[place]
    return [*trace[:place], replace(step, detail={**step.detail, **detail}), *trace[place + 1 :]]


def _places(trace: Trace, *what: str) -> Iterator[tuple[int, Step]]:
    return ((place, step) for place, step in enumerate(trace) if step.what in what)


def lost(trace: Trace) -> Iterator[Trace]:
    """A report was accepted, and nothing more is heard of it."""
    for _, accepted in _places(trace, "accepted"):
        if accepted.detail["kind"] != "pathway_closed":
            yield [s for s in trace if s.seq != accepted.seq or s.what not in _FILING]


def not_planned(trace: Trace) -> Iterator[Trace]:
    """A report was recorded, and nothing followed from it."""
    heard = {s.about for s in trace if s.what == "heard"}
    recorded = {s.about for s in trace if s.what == "recorded"}
    for place, planned in _places(trace, "planned"):
        about = planned.detail
        if planned.about in recorded - heard and not about["referral"] and not about["ended"]:
            yield _without(trace, place)


def not_decided(trace: Trace) -> Iterator[Trace]:
    """A plan stands on no judgement."""
    yield from (_without(trace, place) for place, _ in _places(trace, "decided"))


def done_twice(trace: Trace) -> Iterator[Trace]:
    """A report is recorded, or planned, a second time."""
    yield from (_with(trace, place + 1, step) for place, step in _places(trace, "recorded", "planned"))


def decided_unrecorded(trace: Trace) -> Iterator[Trace]:
    """A report is decided upon before it stands in the record."""
    for place, step in _places(trace, "recorded"):
        decided = next((p for p, s in _places(trace, "decided") if s.seq == step.seq and p > place), None)
        others = [s.what for s in trace[place : (decided or place) + 1]]
        if decided is not None and others.count("recorded") == 1:
            yield _with(_without(trace, place), decided, step)


def out_of_turn(trace: Trace) -> Iterator[Trace]:
    """Two reports changed places in the record."""
    for what in ("recorded", "planned"):
        places = [place for place, _ in _places(trace, what)]
        for one, two in pairwise(places):
            swapped = list(trace)
            swapped[one], swapped[two] = (
                replace(trace[one], seq=trace[two].seq),
                replace(trace[two], seq=trace[one].seq),
            )
            yield swapped


def unheard(trace: Trace) -> Iterator[Trace]:
    """A child's word goes unheard."""
    for _, heard in _places(trace, "heard"):
        if heard.detail["kind"] == "track_changed":
            yield [s for s in trace if s.about != heard.about or s.what not in {"recorded", "decided", "planned"}]


def expired(trace: Trace) -> Iterator[Trace]:
    """A task closes because its time ran out, or without a reason."""
    for place, _ in _places(trace, "closed"):
        yield _changed(trace, place, by="nobody")
        yield _changed(trace, place, reason=" ")


def expired_when_overdue(trace: Trace) -> Iterator[Trace]:
    """A task closes when it falls due."""
    for place, step in _places(trace, "overdue"):
        gone = {"by": "nobody", "reason": "It was not done in time.", "how": "withdrawn", "title": "", "kind": ""}
        if not any(s.what == "closed" and s.about == step.about for s in trace[place:]):
            yield _with(trace, place + 1, replace(step, what="closed", detail={**gone, "urgency": "", "role": ""}))


def closed_twice(trace: Trace) -> Iterator[Trace]:
    """A task that is closed closes again."""
    yield from (_with(trace, place + 1, step) for place, step in _places(trace, "closed"))


def never_due(trace: Trace) -> Iterator[Trace]:
    """A due time goes by, the workflow goes on with other things, and the task is not marked."""
    for place, planned in _places(trace, "planned"):
        so_far = trace[: place + 1]
        if planned.detail["ended"] or judged(so_far):
            continue  # something else waits to be filed here
        for due in {datetime.fromisoformat(task["due"]) for task in planned.detail["open"].values()}:
            if due > planned.at:
                yield [*so_far, _told(due, "planted"), _told(due + LATE, "planted later")]


def never_marked(trace: Trace) -> Iterator[Trace]:
    """An overdue task is neither marked nor told, and the workflow goes on for more than an hour."""
    for place, step in _places(trace, "overdue"):
        told = [p for p, s in _places(trace, "told") if step.about in s.detail["items"]]
        if not any(s.about == step.about and dealt_with(s) for s in trace[place:]):
            yield [*_without(trace, place, *told), _told(step.at + LATE, "planted")]


def _told(at: datetime, message_id: str) -> Step:
    """Somebody of the staff is told something that is about no task."""
    said = {"template": "next_step", "team": "", "audience": "all", "outcome": "sent", "items": []}
    return Step("told", at, 0, message_id, said)


def never_told(trace: Trace) -> Iterator[Trace]:
    """A task is overdue, and nobody hears of it; or hears of it too late."""
    for place, step in _places(trace, "overdue"):
        dealt = next((s.seq for s in trace[place:] if s.about == step.about and dealt_with(s)), None)
        so_far = [s for s in trace if dealt is None or s.seq < dealt]
        told = [p for p, s in _places(so_far, "told") if step.about in s.detail["items"]]
        if told and not judged(so_far):
            silent, last = _without(so_far, *told), so_far[told[-1]]
            yield silent
            yield [*silent, replace(last, at=step.at + LATE + (last.held - step.held))]


def referral_dropped(trace: Trace) -> Iterator[Trace]:
    """A referral is out, and nobody has a task about it; the person has other tasks."""
    out: str = ""
    for place, step in _places(trace, "planned"):
        kind = step.detail["kind"]
        if kind == "referral_sent":
            out = step.detail["referral"]
        elif kind in {"referral_first_contact", "referral_closed", "pathway_closed", "death_verified"}:
            out = ""
        left = {key: task for key, task in step.detail["open"].items() if out and f"|{out}|" not in task["key"]}
        if out and left:
            yield _changed(trace, place, open=left)
        out = "" if kind == "referral_declined" else out


def met_unaccepted(trace: Trace) -> Iterator[Trace]:
    """A person is met by a team that had not accepted them."""
    for place, step in _places(trace, "planned"):
        if step.detail["kind"] == "referral_accepted":
            met = (s.detail.get("kind") == "referral_first_contact" for s in trace[place:])
            if any(met):
                yield _changed(trace, place, kind="referral_information_asked")


def handed_off(trace: Trace) -> Iterator[Trace]:
    """A referral is nobody's, or leaves its referrer before anybody took it."""
    for place, step in _places(trace, "step"):
        yield _changed(trace, place, responsible="")
        if step.detail["responsible"] == step.detail["made_by"] and step.detail["status"] != "closed":
            yield _changed(trace, place, responsible="another_team")


def step_lost(trace: Trace) -> Iterator[Trace]:
    """What a receiving team said is not set in the record, or set twice."""
    acted = {s.about for s in trace if s.what == "acted"}
    for place, step in _places(trace, "step"):
        yield _with(trace, place + 1, step)
        if step.detail["event"] in acted and step.detail["status"] != "accepted":
            yield _without(trace, place)


def not_silenced(trace: Trace) -> Iterator[Trace]:
    """A death is reported, and messages to the person go on: nobody told notify, or too late."""
    deaths = [place for place, step in _places(trace, "accepted") if step.detail["kind"] == "death_reported"]
    silenced = [place for place, step in _places(trace, "silenced") if step.about == "death"]
    for death in deaths:
        after = [place for place in silenced if place > death]
        if after:
            yield _without(trace, *after)
            late = trace[death].at + LATE
            yield [replace(s, at=late) if p in after else s for p, s in enumerate(trace)]


def told_the_dead(trace: Trace) -> Iterator[Trace]:
    """A message reaches a person whose death was reported."""
    silent = False
    for place, step in enumerate(trace):
        if step.about == "death" and step.what in {"silenced", "lifted"}:
            silent = step.what == "silenced"
        if silent:
            said = {"template": "reminder", "team": "", "audience": "person", "outcome": "sent", "items": []}
            yield _with(trace, place + 1, Step("told", step.at, 0, f"planted-{place}", said))


def nothing_open(trace: Trace) -> Iterator[Trace]:
    """A person is left with nothing open, or with a task that is nobody's or never due."""
    for place, step in _places(trace, "planned"):
        if any(s.what == "planned" and s.detail["ended"] for s in trace[: place + 1]):
            return
        tasks = step.detail["open"]
        if not any("referral|" in task["key"] for task in tasks.values()):
            yield _changed(trace, place, open={})
        for name in ("owner", "due"):
            yield _changed(trace, place, open={key: {**task, name: ""} for key, task in tasks.items()})


def sent_twice(trace: Trace) -> Iterator[Trace]:
    """A message is sent twice."""
    for place, step in _places(trace, "told"):
        if step.detail["outcome"] == "sent":
            yield _with(trace, place + 1, step)


def emergency_shut(trace: Trace) -> Iterator[Trace]:
    """An emergency is closed by somebody who is no clinician, or because it no longer seemed to apply."""
    for place, step in _places(trace, "closed"):
        if step.detail["by"] == "report" and step.detail["kind"] not in {"pathway_closed", "death_verified"}:
            yield _changed(trace, place, urgency="emergency", how="done", kind="item_completed", role="coordinator")
            yield _changed(trace, place, urgency="emergency", how="withdrawn", kind="fact_corrected", role="key_worker")


FAULTS: Mapping[str, Sequence[Callable[[Trace], Iterator[Trace]]]] = {
    "filed_once_in_order": (lost, not_planned, not_decided, done_twice, decided_unrecorded, out_of_turn),
    "heard_is_filed": (unheard,),
    "closed_by_somebody": (expired, expired_when_overdue, closed_twice),
    "due_is_marked": (never_due, never_marked),
    "overdue_is_told": (never_told,),
    "referral_is_looked_after": (referral_dropped, met_unaccepted),
    "responsible_until_met": (handed_off,),
    "step_set_once": (step_lost,),
    "nothing_to_the_dead": (not_silenced, told_the_dead),
    "next_step": (nothing_open,),
    "told_once": (sent_twice,),
    "emergency_ended_by_a_clinician": (emergency_shut,),
}


def mutants(trace: Trace) -> Iterator[Mutant]:
    """Yield every mutant of a good trace."""
    for check, faults in FAULTS.items():
        for fault in faults:
            for made in fault(trace):
                yield Mutant(check, fault.__name__, made)

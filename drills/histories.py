"""What must hold of the finished history of a pathway, or of a referral: each property in temporal logic. Pure.

A property looks at the few steps that are about one report, task, referral or message, and says what must hold at each
of them. `judged` returns what did not hold, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from drills.logic import Formula, before, both, either, eventually, first_failure, no, once, rising, since, that, when
from drills.traces import Step

SOON = timedelta(hours=1)
STAFF = frozenset({"all", "deputy", "lead"})
_CLINICIANS = frozenset({"oncologist", "key_worker", "nurse", "palliative_clinician"})
_TELLS_OF_IT = frozenset({"item_overdue", "item_unacknowledged", "item_escalated", "phone_task"})
# What ends a pathway or sets its tasks aside, until a person takes it back.
_ENDS = frozenset({"pathway_closed", "death_verified", "transfer_accepted"})
_RECEIVERS = frozenset({"acknowledged", "accepted", "first_contact"})
_REFERRERS = frozenset({"agreed", "sent", "delivered", "undelivered", "information_asked", "declined"})


@dataclass(frozen=True, slots=True)
class Broken:
    """What did not hold: which property, at which step of the trace, and in words."""

    check: str
    found: str
    step: Step


Slice = tuple[str, Sequence[Step], Formula]
Property = Callable[..., Iterator[Slice]]


def _is(*what: str, **detail: object) -> Formula:
    asked = frozenset(what)
    return that(lambda s: s.what in asked and all(s.detail.get(name) == value for name, value in detail.items()))


def _sorted(steps: Iterable[Step], key: Callable[[Step], object], *what: str) -> Mapping[object, list[Step]]:
    made: dict[object, list[Step]] = {}
    for step in steps:
        if not what or step.what in what:
            made.setdefault(key(step), []).append(step)
    return made


def filed_once_in_order(trace: Sequence[Step]) -> Iterator[Slice]:
    """Every report that was accepted is recorded, decided upon and planned: once each, in this order, in its turn."""
    filed, planned = _is("recorded", "refused"), _is("planned")
    for seq, steps in _sorted(trace, lambda s: s.seq, "accepted", "recorded", "refused", "decided", "planned").items():
        reported = any(step.what in {"accepted", "recorded", "refused"} for step in steps)
        elsewhere = any(step.detail.get("elsewhere") for step in steps)
        yield f"report {seq}", steps, when(_is("accepted"), eventually(filed))
        yield f"report {seq}", steps, when(filed, no(before(once(filed))))
        yield f"report {seq}", steps, when(planned, both(once(_is("decided")), no(before(once(planned)))))
        if reported and not elsewhere:
            yield f"report {seq}", steps, when(filed, eventually(planned))
            yield f"report {seq}", steps, when(_is("decided"), once(filed))
    for what in ("recorded", "planned"):
        yield f"the order of what was {what}", [s for s in trace if s.what == what], rising(lambda s: int(s.seq))


def heard_is_filed(trace: Sequence[Step]) -> Iterator[Slice]:
    """What a line of treatment or a referral tells its pathway is planned for."""
    for about, steps in _sorted(trace, lambda s: s.about, "heard", "planned").items():
        if any(step.what == "heard" for step in steps):
            yield f"a child's word {about}", steps, when(_is("heard"), eventually(_is("planned")))


def closed_by_somebody(trace: Sequence[Step]) -> Iterator[Slice]:
    """A task is closed by a person, or withdrawn with the reason; never by expiring, and never twice."""
    unasked = that(lambda s: s.what == "closed" and (s.detail["by"] == "nobody" or not s.detail["reason"].strip()))
    stands = since(no(_is("closed")), _is("opened", "reopened"))
    for steps in _sorted(trace, lambda s: s.about, "opened", "closed", "reopened").values():
        title = f"“{steps[0].detail.get('title', '')}”"
        yield title, steps, no(unasked)
        yield title, steps, when(_is("closed"), before(stands))


def dealt_with(step: Step) -> bool:
    """Whether a task was done, or put off to a later day; taking it on is neither."""
    moved = step.what == "moved" and step.detail["change"] in {"moved", "attempted"}
    return step.what == "closed" or (moved and step.detail["later"])


def overdue_is_told(trace: Sequence[Step]) -> Iterator[Slice]:
    """What is marked overdue is told within the hour, unless it was done or put off first."""
    marked = {step.about for step in trace if step.what == "overdue"}
    tells = that(lambda s: s.what == "told" and s.detail["template"] in _TELLS_OF_IT)
    answered = either(tells, that(dealt_with))
    for item_id in sorted(marked):
        mine = [s for s in trace if s.about == item_id or item_id in s.detail.get("items", ())]
        title = next((str(s.detail["title"]) for s in mine if s.what == "overdue"), "")
        yield f"“{title}”", mine, when(_is("overdue"), either(eventually(answered, SOON), once(tells, SOON)))


def due_is_marked(trace: Sequence[Step]) -> Iterator[Slice]:
    """What falls due is marked overdue, or told as such, within an hour of what its workflow does next."""
    for item_id, late in _late(trace).items():
        title = next((str(s.detail["title"]) for s in trace if s.what == "opened" and s.about == item_id), "")
        marks = either(_about("overdue", item_id), _tells(item_id, frozenset({"item_overdue"})))
        put_off = both(_about("moved", item_id), that(dealt_with))
        gone = since(no(_about("reopened", item_id)), _about("closed", item_id))
        unmarked = both(_one_of(late), no(gone), no(put_off), no(since(no(put_off), marks)))
        began = both(unmarked, no(before(unmarked)))
        yield f"“{title}”", trace, when(unmarked, once(began, SOON))


def _late(trace: Sequence[Step]) -> Mapping[str, set[int]]:
    """The steps (their ids) at which a task was open that had been due, by task."""
    late: dict[str, set[int]] = {}
    due: Mapping[str, datetime] = {}
    for step in trace:
        if step.what == "planned":
            tasks = step.detail["open"].items()
            due = {item_id: datetime.fromisoformat(task["due"]) for item_id, task in tasks if task.get("due")}
        for item_id in (item_id for item_id, at in due.items() if at <= step.at):
            late.setdefault(item_id, set()).add(id(step))
    return late


def _one_of(steps: Collection[int]) -> Formula:
    return that(lambda s: id(s) in steps)


def _about(what: str, item_id: str) -> Formula:
    return that(lambda s: s.what == what and s.about == item_id)


def _tells(item_id: str, templates: Collection[str]) -> Formula:
    return that(lambda s: s.what == "told" and s.detail["template"] in templates and item_id in s.detail["items"])


def referral_is_looked_after(trace: Sequence[Step]) -> Iterator[Slice]:
    """From the moment a referral is sent until somebody meets the person, a task about it is open."""
    planned = [step for step in trace if step.what == "planned"]
    for referral in sorted({str(step.detail["referral"]) for step in planned} - {""}):

        def did(*kinds: str, referral: str = referral) -> Formula:
            return that(lambda s: s.detail["referral"] == referral and s.detail["kind"] in kinds)

        def open_about(step: Step, referral: str = referral) -> bool:
            return any(f"|{referral}|" in task.get("key", "") for task in step.detail["open"].values())

        over = either(
            did("referral_first_contact", "referral_closed", "referral_declined"),
            that(lambda s: s.detail["kind"] in _ENDS),
        )
        out = since(no(over), did("referral_sent"))
        yield f"the referral {referral}", planned, when(either(out, did("referral_declined")), that(open_about))
        met, accepted = did("referral_first_contact"), did("referral_accepted")
        yield f"the referral {referral}", planned, when(met, once(accepted))


def responsible_until_met(trace: Sequence[Step]) -> Iterator[Slice]:
    """A referral's next action is its referrer's until the receiving team took it, and one team's at every moment."""
    for referral, steps in _sorted(trace, lambda s: s.about, "step").items():
        referrers = that(lambda s: s.detail["responsible"] == s.detail["made_by"])
        somebody = that(lambda s: s.detail["responsible"])
        mine = that(lambda s: s.detail["status"] in _REFERRERS)
        theirs = that(lambda s: s.detail["status"] in _RECEIVERS)
        met = that(lambda s: s.detail["status"] == "first_contact")
        taken = that(lambda s: s.detail["status"] == "accepted")
        yield f"the referral {referral}", steps, both(somebody, when(mine, referrers), when(theirs, no(referrers)))
        yield f"the referral {referral}", steps, when(met, once(taken))


def step_set_once(trace: Sequence[Step]) -> Iterator[Slice]:
    """What a receiving team did with a referral is set in the record, once."""
    done = _is("step")
    for event_id, steps in _sorted(trace, lambda s: s.detail.get("event", s.about), "acted", "step").items():
        yield f"the referral's step {event_id}", steps, when(_is("acted"), eventually(done))
        yield f"the referral's step {event_id}", steps, when(done, no(before(once(done))))


def nothing_to_the_dead(trace: Sequence[Step]) -> Iterator[Slice]:
    """A reported death silences what goes to the person, within the hour, until it is withdrawn."""
    deaths = [s for s in trace if s.detail.get("kind") in {"death_reported", "death_withdrawn"} or s.about == "death"]
    silenced = that(lambda s: s.what == "silenced" and s.about == "death")
    yield "a death", deaths, when(_is("accepted", kind="death_reported"), eventually(silenced, SOON))
    told = [s for s in trace if s.what == "told" or s.about == "death"]
    lifted = that(lambda s: s.what == "lifted" and s.about == "death")
    reached = that(lambda s: s.what == "told" and s.detail["audience"] not in STAFF and s.detail["outcome"] == "sent")
    yield "a message to the person", told, when(reached, no(since(no(lifted), silenced)))


def next_step(trace: Sequence[Step]) -> Iterator[Slice]:
    """Until a pathway is closed it has an open task, and each open task has an owner and a due time."""

    def stands(step: Step) -> bool:
        tasks = step.detail["open"].values()
        return bool(tasks) and all(task.get("owner") and task.get("due") for task in tasks)

    planned = [step for step in trace if step.what == "planned"]
    yield "the next step", planned, either(once(that(lambda s: s.detail["ended"])), that(stands))


def told_once(trace: Sequence[Step]) -> Iterator[Slice]:
    """No message is sent twice."""
    sent = _is("told", outcome="sent")
    for steps in _sorted(trace, lambda s: s.about, "told").values():
        what = str(steps[0].detail["template"]).replace("_", " ")
        yield f"the message “{what}”", steps, when(sent, no(before(once(sent))))


def emergency_ended_by_a_clinician(trace: Sequence[Step]) -> Iterator[Slice]:
    """An emergency closes because a clinician said so, or because the person died, moved or the question sharpened."""

    def ended(step: Step) -> bool:
        said = step.detail
        if said["how"] == "replaced" or said["kind"] in _ENDS:
            return True
        return bool(said["kind"] == "item_completed" and said["role"] in _CLINICIANS)

    closings = [s for s in trace if s.what == "closed" and s.detail["urgency"] == "emergency"]
    yield "an emergency", closings, that(ended)


PROPERTIES: Sequence[Property] = (
    filed_once_in_order,
    heard_is_filed,
    closed_by_somebody,
    due_is_marked,
    overdue_is_told,
    referral_is_looked_after,
    responsible_until_met,
    step_set_once,
    nothing_to_the_dead,
    next_step,
    told_once,
    emergency_ended_by_a_clinician,
)


def judged(trace: Sequence[Step]) -> list[Broken]:
    """Return what does not hold of a finished trace, the properties in their order; each one once about one thing."""
    found = []
    for prop in PROPERTIES:
        for about, steps, formula in prop(trace):
            place = first_failure(formula, steps)
            if place is not None:
                sentence = (prop.__doc__ or "").strip().splitlines()[0]
                found.append(Broken(prop.__name__, f"{about}: {sentence}", steps[place]))
    return found

"""From the histories that Temporal keeps of a workflow, run by run, to one trace of what was done for a person. Pure.

Only what was finished counts: an activity whose answer stands in history, an update that was answered. One step is one
thing: a report accepted, recorded, decided upon, planned, a task opened or closed by that plan, somebody told.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from workflows import names

Plain = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done. `about` is the id of the task, referral, message or event that it is about.

    `at` is the workflow's clock. `held` is how far a drill had moved that clock before a run could do anything: a jump
    that is under way when a run ends goes on in the next one before its first task, whatever waits there to be told.
    """

    what: str
    at: datetime
    seq: int = 0
    about: str = ""
    detail: Plain = field(default_factory=dict)
    held: timedelta = timedelta(0)

    @property
    def ran(self) -> datetime:
        """When it was, on a clock that stands still while the workflow can do nothing."""
        return self.at - self.held


def trace_of(runs: Sequence[Plain]) -> list[Step]:
    """Read the runs of one workflow, the first run first, as `temporal workflow show --output json` prints them.

    Raises:
        ValueError: this is no such history; the sentence says what is missing.
    """
    reader = _Reader()
    for run in runs:
        if "events" not in run:
            message = "This is no history: it has no events. Print one with temporal workflow show --output json."
            raise ValueError(message)
        reader.begin_run()
        for event in run["events"]:
            reader.read(event)
    return reader.steps


class _Reader:
    """Keeps what later events refer back to."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._scheduled: dict[str, tuple[str, Plain]] = {}
        self._updates: dict[str, Plain] = {}
        self._reports: dict[int, Plain] = {}
        self._changes: dict[str, set[str]] = {}
        self._wanted: dict[int, set[str]] = {}
        self._tasks: dict[str, dict[str, Any]] = {}
        self._open: set[str] = set()
        self._from_team = ""
        self._at = datetime.min.replace(tzinfo=UTC)
        self._runs = False
        self._held = timedelta(0)

    def begin_run(self) -> None:
        """Event ids and update ids count anew in each run."""
        self._scheduled.clear()
        self._updates.clear()
        self._runs = False

    def read(self, event: Plain) -> None:
        """Add what this event finished, if it finished anything."""
        self._at = _instant(event["eventTime"])
        handler = _HANDLERS.get(event["eventType"].removeprefix("EVENT_TYPE_"))
        if handler is not None:
            attributes = next(value for name, value in event.items() if name.endswith("Attributes"))
            handler(self, {**attributes, "id": event["eventId"]})

    def _add(self, what: str, seq: int = 0, about: str = "", **detail: Any) -> None:  # noqa: ANN401 - any detail
        self.steps.append(Step(what, self._at, seq, about, detail, self._held))

    # --- events of history ----------------------------------------------------------------------------------------

    def started(self, attributes: Plain) -> None:
        """A run began; a referral's input says who made it."""
        state = _first(attributes.get("input"))
        self._from_team = state.get("from_team", self._from_team) if isinstance(state, Mapping) else ""

    def runs(self, _: Plain) -> None:
        """The run's code was run: from here on it can do what comes due before the clock moves past it."""
        self._runs = True

    def clock_moved(self, attributes: Plain) -> None:
        """A drill moved the clock."""
        if not self._runs:
            self._held += _instant(attributes["targetTime"]) - self._at

    def scheduled(self, attributes: Plain) -> None:
        """An activity was asked for."""
        self._scheduled[attributes["id"]] = (attributes["activityType"]["name"], _first(attributes.get("input")))

    def completed(self, attributes: Plain) -> None:
        """An activity answered."""
        name, asked = self._scheduled[attributes["scheduledEventId"]]
        handler = _DONE.get(name)
        if handler is not None:
            handler(self, asked, _first(attributes.get("result")))

    def update_accepted(self, attributes: Plain) -> None:
        """A report came in through the door."""
        update = attributes["acceptedRequest"]
        report = _first(update["input"].get("args"))
        self._updates[update["meta"]["updateId"]] = {**report, "what": _DOORS.get(update["input"]["name"], "")}

    def update_completed(self, attributes: Plain) -> None:
        """The report was answered with its place in the order."""
        report = self._updates.get(attributes["meta"]["updateId"])
        receipt = _first(attributes["outcome"].get("success"))
        if report is None or not isinstance(receipt, Mapping) or "seq" not in receipt:
            return
        what, seq, event_id = report["what"], receipt["seq"], receipt["event_id"]
        if what and not any((step.what, step.seq, step.about) == (what, seq, event_id) for step in self.steps):
            self._add(what, seq, event_id, kind=report["kind"])

    def signalled(self, attributes: Plain) -> None:
        """A child told something."""
        said = _first(attributes.get("input"))
        if attributes["signalName"] == "track_changed":
            self._changes[said["change_id"]] = {ending["key"] for ending in said["close"]}
            self._add("heard", about=said["change_id"], kind="track_changed")
        elif attributes["signalName"] == "child_reported":
            self._add("heard", about=said["event_id"], kind=said["kind"])

    # --- activities -----------------------------------------------------------------------------------------------

    def recorded(self, asked: Plain, filed: Plain) -> None:
        """A report stands in the record; `elsewhere` if it had been filed in an earlier turn."""
        report = asked["report"]
        self._reports[asked["seq"]] = report
        elsewhere = filed["already_filed"] and filed.get("seq", 0) not in {0, asked["seq"]}
        about = {"kind": report["kind"], "elsewhere": elsewhere, "referral": report["event"].get("referral_id", "")}
        self._add("recorded", asked["seq"], asked["event_id"], **about)

    def refused(self, asked: Plain, _: object) -> None:
        """A report that cannot be filed was kept whole."""
        self._add("refused", asked["seq"], kind=asked["report"]["kind"])

    def decided(self, asked: Plain, plan: Plain) -> None:
        """The guideline was asked."""
        self._wanted[asked["seq"]] = {ending["key"] for ending in plan["close"]}
        self._add("decided", asked["seq"], asked["event_id"])

    def planned(self, asked: Plain, applied: Plain) -> None:
        """Tasks were opened, closed and moved in one transaction; the step `planned` comes last, with what is open."""
        seq, report = asked["seq"], self._reports.get(asked["seq"], {})
        for item_id in asked.get("overdue", []):
            self._add("overdue", seq, item_id, title=self._title(item_id))
        going = {item_id for item_id, _, _ in asked["close"]}
        for item_id, how, reason in asked["close"]:
            self._add("closed", seq, item_id, how=how, reason=reason, **self._asked_by(asked, item_id, going, report))
        self._open -= going
        for item_id, moved in asked.get("move", {}).items():
            task = self._tasks.setdefault(item_id, {})
            later = "due" not in task or datetime.fromisoformat(moved["due_at"]) > datetime.fromisoformat(task["due"])
            task.update(due=moved["due_at"])
            self._add("moved", seq, item_id, change=moved.get("change", "moved"), later=later)
        for item in asked["open"]:
            self._opened(asked, item, applied)
        for item_id, _ in asked.get("reopen", []):
            self._open.add(item_id)
            self._add("reopened", seq, item_id)
        kind = str(report.get("kind", ""))
        referral = str(report.get("event", {}).get("referral_id", ""))
        opened = {item_id: dict(self._tasks.get(item_id, {})) for item_id in sorted(self._open)}
        ended = bool(asked.get("pathway_closed"))
        self._add("planned", seq, asked["event_id"], kind=kind, referral=referral, open=opened, ended=ended)

    def _opened(self, asked: Plain, item: Plain, applied: Plain) -> None:
        item_id = names.derived_id("item", asked["patient_id"], item["key"], asked["event_id"])
        owner = applied["owners"].get(item_id) or item["owner_team"]
        self._tasks[item_id] = {
            "key": item["key"],
            "title": item["title"],
            "owner": owner,
            "due": item["due_at"],
            "urgency": item.get("urgency", "routine"),
            "subject": item.get("subject_id", ""),
        }
        self._open.add(item_id)
        self._add("opened", asked["seq"], item_id, **self._tasks[item_id])

    def _asked_by(self, asked: Plain, item_id: str, going: set[str], report: Plain) -> dict[str, Any]:
        """Who wanted a task closed: a report of a person, a child, the guideline, the task it was about; or nobody."""
        task = self._tasks.get(item_id, {})
        key = task.get("key", "")
        if report:
            by = "report"
        elif key in self._changes.get(asked["event_id"], set()):
            by = "child"
        elif key in self._wanted.get(asked["seq"], set()):
            by = "guideline"
        else:
            by = "its task" if task.get("subject") in going else "nobody"
        role = report.get("actor", {}).get("role", "")
        about = {"title": task.get("title", ""), "urgency": task.get("urgency", ""), "kind": report.get("kind", "")}
        return {"by": by, "role": role, **about}

    def _title(self, item_id: str) -> str:
        return str(self._tasks.get(item_id, {}).get("title", ""))

    def filed_and_told(self, asked: Plain, went: Plain) -> None:
        """An entry went through as many of the four steps as were done in one go."""
        entry, plan, done = asked["entry"], went.get("plan"), went.get("planned")
        of = {"patient_id": asked["state"]["patient_id"], "seq": entry["seq"], "event_id": entry["event_id"]}
        if entry["report"] and went["filed"]:
            self.recorded({**of, "report": entry["report"]}, went["filed"])
        if plan:
            self.decided(of, plan)
        if not done:
            return
        changed, items = done["changed"], asked["state"]["items"]
        applied = {
            **of,
            "open": changed["open"],
            "close": [(item_id, ending["how"], ending["reason"]) for item_id, ending in changed["close"].items()],
            "move": changed["move"],
            "overdue": [one for one in entry["overdue"] if items.get(one, {}).get("overdue")],
            "reopen": [(item["item_id"], "") for item in changed["again"]],
            "pathway_closed": bool(entry["report"]) and entry["report"]["kind"] == "pathway_closed",
        }
        self.planned(applied, done["applied"])
        self._told_at_once(done["told"])

    def climbed_and_told(self, _: Plain, climbed: Plain) -> None:
        """A rung was climbed, and those on it were told."""
        self._told_at_once(climbed["told"])

    def _told_at_once(self, notices: Iterable[Plain]) -> None:
        for notice in notices:
            self.told(notice, notice["outcome"])

    def told(self, notice: Plain, outcome: object) -> None:
        """A notice was taken by notify: sent, waiting, failed or held back."""
        about = {"template": notice["template"], "team": notice["team"], "audience": notice.get("audience", "all")}
        self._add("told", about=notice["message_id"], outcome=outcome, items=notice.get("item_ids", []), **about)

    def silenced(self, asked: Plain, _: object) -> None:
        """Notify knows that nothing may reach the person for a cause, or that the cause is gone."""
        self._add("lifted" if asked["lifted"] else "silenced", asked["seq"], asked["cause"])

    def status_set(self, asked: Plain, responsible: object) -> None:
        """A referral took a step, and one team owns its next."""
        step = asked["step"]
        self._add(
            "step",
            about=asked["referral_id"],
            event=step["event_id"],
            status=step["to_status"],
            before=step["from_status"],
            responsible=responsible,
            made_by=self._from_team,
        )


# The updates of a pathway and of a referral.
_DOORS = {"report": "accepted", "act": "acted"}
_HANDLERS: Mapping[str, Callable[[_Reader, Plain], None]] = {
    "WORKFLOW_EXECUTION_STARTED": _Reader.started,
    "WORKFLOW_TASK_COMPLETED": _Reader.runs,
    "WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED": _Reader.clock_moved,
    "ACTIVITY_TASK_SCHEDULED": _Reader.scheduled,
    "ACTIVITY_TASK_COMPLETED": _Reader.completed,
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": _Reader.update_accepted,
    "WORKFLOW_EXECUTION_UPDATE_COMPLETED": _Reader.update_completed,
    "WORKFLOW_EXECUTION_SIGNALED": _Reader.signalled,
}
_DONE: Mapping[str, Callable[[_Reader, Plain, Any], None]] = {
    "file_and_tell": _Reader.filed_and_told,
    "climb_and_tell": _Reader.climbed_and_told,
    "append_event": _Reader.recorded,
    "keep_refused_report": _Reader.refused,
    "decide_next_steps": _Reader.decided,
    "apply_plan": _Reader.planned,
    "send_notice": _Reader.told,
    "silence": _Reader.silenced,
    "set_referral_status": _Reader.status_set,
}


def _first(payloads: Plain | None) -> Any:  # noqa: ANN401 - whatever JSON travels there
    return next(_values(payloads), {})


def _values(payloads: Plain | None) -> Iterator[Any]:
    for payload in (payloads or {}).get("payloads", []):
        yield json.loads(base64.b64decode(payload["data"])) if payload.get("data") else None


def _instant(text: str) -> datetime:
    """Read an instant of a history, which has more digits than Python keeps."""
    whole, _, rest = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{rest[:6]:0<6}+00:00")

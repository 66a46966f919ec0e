"""`task`: what people do with a task of the worklist, from taking it on to saying how it ended."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from services.cli.commands import acting, people, reporting, screens, words
from services.cli.commands.acting import Desk
from services.cli.commands.leaving import key_worker_left
from services.cli.commands.lines import Line, show
from services.cli.commands.report import Key, OccurredAt, Source, fill, send_or_say_how_to_repeat, show_receipt
from services.cli.commands.shapes import Plain, plain, to_json
from services.cli.errors import CliError

_app = typer.Typer(
    help="What people do with a task of the worklist; with --json: the task before and after.", no_args_is_help=True
)
Id = Annotated[str, typer.Argument(metavar="TASK", help="The task's id; `worklist --ids` shows it.")]


@dataclass(frozen=True)
class Action:
    """One thing to do with a task: the event that reports it, its own options, what every such event also says."""

    event: str
    help: str
    options: Mapping[str, Any]
    said: Mapping[str, Any] = field(default_factory=dict)


def _option(flag: str, text: str, default: Any = ...) -> tuple[Any, Any]:  # noqa: ANN401 - as typer has it
    return Annotated[str, typer.Option(flag, help=text)], default


_DATE = "A date, 2026-12-01."
ACTIONS = {
    "done": Action("item_completed", "Say how it ended.", {"outcome": _option("--outcome", "How it ended.")}),
    "take": Action("item_taken", "Say that you have it in hand.", {"note": _option("--note", "A note.", "")}),
    "tried": Action(
        "item_attempted",
        "Say that you tried and nobody answered, and when you try again.",
        {
            "how": _option("--how", "telephone, visit, letter, video or other."),
            "note": _option("--note", "What happened."),
            "next_try_on": _option("--next", _DATE),
        },
    ),
    "ask-for-data": Action(
        "item_data_asked",
        "Ask whoever holds it for a fact that this task cannot go on without.",
        {
            "facts": (
                Annotated[list[str], typer.Option("--fact", help="A fact of the dictionary; may be repeated.")],
                ...,
            ),
            "note": _option("--note", "What it is needed for.", ""),
        },
    ),
    "hand-over": Action(
        "item_handed_over",
        "Hand it to another team.",
        {"to_team": _option("--to", "The team."), "reason": _option("--reason", "Why.")},
    ),
    "defer": Action(
        "item_deferred",
        "Put it off to a date, with the reason.",
        {"until": _option("--until", _DATE), "reason": _option("--reason", "Why.")},
    ),
    "escalate": Action(
        "item_escalated", "Ask the next rung of the ladder for help now.", {"reason": _option("--reason", "Why.")}
    ),
    "booked": Action(
        "appointment_booked",
        "Say for when it was booked.",
        {
            "purpose": _option("--purpose", "What the appointment is for."),
            "starts_at": _option("--at", "2026-12-01T09:30+00:00."),
            "place": _option("--place", "Where.", ""),
            "mode": _option("--mode", "face_to_face, telephone, video or home_visit.", ""),
            "with_team": _option("--with", "The team of a joint visit.", ""),
            "visit": _option("--visit", "What kind of visit: a code of guidelines/visits.yaml.", ""),
        },
    ),
    "declined": Action(
        "decision_made",
        "Say that the person declined what is recommended.",
        {"person_view": _option("--view", "The person's own view."), "reason": _option("--reason", "Why.")},
        {"outcome": "declined", "reason_code": "person_preference"},
    ),
    "not-followed": Action(
        "decision_made",
        "Say why a recommendation is not followed.",
        {
            "reason_code": _option(
                "--code", "not_fit, comorbidity, not_available_here, trial, other_treatment or other."
            ),
            "reason": _option("--reason", "Why."),
            "person_view": _option("--view", "The person's own view."),
        },
        {"outcome": "declined"},
    ),
}
_COMMON = {
    "occurred_at": OccurredAt,
    "source": Source,
    "key": Key,
    "as_role": acting.AsRole,
    "team": acting.OfTeam,
    "user": acting.User,
    "as_json": acting.AsJson,
}


def register(app: typer.Typer) -> None:
    """Add these commands: one for each action, each with its own options and those that all have."""
    for name, action in ACTIONS.items():
        _app.command(name, help=action.help)(_command(action))
    _app.command("hand-over-all")(hand_over_all)
    _app.command("key-worker-left")(key_worker_left)
    app.add_typer(_app, name="task")


def _command(action: Action) -> Any:  # noqa: ANN401 - a function with a signature made here
    def command(**given: Any) -> None:  # noqa: ANN401 - as above
        common = {name: given.pop(name) for name in _COMMON}
        item_id = _id(given.pop("task"))
        show_outcome(acting.run(_act(action, item_id, given, common)), action.event, as_json=common["as_json"])

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    own = [inspect.Parameter("task", kind, annotation=Id)]
    own += [
        inspect.Parameter(name, kind, annotation=wanted, default=inspect.Parameter.empty if default is ... else default)
        for name, (wanted, default) in action.options.items()
    ]
    own.sort(key=lambda parameter: parameter.default is not inspect.Parameter.empty)
    own += [
        inspect.Parameter(name, kind, annotation=wanted, default=False if name == "as_json" else "")
        for name, wanted in _COMMON.items()
    ]
    command.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]  # typer reads it
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in own}
    return command


async def _act(action: Action, item_id: str, given: Mapping[str, Any], common: Mapping[str, Any]) -> Plain:
    """Report what was done with one task; return the receipt, and the task before and after."""
    async with acting.services(acting.actor_from(common["as_role"], common["team"], common["user"])) as desk:
        before = await the_task(desk, item_id)
        fields = {name: value for name, value in {**action.said, **given}.items() if value}
        if action.event == "decision_made":
            fields["number"] = _number(before)
        else:
            fields["item_id"] = item_id
        if action.event == "appointment_booked":
            fields["appointment_id"] = str(uuid.uuid4())
        request = reporting.request_for(reporting.Report(action.event, before["patient_id"], {}))
        for name, value in fields.items():
            said = ",".join(value) if isinstance(value, list) else value
            reporting.set_field(getattr(request, action.event), f"{name}={said}")
        fill(request, common["occurred_at"], common["source"], common["key"])
        receipt = await send_or_say_how_to_repeat(await people.with_team(desk), action.event, request)
        await people.filed(desk, before["patient_id"], receipt["seq"])
        after = await the_task(desk, item_id)
        done = {"receipt": receipt, "before": before, "after": after}
        if action.event == "item_data_asked" and after["waits_for_item_id"]:
            done["waits_for"] = await the_task(desk, after["waits_for_item_id"])
        return done


def show_outcome(done: Plain, event: str, *, as_json: bool) -> None:
    """Print what an action did."""
    if as_json:
        print(to_json(done))
        return
    show_receipt(done["receipt"], event, as_json=False)
    after = done["after"]
    if asked := done.get("waits_for"):
        how = "asked now" if asked["opened_by_event_id"] == done["receipt"]["event_id"] else "was asked already"
        whom = words.sentence(words.words(after["waiting_on"]))
        show([Line(f"{whom} {how}: {asked['title']}, due {screens.due(asked)}.")])
    show(screens.tasks([after]) if after["status"] == "open" else [screens.closed_task(after)])


def hand_over_all(
    of: Annotated[str, typer.Option("--of", metavar="TEAM", help="The team whose open tasks go.")],
    to: Annotated[str, typer.Option("--to", metavar="TEAM", help="The team that gets them.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    taken_by: Annotated[str, typer.Option("--taken-by", help="Only what this person has in hand.")] = "",
    as_role: acting.AsRole = "",
    team: acting.OfTeam = "",
    user: acting.User = "",
    as_json: acting.AsJson = False,
) -> None:
    """Hand all open tasks of a team, or of one person in it, to another team; each stays open with its clock."""

    async def work() -> list[Plain]:
        async with acting.services(acting.actor_from(as_role, team, user)) as desk:
            signed = await people.with_team(desk)
            handed = []
            for item in await people.tasks(desk, team=of, taken_by=taken_by):
                fields = {"item_id": item["item_id"], "to_team": to, "reason": reason}
                request = reporting.request_for(reporting.Report("item_handed_over", item["patient_id"], fields))
                receipt = await reporting.send(signed, "item_handed_over", request)
                handed.append({"item_id": item["item_id"], "patient_id": item["patient_id"], "seq": receipt["seq"]})
            for one in handed:
                await people.filed(desk, one["patient_id"], one["seq"])
            return handed

    handed = acting.run(work())
    if as_json:
        print(to_json({"handed_over": handed}))
    else:
        print(f"{len(handed)} tasks went from {of} to {to}.")


async def the_task(desk: Desk, item_id: str) -> Plain:
    """Return one task, open or closed.

    Raises:
        CliError: there is none with this id.
    """
    from handrail.records.v1 import timeline_pb2

    reply = await desk.records(desk.timeline.ListItems, timeline_pb2.ListItemsRequest(item_id=item_id, page_size=1))
    if not reply.items:
        message = f"There is no task {item_id}; `handrail worklist --ids` shows them."
        raise CliError(message)
    return plain(reply.items[0])


def _number(item: Plain) -> str:
    if not item["number"] or item["kind"] not in {"recommendation", "decision"}:
        message = "This task is about no recommendation. Do it, put it off with a reason, or hand it over."
        raise CliError(message)
    return str(item["number"])


def _id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        message = f"{text} is not a task's id; `handrail worklist --ids` shows them."
        raise CliError(message) from error

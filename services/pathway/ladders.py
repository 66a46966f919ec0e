"""Who hears next of a task that nobody did: `guidelines/ladders.yaml`, read and checked. Pure but for `Ladders`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from services.pathway.dictionary import NO_OTHER_FIELDS
from services.pathway.due_dates import LONDON, due_after_working_days, london_date
from services.pathway.guideline import GuidelineError
from services.pathway.yaml_lines import Mapped, line_at, read, refused, validated

FILE = "ladders.yaml"
ALWAYS = "always"
NEEDED = ("routine", "urgent", "emergency", "phone_task")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun)-(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (\d\d):(\d\d)-(\d\d):(\d\d)")
_WEEK = [(day, hour) for day in range(7) for hour in range(24)]
Audience = Literal["team", "deputy", "lead"]
Number = Annotated[int, Field(ge=1, le=365)]


@dataclass(frozen=True, slots=True)
class Wait:
    """The time until the next rung: one of minutes, hours, working days."""

    __pydantic_config__ = NO_OTHER_FIELDS
    minutes: Number | None = None
    hours: Number | None = None
    working_days: Number | None = None

    def after(self, moment: datetime) -> datetime:
        """The instant of the next rung; working days end with the working day (17:00 and weekends as everywhere)."""
        if self.working_days is not None:
            return due_after_working_days(moment, self.working_days).due_at
        return moment + timedelta(minutes=self.minutes or 0, hours=self.hours or 0)


@dataclass(frozen=True, slots=True)
class Rung:
    """Whom one rung tells by mail, whom it has rung up, and how long it waits."""

    __pydantic_config__ = NO_OTHER_FIELDS
    wait: Wait
    tell: tuple[Audience, ...] = ()
    phone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Telephone:
    """When a team's telephone is answered: `always`, or days and hours in London such as `Mon-Fri 09:00-17:00`."""

    __pydantic_config__ = NO_OTHER_FIELDS
    staffed: str


@dataclass(frozen=True, slots=True)
class Away:
    """A team or a person who is away, from the first to the last day."""

    __pydantic_config__ = NO_OTHER_FIELDS
    who: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class LadderBook:
    """All ladders, which kind of task climbs which, the telephones, who is away, how many alerts a day are enough."""

    __pydantic_config__ = NO_OTHER_FIELDS
    telephones: Mapping[str, Telephone]
    kinds: Mapping[str, str]
    ladders: Mapping[str, tuple[Rung, ...]]
    one_person: tuple[Rung, ...]
    alerts_a_day: Annotated[int, Field(ge=0, le=1000)] = 0
    away: tuple[Away, ...] = ()
    # The people of each team, from the teams file; what the ladders' own file says here is replaced.
    people: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def away_at(self, moment: datetime) -> frozenset[str]:
        """The people who are away at an instant, by London's date, and the teams: those of whom all are, too."""
        day = london_date(moment)
        away = {one.who for one in self.away if one.first_day <= day <= one.last_day}
        return frozenset(away | {team for team, people in self.people.items() if people and people <= away})


@dataclass(frozen=True, slots=True)
class Team:
    """What a rung asks of the team that owns the task; `deputy` and `lead` are person ids."""

    has_deputy: bool = True
    has_lead: bool = True
    people: int = 2
    team_id: str = ""
    deputy: str = ""
    lead: str = ""

    def reached(self, away: Collection[str]) -> frozenset[Audience]:
        """Whom a message to this team reaches while these are away."""
        there: dict[Audience, bool] = {
            "team": self.team_id not in away,
            "deputy": self.has_deputy and self.deputy not in away,
            "lead": self.has_lead and self.lead not in away,
        }
        return frozenset(audience for audience, is_there in there.items() if is_there)


@dataclass(frozen=True, slots=True)
class Step:
    """What happens now: whom to tell, which desk rings, which rung was that, and when the next one comes."""

    tell: tuple[Audience, ...]
    phone: str
    rung: int
    next_at: datetime


_BOOK = TypeAdapter(LadderBook)


def load_ladders(directory: Path, teams: Mapping[str, Collection[str]] | None = None) -> LadderBook:
    """Read the ladders; `teams` has the people of each team, where the teams file is known.

    Raises:
        GuidelineError: file, line, what to do.
    """
    path = directory / FILE
    raw = read(path)
    book = validated(_BOOK, raw, path)
    for name, telephone in book.telephones.items():
        if telephone.staffed != ALWAYS and not _hours(telephone.staffed):
            problem = f"'{telephone.staffed}' is neither `always` nor days and hours such as `Mon-Fri 09:00-17:00`"
            raise _refused_at(path, raw, ("telephones", name), f"{name}: {problem}.")
    for name in NEEDED:
        if name not in book.ladders:
            raise _refused_at(path, raw, ("ladders",), f"the ladder `{name}` is missing; add it.")
    for kind, name in book.kinds.items():
        if name not in book.ladders:
            raise _refused_at(path, raw, ("kinds",), f"{kind}: there is no ladder `{name}`; there are {_listed(book)}.")
    for place, rungs in [*((("ladders", n), r) for n, r in book.ladders.items()), (("one_person",), book.one_person)]:
        if problem := _problem_with(rungs, book):
            raise _refused_at(path, raw, place, f"{place[-1]}: {problem}.")
    where, stranger = _stranger(book, teams)
    if stranger:
        raise _refused_at(path, raw, where, stranger)
    return replace(book, people={team: frozenset(members) for team, members in (teams or {}).items()})


def next_step(book: LadderBook, kind: str, urgency: str, rung: int, team: Team, moment: datetime) -> Step:
    """The rung to climb now, with those that reach nobody skipped; beyond the last, the last comes again."""
    rungs = book.ladders[book.kinds.get(kind) or urgency]
    if team.people <= 1 and urgency == "routine" and kind not in book.kinds:
        rungs = book.one_person
    away = book.away_at(moment)
    reached = team.reached(away)
    while rung < len(rungs) - 1 and not rungs[rung].phone and reached.isdisjoint(rungs[rung].tell):
        rung += 1
    now = rungs[min(rung, len(rungs) - 1)]
    tell: tuple[Audience, ...] = tuple(audience for audience in now.tell if audience in reached)
    if "team" in now.tell and "team" not in reached:  # whoever covers for a team that is away hears at once
        cover: tuple[Audience, ...] = tuple(one for one in ("deputy", "lead") if one in reached and one not in tell)
        tell = tell or cover[:1]
    staffed = [desk for desk in now.phone if is_staffed(book.telephones[desk].staffed, moment)]
    phone = next((desk for desk in staffed if desk not in away), staffed[0] if staffed else "")
    return Step(tell, phone, min(rung, len(rungs) - 1), now.wait.after(moment))


def is_staffed(staffed: str, moment: datetime) -> bool:
    """Whether a telephone is answered at an instant, on London's clock."""
    if staffed == ALWAYS:
        return True
    local = moment.astimezone(LONDON)
    found = _hours(staffed)
    return found is not None and local.weekday() in found[0] and found[1] <= local.time() < found[2]


def _stranger(book: LadderBook, teams: Mapping[str, Collection[str]] | None) -> tuple[tuple[str, ...], str]:
    """Where the file names nobody of the teams file, or an absence ends before it begins, and what; or nothing."""
    for one in book.away:
        if one.last_day < one.first_day:
            return ("away",), f"away: {one.who} is back before they go; put first_day before last_day."
    if teams is None:
        return (), ""
    listed = ", ".join(teams)
    for name in book.telephones:
        if name not in teams:
            return ("telephones", name), f"{name}: the teams file has no such team; it has {listed}."
    known = {*teams, *(person for members in teams.values() for person in members)}
    for one in book.away:
        if one.who not in known:
            return ("away",), f"away: the teams file has no team or person {one.who}; its teams are {listed}."
    return (), ""


def _problem_with(rungs: tuple[Rung, ...], book: LadderBook) -> str:
    if not rungs:
        return "a ladder has at least one rung"
    for number, rung in enumerate(rungs, 1):
        times = (rung.wait.minutes, rung.wait.hours, rung.wait.working_days)
        if sum(one is not None for one in times) != 1:
            return f"the wait of rung {number} has one of minutes, hours, working_days"
        if not rung.tell and not rung.phone:
            return f"rung {number} reaches nobody; give it `tell` or `phone`"
        if unknown := next((desk for desk in rung.phone if desk not in book.telephones), ""):
            return f"rung {number}: there is no telephone {unknown}; there are {', '.join(book.telephones)}"
    hours = _unanswered([book.telephones[desk].staffed for desk in rungs[-1].phone])
    if hours:
        day, hour = hours[0]
        return (
            f"its last rung reaches no staffed telephone at {len(hours)} of the 168 hours of a week "
            f"(the first: {_DAYS[day]} {hour:02d}:00); end it at one that is staffed always"
        )
    return ""


def _unanswered(staffed: Collection[str]) -> list[tuple[int, int]]:
    """The hours of the week at which none of these telephones is answered from beginning to end."""
    if ALWAYS in staffed:
        return []
    spans = [found for found in map(_hours, staffed) if found]
    return [
        (day, hour)
        for day, hour in _WEEK
        if not any(day in days and start <= time(hour) and time(hour, 59) < end for days, start, end in spans)
    ]


def _hours(staffed: str) -> tuple[frozenset[int], time, time] | None:
    match = _HOURS.fullmatch(staffed)
    if match is None:
        return None
    first, last = _DAYS.index(match[1]), _DAYS.index(match[2])
    days = frozenset((first + step) % 7 for step in range((last - first) % 7 + 1))
    try:
        start, end = time(int(match[3]), int(match[4])), time(int(match[5]), int(match[6]))
    except ValueError:
        return None
    return (days, start, end) if start < end else None


def _listed(book: LadderBook) -> str:
    return ", ".join(book.ladders)


def _refused_at(path: Path, raw: Mapped, place: tuple[str, ...], message: str) -> GuidelineError:
    return refused(path, line_at(raw, place), message)


class Ladders:
    """The ladders of a directory, read again when the file changes; after a broken edit the last good ones stand."""

    def __init__(self, directory: Path, teams: Mapping[str, Collection[str]] | None = None) -> None:
        """Read them, checked against the people of each team where those are known. Raises GuidelineError."""
        self._directory = directory
        self._teams = teams
        self._book = load_ladders(directory, teams)
        self._stamp = self._changed_at()
        self.problem = ""

    def now(self) -> LadderBook:
        """The ladders as the file has them now; `problem` says what is wrong with an edit that cannot be used."""
        stamp = self._changed_at()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._book, self.problem = load_ladders(self._directory, self._teams), ""
            except GuidelineError as error:
                self.problem = str(error)
        return self._book

    def _changed_at(self) -> tuple[int, int]:
        try:
            stat = (self._directory / FILE).stat()
        except OSError:
            return (0, 0)
        return (stat.st_mtime_ns, stat.st_size)

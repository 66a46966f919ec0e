"""Technology appraisals: who may be given a drug, which is narrower than a guideline's pointer to it. Pure.

`guidelines/appraisals.yaml` is a table of its own, with effective dates, outside every guideline version: an appraisal
changes without the guideline. A verdict never permits: it says what the appraisal says of the facts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from services.pathway.checks import problem_with_date
from services.pathway.conditions import Check, compile_condition
from services.pathway.dictionary import NO_OTHER_FIELDS, Dictionary, Therapy, Value
from services.pathway.facts import Gap, Picture
from services.pathway.guideline import Guideline, Shared, parse_conditions
from services.pathway.rule_types import Parsed
from services.pathway.satisfiable import never_true
from services.pathway.yaml_lines import read, refused, validated

FILE = "appraisals.yaml"
Verdict = Literal["eligible", "eligible_managed_access", "not_eligible", "unknown"]


@dataclass(frozen=True, slots=True)
class Appraisal:
    """One drug in one appraisal. `effective_from` and `effective_to` are as precise as read (2017, 2017-12).

    `exceptions` are its own instead of the table's; `exceptions_while`: for these people only.
    """

    __pydantic_config__ = NO_OTHER_FIELDS
    ta: str
    drug: str
    rules: tuple[str, ...]
    effective_from: str
    status: Literal["recommended", "managed_access", "not_recommended"]
    when: Parsed | None = None
    agents: tuple[str, ...] = ()
    effective_to: str = ""
    replaces: tuple[str, ...] = ()
    verified: bool = True
    note: str = ""
    exceptions: tuple[str, ...] | None = None
    exceptions_while: Parsed | None = None
    out_after: tuple[str, ...] = ("progression",)

    def in_force(self, on: date) -> bool:
        """Whether the appraisal holds on a day."""
        day = on.isoformat()
        begun = day[: len(self.effective_from)] >= self.effective_from
        return begun and (not self.effective_to or day[: len(self.effective_to)] <= self.effective_to)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an appraisal says of one person, why, and the missing facts that could still settle it."""

    appraisal: Appraisal
    verdict: Verdict
    why: Literal["conditions_met", "conditions_not_met", "not_recommended", "failed_before", "facts_missing"]
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Appraisals:
    """The whole table. `exceptions` excuse from a condition, and count only once somebody has stated them."""

    appraisals: tuple[Appraisal, ...]
    exceptions: tuple[str, ...]
    checked_on: str
    dictionary: Dictionary

    def of(self, rule_id: str) -> tuple[Appraisal, ...]:
        """The appraisals behind one recommendation."""
        return _by_rule(self).get(rule_id, ())


@dataclass(frozen=True, slots=True)
class _File:
    __pydantic_config__ = NO_OTHER_FIELDS
    checked_on: str
    appraisals: tuple[Appraisal, ...]
    exceptions: tuple[str, ...] = ()
    define: Mapping[str, Parsed] = field(default_factory=dict)


_FILE = TypeAdapter(_File)


def load_appraisals(directory: Path, shared: Shared, versions: Sequence[Guideline] = ()) -> Appraisals | None:
    """The appraisals of a directory; None if it has none. Rules are checked against `versions` if there are any.

    Raises:
        GuidelineError: file, line, and what to do.
    """
    path = directory / FILE
    if not path.is_file():
        return None
    raw = read(path)
    lines = [int(getattr(entry, "line", 0)) for entry in raw.get("appraisals") or ()]
    parse_conditions(raw, "appraisals", shared.dictionary, path, ("when", "exceptions_while"))
    file = validated(_FILE, raw, path)
    if problem := problem_with_date(file.checked_on):
        raise refused(path, 1, f"checked_on: {problem}.")
    known = {rule.rule_id for version in versions for rule in version.rules}
    if problem := _problem_with_exceptions(file.exceptions, shared.dictionary):
        raise refused(path, 1, f"{problem}.")
    for row, line in zip(file.appraisals, lines, strict=True):
        if problem := _problem_with(row, file.appraisals, known, shared.dictionary):
            raise refused(path, line, f"{row.ta}: {problem}.")
    return Appraisals(file.appraisals, file.exceptions, file.checked_on, shared.dictionary)


def _problem_with(row: Appraisal, rows: Sequence[Appraisal], known: set[str], dictionary: Dictionary) -> str:
    same = [other for other in rows if other.ta == row.ta and set(other.rules) & set(row.rules)]
    missing = [rule_id for rule_id in row.rules if rule_id not in known] if known else []
    own = row.exceptions or ()
    no_reason = [reason for reason in row.out_after if reason not in dictionary.stop_reasons]
    checks = [
        (_problem_with_exceptions(own, dictionary), _problem_with_exceptions(own, dictionary)),
        (row.exceptions_while is not None and not own, "exceptions_while needs `exceptions` of the same row"),
        (no_reason, f"out_after: {', '.join(no_reason)} is no stop reason of the data dictionary"),
        (len(same) > 1, "stands twice for the same recommendation"),
        ((row.when is None) is (row.status != "not_recommended"), "a recommended drug needs `when`, another has none"),
        (missing, f"rules names {', '.join(missing)}, which no guideline version has"),
        (row.when is not None and never_true(row.when, dictionary), "`when` can never hold; correct it"),
        (row.effective_to and row.effective_to < row.effective_from, "effective_to lies before effective_from"),
    ]
    return next((problem for wrong, problem in checks if wrong), "")


def _problem_with_exceptions(names: Sequence[str], dictionary: Dictionary) -> str:
    wrong = next((name for name in names if name not in dictionary.facts), "")
    return (
        f"exceptions: '{wrong}' is not in the data dictionary{dictionary.nearest(wrong).rstrip('.')}" if wrong else ""
    )


def rule_on(table: Appraisals, rule_id: str, picture: Picture, on: date) -> list[Ruling]:
    """What every appraisal in force behind a recommendation says of a person."""
    return [_rule(row, table, picture) for row in _in_force(table, rule_id, on)]


@lru_cache(maxsize=1024)
def _in_force(table: Appraisals, rule_id: str, on: date) -> tuple[Appraisal, ...]:
    return tuple(row for row in table.of(rule_id) if row.in_force(on))


def _rule(row: Appraisal, table: Appraisals, picture: Picture) -> Ruling:
    check = _checks(table).get((row.ta, row.rules))
    if check is None:
        return Ruling(row, "not_eligible", "not_recommended")
    truth, _, missing = check({**not_excused(row, table, picture), **picture.values})
    if truth is False:
        return Ruling(row, "not_eligible", "conditions_not_met")
    failed = _failed_before(row, picture, table.dictionary)
    if failed:
        return Ruling(row, "not_eligible", "failed_before")
    names = [*missing, *(("prior_therapy",) if failed is None else ())]
    if names:
        gaps = tuple(dict.fromkeys(gap for name in names for gap in picture.gaps(name)))
        return Ruling(row, "unknown", "facts_missing", gaps)
    return Ruling(row, "eligible_managed_access" if row.status == "managed_access" else "eligible", "conditions_met")


def not_excused(row: Appraisal, table: Appraisals, picture: Picture) -> dict[str, Value]:
    """Exceptions that nobody stated count as a no, so that not everybody is asked whether one applies."""
    if row.exceptions_while is not None:
        condition = compile_condition(row.exceptions_while, table.dictionary)
        if condition(picture.values)[0] is not True:
            return {}
    return dict.fromkeys(table.exceptions if row.exceptions is None else row.exceptions, False)


def _failed_before(row: Appraisal, picture: Picture, dictionary: Dictionary) -> bool | None:
    """Whether the drug was given before and stopped for what rules it out; None if it is not known what was, or why."""
    if not row.agents:
        return False
    latest = {fact.subject or fact.fact_id: fact.value for fact in picture.history.get("prior_therapy", ())}
    lines = [line for line in latest.values() if isinstance(line, Therapy)]
    given = [(line, {dictionary.agent(agent) for agent in line.agents}) for line in lines]
    reasons = {line.stop_reason for line, agents in given if agents.intersection(row.agents)}
    # Of what was started here it is known that it was given, whatever came before.
    settled = "prior_therapy" in picture.known
    if not reasons.isdisjoint(row.out_after) and (settled or all(line.begun_here for line in lines)):
        return True
    if not settled:
        return None
    unread = [line for line, agents in given if _may_be(row, line, agents, dictionary)]
    return None if "" in reasons or any(line.stop_reason in {"", *row.out_after} for line in unread) else False


def _may_be(row: Appraisal, line: Therapy, agents: Collection[str], dictionary: Dictionary) -> bool:
    """Whether a line may have been this drug though it does not say so: a drug that nobody knows, of its classes."""
    if agents and all(agent in dictionary.agents for agent in agents):
        return False
    own = {name for agent in row.agents for name in dictionary.agents.get(agent, ())}
    return not line.classes or bool(own.intersection(line.classes))


@lru_cache(maxsize=8)
def _by_rule(table: Appraisals) -> dict[str, tuple[Appraisal, ...]]:
    names = dict.fromkeys(rule_id for row in table.appraisals for rule_id in row.rules)
    return {name: tuple(row for row in table.appraisals if name in row.rules) for name in names}


@lru_cache(maxsize=8)
def _checks(table: Appraisals) -> dict[tuple[str, tuple[str, ...]], Check]:
    rows = [(row, row.when) for row in table.appraisals if row.when is not None]
    return {(row.ta, row.rules): compile_condition(when, table.dictionary) for row, when in rows}

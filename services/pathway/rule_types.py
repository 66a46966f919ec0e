"""What a numbered recommendation consists of, as read from a version file.

`guidelines/README.md` explains each field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import SkipValidation

from services.pathway.conditions import Condition, Every
from services.pathway.dictionary import NO_OTHER_FIELDS, Role, Scalar

CONDITION_FIELDS = ("gate", "when", "forbids", "done_when", "asks_when")
Parsed = Annotated[Condition, SkipValidation]


@dataclass(frozen=True, slots=True)
class Due:
    """Working days from when it was recorded, or hours from when it happened; `local`: not NICE's."""

    __pydantic_config__ = NO_OTHER_FIELDS
    working_days: int | None = None
    hours: int | None = None
    local: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """One choice under a rule."""

    __pydantic_config__ = NO_OTHER_FIELDS
    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What tells one occurrence of a rule from the next: a report of the fact, or a run of one value."""

    __pydantic_config__ = NO_OTHER_FIELDS
    fact: str
    by: Literal["report", "run"]


@dataclass(frozen=True, slots=True)
class Instead:
    """Where a guard points to: recommendations, or the options under them, judged with some facts supposed."""

    __pydantic_config__ = NO_OTHER_FIELDS
    rules: tuple[str, ...]
    supposing: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AfterAccept:
    """The item that follows when the recommendation is accepted."""

    __pydantic_config__ = NO_OTHER_FIELDS
    title: str
    owner: Role
    due: Due


@dataclass(frozen=True, slots=True)
class LocalDue:
    """Due times of the planner's own items; local choices."""

    __pydantic_config__ = NO_OTHER_FIELDS
    chase: Due = Due(working_days=2, local=True)
    review: Due = Due(working_days=2, local=True)
    next_contact: Due = Due(working_days=5, local=True)


@dataclass(frozen=True, slots=True)
class Rule:
    """One numbered recommendation. It applies when `gate` and `when` hold; README.md explains each field."""

    __pydantic_config__ = NO_OTHER_FIELDS
    rule_id: str
    number: str
    strength: Literal["strong", "weak", "option", "xref", "guard"]
    tag: str
    section: Literal[
        "diagnosis", "systemic_therapy", "supportive_care", "complications", "palliative_care", "information"
    ]
    title: str
    action: str
    owner: Role
    decided_by: Role
    when: Parsed | None = None
    no_condition: str = ""
    gate: Parsed | None = None
    forbids: Parsed | None = None
    done_when: Parsed | None = None
    due: Due | None = None
    closes_with: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    option_for: str = ""
    holds_for_options: bool = False
    occurrence: Occurrence | None = None
    chase: bool = False
    considers: tuple[str, ...] = ()
    urgency: Literal["routine", "urgent", "emergency"] = "routine"
    refer_to: str = ""
    after_accept: AfterAccept | None = None
    source: str = ""
    verified: bool = True
    cautions: tuple[str, ...] = ()
    note: str = ""
    opens_no_item: bool = False
    instead: Instead | None = None
    asks_when: Parsed | None = None
    ring: str = ""
    background: tuple[str, ...] = ()

    @property
    def condition(self) -> Condition | None:
        """The whole condition, gate included; None for a rule with a written reason for having none."""
        if self.when is None or self.gate is None:
            return self.when
        return Every((self.gate, self.when))


@dataclass(frozen=True, slots=True)
class Update:
    """One thing that is known to have moved, or to be about to move, in a guideline version."""

    __pydantic_config__ = NO_OTHER_FIELDS
    kind: Literal["planned", "in_progress", "published_later", "appraisal_replaced", "editorial_slip"]
    summary: str
    numbers: tuple[str, ...] = ()
    source: str = ""
    verified: bool = True

"""A synthetic person built from events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from services.pathway.dictionary import Therapy, Value
from services.pathway.facts import Fact, current
from services.pathway.guideline import Guideline
from services.pathway.items import Outcome
from services.pathway.plan import Decision, OpenItem, Plan, WantedItem, plan
from services.pathway.rules import Judgement, evaluate, guards_broken_in

GUIDELINES = Path(__file__).parents[3] / "guidelines"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ENDOCRINE_LINE = Therapy(
    "advanced", 1, ("ribociclib", "letrozole"), ("cdk46", "endocrine", "aromatase_inhibitor"), 24, "ongoing"
)


def guards_broken(
    guideline: Guideline, facts: Sequence[Fact], proposal: dict[str, str], now: datetime, *, undecided: bool = False
) -> list[Judgement]:
    return guards_broken_in(guideline, current(facts, guideline.dictionary, now), proposal, undecided=undecided)


@dataclass
class Person:
    """Facts reported in order, an hour apart; decisions; and the items that stand open."""

    guideline: Guideline
    facts: list[Fact] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    items: dict[str, WantedItem] = field(default_factory=dict)
    superseded: set[str] = field(default_factory=set)
    referrals: set[str] = field(default_factory=set)
    now: datetime = NOW

    def state(self, *, subject: str = "", at: datetime | None = None, **values: Value) -> Person:
        """Report facts, an hour after the last report."""
        self.now += timedelta(hours=1)
        for name, value in values.items():
            seq = len(self.facts) + 1
            fact = Fact(f"f{seq}", name, value, subject, at or self.now, self.now, "tester", "test", f"e{seq}", seq)
            self.facts.append(fact)
        return self

    def report(self, event: str, subject: str = "", **values: Value) -> Person:
        """Report an event with what it carries and what it implies."""
        implied: dict[str, Any] = {**self.guideline.events[event].implied(values)}
        carried: dict[str, Any] = {**values}
        return self.state(subject=subject, **carried).state(**implied)

    def correct(self, name: str, value: Value) -> Person:
        """Supersede the newest fact of this name."""
        old = next(fact for fact in reversed(self.facts) if fact.name == name)
        self.superseded.add(old.fact_id)
        stated: dict[str, Any] = {name: value}
        self.state(**stated)
        self.facts.remove(old)
        return self

    def judgements(self, at: datetime | None = None) -> list[Judgement]:
        """The whole guideline on this person."""
        return evaluate(self.guideline, self.facts, at or self.now)

    def judgement(self, number: str, at: datetime | None = None) -> Judgement:
        """One number on this person."""
        return next(judgement for judgement in self.judgements(at) if judgement.number == number)

    def decide(self, number: str, outcome: Outcome, review_on: date | None = None) -> Decision:
        """Record a decision on what a number says now."""
        judged = self.judgement(number)
        decision = Decision(
            f"d{len(self.decisions) + 1}",
            judged.rule_id,
            judged.occurrence,
            outcome,
            judged.basis,
            judged.used,
            review_on,
            "Dr Example",
            judged.missing if outcome == "accepted" else (),
        )
        self.decisions.append(decision)
        return decision

    def plan(self, other_open: int = 0, at: datetime | None = None) -> Plan:
        """Plan and reconcile, as the workflow does."""
        judgements = self.judgements(at)
        open_items = [OpenItem(key, item.kind) for key, item in self.items.items()]
        made = plan(
            self.guideline,
            judgements,
            self.decisions,
            open_items,
            other_open,
            at or self.now,
            self.now,
            superseded_fact_ids=self.superseded,
            open_referrals=self.referrals,
            unknown=current(self.facts, self.guideline.dictionary, at or self.now).unknown_of(
                name for decision in self.decisions for name in decision.made_without
            ),
        )
        for closing in made.close:
            del self.items[closing.key]
        self.items.update({item.key: item for item in (*made.open, *made.keep)})
        return made


def numbers(items: Sequence[WantedItem], kind: str = "") -> list[str]:
    """The numbers of items, of one kind if given, sorted."""
    return sorted(item.number for item in items if not kind or item.kind == kind)

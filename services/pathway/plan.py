"""The planner: given judgements, decisions and what is open, which items should be open now, and which close.

Pure and deterministic. An item's key is its identity: `guideline|rule_id|subject|occurrence` for a
recommendation or decision, and the same with `chase`, `follow_on`, `review` or `next_contact` in front for
the planner's other kinds. Keys that begin with `track|` belong to others. A key that stays wanted keeps its
clock, owner and due time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from services.pathway import chases
from services.pathway.due_dates import DueTime, due_after_hours, due_after_working_days, london_date, start_of
from services.pathway.guideline import Due, Guideline, Rule
from services.pathway.held import Gap
from services.pathway.items import ClosingItem, Decision, OfferedOption, OpenItem, Plan, WantedItem
from services.pathway.rules import Judgement

__all__ = ["ClosingItem", "Decision", "OfferedOption", "OpenItem", "Plan", "WantedItem", "plan"]

FOREIGN_PREFIX = "track|"


def plan(  # noqa: PLR0913  # the whole state of a pathway, each part by name
    guideline: Guideline,
    judgements: Sequence[Judgement],
    decisions: Sequence[Decision],
    open_items: Iterable[OpenItem],
    other_open: int,
    as_of: datetime,
    recorded_at: datetime,
    *,
    superseded_fact_ids: Collection[str] = frozenset(),
    open_referrals: Collection[str] = frozenset(),
    taken_referrals: Mapping[str, datetime] = MappingProxyType({}),
    unknown: Mapping[str, Sequence[Gap]] = MappingProxyType({}),
) -> Plan:
    """Reconcile what should be open with what is. Decisions come oldest first; `other_open` counts foreign items.

    `recorded_at` is when the cause was recorded: due times of new items count from it. `open_referrals` names
    the services (`refer_to`) with a referral under way, which ends the follow-on that asks for one;
    `taken_referrals` those where a person took it, and when (for one under way: any later moment), which is what a
    recommendation to refer asks for. `unknown`: what is still missing of what something was accepted without.
    """
    owned = {item.key: item.kind for item in open_items if not item.key.startswith(FOREIGN_PREFIX)}
    planner = _Planner(
        guideline=guideline,
        judgements={judgement.rule_id: judgement for judgement in judgements},
        decisions=decisions,
        already_open=frozenset(owned),
        asked_for=frozenset(key.split("|")[1] for key in owned if "|" in key),
        as_of=as_of,
        recorded_at=recorded_at,
        superseded=superseded_fact_ids,
        open_referrals=open_referrals,
        taken_referrals=taken_referrals,
        unknown=unknown,
    )
    wanted = [*planner.rule_items(), *planner.follow_ons(), *planner.reviews(), *planner.chases()]
    in_question = planner.in_question()
    if not wanted and not in_question and other_open == 0:
        wanted = [planner.next_contact()]
    by_key = {item.key: item for item in wanted}
    stay = by_key.keys() | in_question
    return Plan(
        open=tuple(item for key, item in by_key.items() if key not in owned),
        close=tuple(planner.closing(key, kind) for key, kind in sorted(owned.items()) if key not in stay),
        keep=tuple(item for key, item in by_key.items() if key in owned),
        reevaluate_at=planner.reevaluate_at(),
    )


@dataclass(frozen=True, slots=True)
class _Planner:
    """The inputs of one planning, and the items that follow from them."""

    guideline: Guideline
    judgements: Mapping[str, Judgement]
    decisions: Sequence[Decision]
    already_open: Collection[str]
    asked_for: Collection[str]  # the rules of what is open: most are not, and need no closer look
    as_of: datetime
    recorded_at: datetime
    superseded: Collection[str]
    open_referrals: Collection[str]
    taken_referrals: Mapping[str, datetime]
    unknown: Mapping[str, Sequence[Gap]]

    def rule_items(self) -> list[WantedItem]:
        """One item for each rule that applies and is not settled by a decision."""
        items = []
        for rule in self.guideline.rules:
            judgement = self.judgements.get(rule.rule_id)
            if judgement is None or rule.due is None or rule.option_for or rule.strength == "guard":
                continue
            if judgement.truth == "applies" and not self._settled(rule, judgement):
                item = self._rule_item(rule, judgement, rule.due)
                if item.key in self.already_open or not self._held_back(rule):
                    items.append(item)
        return items

    def follow_ons(self) -> list[WantedItem]:
        """What an accepted recommendation or option leads to, until the rule no longer applies."""
        items = []
        decided = {decision.rule_id for decision in self.decisions}
        for rule in self.guideline.rules:
            judgement, after = self.judgements.get(rule.rule_id), rule.after_accept
            if judgement is None or after is None or rule.rule_id not in decided:
                continue
            if judgement.truth == "does_not_apply" or judgement.done:
                continue
            decision = self._accepted(rule, judgement)
            if decision is None or decision.rule_id != rule.rule_id or self._referred(rule, judgement):
                continue
            due = self._due(after.due, judgement)
            items.append(
                WantedItem(
                    key=f"follow_on|{rule.rule_id}||{judgement.occurrence}",
                    kind="follow_on",
                    rule_id=rule.rule_id,
                    number=rule.number,
                    title=after.title,
                    reason=f"{rule.number} was accepted by {decision.decided_by}: {rule.title}.",
                    owner_role=after.owner,
                    due_on=due.due_on,
                    due_at=due.due_at,
                    urgency=rule.urgency,
                    fact_ids=decision.fact_ids,
                )
            )
        return items

    def reviews(self) -> list[WantedItem]:
        """One item for each decision that stands whose ground moved: a fact was corrected, or came after all."""
        newest = {self._family(decision.rule_id): decision for decision in self.decisions}
        moved: dict[Decision, tuple[str, tuple[str, ...]]] = {}
        for decision in self._chosen():
            if came := [name for name in self._made_without(decision) if name not in self.unknown]:
                labels = chases.listed(came, self.guideline.dictionary)
                moved[decision] = f"{labels} came after this was accepted", decision.fact_ids
        for decision in newest.values():
            if corrected := tuple(fact_id for fact_id in decision.fact_ids if fact_id in self.superseded):
                moved[decision] = "A fact this decision stood on was corrected", corrected
        return [item for one, (why, fact_ids) in moved.items() if (item := self._review(one, why, fact_ids))]

    def _review(self, decision: Decision, why: str, fact_ids: tuple[str, ...]) -> WantedItem | None:
        rule = self.guideline.rule(decision.rule_id)
        if rule is None:
            return None
        due = self._due(self.guideline.local_due.review, None)
        return WantedItem(
            key=f"review|{rule.rule_id}||{decision.decision_id}",
            kind="review",
            rule_id=rule.rule_id,
            number=rule.number,
            title=f"Look again at the decision on {rule.number}",
            reason=chases.cut(f"{why}: {rule.title} ({decision.outcome})."),
            owner_role=rule.decided_by,
            due_on=due.due_on,
            due_at=due.due_at,
            urgency="urgent",
            fact_ids=fact_ids,
        )

    def chases(self) -> list[WantedItem]:
        """What is missing between a due decision, or an open item, and an answer: one item for each who holds it."""
        needs: dict[str, chases.Need] = {}
        for rule in self.guideline.rules:
            judgement = self.judgements.get(rule.rule_id)
            if judgement is None or not (self._chaseable(rule, judgement) or self._in_question(rule, judgement)):
                continue
            for gap in judgement.gaps:
                needs.setdefault(gap.name, chases.Need(gap)).judgements.append(judgement)
        for decision in self._chosen():
            if (chosen := self.guideline.rule(decision.rule_id)) is None:
                continue
            for gap in (gap for name in self._made_without(decision) for gap in self.unknown.get(name, ())):
                needs.setdefault(gap.name, chases.Need(gap)).accepted.append(chosen)
        due = self._due(self.guideline.local_due.chase, None)
        return chases.wanted(needs, self.already_open, due, self.guideline.dictionary)

    def in_question(self) -> frozenset[str]:
        """The keys of open items whose rule cannot be decided any more: unknown is not "no", so they stay open."""
        judged = [(rule, self.judgements.get(rule.rule_id)) for rule in self.guideline.rules]
        return frozenset(self._key(rule, judgement) for rule, judgement in judged if self._in_question(rule, judgement))

    def next_contact(self) -> WantedItem:
        """The key worker plans the next contact: what is open when nothing else is."""
        key = next((key for key in sorted(self.already_open) if key.startswith("next_contact|")), "")
        due = self._due(self.guideline.local_due.next_contact, None)
        return WantedItem(
            key=key or f"next_contact||{self.recorded_at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}|",
            kind="next_contact",
            rule_id="",
            number="",
            title="Plan the next contact",
            reason="Nothing else is open, and nobody is left without a next step.",
            owner_role="key_worker",
            due_on=due.due_on,
            due_at=due.due_at,
        )

    def closing(self, key: str, kind: str) -> ClosingItem:
        """How and why an open item that is no longer wanted closes."""
        first, second, _, last = ([*key.split("|"), "", "", ""])[:4]
        if kind == "chase":
            return chases.closing(key, self.judgements.values(), self.guideline.dictionary)
        if kind == "next_contact":
            return ClosingItem(key, "withdrawn", "Another next step is open.")
        rule, judgement = self.guideline.rule(second), self.judgements.get(second)
        if rule is None or judgement is None:
            return ClosingItem(key, "withdrawn", f"{first} {second} is not in the guideline version in use.")
        if happened := self._happened(rule, judgement, kind, last):
            return ClosingItem(key, "done", happened)
        if judgement.occurrence != last:
            return ClosingItem(key, "withdrawn", f"{rule.number} is now asked for a newer occasion, or not at all.")
        verdict = "no longer applies" if judgement.truth == "does_not_apply" else "can no longer be decided"
        reason = chases.cut(f"{rule.number} {verdict}. {judgement.because}")
        if judgement.truth == "applies" or (kind == "follow_on" and judgement.truth != "does_not_apply"):
            reason = f"The acceptance of {rule.number} no longer stands."
        return ClosingItem(key, "withdrawn", reason)

    def _happened(self, rule: Rule, judgement: Judgement, kind: str, occurrence: str) -> str:
        """What ended an item of a rule as it was meant to end; empty if nothing did."""
        if kind == "review":
            return f"A newer decision on {rule.number} is recorded."
        if self._taken(rule, judgement):
            return f"A person at {_words(rule.refer_to)} took the referral."
        if kind == "follow_on" and self._referred(rule, judgement):
            return f"A referral to {_words(rule.refer_to)} is under way."
        if decision := self._latest(rule, occurrence, completed_only=kind == "follow_on"):
            return f"Decision recorded on {rule.number}: {decision.outcome}."
        return f"What {rule.number} asks for has happened." if judgement.done_this_time else ""

    def reevaluate_at(self) -> datetime | None:
        """The next instant at which a fact goes stale or the review date of a standing decision comes."""
        instants = [until for judgement in self.judgements.values() if (until := judgement.fresh_until)]
        put_off = [decision for decision in self.decisions if decision.outcome in {"declined", "deferred"}]
        instants += [start_of(decision.review_on) for decision in put_off if decision.review_on]
        return min((instant for instant in instants if instant > self.as_of), default=None)

    def _family(self, rule_id: str) -> str:
        """The rule whose item a decision answers: an option answers for its parent."""
        rule = self.guideline.rule(rule_id)
        return rule.option_for or rule_id if rule else rule_id

    def _chosen(self) -> list[Decision]:
        """What was accepted last of each family, and not taken back."""
        kept = [one for one in self.decisions if one.outcome == "accepted" and self._still_chosen(one, self.decisions)]
        return list({self._family(decision.rule_id): decision for decision in kept}.values())

    def _made_without(self, decision: Decision) -> list[str]:
        """The facts that it was accepted without; what a clinician judges was judged by accepting."""
        facts = self.guideline.dictionary.facts
        return [name for name in decision.made_without if name in facts and not facts[name].judgement]

    def _options(self, rule: Rule) -> list[Rule]:
        return [other for other in self.guideline.rules if other.option_for == rule.rule_id]

    def _standing(self, rule: Rule, judgement: Judgement) -> Decision | None:
        """The newest decision on this very rule, if it still stands for this occurrence and these facts."""
        made = [d for d in self.decisions if d.rule_id == rule.rule_id and d.occurrence == judgement.occurrence]
        if not made:
            return None
        newest = made[-1]
        if newest.outcome in {"accepted", "done"}:
            return newest
        review_came = newest.review_on is not None and newest.review_on <= london_date(self.as_of)
        return None if review_came or newest.basis != judgement.basis else newest

    def _accepted(self, rule: Rule, judgement: Judgement) -> Decision | None:
        """The newest decision of the family for this occurrence, if it accepts something."""
        family = self._family(rule.rule_id)
        made = [d for d in self.decisions if self._family(d.rule_id) == family and d.occurrence == judgement.occurrence]
        accepted = [d for d in made if d.outcome == "accepted" and self._still_chosen(d, made)]
        return accepted[-1] if accepted else None

    @staticmethod
    def _still_chosen(decision: Decision, made: Sequence[Decision]) -> bool:
        """Whether no newer decision on the same rule took it back."""
        return [other for other in made if other.rule_id == decision.rule_id][-1] is decision

    def _settled(self, rule: Rule, judgement: Judgement) -> bool:
        """Whether a decision on the rule stands, or one of its options that still applies is accepted."""
        if self._taken(rule, judgement) or judgement.done_this_time:
            return True
        standing = self._standing(rule, judgement)
        if standing is not None and (standing.outcome != "accepted" or self._acceptance_is_enough(rule)):
            return True
        for option in self._options(rule):
            chosen = self.judgements.get(option.rule_id)
            if chosen is not None and chosen.truth != "does_not_apply":
                decision = self._standing(option, chosen)
                if decision is not None and decision.outcome in {"accepted", "done"}:
                    return True
        return False

    def _taken(self, rule: Rule, judgement: Judgement) -> bool:
        """Whether the team that the rule refers to has taken the person, for this occurrence."""
        taken_at = self.taken_referrals.get(rule.refer_to)
        return taken_at is not None and (judgement.occurred_at is None or judgement.occurred_at <= taken_at)

    def _referred(self, rule: Rule, judgement: Judgement) -> bool:
        return rule.refer_to in self.open_referrals or self._taken(rule, judgement)

    def _acceptance_is_enough(self, rule: Rule) -> bool:
        """Whether accepting settles the rule's own task: a choice was made, or a follow-on task takes over.

        Anything else that is accepted has still to be done, and stays open until somebody says that it was.
        """
        return bool(rule.after_accept or rule.options or self._options(rule))

    def _rule_item(self, rule: Rule, judgement: Judgement, due: Due) -> WantedItem:
        when = self._due(due, judgement)
        options = [OfferedOption(rule.rule_id, rule.number, option.code, option.label) for option in rule.options]
        for child in self._options(rule):
            verdict = self.judgements.get(child.rule_id)
            if verdict and verdict.truth == "applies" and self._standing(child, verdict) is None:
                options += [OfferedOption(child.rule_id, child.number, o.code, o.label) for o in child.options]
        return WantedItem(
            key=self._key(rule, judgement),
            kind="decision" if options or self._options(rule) else "recommendation",
            rule_id=rule.rule_id,
            number=rule.number,
            title=rule.title,
            reason=chases.cut(judgement.because),
            owner_role=rule.owner,
            due_on=when.due_on,
            due_at=when.due_at,
            urgency="emergency" if due.hours is not None else rule.urgency,
            fact_ids=judgement.used,
            options=tuple(options),
        )

    def _key(self, rule: Rule, judgement: Judgement | None) -> str:
        return f"{self.guideline.guideline_id}|{rule.rule_id}||{judgement.occurrence if judgement else ''}"

    def _in_question(self, rule: Rule, judgement: Judgement | None) -> bool:
        """Whether the rule's item is open, and what is known of the person now leaves the rule undecided.

        A gap that was never reported does not count: then what the item stood on was taken back by a correction.
        """
        if judgement is None or judgement.truth != "cannot_be_decided" or rule.rule_id not in self.asked_for:
            return False
        if self._key(rule, judgement) not in self.already_open or self._settled(rule, judgement):
            return False
        said = any(gap.why != "never_recorded" for gap in judgement.gaps)
        return said and all(name in self.guideline.dictionary.facts for name in judgement.missing)

    def _held_back(self, rule: Rule) -> bool:
        """A decision waits while none of its options applies and a chase can still settle one of them."""
        if not rule.holds_for_options:
            return False
        pairs = [(option, self.judgements.get(option.rule_id)) for option in self._options(rule)]
        judged = [(option, judgement) for option, judgement in pairs if judgement is not None]
        if any(judgement.truth == "applies" for _, judgement in judged):
            return False
        return any(self._chaseable(option, judgement) for option, judgement in judged)

    def _chaseable(self, rule: Rule, judgement: Judgement) -> bool:
        if judgement.truth != "cannot_be_decided" or not rule.chase or not judgement.gate_open:
            return False
        if self._standing(rule, judgement) is not None:
            return False
        parent = self.guideline.rule(rule.option_for) if rule.option_for else None
        verdict = self.judgements.get(parent.rule_id) if parent else None
        if parent and verdict and self._settled(parent, verdict):
            return False
        return all(name in self.guideline.dictionary.facts for name in judgement.missing)

    def _latest(self, rule: Rule, occurrence: str, *, completed_only: bool) -> Decision | None:
        """The newest decision that answers an item of this rule and occurrence; for a follow-on, one that ends it."""
        made = [d for d in self.decisions if d.occurrence == occurrence]
        if completed_only:
            made = [d for d in made if d.rule_id == rule.rule_id and d.outcome != "accepted"]
        else:
            made = [d for d in made if d.rule_id == rule.rule_id or self._chosen_for(d, rule)]
        return made[-1] if made else None

    def _chosen_for(self, decision: Decision, rule: Rule) -> bool:
        """Whether the decision takes up an option of this rule."""
        return decision.outcome in {"accepted", "done"} and self._family(decision.rule_id) == rule.rule_id

    def _due(self, due: Due, judgement: Judgement | None) -> DueTime:
        if due.hours is not None:
            started = judgement.occurred_at if judgement else None
            return due_after_hours(started or self.recorded_at, due.hours)
        return due_after_working_days(self.recorded_at, due.working_days or 0)


def _words(code: str) -> str:
    return code.replace("_", " ")

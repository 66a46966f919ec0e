"""Asking for what is missing: one item for each holder of facts that a due decision waits for.

Pure. A chase's key is `chase|<fact>+<fact>||`: it names what was asked for when it was opened, so that its clock
runs on while some of it has come. What is found missing later is asked for by an item of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.pathway.dictionary import Dictionary
from services.pathway.due_dates import DueTime
from services.pathway.facts import Gap
from services.pathway.guideline import Rule
from services.pathway.items import ClosingItem, WantedItem
from services.pathway.rules import Judgement

PREFIX = "chase|"
_REASON_LIMIT = 400


@dataclass(frozen=True, slots=True)
class Need:
    """A missing fact, why it is not known, the judgements that wait for it, and what was accepted without it."""

    gap: Gap
    judgements: list[Judgement] = field(default_factory=list)
    accepted: list[Rule] = field(default_factory=list)


def wanted(
    needs: Mapping[str, Need], already_open: Iterable[str], due: DueTime, dictionary: Dictionary
) -> list[WantedItem]:
    """The chases that should be open: those that still wait for something, and one a holder for the rest."""
    left = dict(needs)
    groups: dict[str, list[Need]] = {}
    for key in sorted(key for key in already_open if key.startswith(PREFIX)):
        found = [left.pop(name) for name in facts_of_key(key) if name in left]
        if found:
            groups[key] = found
    by_holder: dict[tuple[str, str], list[Need]] = {}
    for need in left.values():
        by_holder.setdefault((supplier(need.gap, dictionary), _chaser(need, dictionary)), []).append(need)
    for together in by_holder.values():
        groups[f"{PREFIX}{'+'.join(need.gap.name for need in together)}||"] = together
    return [_item(key, together, due, dictionary) for key, together in groups.items()]


def closing(key: str, judgements: Collection[Judgement], dictionary: Dictionary) -> ClosingItem:
    """How and why a chase closes that no longer waits for anything."""
    names = facts_of_key(key)
    labels = listed(names, dictionary)
    missing = any(name in judgement.missing for judgement in judgements for name in names)
    if not missing and all(any(name in judgement.known for judgement in judgements) for name in names):
        return ClosingItem(key, "done", f"{labels} {'is' if len(names) == 1 else 'are'} now known.")
    return ClosingItem(key, "withdrawn", f"No decision that is due waits for {labels} any more.")


def facts_of_key(key: str) -> list[str]:
    """The facts that a chase was opened for."""
    return key.removeprefix(PREFIX).split("|", maxsplit=1)[0].split("+")


def supplier(gap: Gap, dictionary: Dictionary) -> str:
    """Who supplies a missing fact: the MDT where specimens disagree or leave it open."""
    fact = dictionary.facts[gap.name]
    return "breast_mdt" if fact.per_specimen and gap.why in {"disagree", "left_open"} else fact.supplied_by


def _chaser(need: Need, dictionary: Dictionary) -> str:
    return dictionary.facts[need.gap.name].chased_by


def _item(key: str, needs: Sequence[Need], due: DueTime, dictionary: Dictionary) -> WantedItem:
    gaps = [need.gap for need in needs]
    labels = [dictionary.facts[gap.name].label for gap in gaps]
    judgements = list({judged.rule_id: judged for need in needs for judged in need.judgements}.values())
    accepted = list({rule.rule_id: rule for need in needs for rule in need.accepted}.values())
    waiting: Sequence[Judgement | Rule] = judgements or accepted
    holder = supplier(gaps[0], dictionary)
    them, are = ("it", "is") if len(gaps) == 1 else ("them", "are")
    notes = "; ".join(dict.fromkeys(gap.note for gap in gaps if gap.note))
    why = [
        *([f"{_numbers(judgements)} cannot be decided without {them}"] if judgements else []),
        *([f"{_numbers(accepted)} was accepted without {them}"] if accepted else []),
    ]
    reason = (
        f"{_listed(labels)} {are} not known{f' ({notes})' if notes else ''}. "
        f"{'; '.join(why)}; {_holder(holder)} supplies {them}."
    )
    return WantedItem(
        key=key,
        kind="chase",
        rule_id=waiting[0].rule_id,
        number=waiting[0].number,
        title=f"Get: {', '.join(labels)}",
        reason=cut(reason),
        owner_role=_chaser(needs[0], dictionary),
        due_on=due.due_on,
        due_at=due.due_at,
        fact_ids=tuple(dict.fromkeys(fact_id for judgement in judgements for fact_id in judgement.used)),
        missing_fact="+".join(gap.name for gap in gaps),
        supplied_by=holder,
    )


def listed(names: Iterable[str], dictionary: Dictionary) -> str:
    """These facts by their labels, in words."""
    return _listed([dictionary.facts[name].label if name in dictionary.facts else name for name in names])


def cut(text: str) -> str:
    """A reason as short as an item keeps it."""
    return text if len(text) <= _REASON_LIMIT else f"{text[: _REASON_LIMIT - 1]}…"


def _holder(role: str) -> str:
    return role.replace("_", " ").replace("mdt", "MDT")


def _numbers(asked: Iterable[Judgement | Rule]) -> str:
    return ", ".join(one.number for one in asked)


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]

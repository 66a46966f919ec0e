"""A condition in plain English, for people who read the guideline data without reading code. Pure."""

from __future__ import annotations

from services.pathway.conditions import COMPARISONS, Among, Compare, Condition, Every, Negated
from services.pathway.dictionary import Dictionary
from services.pathway.facts import value_text
from services.pathway.saying import unit_of


def condition_text(condition: Condition, dictionary: Dictionary) -> str:
    """The whole condition: "Disease extent is metastatic, and (ER status is positive, or PR status is positive)"."""
    if isinstance(condition, Negated):
        return f"not ({condition_text(condition.part, dictionary)})"
    if isinstance(condition, Compare):
        limit = f"{condition.limit:g}{unit_of(dictionary.facts[condition.fact])}"
        return f"{dictionary.facts[condition.fact].label} is {COMPARISONS[condition.comparison][1]} {limit}"
    if isinstance(condition, Among):
        return _among(condition, dictionary)
    word = ", and " if isinstance(condition, Every) else ", or "
    parts = [_part(part, condition, dictionary) for part in condition.parts]
    return word.join(dict.fromkeys(parts))


def _part(part: Condition, whole: Condition, dictionary: Dictionary) -> str:
    text = condition_text(part, dictionary)
    grouped = not isinstance(part, Among | Compare | Negated | type(whole)) and len(part.parts) > 1
    return f"({text})" if grouped else text


def _among(test: Among, dictionary: Dictionary) -> str:
    label = dictionary.facts[test.fact].label
    if test.values in {(True,), (False,)}:
        return f"{label}: {value_text(test.values[0])}"
    return f"{label} is {' or '.join(value_text(value) for value in test.values)}"

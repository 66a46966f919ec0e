"""What the contract refuses, said so that a clinician knows what to type instead. Pure."""

from __future__ import annotations

import re

_ID = "copy the id from the task or from the person's record, such as 2beeebe4-4090-5976-a611-dc2883c0ec35"
_DATE = "write a date as 2026-11-22"
_IS_MISSING = "is missing"
# By the pattern of the contract.
_PATTERNS = {
    r"^(\d{4}-\d{2}-\d{2})?$": _DATE,
    r"^\d{4}-\d{2}-\d{2}$": _DATE,
    r"^\d{4}-\d{2}(-\d{2})?$": "write a date as 2026-11-22, or a month as 2026-11",
    r"^([0-9a-f-]{36})?$": _ID,
    r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$": "write a time as 2026-11-22T14:05+00:00",
    r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$": "write a language by its code, such as en, pl or zh-Hant",
    r"^([0-9A-Z]{3,10})?$": "write an ODS code, such as RXX01",
    r"^[0-9A-Z][0-9A-Za-z.\-]{0,31}$": "write the number of a recommendation, such as 1.7.16",
}


_RULES = {"required": _IS_MISSING, "string.uuid_empty": f"{_IS_MISSING}; {_ID}", "string.uuid": _ID}
_EMPTY = {("string.min_len", "must be at least 1 characters"), ("enum.not_in", "must not be in list [0]")}


def said_plainly(rule_id: str, message: str) -> str:
    """Return what is wrong with a field, from the rule that refused it and the validator's own words."""
    if rule_id in _RULES:
        return _RULES[rule_id]
    if (rule_id, message) in _EMPTY:
        return _IS_MISSING
    if rule_id == "string.pattern":
        return _PATTERNS.get(re.sub(r"^does not match regex pattern `(.*)`$", r"\1", message), message)
    return re.sub(r"^must be in list \[(?:, )?(.*)\]$", r"choose one of \1", message)

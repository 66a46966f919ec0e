"""NHS numbers: read, checked and shown. Pure.

The library checks the digit only and takes 0000000000 and 1111111111 for real, so the range is checked here too.
"""

from __future__ import annotations

import re

import nhs_number

from services.runtime.errors import Invalid

FIELD = "nhs_number"
_TEST_PREFIX = "999"
_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def checked(given: str, *, production: bool) -> str:
    """Return the ten digits of an NHS number that may be used here.

    In production that is a number of England, Wales or the Isle of Man; elsewhere only the reserved test range.

    Raises:
        Invalid: naming the field, and saying what to do.
    """
    digits = re.sub(r"[\s-]", "", given)
    if not re.fullmatch(r"[0-9]{10}", digits):
        _refuse("An NHS number has ten digits. Check it against the letter or the Summary Care Record.")
    if not nhs_number.is_valid(digits):
        _refuse("A digit is mistyped: the last does not fit the other nine. Check the NHS number and type it again.")
    if not production and not digits.startswith(_TEST_PREFIX):
        _refuse(
            "Here only numbers that begin with 999 are taken: they are reserved for tests and belong to nobody. "
            "Use a 999 number, and never a real person's."
        )
    if production and digits.startswith(_TEST_PREFIX):
        _refuse("Numbers that begin with 999 are for tests and belong to nobody. Give the person's own NHS number.")
    if production and not nhs_number.is_valid(digits, for_region=nhs_number.REGION_ENGLAND_WALES_IOM):
        _refuse(
            "This is not a number of England, Wales or the Isle of Man. Leave the NHS number empty and give the local "
            "identifier."
        )
    return digits


def shown(digits: str) -> str:
    """Return the number for reading, 3-3-4 with spaces at which no line breaks (ISB 0149)."""
    return _NO_BREAK_SPACE.join((digits[:3], digits[3:6], digits[6:]))


def _refuse(message: str) -> None:
    raise Invalid(message, field=FIELD, reason="nhs_number")

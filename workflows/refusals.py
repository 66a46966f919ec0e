"""Why a report is not accepted. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """Why a report is not accepted: a static code, and a sentence."""

    code: str
    message: str

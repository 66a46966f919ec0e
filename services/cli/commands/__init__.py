"""The commands. A new one is a module with `register(app)`, listed here.

Heavy libraries (grpc, generated code) are imported inside the functions, so that `handrail --help` is fast.
"""

from __future__ import annotations

from services.cli.commands import (
    caseload,
    demo,
    departures,
    drill,
    explain,
    guideline,
    house,
    patient,
    referral,
    report,
    sweep,
    task,
    worklist,
)

MODULES = (
    house,
    patient,
    worklist,
    task,
    explain,
    report,
    referral,
    caseload,
    departures,
    guideline,
    demo,
    sweep,
    drill,
)

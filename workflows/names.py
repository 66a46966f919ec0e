"""The names that Temporal knows: task queue, workflow ids, static error codes. None says who a person is."""

from __future__ import annotations

import uuid

TASK_QUEUE = "handrail"
INBOUND_FEED_ID = "inbound-feed"
MDT_LIST = "schedule:mdt-list"
DAILY_SWEEP = "schedule:daily-sweep"
ALERT_DIGEST = "schedule:alert-digest"
_IDS = uuid.UUID("6f1d7a52-41a7-5a5e-9c1e-2f6b0d1c8a01")

# Static codes of refusals; the sentence travels beside them.
NOT_IN_THIS_STATE = "conflict"
KEY_REUSED = "key_reused"
NOT_ALLOWED = "not_allowed"
QUEUE_FULL = "unavailable"

# What became of a notice: its team was told, and the record could not yet be.
UNLINKED = "unlinked"
# It is for a person who is to be sent nothing.
SUPPRESSED = "suppressed"
# It was refused for good.
FAILED = "failed"


def pathway_id(patient_id: str) -> str:
    """Return the workflow id of a person's pathway."""
    return f"pathway:{patient_id}"


def therapy_line_id(line_id: str) -> str:
    """Return the workflow id of one line of treatment."""
    return f"therapy-line:{line_id}"


def referral_id(referral: str) -> str:
    """Return the workflow id of one referral."""
    return f"referral:{referral}"


def derived_id(*parts: str) -> str:
    """Return the one UUID that follows from these parts: the same parts, the same id, on every retry and replay."""
    return str(uuid.uuid5(_IDS, "|".join(parts)))

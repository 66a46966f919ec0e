"""Who calls is believed only when it was signed with the house's key, and not for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.runtime import identity
from services.runtime.context import Actor
from services.runtime.errors import Unauthenticated

NURSE = Actor("nurse.test", "key_worker", "breast_care_nurses")
KEY = "k" * 64


def test_a_signed_actor_is_read_back() -> None:
    assert identity.verify(identity.sign(NURSE, KEY), KEY) == NURSE


def test_another_key_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        identity.verify(identity.sign(NURSE, "j" * 64), KEY)


def test_an_old_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=1)
    monkeypatch.setattr(identity, "now", lambda: long_ago)
    token = identity.sign(NURSE, KEY)
    with pytest.raises(Unauthenticated):
        identity.verify(token, KEY)

"""Settings that must stop a process from starting."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.runtime.settings import MissingSetting, ServiceSettings


def test_production_mode_is_refused_while_payloads_are_in_the_clear(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = tmp_path / "identity.key"
    key.write_text("k" * 64)
    monkeypatch.setenv("HANDRAIL_IDENTITY_KEY_FILE", str(key))
    monkeypatch.setenv("HANDRAIL_RECORDS_ADDRESS", "127.0.0.1:1")
    assert ServiceSettings.from_env("records").identity_key == "k" * 64
    monkeypatch.setenv("HANDRAIL_ENV", "production")
    with pytest.raises(MissingSetting, match="encrypted"):
        ServiceSettings.from_env("records")


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDRAIL_RECORDS_ADDRESS", raising=False)
    with pytest.raises(MissingSetting, match="HANDRAIL_RECORDS_ADDRESS"):
        ServiceSettings.from_env("records")

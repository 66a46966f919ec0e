"""What looks like an NHS number never reaches a log."""

from __future__ import annotations

import json
import logging

import pytest

from services.runtime.logging import get_logger, set_up_logging


def test_numbers_are_masked_and_lines_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    try:
        set_up_logging("test")
        get_logger().info("something_happened", detail="999 000 0018", other_id="8d2b6a3e-0000-4000-8000-123456789012")
        line = json.loads(capsys.readouterr().err.strip().splitlines()[-1])
    finally:
        root.handlers[:], root.level = kept[0], kept[1]
    assert line["event"] == "something_happened"
    assert line["process"] == "test"
    assert "999" not in line["detail"]
    assert line["other_id"].endswith("123456789012")

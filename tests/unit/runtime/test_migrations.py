"""Each schema's HEAD names its newest revision: a house that trusts it must not leave a migration out."""

from __future__ import annotations

import pytest

from tests.house import REPOSITORY


@pytest.mark.parametrize("service", ["records", "notify"])
def test_head_names_the_newest_revision(service: str) -> None:
    migrations = REPOSITORY / "services" / service / "migrations"
    newest = max(path.name[:4] for path in (migrations / "versions").glob("[0-9]*.py"))
    assert (migrations / "HEAD").read_text(encoding="utf-8").strip() == newest

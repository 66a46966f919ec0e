"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import atexit
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.house import Door, House, MailServer

# Temporal's bridge may still hold the interpreter when it ends; without this pause the exit can abort.
atexit.register(time.sleep, 0.05)


@pytest.fixture(scope="session")
def mail_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    """A real SMTP server process."""
    server = MailServer(tmp_path_factory.mktemp("mail") / "box")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, mail_server: MailServer) -> Iterator[House]:
    """One whole house for all tests that leave it running; each uses people of its own."""
    running = House(Path(tmp_path_factory.mktemp("house")) / "home", {"HANDRAIL_SMTP_URL": mail_server.url})
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def door(house: House) -> AsyncIterator[Door]:
    """A client of the house's services."""
    opened = house.door()
    yield opened
    await opened.close()

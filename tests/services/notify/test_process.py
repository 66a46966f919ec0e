from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from handrail.notify.v1 import notices_pb2_grpc as notices_grpc
from services.notify.db import HEAD
from services.notify.settings import MailServer as MailAddress
from services.runtime.clients import open_channel
from services.runtime.errors import HandrailError
from tests.services.notify.house import KEY, House, notice
from tests.services.notify.mail import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.notify.conftest import Database
    from tests.services.notify.mail import MailServer

COMMAND = [sys.executable, "-m", "services.notify"]


@pytest.fixture
def environment(database: Database, teams_file: Path, mail: MailServer, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "key").write_text(KEY, encoding="utf-8")
    return {
        **os.environ,
        "HANDRAIL_NOTIFY_DATABASE_URL": database.runtime_url,
        "HANDRAIL_MIGRATE_URL": database.owner_url,
        "HANDRAIL_NOTIFY_ADDRESS": f"127.0.0.1:{free_port()}",
        "HANDRAIL_IDENTITY_KEY_FILE": str(tmp_path / "key"),
        "HANDRAIL_TEAMS_FILE": str(teams_file),
        "HANDRAIL_READY_FILE": str(tmp_path / "ready"),
        "HANDRAIL_SMTP_URL": mail.url,
        "HANDRAIL_MAIL_DOMAIN": "handrail.example",
    }


@contextmanager
def process(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


async def ready(environment: dict[str, str], tmp_path: Path) -> None:
    for _ in range(200):
        if (tmp_path / "ready").exists():
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"notify at {environment['HANDRAIL_NOTIFY_ADDRESS']} did not become ready")


async def test_killed_between_the_mail_and_its_record_it_resends_under_the_same_message_id(
    environment: dict[str, str], mail: MailServer, tmp_path: Path
) -> None:
    request = notice()
    channel = open_channel(environment["HANDRAIL_NOTIFY_ADDRESS"])
    house = House(notices_grpc.NoticeServiceStub(channel))
    with process(environment) as first:
        mail.before_answer = first.kill
        await ready(environment, tmp_path)
        with pytest.raises(HandrailError):
            await house.send(request)
        await asyncio.to_thread(first.wait)
    mail.before_answer = lambda: None
    (tmp_path / "ready").unlink()
    with process(environment) as second:
        await ready(environment, tmp_path)
        assert (await house.message(request.idempotency_key)).status == "in_doubt"
        answer = await house.send(request)
        message = await house.message(request.idempotency_key)
        second.send_signal(signal.SIGTERM)
        _, log = await asyncio.to_thread(second.communicate, None, 10)
    await channel.close()
    assert answer.status == "sent"
    assert [attempt.outcome for attempt in message.attempts] == ["in_doubt", "accepted"]
    assert (len(mail.taken), len(set(mail.ids()))) == (2, 1)
    assert second.returncode == 0
    assert "notice_attempted" in log
    assert "trust.example" not in log
    assert "HER2" not in log


def test_migrating_twice_changes_nothing(environment: dict[str, str]) -> None:
    done = subprocess.run([*COMMAND, "migrate"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_newest_migration_is_the_one_that_head_names() -> None:
    newest = max(path.name for path in (HEAD.parent / "versions").glob("*.py"))
    assert newest.startswith(HEAD.read_text(encoding="utf-8").strip() + "_")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"HANDRAIL_NOTIFY_DATABASE_URL": ""}, "HANDRAIL_NOTIFY_DATABASE_URL is not set"),
        ({"HANDRAIL_NOTIFY_DATABASE_URL": "postgresql://x@/x?host=/nowhere"}, "does not answer"),
        ({"HANDRAIL_TEAMS_FILE": "/nowhere.yaml"}, "cannot be read"),
        ({"HANDRAIL_MAIL_FROM": "Handrail <handrail@trust.example>"}, "is not one e-mail address"),
        ({"HANDRAIL_SMTP_URL": "mail.example"}, "HANDRAIL_SMTP_URL"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(
    environment: dict[str, str], change: dict[str, str], sentence: str
) -> None:
    done = subprocess.run(COMMAND, env={**environment, **change}, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_serving_does_not_load_alembic(environment: dict[str, str]) -> None:
    code = "import sys, services.notify.__main__; sys.exit('alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://127.0.0.1:2525", MailAddress("127.0.0.1", 2525, "smtp")),
        ("smtp+starttls://u:p%40ss@mail.example", MailAddress("mail.example", 587, "smtp+starttls", "u", "p@ss")),
        ("smtps://mail.example", MailAddress("mail.example", 465, "smtps")),
    ],
)
def test_the_mail_servers_address_is_read_from_a_url(url: str, server: MailAddress) -> None:
    assert MailAddress.from_url(url) == server
    assert "p@ss" not in repr(server)

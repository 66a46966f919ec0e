"""A real SMTP server on a free port, whose answers a test chooses."""

from __future__ import annotations

import asyncio
import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING, cast

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiosmtpd.smtp import SMTP, Envelope, Session


def free_port() -> int:
    """A port nobody listens on; aiosmtpd cannot be given port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return cast("int", probe.getsockname()[1])


class MailServer:
    """Takes mail, unless told to answer otherwise; remembers what it took, and who it was for."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.taken: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refused: dict[str, str] = {}
        self.answer_to_data = "250 taken"
        self.hang_up = False
        self.seconds_to_answer = 0.0
        self.before_answer: Callable[[], None] = lambda: None
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.taken]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks the hook up by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.refused.get(address, "")
        if not answer:
            envelope.rcpt_tos.append(address)
        return answer or "250 known here"

    async def handle_DATA(  # noqa: N802 - as above
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.answer_to_data.startswith("250"):
            content = cast("bytes", envelope.content)
            self.taken.append(message_from_bytes(content, policy=policy.default))
            self.recipients.append(list(envelope.rcpt_tos))
        self.before_answer()
        await asyncio.sleep(self.seconds_to_answer)
        if self.hang_up and server.transport is not None:
            server.transport.close()
        return self.answer_to_data

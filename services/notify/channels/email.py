"""Staff mail over SMTP, driven step by step: where it breaks decides whether the mail may have left.

Before the text is handed over a failure is harmless: nothing was sent. After it, without an answer, the
attempt is in doubt; it is sent again under the same Message-ID, which mail readers show once. An address that no
mail can be written to is refused like one that the server does not know: another attempt would not help.
"""

from __future__ import annotations

import asyncio
import contextlib
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

import aiosmtplib

from services.notify.channels import Letter, Outcome, Result
from services.notify.settings import MailServer
from services.runtime.teams_file import is_address

TIMEOUT_SECONDS = 8.0
_PERMANENT = 500
# "Mailbox name not allowed", as a server would say it: asking one would break the dialogue.
_MALFORMED = 553
# "Authentication required" and its kin are about our own settings, not about the receiver.
_OURS_TO_MEND = frozenset({530, 534, 535, 538})
_NOT_REACHED = (aiosmtplib.SMTPException, OSError, TimeoutError)


class Email:
    """Hands one message to the mail server for all addresses of a team."""

    name = "email"

    def __init__(self, server: MailServer, sender: str, domain: str) -> None:
        self._server = server
        self._sender = sender
        self._domain = domain

    async def send(self, letter: Letter) -> Result:
        """Hand the letter over, and say how far that got."""
        if not any(is_address(address) for address in letter.recipients):
            return Result(Outcome.REFUSED, "no address of this team is one that a mail can be written to")
        try:
            mail = self._compose(letter)
        except ValueError as error:  # the library writes no header with a line break in it
            return Result(Outcome.REFUSED, f"the message cannot be written as mail ({type(error).__name__})")
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            use_tls=self._server.scheme == "smtps",
            start_tls=self._server.scheme == "smtp+starttls",
            username=self._server.user or None,
            password=self._server.password or None,
            timeout=TIMEOUT_SECONDS,
        )
        try:
            await client.connect()
        except _NOT_REACHED as error:
            client.close()
            return Result(Outcome.UNREACHABLE, f"the mail server could not be reached ({type(error).__name__})")
        try:
            return await self._hand_over(client, letter, mail)
        finally:
            client.close()

    async def _hand_over(self, client: aiosmtplib.SMTP, letter: Letter, mail: bytes) -> Result:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await client.mail(self._sender)
                refusals = await _name_recipients(client, letter)
        except aiosmtplib.SMTPResponseException as error:
            return _refusal(error.code, "the sender")
        except _NOT_REACHED as error:
            return Result(Outcome.UNREACHABLE, f"the mail server hung up early ({type(error).__name__})")
        if len(refusals) == len(letter.recipients):
            # One address that may work later is reason enough to try again.
            return _refusal(min(refusals), "every address")
        try:
            await client.data(mail)
        except aiosmtplib.SMTPResponseException as error:
            return _refusal(error.code, "the message")
        except _NOT_REACHED as error:
            return Result(Outcome.IN_DOUBT, f"it is not known whether the mail server took it ({type(error).__name__})")
        with contextlib.suppress(*_NOT_REACHED):
            await client.quit(timeout=1.0)
        return Result(Outcome.ACCEPTED, _accepted(len(letter.recipients), refusals))

    def _compose(self, letter: Letter) -> bytes:
        message = EmailMessage(policy=SMTP_POLICY)
        message["From"] = f"Handrail <{self._sender}>"
        message["To"] = ", ".join(address for address in letter.recipients if is_address(address))
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(letter.created_at)
        message["Message-ID"] = f"<{letter.message_id}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.body, charset="utf-8", cte="quoted-printable")
        return message.as_bytes()


async def _name_recipients(client: aiosmtplib.SMTP, letter: Letter) -> list[int]:
    """Name every recipient; return the codes of those that were refused."""
    refusals: list[int] = []
    for address in letter.recipients:
        if not is_address(address):
            refusals.append(_MALFORMED)
            continue
        try:
            await client.rcpt(address)
        except aiosmtplib.SMTPRecipientRefused as error:
            refusals.append(error.code)
    return refusals


def _refusal(code: int, what: str) -> Result:
    if code < _PERMANENT or code in _OURS_TO_MEND:
        return Result(Outcome.UNREACHABLE, f"the mail server asked to try later ({code}, about {what})")
    return Result(Outcome.REFUSED, f"the receiving mail server refused {what} ({code})")


def _accepted(addresses: int, refusals: list[int]) -> str:
    detail = "accepted by the receiving mail server"
    if not refusals:
        return detail
    codes = ", ".join(str(code) for code in sorted(set(refusals)))
    taken = addresses - len(refusals)
    return f"{detail} for {taken} of {addresses} addresses; the others were refused ({codes})"

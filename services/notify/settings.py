"""What the notify service is told at its start, beside what every service is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from services.runtime.settings import env, require_env
from services.runtime.teams_file import is_address

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """The mail server that takes our messages, from HANDRAIL_SMTP_URL."""

    host: str
    port: int
    scheme: str
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str) -> MailServer:
        """Read `smtp://`, `smtp+starttls://` or `smtps://` [user:password@]host[:port].

        Raises:
            SystemExit: with one sentence that does not repeat the URL, which may hold a password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
        except (KeyError, ValueError):
            parts = None
        if parts is None or not parts.hostname:
            message = "HANDRAIL_SMTP_URL is not a mail server's address; write it like smtp://mail.example:25."
            raise SystemExit(message)
        return cls(parts.hostname, port, parts.scheme, unquote(parts.username or ""), unquote(parts.password or ""))


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Where messages are kept, whom they can reach, and how they leave."""

    database_url: str = field(repr=False)
    teams_file: Path
    mail_server: MailServer | None = None
    mail_domain: str = "handrail.localhost"
    mail_from: str = "handrail@handrail.localhost"

    @classmethod
    def from_env(cls) -> NotifySettings:
        """Read the settings from the environment.

        Raises:
            SystemExit: with one sentence, when one is missing or malformed.
        """
        url = env("HANDRAIL_SMTP_URL")
        domain = env("HANDRAIL_MAIL_DOMAIN", "handrail.localhost")
        sender = env("HANDRAIL_MAIL_FROM", f"handrail@{domain}")
        if not is_address(sender):
            message = f"HANDRAIL_MAIL_FROM (or HANDRAIL_MAIL_DOMAIN) gives {sender!r}, which is not one e-mail address."
            raise SystemExit(message)
        return cls(
            database_url=require_env("HANDRAIL_NOTIFY_DATABASE_URL"),
            teams_file=Path(require_env("HANDRAIL_TEAMS_FILE")),
            mail_server=MailServer.from_url(url) if url else None,
            mail_domain=domain,
            mail_from=sender,
        )

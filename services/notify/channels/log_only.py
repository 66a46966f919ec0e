"""The channel of development: no mail leaves; the message is kept and can be read back."""

from __future__ import annotations

from services.notify.channels import Letter, Outcome, Result
from services.runtime.logging import get_logger

log = get_logger()


class LogOnly:
    """Says in the log that there is a message, by its ids; `ListMessages` shows what it says."""

    name = "log"

    async def send(self, letter: Letter) -> Result:
        """Log the message's ids."""
        log.info("notice_kept", message_id=letter.message_id, template=letter.template, team=letter.team)
        return Result(Outcome.ACCEPTED, "kept in Handrail's own outbox; no mail server is set")

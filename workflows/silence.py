"""How a pathway stops what goes to a person who died or wants no messages: at once, beside the desk and the post."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows import names, shared_decisions, telling
    from workflows.activities.notify import NotifyActivities
    from workflows.messages import Notice, PathwayState
    from workflows.persistence import persist_or_wait


class Silencing:
    """The part of a pathway that tells notify whom nothing may reach. It waits for no filing and no mail server."""

    state: PathwayState
    _leaving: bool

    async def _keep_silence(self) -> None:
        alarmed = ""
        while not self._leaving:
            await workflow.wait_condition(lambda: bool(self.state.silences) or self._leaving)
            if not self.state.silences or self._leaving:
                continue
            silence = self.state.silences[0]
            told = await persist_or_wait(NotifyActivities.silence, silence, self.state.settings)
            if told is not None:
                self.state.silences.pop(0)
                self._send_what_waited()
            elif alarmed != silence.suppression_id:
                alarmed = silence.suppression_id
                self.state.outbox.append(self._not_silenced(alarmed))

    def _send_what_waited(self) -> None:
        """Nothing was lost by a mistake: what was held back goes when nothing speaks against it any more."""
        waits = [one for one in self.state.silenced if shared_decisions.held_back(one, self.state.suppressed)]
        self.state.outbox += [one for one in self.state.silenced if one not in waits]
        self.state.silenced = waits

    def _not_silenced(self, suppression_id: str) -> Notice:
        why = "whether this person may be written to could not be told to the service that sends messages"
        return Notice(
            message_id=names.derived_id("phone", suppression_id),
            template=telling.PHONE_TASK,
            team=telling.DUTY_DESK,
            patient_id=self.state.patient_id,
            urgency="urgent",
            values={"why": why},
        )

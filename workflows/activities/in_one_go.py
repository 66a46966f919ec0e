"""Several steps in one activity, while all goes well: each keeps its own key, so that going through them again is safe.

What does not answer ends the go, and the workflow insists on what is left, step by step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows import filing, ladder, names, planning, telling
from workflows.filing import ClimbAndTell, ClimbedAndTold, FileAndTell, FiledAndTold, Planned, Told
from workflows.messages import (
    Applied,
    ApplyInput,
    DecideInput,
    Entry,
    Escalation,
    EscalationInput,
    Filed,
    FileReport,
    Notice,
    PathwayState,
    Plan,
)

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Step = Callable[[Asked], Awaitable[Answer]]

# The part of an activity's time that mail may take: a server that hangs must not hold up the filing.
_FOR_THE_POST = 0.25
_UNTIMED = timedelta(seconds=10)


class InOneGo:
    """Goes through the steps that other activities are, one after the other."""

    def __init__(
        self,
        *,
        append_event: Step[FileReport, Filed],
        decide_next_steps: Step[DecideInput, Plan],
        apply_plan: Step[ApplyInput, Applied],
        plan_escalation: Step[EscalationInput, Escalation],
        send_notice: Step[Notice, str],
    ) -> None:
        self._append_event = append_event
        self._decide_next_steps = decide_next_steps
        self._apply_plan = apply_plan
        self._plan_escalation = plan_escalation
        self._send_notice = send_notice

    @activity.defn
    async def file_and_tell(self, asked: FileAndTell) -> FiledAndTold:
        """Record, decide, plan and tell one entry; return how far it came."""
        state, entry = asked.state, asked.entry
        with suppress(ApplicationError):
            entry.filed = await self._record(state, entry)
            if filing.filed_before(entry):
                return FiledAndTold(entry.filed)
            moved, closing = filing.moves(state, entry)
            entry.plan = await self._decide_next_steps(filing.to_decide(state, entry, moved, closing, asked.as_of))
            changed = planning.changes(state, entry, entry.plan, closing)
            applied = await self._apply_plan(planning.to_apply(state, entry, changed))
            opened = planning.take_over(state, entry, changed, applied)
            made = filing.news(state, entry, entry.plan, opened, entry.filed)
            # Whoever sees a new task may act on it at once: the workflow must know of it before the mail has gone.
            told, untold = await self._tell(made) if asked.tell and not opened else ([], made)
            planned = Planned(changed, applied, state.held, told, untold)
            return FiledAndTold(entry.filed, replace(entry.plan, open=[]), planned)
        return FiledAndTold(entry.filed, entry.plan)

    @activity.defn
    async def climb_and_tell(self, asked: ClimbAndTell) -> ClimbedAndTold:
        """Return the next rung of a task, with the notices that could not be sent now."""
        item = asked.item
        step = await self._plan_escalation(
            EscalationInput(item.kind, item.urgency, item.owner_team, item.rung, asked.at)
        )
        made = ladder.notices(asked.patient_id, item, asked.climb, step)
        told, untold = await self._tell(made) if asked.tell else ([], made)
        return ClimbedAndTold(step, told, untold)

    async def _record(self, state: PathwayState, entry: Entry) -> Filed:
        report = entry.report
        if report is None:
            return Filed(entry.event_id, already_filed=False)
        asked = FileReport(state.patient_id, entry.seq, entry.event_id, entry.accepted_at, report)
        return await self._append_event(asked)

    async def _tell(self, made: Iterable[Notice]) -> tuple[list[Told], list[Notice]]:
        """Try each notice once, the most urgent first; return who was told, and what the post must see to."""
        told: list[Told] = []
        untold = list(made)
        waiting = [*untold]
        limit = (activity.info().start_to_close_timeout or _UNTIMED) * _FOR_THE_POST
        with suppress(ApplicationError, TimeoutError):
            async with asyncio.timeout(limit.total_seconds()):
                while waiting:
                    notice = telling.next_up(waiting)
                    sent = await self._send_notice(notice)
                    waiting.remove(notice)
                    if sent not in {names.SUPPRESSED, names.FAILED}:
                        told.append(filing.told(notice, sent))
                        untold.remove(notice)
                        untold += telling.left_over(notice, sent)
        return told, untold

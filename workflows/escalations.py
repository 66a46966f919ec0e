"""The part of a pathway that climbs ladders: who hears next of a task that nobody did. It never waits for the desk."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from workflows import ladder, names
    from workflows.activities.in_one_go import InOneGo
    from workflows.activities.scheduling import SchedulingActivities
    from workflows.filing import ClimbAndTell
    from workflows.messages import Climb, Entry, Escalation, EscalationInput, Notice, OpenItem, PathwayState
    from workflows.persistence import persist


class Escalations:
    """What `PatientPathway` does with the climbs in its state."""

    state: PathwayState
    _leaving: bool

    def _enqueue(self, entry: Entry) -> Entry:
        raise NotImplementedError

    def _climb_at_once(self, entry: Entry, opened: list[OpenItem]) -> None:
        """An emergency is told on two ways at once; and whoever asks for help gets it now."""
        climbs = ladder.at_once(opened)
        report = entry.report
        if report is not None and report.kind == "item_escalated":
            item_id, reason = str(report.event["item_id"]), str(report.event["reason"])
            climbs += [Climb(item_id, reason, report.actor.subject)] if item_id in self.state.items else []
        if climbs and self._has_ladder():
            self.state.climbs += climbs

    def _now(self) -> datetime:
        return workflow.now()

    def _has_ladder(self) -> bool:
        """Whether this history is new enough to know ladders."""
        return workflow.patched("ladder")

    def _goes_in_one(self) -> bool:
        """Whether this history is new enough to have several steps in one activity."""
        return workflow.patched("in-one-go")

    def _rings_while_resting(self, entry: Entry) -> bool:
        """Whether somebody is to be rung up after a death or a transfer: what that is about was not set aside."""
        return bool(self.state.resting) and ladder.rings(entry) and workflow.patched("rung-while-resting")

    async def _keep_ladder(self) -> None:
        while not self._leaving:
            await workflow.wait_condition(lambda: bool(self.state.climbs) or self._leaving)
            if self.state.climbs and not self._leaving:
                await self._climb(self.state.climbs[0])
                self.state.climbs.pop(0)

    async def _climb(self, climb: Climb) -> None:
        """Tell the next rung of a task, have somebody rung up, and set its clock; a broken ladder tells everybody."""
        item = self.state.items.get(climb.item_id)
        if item is None:
            return
        if ladder.stops_for_now(item) and not climb.asked_by:
            self.state.items[item.item_id] = replace(item, rung_at=None)
            return
        now = workflow.now()
        step, untold = await self._ask_and_tell(item, climb, now)
        item = self.state.items.get(climb.item_id)
        if item is None:
            return  # done while the ladder was asked for
        self.state.items[item.item_id] = ladder.climbed(item, step)
        self.state.outbox += ladder.notices(self.state.patient_id, item, climb, step) if untold is None else untold
        if ring := ladder.phone_task(item, climb, step):
            entry = self._enqueue(Entry(0, now, "", open=ring))
            entry.event_id = names.derived_id("ring", self.state.patient_id, str(entry.seq))

    async def _ask_and_tell(
        self, item: OpenItem, climb: Climb, now: datetime
    ) -> tuple[Escalation, list[Notice] | None]:
        """Return the next rung, and what is left to be told of it; None: nobody was told yet."""
        settings = self.state.settings
        try:
            if self._goes_in_one():
                both = ClimbAndTell(self.state.patient_id, item, climb, now, tell=not self.state.outbox)
                climbed = await persist(InOneGo.climb_and_tell, both, settings)
                if climbed is not None:
                    return climbed.step, climbed.untold
            else:
                asked = EscalationInput(item.kind, item.urgency, item.owner_team, item.rung, now)
                step = await persist(SchedulingActivities.plan_escalation, asked, settings)
                if step is not None:
                    return step, None
        except ApplicationError as refused:
            workflow.logger.error("ladder_refused", extra={"category": refused.type})
        return ladder.without_answer(item.rung, now), None

"""The feed of what comes back: each receipt reaches its referral once, and one without an owner stops nothing."""

from __future__ import annotations

import uuid

from temporalio.testing import WorkflowEnvironment

from tests.workflows.conftest import Memory, moment, working
from tests.workflows.driving import eventually, sent_referral, settled, started
from workflows.inbound_feed import InboundFeed
from workflows.messages import InboundReceipt


def receipt(owner_id: str, kind: str = "delivered", inbound_id: str = "") -> InboundReceipt:
    return InboundReceipt(inbound_id or str(uuid.uuid4()), kind, str(uuid.uuid4()), owner_id, "email", moment())


async def test_each_receipt_is_handed_to_its_referral_once(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        owner = (await sent_referral(env, pathway)).id.partition(":")[2]
        feed = await env.client.start_workflow(InboundFeed.run, 0, id=str(uuid.uuid4()), task_queue=queue)
        first = receipt(owner)
        memory.inbound += [receipt(""), receipt(str(uuid.uuid4())), first, first]
        await eventually(lambda: memory.statuses[-1].step.to_status == "delivered", "the referral was delivered")
        memory.inbound += [first, receipt(owner, "bounced")]
        await eventually(lambda: memory.statuses[-1].step.to_status == "undelivered", "the referral came back")
        await feed.terminate()
        await settled(pathway)
    steps = [asked.step.to_status for asked in memory.statuses]
    assert steps == ["agreed", "sent", "delivered", "undelivered"]

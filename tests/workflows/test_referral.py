"""A referral on a real server: every step is set and told once, and whatever fails becomes somebody's task."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from tests.workflows.conftest import Memory, moment, working
from tests.workflows.driving import NURSE, PALLIATIVE, by, eventually, say, sent_referral, settled, started
from workflows import names
from workflows.messages import InboundReceipt
from workflows.referral import ReferralWorkflow


def kinds(memory: Memory) -> list[str]:
    return [kept.report.kind for kept in memory.appended]


def opened(memory: Memory) -> set[str]:
    return {item.key.rsplit("|", 1)[-1] for asked in memory.applied for item in asked.open}


async def test_a_referral_goes_from_draft_to_closed_with_each_step_set_and_told_once(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        referral = await sent_referral(env, pathway)
        for kind in ("acknowledged", "information_asked", "accepted", "first_contact", "closed"):
            words = {"taken_by": "M", "question": "since when?", "how": "visit", "outcome": "seen"}
            report = by(PALLIATIVE, f"referral_{kind}", referral_id=referral.id.partition(":")[2], **words)
            await referral.execute_update(ReferralWorkflow.act, report)
        assert await referral.result() == "closed"
        await eventually(lambda: "referral_closed" in kinds(memory), "the closing reached the pathway")
        await settled(pathway)
    steps = ["agreed", "sent", "acknowledged", "information_asked", "accepted", "first_contact", "closed"]
    assert [asked.step.to_status for asked in memory.statuses] == steps
    assert kinds(memory)[1:] == [f"referral_{step}" for step in ["drafted", *steps]]
    assert [n.team for n in memory.notices if n.template == "referral_sent"] == ["palliative_care"]


async def test_a_declined_referral_is_the_referrers_task_again(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        referral = await sent_referral(env, pathway)
        await referral.execute_update(
            ReferralWorkflow.act, by(PALLIATIVE, "referral_declined", **asked_of(referral.id))
        )
        await eventually(lambda: "next" in opened(memory), "a task to decide what happens instead")
        await settled(pathway)
    assert memory.statuses[-1].responsible_team == NURSE.team


async def test_a_bounce_told_twice_is_one_undelivered_referral(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        referral = await sent_referral(env, pathway)
        receipt = InboundReceipt(str(uuid.uuid4()), "bounced", "", "", "email", moment(), "no such mailbox")
        for _ in range(2):
            await referral.signal(ReferralWorkflow.receipt_arrived, receipt)
        await eventually(lambda: "undelivered" in opened(memory), "a task to reach the team another way")
        await settled(pathway)
    assert kinds(memory).count("referral_undelivered") == 1


async def test_a_referral_that_notify_refuses_has_reached_nobody(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(refuse_template="referral_sent"), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        await sent_referral(env, pathway)
        await eventually(lambda: "undelivered" in opened(memory), "a task to reach the team another way")
        await settled(pathway)
    assert kinds(memory)[-1] == "referral_undelivered"


async def test_a_mail_server_that_is_down_holds_up_no_step(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(undeliverable="referral_sent"), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        referral = await sent_referral(env, pathway)
        act = by(PALLIATIVE, "referral_acknowledged", taken_by="M", **asked_of(referral.id))
        await referral.execute_update(ReferralWorkflow.act, act)
        await eventually(lambda: "referral_acknowledged" in kinds(memory), "taken by telephone, and filed")
        memory.undeliverable = ""
        await eventually(lambda: "referral_sent" in {n.template for n in memory.notices}, "the letter goes after all")
        await settled(pathway)
    assert [asked.step.to_status for asked in memory.statuses] == ["agreed", "sent", "acknowledged"]


async def test_an_act_of_another_team_or_about_another_person_is_refused(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        referral = await sent_referral(env, await started(env, queue))
        act = by(PALLIATIVE, "referral_acknowledged", taken_by="M", **asked_of(referral.id))
        for wrong, code in (
            (replace(act, actor=NURSE), names.NOT_ALLOWED),
            (replace(act, patient_id=str(uuid.uuid4())), "not_found"),
            (replace(act, kind="referral_first_contact"), names.NOT_IN_THIS_STATE),
        ):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await referral.execute_update(ReferralWorkflow.act, wrong)
            assert refused.value.cause.type == code  # type: ignore[attr-defined]


async def test_the_same_key_is_one_act_and_another_body_is_refused(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        referral = await sent_referral(env, pathway)
        act = by(PALLIATIVE, "referral_acknowledged", taken_by="M", **asked_of(referral.id))
        receipts = [await referral.execute_update(ReferralWorkflow.act, act) for _ in range(2)]
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await referral.execute_update(ReferralWorkflow.act, replace(act, request_hash="b" * 64))
        await eventually(lambda: "referral_acknowledged" in kinds(memory), "the act reached the pathway")
        await settled(pathway)
    assert receipts[0] == receipts[1]
    assert refused.value.cause.type == names.KEY_REUSED  # type: ignore[attr-defined]
    assert kinds(memory).count("referral_acknowledged") == 1


async def test_a_pathway_is_not_closed_over_a_referral_that_is_under_way(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        pathway = await started(env, queue)
        referral = await sent_referral(env, pathway)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await say(pathway, "pathway_closed", reason="moved abroad")
        assert "Close the referral first" in str(refused.value.cause)
        # when the receiving team has met the person, the pathway can be closed; what comes later is telephoned
        for kind in ("acknowledged", "accepted", "first_contact"):
            act = by(PALLIATIVE, f"referral_{kind}", taken_by="M", **asked_of(referral.id))
            await referral.execute_update(ReferralWorkflow.act, act)
        await eventually(lambda: "referral_first_contact" in kinds(memory), "the act reached the pathway")
        await settled(pathway)
        await say(pathway, "pathway_closed", reason="moved abroad")
        await pathway.result()
        closed = by(NURSE, "referral_closed", **asked_of(referral.id) | {"outcome": "seen by others"})
        await referral.execute_update(ReferralWorkflow.act, closed)
        await eventually(lambda: memory.notices[-1].template == "phone_task", "a telephone task")
    assert (memory.notices[-1].team, memory.statuses[-1].step.to_status) == ("duty_desk", "closed")


async def test_a_step_that_the_record_refuses_becomes_a_telephone_task(env: WorkflowEnvironment) -> None:
    memory, queue = Memory(refuse_status="acknowledged"), str(uuid.uuid4())
    async with working(env.client, memory, queue):
        referral = await sent_referral(env, await started(env, queue))
        act = by(PALLIATIVE, "referral_acknowledged", taken_by="M", **asked_of(referral.id))
        await referral.execute_update(ReferralWorkflow.act, act)
        await eventually(lambda: memory.notices[-1].template == "phone_task", "a telephone task")
    assert "somewhere else" in memory.notices[-1].values["why"]


def asked_of(workflow_id: str) -> dict[str, str]:
    return {"referral_id": workflow_id.partition(":")[2], "reason": "no bed", "how": "visit"}

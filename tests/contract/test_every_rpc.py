"""Every rpc that the running services reflect refuses a caller, a field, a key, a deadline or a role that is wrong."""

from __future__ import annotations

import uuid
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.notify.notices import PERMISSIONS as NOTIFY
from services.pathway.permissions import PERMISSIONS as PATHWAY
from services.records.permissions import PERMISSIONS as RECORDS
from services.runtime.context import Actor
from services.runtime.errors import Category, HandrailError, from_rpc_error
from tests.contract.reflected import Rpc, reflected
from tests.house import Door, House

ALLOWED = {"records": RECORDS, "pathway": PATHWAY, "notify": NOTIFY}
ROLES = sorted({role for table in ALLOWED.values() for roles in table.values() for role in roles})
READS = ("Get", "List", "Find", "Decide", "WhatIf", "Plan")


@pytest.fixture(scope="module")
def services(house: House) -> dict[str, tuple[list[str], list[Rpc]]]:
    running = house.running
    addresses = {
        "records": running.records_address,
        "pathway": running.pathway_address,
        "notify": running.notify_address,
    }
    return {name: reflected(name, address) for name, address in addresses.items()}


@pytest.fixture(scope="module")
def rpcs(services: dict[str, tuple[list[str], list[Rpc]]]) -> list[Rpc]:
    return [rpc for _, found in services.values() for rpc in found]


def role_for(rpc: Rpc) -> Actor:
    return Actor("contract.test", min(ALLOWED[rpc.server][rpc.name]), "coordination")


async def refused(
    door: Door, rpc: Rpc, request: Message, actor: Actor | None, *, deadline: float | None = 5.0
) -> HandrailError:
    """Send it as it is; return the refusal."""
    method: Any = door.channels[rpc.server].unary_unary(
        rpc.path, request_serializer=lambda message: message.SerializeToString(), response_deserializer=bytes
    )
    metadata = door.caller(actor).metadata() if actor else (("x-correlation-id", str(uuid.uuid4())),)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await method(request, timeout=deadline, metadata=metadata)
    assert any(key == "grpc-status-details-bin" for key, _ in caught.value.trailing_metadata() or ()), rpc.path
    return from_rpc_error(caught.value)


def test_what_is_reflected_is_what_the_permissions_know(rpcs: list[Rpc]) -> None:
    # an rpc without an entry would be closed to everybody, an entry without an rpc is a slip of the pen
    assert {(rpc.server, rpc.name) for rpc in rpcs} == {
        (server, name) for server, table in ALLOWED.items() for name in table
    }


def test_whatever_changes_something_takes_an_idempotency_key(rpcs: list[Rpc]) -> None:
    assert {rpc.name for rpc in rpcs if not rpc.mutates and not rpc.name.startswith(READS)} == set()
    assert {rpc.name for rpc in rpcs if rpc.mutates and rpc.name.startswith(READS)} == {"GetReply"}  # it asks for a key


async def test_without_an_actor_no_rpc_answers(door: Door, rpcs: list[Rpc]) -> None:
    for rpc in rpcs:
        refusal = await refused(door, rpc, rpc.right(), None)
        assert (refusal.category, rpc.path) == (Category.UNAUTHENTICATED, rpc.path)
    forged = Actor("contract.test", "worker")
    for rpc in rpcs:
        stranger = Door(door.running)
        stranger._key = "another home's key, which is long enough to sign with"
        refusal = await refused(stranger, rpc, rpc.right(), forged)
        assert (refusal.category, rpc.path) == (Category.UNAUTHENTICATED, rpc.path)
        await stranger.close()


async def test_every_bad_field_is_named_by_its_path(door: Door, rpcs: list[Rpc]) -> None:
    asked, fields = set(), 0
    for rpc in rpcs:
        for path, request in rpc.wrong():
            refusal = await refused(door, rpc, request, role_for(rpc))
            assert (refusal.category, rpc.path, path) == (Category.INVALID, rpc.path, path), refusal.message
            named = [violation.field for violation in refusal.violations]
            assert named == [path], f"{rpc.path}: {path} was bad, but these were named: {named}"
            assert all(violation.description for violation in refusal.violations)
            asked.add(rpc.path)
            fields += 1
    print(f"\nrpcs reflected: {len(rpcs)}, tested: {len(asked)}, bad fields tried: {fields}")
    assert len(asked) == len(rpcs)


async def test_without_a_key_nothing_is_changed(door: Door, rpcs: list[Rpc]) -> None:
    mutating = [rpc for rpc in rpcs if rpc.mutates]
    assert mutating
    for rpc in mutating:
        request: Any = rpc.right()
        request.idempotency_key = ""
        refusal = await refused(door, rpc, request, role_for(rpc))
        assert refusal.category is Category.INVALID
        assert [violation.field for violation in refusal.violations] == ["idempotency_key"], rpc.path


async def test_without_a_deadline_no_rpc_answers(door: Door, rpcs: list[Rpc]) -> None:
    for rpc in rpcs:
        for deadline in (None, 3600.0):
            refusal = await refused(door, rpc, rpc.right(), role_for(rpc), deadline=deadline)
            assert (refusal.category, refusal.reason) == (Category.INVALID, "deadline_missing"), rpc.path


async def test_a_role_that_may_not_is_refused(door: Door, rpcs: list[Rpc]) -> None:
    for rpc in rpcs:
        others = [role for role in ROLES if role not in ALLOWED[rpc.server][rpc.name]]
        assert others, f"{rpc.path} is open to every role"
        for role in (others[0], "nobody"):
            refusal = await refused(door, rpc, rpc.right(), Actor("contract.test", role, "coordination"))
            assert (refusal.category, rpc.path) == (Category.NOT_ALLOWED, rpc.path)
            assert role in refusal.message


async def test_only_the_worker_acts_on_somebodys_behalf(door: Door, rpcs: list[Rpc]) -> None:
    rpc = next(rpc for rpc in rpcs if rpc.name == "GetPatient")
    method: Any = door.channels[rpc.server].unary_unary(
        rpc.path, request_serializer=lambda message: message.SerializeToString(), response_deserializer=bytes
    )
    metadata = door.caller(Actor("contract.test", "coordinator")).metadata(on_behalf_of="somebody.else")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await method(rpc.right(), timeout=5, metadata=metadata)
    assert from_rpc_error(caught.value).category is Category.NOT_ALLOWED


async def test_every_service_says_that_it_is_serving(
    door: Door, services: dict[str, tuple[list[str], list[Rpc]]]
) -> None:
    for server, (names, _) in services.items():
        health: Any = health_pb2_grpc.HealthStub(door.channels[server])
        for name in ["", *(name for name in names if name.startswith("handrail."))]:
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING, name
        assert {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"} <= set(names)

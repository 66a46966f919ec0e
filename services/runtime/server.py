"""Starting and stopping a gRPC service: the front door, health, reflection, and a clean end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from services.runtime.interceptors import MAX_TRANSPORT_BYTES, FrontDoor
from services.runtime.logging import get_logger, set_up_logging
from services.runtime.settings import ServiceSettings, mark_ready

log = get_logger()

AddServicers = Callable[[grpc.aio.Server], Sequence[str]]
GRACE_SECONDS = 3.0


async def build_server(
    settings: ServiceSettings,
    add_servicers: AddServicers,
    permissions: Mapping[str, frozenset[str]],
    *,
    large: frozenset[str] = frozenset(),
) -> tuple[grpc.aio.Server, int]:
    """Return a server that is not started yet, and the port it is bound to.

    `permissions` maps an rpc's name to the roles that may call it (`*`: any verified caller); an rpc that is not
    listed is refused to everybody. `large` names rpcs between our own processes that may exceed 64 KiB.

    Raises:
        OSError: the address is taken.
    """
    server = grpc.aio.server(
        interceptors=[FrontDoor(settings.identity_key, permissions, large)],
        options=[
            ("grpc.max_receive_message_length", MAX_TRANSPORT_BYTES),
            ("grpc.so_reuseport", 0),
        ],
    )
    names = list(add_servicers(server))
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    for name in ["", *names]:
        await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    try:
        port = server.add_insecure_port(settings.address)
    except RuntimeError as error:
        raise OSError(str(error)) from error
    return server, port


async def serve(
    settings: ServiceSettings,
    add_servicers: AddServicers,
    permissions: Mapping[str, frozenset[str]],
    on_stop: Callable[[], Awaitable[None]] | None = None,
    *,
    large: frozenset[str] = frozenset(),
) -> None:
    """Serve until SIGTERM or SIGINT; finish the calls under way; then run `on_stop`."""
    set_up_logging(settings.name)
    try:
        server, _ = await build_server(settings, add_servicers, permissions, large=large)
    except OSError:
        message = (
            f"{settings.name}: the address {settings.address} is taken; stop what listens there, or choose another."
        )
        raise SystemExit(message) from None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.start()
    mark_ready(settings.ready_file)
    log.info("service_started", address=settings.address)
    await stop.wait()
    await server.stop(GRACE_SECONDS)
    if on_stop is not None:
        await on_stop()
    log.info("service_stopped")

"""The wire between `handrail stop|start|status` and the supervisor: a unix socket, one JSON line each way."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.cli.errors import CliError

Answer = dict[str, Any]
Handler = Callable[[str, str], Awaitable[Answer]]
_ANSWER_SECONDS = 75.0
_MAX_LINE = 65_536


async def listen(path: Path, handler: Handler) -> asyncio.Server:
    """Answer requests until the server is closed; a refusal travels back as its sentence.

    Nothing may lie at `path`.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            reply = await handler(str(request["do"]), str(request.get("part", "")))
        except CliError as error:
            reply = {"error": str(error)}
        except (ValueError, KeyError, TypeError, OSError):
            reply = {"error": "The supervisor did not understand that."}
        with suppress(OSError):  # perhaps nobody waits for the answer any more
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
        writer.close()

    mask = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(answer, path, limit=_MAX_LINE)
    finally:
        os.umask(mask)


def ask(path: Path, do: str, part: str = "") -> Answer:
    """Send one request to the supervisor and return its answer.

    Raises:
        CliError: it refused, or did not answer.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
            wire.settimeout(_ANSWER_SECONDS)
            wire.connect(str(path))
            wire.sendall(json.dumps({"do": do, "part": part}).encode() + b"\n")
            with wire.makefile("rb") as stream:
                answer = json.loads(stream.readline(_MAX_LINE) or b"{}")
    except (OSError, ValueError) as error:
        message = f"The supervisor does not answer ({error}); stop it with Ctrl-C and start it again."
        raise CliError(message) from error
    if "error" in answer:
        raise CliError(answer["error"])
    return dict(answer)

"""Choosing ports: explicit ones as asked or refused, remembered ones where still free, else free ones."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Mapping, Sequence

from services.cli.errors import CliError

HOST = "127.0.0.1"
# Below the range of the kernel's own choices for outgoing connections, so that a remembered one stays free.
_RANGE = range(20_000, 32_000)
_LAST_PORT = 65_535
_TRIES = 200


def is_free(port: int) -> bool:
    """Return whether nothing listens on a port of the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def parse_ports(pairs: Sequence[str], environment: Mapping[str, str], parts: Sequence[str]) -> dict[str, int]:
    """Read `PART=NUMBER` options and HANDRAIL_<PART>_PORT; an option wins.

    Raises:
        CliError: a part that has no port, or something that is no port.
    """
    asked = {part: environment.get(f"HANDRAIL_{part.upper()}_PORT", "") for part in parts}
    for pair in pairs:
        part, _, number = pair.partition("=")
        if part not in asked:
            message = f"--port {pair}: write PART=NUMBER, where PART is one of {', '.join(parts)}."
            raise CliError(message)
        asked[part] = number or "?"
    ports: dict[str, int] = {}
    for part, text in asked.items():
        if not text:
            continue
        if not text.isdecimal() or not 1 <= int(text) <= _LAST_PORT:
            message = f"The port {text!r} of {part} is no port number; write one between 1 and {_LAST_PORT}."
            raise CliError(message)
        ports[part] = int(text)
    return ports


def choose_ports(
    parts: Sequence[str],
    explicit: Mapping[str, int],
    remembered: Mapping[str, int],
    free: Callable[[int], bool] = is_free,
) -> dict[str, int]:
    """Return a port for each part, all different.

    Raises:
        CliError: an explicit port is taken, or asked for twice.
    """
    chosen: dict[str, int] = {}
    for part in parts:
        if part not in explicit:
            continue
        port = explicit[part]
        if port in chosen.values():
            message = f"Port {port} is asked for twice ({part} is the second); give each part its own."
            raise CliError(message)
        if not free(port):
            message = (
                f"Port {port}, asked for {part}, is taken; stop what listens there, or choose another with "
                f"--port {part}=NUMBER or HANDRAIL_{part.upper()}_PORT."
            )
            raise CliError(message)
        chosen[part] = port
    for part in parts:
        if part in chosen:
            continue
        port = remembered.get(part, 0)
        if not port or port in chosen.values() or not free(port):
            port = _any_free(set(chosen.values()), free)
        chosen[part] = port
    return chosen


def _any_free(taken: set[int], free: Callable[[int], bool]) -> int:
    for _ in range(_TRIES):
        port = secrets.choice(_RANGE)
        if port not in taken and free(port):
            return port
    message = f"No free port was found in {_RANGE.start}-{_RANGE.stop}; give them with --port PART=NUMBER."
    raise CliError(message)

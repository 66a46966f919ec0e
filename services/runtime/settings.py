"""Settings are read from the environment once, checked at start, and then never change."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class MissingSetting(SystemExit):
    """A process was started without something that it needs."""


def env(name: str, default: str = "") -> str:
    """Return an environment variable, or the default when it is unset or empty."""
    return os.environ.get(name) or default


def require_env(name: str) -> str:
    """Return an environment variable.

    Raises:
        MissingSetting: with one sentence, when it is unset.
    """
    value = os.environ.get(name, "")
    if not value:
        message = f"{name} is not set; `handrail up` sets it, and deploy/env.example explains it."
        raise MissingSetting(message)
    return value


def identity_key() -> str:
    """Return the key with which callers are signed and verified, read from HANDRAIL_IDENTITY_KEY_FILE.

    Raises:
        MissingSetting: in production mode, which this key is not made for.
    """
    if env("HANDRAIL_ENV", "dev") == "production":
        message = (
            "Production mode is refused: payloads are not encrypted yet and identities are the development ones. "
            "Use synthetic people only, without HANDRAIL_ENV=production."
        )
        raise MissingSetting(message)
    return Path(require_env("HANDRAIL_IDENTITY_KEY_FILE")).read_text(encoding="utf-8").strip()


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What every gRPC service needs: its name, where it listens, the identity key, the file that says it is ready."""

    name: str
    address: str
    identity_key: str
    ready_file: Path | None = None

    @classmethod
    def from_env(cls, name: str) -> ServiceSettings:
        """Read the settings of one service (`records`, `pathway` or `notify`)."""
        ready = env("HANDRAIL_READY_FILE")
        return cls(
            name=name,
            address=require_env(f"HANDRAIL_{name.upper()}_ADDRESS"),
            identity_key=identity_key(),
            ready_file=Path(ready) if ready else None,
        )


def mark_ready(ready_file: Path | None) -> None:
    """Tell the supervisor that this process answers."""
    if ready_file is not None:
        ready_file.write_text(str(os.getpid()), encoding="utf-8")

"""The parts of the house: what each needs, what it is told through its environment, how it is stopped."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.cli.home import Home
from services.runtime.settings import REPOSITORY

POSTGRES = "postgres"
TEMPORAL = "temporal"


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the house."""

    name: str
    needs: tuple[str, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 3.0
    """How long it may take to stop, when it is stopped alone."""


PARTS: Mapping[str, Part] = {
    part.name: part
    for part in (
        Part(POSTGRES, stop_signal=signal.SIGINT),
        Part(TEMPORAL),
        Part("records", needs=(POSTGRES,), patience=4.0),
        Part("notify", needs=(POSTGRES,), patience=4.0),
        Part("pathway", needs=(TEMPORAL,), patience=4.0),
        Part("worker", needs=(TEMPORAL,), patience=4.0),
        Part("sweep", needs=(POSTGRES, TEMPORAL)),
    )
}
PYTHON_PARTS = ("records", "notify", "pathway", "worker", "sweep")
# The sweep first: that the others stop is then no alarm.
STOP_ORDER = ("sweep", "worker", "pathway", "notify", "records", TEMPORAL, POSTGRES)
PORT_PARTS = (TEMPORAL, "records", "notify", "pathway")

# Stopping the house takes at most 10 s: the Python parts share these seconds, and the two servers get theirs.
SHARED_STOP_SECONDS = 5.5
SERVER_STOP_SECONDS: Mapping[str, float] = {TEMPORAL: 2.3, POSTGRES: 1.5}


def _run(*words: str) -> list[str]:
    return [sys.executable, "-m", "services.cli.launch", *words]


def _migrate(module: str) -> list[str]:
    return [sys.executable, "-m", module, "migrate"]


@dataclass(frozen=True, slots=True)
class Commands:
    """What is started for the Python parts; tests put others here."""

    run: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {
            "records": _run("services.records"),
            "notify": _run("services.notify"),
            "pathway": _run("services.pathway"),
            "worker": _run("workflows"),
            "sweep": _run("services.sweep", "--watch"),
        }
    )
    migrate: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {
            "records": _migrate("services.records"),
            "notify": _migrate("services.notify"),
        }
    )
    heads: Mapping[str, Path] = field(
        default_factory=lambda: {
            name: REPOSITORY / "services" / name / "migrations" / "HEAD" for name in ("records", "notify")
        }
    )

    def head(self, schema: str) -> str:
        """Return the newest revision of a schema; empty, when it has no migrations."""
        path = self.heads[schema]
        return path.read_text(encoding="utf-8").strip() if path.exists() else ""


@dataclass(frozen=True, slots=True)
class Options:
    """What `up` was asked for."""

    home: Home
    guideline_dir: Path = REPOSITORY / "guidelines"
    teams_file: Path = REPOSITORY / "deploy" / "teams.yaml"
    ports: Mapping[str, int] = field(default_factory=dict)
    database_url: str = ""
    temporal_address: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    """The folder and file that were named, now or earlier; the home remembers them."""
    recalled: Sequence[str] = ()
    """What to say of those that were named earlier."""
    commands: Commands = field(default_factory=Commands)


# The owner's passwords are for the supervisor alone.
_WITHHELD = frozenset({"DATABASE_URL", "HANDRAIL_MIGRATE_URL", "PGPASSWORD", "PGPASSFILE"})


def shared_environment(options: Options, addresses: Mapping[str, str], namespace: str) -> dict[str, str]:
    """Return what every Python part is told."""
    environment = {name: value for name, value in os.environ.items() if name not in _WITHHELD}
    environment |= {f"HANDRAIL_{name.upper()}_ADDRESS": addresses[name] for name in ("records", "pathway", "notify")}
    environment |= {
        "HANDRAIL_HOME": str(options.home.path),
        "HANDRAIL_GUIDELINE_DIR": str(options.guideline_dir),
        "HANDRAIL_TEAMS_FILE": str(options.teams_file),
        "HANDRAIL_IDENTITY_KEY_FILE": str(options.home.identity_key_file),
        "TEMPORAL_ADDRESS": addresses[TEMPORAL],
        "TEMPORAL_NAMESPACE": namespace,
    }
    return environment

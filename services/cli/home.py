"""A home is the folder of one running house: its data, keys, logs, and where its parts listen.

`home.json` in it says what runs where; every other command finds the house through `RunningHome.load`.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, overload

from services.cli.errors import CliError, NotRunningError
from services.cli.processes import Recorded, is_alive

DEFAULT_HOME = ".handrail"
ROLES = ("records_owner", "records_runtime", "notify_owner", "notify_runtime")


def current_home() -> Path:
    """Return the home that the command is about: `--home`, else HANDRAIL_HOME, else ./.handrail."""
    return Path(os.environ.get("HANDRAIL_HOME") or DEFAULT_HOME).expanduser().absolute()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, all of it or nothing."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


@dataclass(frozen=True, slots=True)
class Home:
    """The folder and the names of what is in it."""

    path: Path

    @property
    def state_file(self) -> Path:
        """What runs where; the ports, the guideline folder and the teams file to use again."""
        return self.path / "home.json"

    @property
    def lock_file(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.path / "lock"

    @property
    def identity_key_file(self) -> Path:
        """The key with which callers are signed and verified."""
        return self.path / "identity.key"

    @property
    def secrets_file(self) -> Path:
        """The passwords of the database roles."""
        return self.path / "secrets.json"

    @property
    def cluster_file(self) -> Path:
        """Says where the database lies when it cannot lie in the home (as root)."""
        return self.path / "cluster"

    @property
    def temporal_database(self) -> Path:
        """The file of the embedded Temporal server."""
        return self.path / "temporal.db"

    @property
    def short_directory(self) -> Path:
        """A folder for unix sockets: their paths have 107 characters at most, and a home's may be longer."""
        digest = hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:12]
        return Path("/tmp") / f"handrail-{os.geteuid()}-{digest}"  # noqa: S108 - created 0700, owner checked

    def log_file(self, part: str) -> Path:
        """Where the output of a part goes."""
        return self.path / "logs" / f"{part}.log"

    def ready_file(self, part: str) -> Path:
        """What a part writes once it answers."""
        return self.path / "run" / f"{part}.ready"

    def prepare(self) -> None:
        """Create the folder and its subfolders.

        Raises:
            CliError: it cannot be written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in ("logs", "run"):
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
            self.lock_file.touch(mode=0o600)
        except OSError as error:
            message = (
                f"The home {self.path} cannot be written ({error.strerror}); choose another with --home or "
                "HANDRAIL_HOME."
            )
            raise CliError(message) from error

    def make_identity_key(self) -> None:
        """Make the key with which callers are signed, once."""
        if not self.identity_key_file.exists():
            write_private(self.identity_key_file, secrets.token_hex(32))

    def read_state(self) -> dict[str, Any]:
        """Return what home.json says; nothing, when there is none or it is damaged (it holds no data)."""
        try:
            state = json.loads(self.state_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return {}
        except OSError as error:
            message = f"{self.state_file} cannot be read ({error.strerror})."
            raise CliError(message) from error
        return state if isinstance(state, dict) else {}

    def given(self) -> dict[str, str]:
        """Return the guideline folder and the teams file that this home was started with, when they were named."""
        given = self.read_state().get("given")
        return {str(name): str(path) for name, path in given.items()} if isinstance(given, dict) else {}

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace home.json."""
        write_private(self.state_file, json.dumps(state, indent=2, sort_keys=True) + "\n")

    def passwords(self) -> dict[str, str]:
        """Return the passwords of the database roles; make those that are missing.

        Raises:
            CliError: the file is damaged.
        """
        known: dict[str, str] = {}
        if self.secrets_file.exists():
            try:
                known = dict(json.loads(self.secrets_file.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError) as error:
                message = f"{self.secrets_file} is damaged; restore it, it holds the passwords of the database."
                raise CliError(message) from error
        missing = {name: secrets.token_hex(24) for name in ("postgres", *ROLES) if name not in known}
        if missing:
            known |= missing
            write_private(self.secrets_file, json.dumps(known, indent=2, sort_keys=True) + "\n")
        return known


@dataclass(frozen=True, slots=True)
class RunningHome:
    """A house as the commands see it: where its services answer, and the key to sign calls with."""

    home: Home
    records_address: str
    pathway_address: str
    notify_address: str
    temporal_address: str
    temporal_namespace: str
    control: Path
    supervisor: Recorded

    @overload
    @classmethod
    def load(cls, path: Path | None = None, *, required: Literal[True] = True) -> RunningHome: ...

    @overload
    @classmethod
    def load(cls, path: Path | None = None, *, required: bool) -> RunningHome | None: ...

    @classmethod
    def load(cls, path: Path | None = None, *, required: bool = True) -> RunningHome | None:
        """Find the running house of a home (of the current one, when none is named).

        Raises:
            NotRunningError: it does not run, and `required`.
        """
        home = Home(path or current_home())
        state = home.read_state()
        supervisor = Recorded.parse(state.get("supervisor"))
        if supervisor is not None and is_alive(supervisor):
            addresses = state["addresses"]
            return cls(
                home=home,
                records_address=addresses["records"],
                pathway_address=addresses["pathway"],
                notify_address=addresses["notify"],
                temporal_address=addresses["temporal"],
                temporal_namespace=state["namespace"],
                control=Path(state["control"]),
                supervisor=supervisor,
            )
        if not required:
            return None
        raise not_running(home)

    @property
    def is_running(self) -> bool:
        """Whether its supervisor is still alive."""
        return is_alive(self.supervisor)

    @property
    def identity_key(self) -> str:
        """The key with which callers are signed."""
        try:
            return self.home.identity_key_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            message = f"{self.home.identity_key_file} cannot be read ({error.strerror})."
            raise CliError(message) from error


def command_line(path: Path) -> str:
    """Return how `handrail` is typed for a home from here."""
    if path == Path(DEFAULT_HOME).absolute():
        return ".venv/bin/handrail"
    return f".venv/bin/handrail --home {path}"


def not_running(home: Home) -> NotRunningError:
    """Return the sentence for a house that does not run."""
    return NotRunningError(f"Handrail is not running in {home.path}; start it with `{up_command(home.path)}`.")


def up_command(path: Path) -> str:
    """Return the command that starts the house of a home."""
    return f"{command_line(path)} up"

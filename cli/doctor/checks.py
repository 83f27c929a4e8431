"""What `minex doctor` looks at: one function a subject, each telling what it found and how to mend it."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from cli.doctor.finding import Finding
from cli.doctor.server_checks import cache, database, roles
from cli.local.ports import holder_of
from cli.local.run_state import running
from cli.local.shared_memory import SHARED_MEMORY
from embedded.binaries import postgres_programs, valkey_program
from embedded.folder import data_folder, outside_of
from machine.account import OWN, PLACES, USERADD, Account
from machine.copies import SHARED
from machine.errors import MachineError
from machine.ports import is_free
from settings.loading import ROOT
from settings.sections import Settings

GIGABYTE = 1024**3
DISK_NEEDED = GIGABYTE
MEMORY_NEEDED = GIGABYTE // 2
OPEN_FILES_NEEDED = 1024


def all_findings(settings: Settings) -> list[Finding]:
    """Everything, in the order in which `minex up` needs it."""
    findings = [python(), *environment(), *machine(settings), data(settings)]
    findings.append(database(settings))
    if findings[-1].is_well:
        findings += roles(settings)
    return [*findings, cache(settings), *ports(settings)]


def python() -> Finding:
    """The interpreter that runs us."""
    found = f"{platform.python_version()} ({sys.executable})"
    oldest = (3, 12) if sys.platform == "darwin" else (3, 11)
    return Finding("Python", sys.version_info >= oldest, found, "install Python 3.11 or later, on macOS 3.12 or later")


def environment() -> Iterator[Finding]:
    """The virtual environment, and whether another could be made."""
    is_own = Path(sys.prefix) == ROOT / ".venv"
    yield Finding("Environment", is_own, sys.prefix, "start with ./minex, which makes .venv")
    try:
        import ensurepip  # noqa: F401, PLC0415 - whether it is there is the question
    except ImportError:
        if not shutil.which("uv"):
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            yield Finding("ensurepip", False, "missing", f"for example: apt-get install python{version}-venv")


def machine(settings: Settings) -> Iterator[Finding]:
    """Memory, file descriptors, shared memory."""
    memory = int(psutil.virtual_memory().available)
    yield Finding("Memory", memory >= MEMORY_NEEDED, f"{_size(memory)} free", "close other programs: 512 MB are needed")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = "unlimited" if hard == resource.RLIM_INFINITY else str(hard)
    enough = hard == resource.RLIM_INFINITY or hard >= OPEN_FILES_NEEDED
    yield Finding("Open files", enough, f"at most {files}", "raise the hard limit: ulimit -Hn 65536")
    if sys.platform.startswith("linux") and not os.access(SHARED_MEMORY, os.W_OK):
        yield Finding(
            "Shared memory", True, f"{SHARED_MEMORY} is not writable; files are used instead, which is slower"
        )
    if not settings.database.url or not settings.redis.url:
        yield _programs(settings)
    if os.geteuid() == 0:
        yield _account()


def _account() -> Finding:
    """Under which account root would run it."""
    try:
        account = Account.of_exchange(make=False)
    except MachineError as error:
        return Finding("Account", False, str(error), f"useradd --system {OWN}")
    if not account.is_shared:
        return Finding("Account", True, f"{OWN}, the exchange's own")
    if shutil.which(USERADD[0], path=PLACES) is None:
        return Finding("Account", False, f"{account.name}, as others may; useradd is missing here", "make a user minex")
    return Finding("Account", True, f"{OWN}, which `minex up` makes")


def _programs(settings: Settings) -> Finding:
    mend = "glibc Linux or macOS; elsewhere (Alpine) set MINEX_DATABASE_URL and MINEX_REDIS_URL to servers of your own"
    try:
        account = Account.of_exchange(make=False)
        if not settings.database.url:
            postgres_programs(account)
        if not settings.redis.url:
            valkey_program(account)
    except MachineError as error:
        return Finding("Servers' programs", False, str(error), mend)
    return Finding("Servers' programs", True, f"{platform.system()} {platform.machine()}")


def data(settings: Settings) -> Finding:
    """The data folder: that we may write there, and that there is room."""
    folder = data_folder(settings)
    existing = folder
    while not existing.exists():
        existing = existing.parent
    mend = "minex up --data-folder PLACE"
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding("Data folder", False, f"{folder} cannot be written", mend)
    places = [existing, *([SHARED] if os.geteuid() == 0 and SHARED.exists() else [])]
    free = min(shutil.disk_usage(place).free for place in places)
    outside = outside_of(folder)
    where = f"{folder} and {outside}" if outside else str(folder)
    return Finding("Data folder", free >= DISK_NEEDED, f"{where}, {_size(free)} free", f"make room, or {mend}")


def ports(settings: Settings) -> Iterator[Finding]:
    """The ports of REST and Socket.IO: that they are free, or our own exchange has them."""
    state = running(data_folder(settings))
    own = {url.rsplit(":", 1)[-1] for url in (state.url, state.live_url)} if state else set()
    for name, section in (("REST port", settings.web), ("Socket.IO port", settings.live)):
        port = section.port
        if str(port) in own:
            yield Finding(name, True, f"{port}, in use by Minex itself")
        elif port == 0 or is_free(port, section.host):
            yield Finding(name, True, f"{port or 'any'} is free")
        else:
            yield Finding(name, name != "REST port", f"{port} is taken by {holder_of(port)}", "minex up --port 0")


def _size(count: int) -> str:
    return f"{count / GIGABYTE:.1f} GB"

"""What `minex doctor` looks at: one function a subject, each telling what it found and how to mend it."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from cli.local.cache import is_new_enough, look_at_redis
from cli.local.database import look_at, must_fit, must_serve
from cli.local.ports import holder_of
from cli.local.powers import Use, powers_of
from cli.local.run_state import running
from cli.local.shared_memory import SHARED_MEMORY
from cli.terminal import CommandError
from embedded.binaries import postgres_programs, valkey_program
from embedded.folder import SHARED, data_folder, outside_of
from machine.account import Account
from machine.errors import MachineError
from machine.ports import is_free
from settings.connections import connections_of
from settings.loading import ROOT
from settings.sections import Settings

GIGABYTE = 1024**3
DISK_NEEDED = GIGABYTE
MEMORY_NEEDED = GIGABYTE // 2
OPEN_FILES_NEEDED = 1024
SEE_DATABASE = "see [database] url"


@dataclass(frozen=True)
class Finding:
    """One line of the list; `mend` says what to do where it is not well."""

    subject: str
    is_well: bool
    found: str
    mend: str = ""


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


def _programs(settings: Settings) -> Finding:
    mend = "glibc Linux or macOS; elsewhere (Alpine) set MINEX_DATABASE_URL and MINEX_REDIS_URL to servers of your own"
    try:
        account = Account.for_servers()
        if not settings.database.url:
            postgres_programs(account)
        if not settings.redis.url:
            valkey_program(account)
    except MachineError as error:
        return Finding("Servers' programs", False, str(error), mend)
    who = "run under the account nobody" if account.uid is not None else "run under your account"
    return Finding("Servers' programs", True, f"{platform.system()} {platform.machine()}, {who}")


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


def database(settings: Settings) -> Finding:
    """The PostgreSQL of the settings, or our own."""
    url = settings.database.url
    if not url:
        return Finding("PostgreSQL", True, "our own")
    try:
        found = must_serve(settings.database.owner, "migrate")
        must_fit(look_at(url), connections_of(settings))
    except CommandError as error:
        return Finding("PostgreSQL", False, error.message, " or ".join(error.mend) if error.mend else SEE_DATABASE)
    state = "" if found.is_newest else ", no exchange in it yet" if found.revision is None else ", to be migrated"
    return Finding("PostgreSQL", True, f"{found.version} at {found.host}, database {found.name}{state}")


def roles(settings: Settings) -> Iterator[Finding]:
    """What the roles can do in the PostgreSQL of the settings; more than processes and live need is not well.

    Where the processes work as the owner of the tables that is only told: it is how others have it from before.
    """
    given = settings.database
    if not given.url:
        return
    uses: dict[str, tuple[str, Use | None]] = {"PostgreSQL owner": (given.owner, None)}
    if given.owner == given.url:
        uses = {"PostgreSQL role": (given.url, None)}
    else:
        uses["PostgreSQL processes"] = (given.url, "process")
    if given.reader != given.url:
        uses["PostgreSQL reader"] = (given.reader, "reader")
    for subject, (url, use) in uses.items():
        try:
            powers = powers_of(url)
        except CommandError as error:
            yield Finding(subject, False, error.message, " or ".join(error.mend) if error.mend else SEE_DATABASE)
            continue
        beyond = powers.beyond(use) if use else ()
        alone = "; every process can do that" if given.owner == given.url == url else ""
        mend = f"a role of which this is not true: {', '.join(beyond)}; see docs/operations.md"
        yield Finding(subject, not beyond, f"{powers}{alone}", mend)


def cache(settings: Settings) -> Finding:
    """The Redis of the settings, or our own."""
    url = settings.redis.url
    if not url:
        return Finding("Redis", True, "our own (Valkey)")
    try:
        found = look_at_redis(url)
    except CommandError as error:
        return Finding("Redis", False, error.message, "see [redis] url")
    return Finding("Redis", is_new_enough(found.version), str(found), "6.2 or later is needed")


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

"""What is known about the exchange that runs on a data folder: its lock, and the file that says where everything is."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.exits import NOT_RUNNING
from cli.terminal import CommandError
from embedded.folder import data_folder
from machine.lock import OwnerLock
from machine.secret import write_private
from settings.sections import Settings

LOCK_FILE = "up.lock"
STATE_FILE = "run.json"
UNKNOWN = "unknown"
"""The state of an exchange whose file we may not read."""


@dataclass
class RunState:
    """One running exchange, as `minex up` last wrote it down; the urls of the servers have passwords in them."""

    pid: int
    data_folder: str
    state: str = "starting"
    """starting, running, degraded (a process is down or does not answer), stopping; unknown if we may not read it."""
    url: str = ""
    live_url: str = ""
    database_url: str = ""
    owner_url: str = ""
    reader_url: str = ""
    redis_url: str = ""
    """The operator's."""
    redis_urls: dict[str, str] = field(default_factory=dict)
    """Those of each kind of process."""
    started_at: float = 0.0
    """Seconds since 1970."""
    processes: list[dict[str, Any]] = field(default_factory=list)
    """name, pid, state, healthy, restarts, started_at, created_at (the kernel's, to know the process again)."""

    def note_servers(self, settings: Settings, redis_urls: Mapping[str, str]) -> None:
        """Take over where the servers are; `redis_urls`: Redis as each kind of process uses it, where it is ours."""
        database = settings.database
        self.database_url, self.owner_url, self.reader_url = database.url, database.owner, database.reader
        self.redis_url, self.redis_urls = settings.redis.url, dict(redis_urls)

    def public(self) -> dict[str, Any]:
        """Without passwords, for `status --json`."""
        fields = dataclasses.asdict(self)
        for name in ("database_url", "owner_url", "reader_url", "redis_url", "redis_urls"):
            del fields[name]
        return {"running": True, **fields}


def lock_of(folder: Path) -> OwnerLock:
    """The lock that the one `minex up` of a data folder holds."""
    return OwnerLock(folder / LOCK_FILE)


def write_state(state: RunState) -> None:
    """Put it where the other commands look."""
    write_private(Path(state.data_folder) / STATE_FILE, json.dumps(dataclasses.asdict(state), indent=1) + "\n")


def read_state(folder: Path) -> RunState | None:
    """The state last written for this folder, running or not; None if there is nothing that can be read."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return RunState(**json.loads((folder / STATE_FILE).read_text(encoding="utf-8")))
    return None


def running(folder: Path) -> RunState | None:
    """The state of the exchange that runs on this folder now; None if none does."""
    holder = lock_of(folder).holder()
    if holder is None:
        return None
    state = read_state(folder)
    if state is None or state.pid != holder:
        hidden = UNKNOWN if state is None and _exists(folder) else "starting"
        return RunState(pid=holder, data_folder=str(folder), state=hidden)
    return state


def exchange_at(settings: Settings, url: str | None) -> tuple[str, bool]:
    """The address of the exchange that is meant: at `url`, else the one that runs here; and whether it is that one.

    Raises CommandError (exit code 3) where neither is.
    """
    state = running(data_folder(settings))
    here = state.url if state is not None else ""
    if not url and not here:
        raise CommandError("Minex is not running here.", "minex up", exit_code=NOT_RUNNING)
    return (url or here).rstrip("/"), not url or url.rstrip("/") == here


def _exists(folder: Path) -> bool:
    """True if there is a state file, or where that cannot be known."""
    try:
        return (folder / STATE_FILE).exists()
    except OSError:
        return True


def database_of(settings: Settings) -> str:
    """The database that the settings name, else that of the running exchange.

    Raises CommandError (exit code 3) if there is neither.
    """
    if settings.database.url:
        return settings.database.url
    folder = data_folder(settings)
    state = running(folder)
    if state is None or not state.database_url:
        raise CommandError(
            f"Minex is not running on {folder}, and [database] url names no other database.",
            "minex up",
            exit_code=NOT_RUNNING,
        )
    return state.database_url


def connected(settings: Settings, process: str = "") -> Settings:
    """The settings with the urls of the running exchange's own servers, where none are given.

    `process`: the kind of process ("web") that shall use them, as its own user; else it is the operator.
    Raises CommandError (exit code 3) if the exchange does not run and a url is missing.
    """
    if settings.database.url and settings.redis.url:
        return settings
    folder = data_folder(settings)
    state = running(folder)
    if state is None or not state.database_url or not state.redis_url:
        raise CommandError(
            f"Minex is not running on {folder}, and [database] url and [redis] url name no other servers.",
            "minex up",
            exit_code=NOT_RUNNING,
        )
    database = settings.database
    if not database.url:
        database = dataclasses.replace(
            database, url=state.database_url, owner_url=state.owner_url, reader_url=state.reader_url
        )
    return dataclasses.replace(
        settings,
        database=database,
        redis=dataclasses.replace(
            settings.redis, url=settings.redis.url or state.redis_urls.get(process, state.redis_url)
        ),
    )

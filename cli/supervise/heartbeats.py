"""Which processes have stopped giving signs of life, by the files that they touch (`heartbeat.py`)."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from cli.local.shared_memory import SHARED_MEMORY
from machine.account import Account

SILENT_SECONDS = 1.5
"""A process that neither beats nor works for so long hangs; it would beat four times a second."""

BUSY_SECONDS = 45.0
"""One that is at work without a pause, in an endless loop as it seems, is given longer than any honest turn takes."""

STALLED_SECONDS = 1.0
"""Between two looks of ours. If it was more, the whole machine stood still, and silence proves nothing."""

AT_WORK = frozenset({psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP})
"""What a process is that wants the processor or waits for a disk: on a machine with too much to do it beats late."""

PREFIX = "minex-heartbeats-"


def make_folder(account: Account) -> Path:
    """A new folder for the signs of life, in memory where that can be, for we alone to change.

    Processes of another account pass through it to what is theirs. Were it theirs, too, they could put a link where
    root clears up.
    """
    place = str(SHARED_MEMORY) if os.access(SHARED_MEMORY, os.W_OK) else None
    clear_left_overs(Path(place or tempfile.gettempdir()))
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=place))
    if account.uid is not None:
        made.chmod(0o711)
    return made


def clear_left_overs(place: Path) -> None:
    """Remove the folders of supervisors of ours that were killed."""
    for folder in place.glob(f"{PREFIX}*-*"):
        with contextlib.suppress(OSError, ValueError):
            owner = int(folder.name.removeprefix(PREFIX).partition("-")[0])
            if folder.lstat().st_uid == os.geteuid() and not psutil.pid_exists(owner):
                shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Hung:
    """A process that was ended, and for how many seconds it had given no sign of life."""

    pid: int
    seconds: float


@dataclass
class Sign:
    """What is known of one process: times are seconds of time.monotonic."""

    beaten_at: float
    worked_at: float
    """When it was last seen at work."""


class HeartbeatWatch:
    """The signs of life of one supervised process and of those that it has started."""

    def __init__(self, folder: Path, account: Account | None = None) -> None:
        """`account`: whose the processes are; ours where it is None."""
        self.folder = folder
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            account.own(self.folder)
        self._signs: dict[int, Sign] = {}
        self._looked_at = time.monotonic()

    def end_hung(self, group: int) -> list[Hung]:
        """End whatever of this process group hangs.

        Of its leader, who may be a master that gives no signs of its own, it is enough that nobody has stopped it.
        """
        now = time.monotonic()
        stalled = now - self._looked_at > STALLED_SECONDS
        self._looked_at = now
        hung = []
        for file, process in self._members(group):
            sign = self._sign_of(file, process, now) if file.exists() else self._sign_of_leader(process, now)
            if stalled:
                sign.beaten_at = now
            silent = now - sign.beaten_at
            if silent > BUSY_SECONDS or (silent > SILENT_SECONDS and now - sign.worked_at > SILENT_SECONDS):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
                _remove(file)
                hung.append(Hung(process.pid, silent))
        return hung

    def forget(self) -> None:
        """The process starts anew."""
        self._signs.clear()
        for file in self.folder.iterdir():
            _remove(file)

    def _members(self, group: int) -> Iterator[tuple[Path, psutil.Process]]:
        """The files, each with the process of this group that touches it; others are removed. And the leader."""
        for file in list(self.folder.iterdir()):
            with contextlib.suppress(OSError, ValueError, psutil.Error):
                pid = int(file.name)
                if os.getpgid(pid) == group:
                    yield file, psutil.Process(pid)
                    continue
            _remove(file)
        leader = self.folder / str(group)
        if not leader.exists():
            with contextlib.suppress(psutil.Error):
                yield leader, psutil.Process(group)

    def _sign_of_leader(self, process: psutil.Process, now: float) -> Sign:
        sign = self._signs.setdefault(process.pid, Sign(now, now))
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_STOPPED:
                sign.beaten_at = sign.worked_at = now
        return sign

    def _sign_of(self, file: Path, process: psutil.Process, now: float) -> Sign:
        sign = self._signs.setdefault(process.pid, Sign(now, now))
        with contextlib.suppress(OSError, psutil.Error):
            beaten_at = file.stat().st_mtime
            if beaten_at <= now:  # one that has only just been made still has the time of day
                sign.beaten_at = max(sign.beaten_at, beaten_at)
            if process.status() in AT_WORK:
                sign.worked_at = now
        return sign


def _remove(file: Path) -> None:
    """Whatever it is: those who are watched may leave there what they like, and the watch goes on."""
    with contextlib.suppress(OSError):
        if file.is_dir() and not file.is_symlink():
            shutil.rmtree(file, ignore_errors=True)
        else:
            file.unlink(missing_ok=True)

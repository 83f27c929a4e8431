"""One owner of a folder at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

import psutil

from machine.ownership import refuse_foreign, refuse_foreign_status

SAME_SECONDS = 0.5
"""A process with the pid and, this close, the time of birth that were written down is the same process."""


class OwnerLock:
    """A file that one process holds; the kernel frees it with that process, however it ends, so it is never stale.

    Its owner alone may open it: whoever may, can hold it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock; True if it is ours from now on, or was already. Raises NotOursError."""
        if self._descriptor is not None:
            return True
        descriptor = self._opened(os.O_RDWR | os.O_CREAT)
        try:
            refuse_foreign_status(self.path, os.fstat(descriptor))
            os.fchmod(descriptor, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {psutil.Process().create_time()}\n".encode(), 0)
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let the next one have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> int | None:
        """The pid of the process that holds it, None if nobody does.

        It is 0 where that process has not said who it is yet, or what is written is not true of it: its number has gone
        to another, or it runs as somebody else than the one whose file this is. Raises PermissionError where we may not
        look.
        """
        try:
            descriptor = self._opened(os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            written = os.pread(descriptor, 60, 0).decode("ascii", "replace").split()
            return _pid_in(written, os.fstat(descriptor).st_uid)
        else:
            return None
        finally:
            os.close(descriptor)

    def _opened(self, flags: int) -> int:
        try:
            return os.open(self.path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            if self.path.is_symlink():
                refuse_foreign(self.path)
            raise


def _pid_in(written: list[str], owner: int) -> int:
    with contextlib.suppress(ValueError, psutil.Error):
        pid, created_at = written
        process = psutil.Process(int(pid))
        if process.uids().real == owner and abs(process.create_time() - float(created_at)) < SAME_SECONDS:
            return process.pid
    return 0

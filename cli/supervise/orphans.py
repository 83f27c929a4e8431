"""Grandchildren whose parent died: on Linux they fall to the supervisor, which sees to it that none is left."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Collection

import psutil

PR_SET_CHILD_SUBREAPER = 36
"""prctl(2), Linux: orphans below us become our children instead of those of process 1."""


def adopt_orphans() -> None:
    """Make this process the one that orphans fall to; without effect on macOS."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_strays(known: Collection[int | None]) -> None:
    """Collect the exit codes of dead children, except those of `known`, which others wait for."""
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error, ChildProcessError):
            if process.pid not in known and process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)


def end_descendants() -> None:
    """SIGKILL for whatever still descends from us: the last thing before leaving."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            process.kill()
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass

"""A server's operating-system process: tied to the life of ours, found again after ours was killed, and ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

PR_SET_PDEATHSIG, PR_GET_PDEATHSIG = 1, 2
"""prctl(2), Linux: the signal that the kernel sends to this process when the one that started it dies."""


def die_with_parent(signal_number: int) -> Callable[[], None] | None:
    """A `preexec_fn` that asks for `signal_number` when the starting thread dies, even by SIGKILL; None on macOS.

    It is the *thread* that counts: a server must be started from a thread that lives as long as the server shall.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:  # died between fork and prctl
            os._exit(1)

    return ask


def become(uid: int, gid: int) -> None:
    """Be this user from now on, and nobody else any more; still end with whoever ended us before."""
    prctl = ctypes.CDLL(None).prctl if sys.platform.startswith("linux") else None
    asked = ctypes.c_int(0)
    if prctl is not None:
        prctl(PR_GET_PDEATHSIG, ctypes.byref(asked), 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if prctl is not None and asked.value:
        prctl(PR_SET_PDEATHSIG, asked.value, 0, 0, 0)  # the kernel forgets it with the user


def inhabitants(name: str, folder: Path) -> list[psutil.Process]:
    """The live processes called `name` that work in `folder`, parents before their children.

    A pid file alone proves nothing: after a reboot the number belongs to another program.
    """
    found: dict[int, psutil.Process] = {}
    parents: dict[int, int] = {}
    for process in psutil.process_iter(["name", "status"]):
        if process.info["name"] != name or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        with contextlib.suppress(OSError, psutil.Error):  # ended meanwhile, or somebody else's
            if Path(process.cwd()) == folder:
                parents[process.pid] = process.ppid()
                found[process.pid] = process
    return sorted(found.values(), key=lambda process: (parents[process.pid] in found, process.pid))


def end_group(leader: int) -> None:
    """SIGKILL for a process group, and wait until no member runs any more: a port is free only then."""
    members = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):
            if os.getpgid(pid) == leader:
                members.append(psutil.Process(pid))
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for member in members:
        has_ended(member, 2.0)


def end(process: psutil.Process, signals: Iterable[tuple[int, float]]) -> bool:
    """Send each signal and wait its seconds for the end; SIGKILL at last. False if even that did not help."""
    for number, seconds in (*signals, (signal.SIGKILL, 5.0)):
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            return True
        if has_ended(process, seconds):
            return True
    return False


def has_ended(process: psutil.Process, seconds: float) -> bool:
    """Wait for the process to end; True if it does in this time.

    A zombie has ended: its parent or process 1 may take seconds to notice.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)

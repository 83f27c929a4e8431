"""Which account of the operating system the exchange runs under, where root starts it.

PostgreSQL refuses to run as root, and what reads strangers' bytes should not either. The account is the exchange's own,
for whoever shares one may read its files and its memory: that rules `nobody` out, which other services use. It reaches
neither root's home nor most temporary folders, hence the questions about what it can read.
"""

from __future__ import annotations

import fcntl
import functools
import grp
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine.errors import MachineError

OWN = "minex"
"""The account of the exchange's own, made when root starts it for the first time."""

SHARED = ("nobody", "daemon")
"""What stands in for it where it cannot be made; every Unix has one of them."""

USERADD = ("useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent")
PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
"""Where that program may be."""

LOCKED, TAKEN = 1, 9
"""How it ends while somebody else changes the list of accounts, and where the name is there."""

USERADD_SECONDS = 30.0

TRIES = 5
"""Somebody else may just change the list."""

LOCK = Path("/etc/.pwd.lock")
"""Held while we make it. Of two `useradd` of one name at once the later gives the account another number, under the
feet of whoever has found the first: both take a lock, but only after they have looked."""


@dataclass(frozen=True)
class Account:
    """The account that the exchange runs under; `uid` is None where that is simply who we are."""

    uid: int | None = None
    gid: int | None = None
    name: str = ""

    @classmethod
    def of_exchange(cls, *, make: bool = True) -> Account:
        """Ourselves; for root the account `minex`, made unless `make` is False, or what stands in for it.

        Raises MachineError if there is none at all.
        """
        return _of_root(make) if os.geteuid() == 0 else cls()

    @property
    def is_shared(self) -> bool:
        """True for one that others on this machine use as well."""
        return self.name in SHARED

    def spawn_options(self) -> dict[str, Any]:
        """Arguments for `subprocess` that start a program under this account, in a folder that it can enter."""
        if self.uid is None:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self.uid, "group": self.gid, "extra_groups": []}

    def can(self, test: str, path: Path) -> bool:
        """True if the account passes `test`: "-r" (read), "-w" (write) or "-x" (enter, run).

        Asked of the kernel under that account, because mode bits alone do not tell of access lists and namespaces.
        """
        if self.uid is None:
            return os.access(path, {"-r": os.R_OK, "-w": os.W_OK, "-x": os.X_OK}[test])
        command = ["/bin/sh", "-c", 'test "$1" "$2"', "sh", test, str(path)]
        try:
            return subprocess.run(command, check=False, env={}, **self.spawn_options()).returncode == 0
        except (OSError, subprocess.SubprocessError) as error:
            raise MachineError(f"root cannot start programs as uid {self.uid} here ({error})") from error

    def own(self, path: Path) -> None:
        """Give `path` to the account, and keep everybody else out of it."""
        if self.uid is not None:
            os.chown(path, self.uid, self.gid if self.gid is not None else -1)
        path.chmod(0o700 if path.is_dir() else 0o600)

    def take_over(self, path: Path) -> None:
        """Give to the account what an earlier start has given to another one of ours, with all that is in it.

        What belongs to anybody else is left as it is.
        """
        if self.uid is None or self.gid is None:
            return
        others = {known.uid for name in (OWN, *SHARED) if (known := _known(name)) is not None} - {self.uid}
        if path.lstat().st_uid not in others:
            return
        for _, folders, files, place in os.fwalk(path, topdown=False):
            for name in (*folders, *files):
                if os.stat(name, dir_fd=place, follow_symlinks=False).st_uid in others:
                    os.chown(name, self.uid, self.gid, dir_fd=place, follow_symlinks=False)
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


@functools.cache
def _of_root(make: bool) -> Account:
    if make and _known(OWN) is None:
        _make()
    for name in (OWN, *SHARED):
        account = _known(name)
        if account is not None and account.uid != 0:
            return account
    raise MachineError(f"nothing of the exchange runs as root, and there is no account {OWN} nor {SHARED[0]}")


def _known(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid, name)


def _make() -> None:
    """Make the account, unless that cannot be done here: no such program, no right to, nowhere to write it down."""
    program, shell = (shutil.which(name, path=PLACES) for name in (USERADD[0], "nologin"))
    if program is None:
        return
    group = ("--gid", OWN) if OWN in {entry.gr_name for entry in grp.getgrall()} else ("--user-group",)
    command = [program, *USERADD[1:], *group, "--shell", shell or "/bin/false", OWN]
    with _one_at_a_time():
        _run(command)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Waits for another start that is at it; not on a machine that keeps its list elsewhere."""
    try:
        descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # other than what `useradd` takes, which would wait for us
        yield
    finally:
        os.close(descriptor)


def _run(command: list[str]) -> None:
    for _ in range(TRIES):
        if _known(OWN) is not None:
            return
        try:
            done = subprocess.run(command, check=False, capture_output=True, timeout=USERADD_SECONDS, env={})
        except (OSError, subprocess.SubprocessError):
            return
        if done.returncode not in (LOCKED, TAKEN):
            return
        time.sleep(0.2)

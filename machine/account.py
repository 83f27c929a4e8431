"""Which operating-system account the embedded servers run under.

PostgreSQL refuses to run as root, so root starts the servers as `nobody`. That account reaches neither root's home
nor most temporary folders, hence the questions about what it can read.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine.errors import MachineError

UNPRIVILEGED = ("nobody", "daemon")
"""Accounts that root may give the servers to, in order of preference; every Unix has one of them."""


@dataclass(frozen=True)
class Account:
    """The account that the servers run under; `uid` is None where that is simply who we are."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def for_servers(cls) -> Account:
        """Ourselves, or an unprivileged account if we are root. Raises MachineError if root has none."""
        if os.geteuid() != 0:
            return cls()
        for name in UNPRIVILEGED:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid)
        raise MachineError("PostgreSQL does not run as root, and there is no account 'nobody' to run it under")

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

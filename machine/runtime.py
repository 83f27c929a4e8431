"""With which Python, packages and code an account runs the exchange's processes.

Where the account can read what root uses, it is that. Else, as where the checkout or Python is below the home of root,
it is a copy that belongs to root and that everybody may read, below /var/lib/minex.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from machine.account import OWN, Account
from machine.code_copy import code_for
from machine.errors import MachineError
from machine.process import become
from machine.python_copy import python_for

HEADLESS = {"HOME": "/nonexistent", "PYTHONNOUSERSITE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
"""The home of root is closed to the account, and what looks for files there, as libpq does, would stumble over that."""

TRY_SECONDS = 60.0


@dataclass(frozen=True)
class Runtime:
    """How to start a process of ours: who is to run it, with which interpreter, and where the code is."""

    account: Account
    python: Path
    root: Path
    variables: Mapping[str, str]
    warning: str = ""
    """Where the exchange has no account of its own: what it runs as, and why."""

    def environment(self, own: Mapping[str, str]) -> dict[str, str]:
        """The variables of the process: `own`, and what it takes to find everything."""
        return {**own, "PYTHONPATH": str(self.root), "PYTHONSAFEPATH": "1", **self.variables}

    def spawn_options(self) -> dict[str, Any]:
        """Arguments for `subprocess` that start it under the account, in the folder of the code."""
        return self.account.spawn_options() | {"cwd": self.root}

    def go_on(self, arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
        """Go on as `python ARGUMENTS` under the account."""
        os.chdir(self.root)
        if self.account.uid is not None and self.account.gid is not None:
            become(self.account.uid, self.account.gid)
        os.execve(self.python, [str(self.python), *arguments], dict(environment))  # noqa: S606


@functools.cache
def runtime_of(root: Path) -> Runtime:
    """For the checkout `root`: ourselves as we are; for root the account of the exchange.

    Where that cannot be, it says why, and root goes on as root.
    """
    try:
        account = Account.of_exchange()
        if account.uid is None:
            return Runtime(account, Path(sys.executable), root, {})
        return _of_account(account, root)
    except (MachineError, OSError, subprocess.SubprocessError) as error:
        warning = f"the exchange runs as root, who can do anything here: {error}"
        return Runtime(Account(), Path(sys.executable), root, {}, warning)


def _of_account(account: Account, root: Path) -> Runtime:
    python, needed = python_for(account, root)
    variables = {**HEADLESS, "USER": account.name, "LOGNAME": account.name, **needed}
    why = f"there is no account {OWN} on this machine, and it cannot be made"
    warning = f"the exchange runs as {account.name}, as others may: {why}" if account.is_shared else ""
    runtime = Runtime(account, python, code_for(account, root), variables, warning)
    done = subprocess.run(
        [str(python), "-c", "import settings.loading, sqlalchemy, ssl"],
        check=False,
        capture_output=True,
        env=runtime.environment({}),
        timeout=TRY_SECONDS,
        **runtime.spawn_options(),
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise MachineError(f"the account {account.name} cannot run {python}: {said[0]}")
    return runtime

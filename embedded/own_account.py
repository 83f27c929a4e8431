"""How the exchange's processes are started where root starts them: under its account, with what it needs to know."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from machine.account import Account
from machine.copies import shared_folder
from machine.runtime import Runtime
from settings.loading import file_of, variables_of
from settings.public_file import public_text
from settings.sections import Settings

PASSED_ON = ("PATH", "LANG", "LANGUAGE", "LC_", "TZ", "MINEX_", "PYTHON", "COVERAGE_", "PGSSL", "SSL_CERT_")
"""Variables, or what their names begin with, that also a process of another account gets: how it speaks and tells the
time, where programs and certificates are. The rest is root's own affair, and may be secret."""


def environment_of(runtime: Runtime, settings: Settings, given: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process: those that we were `given`, and the settings instead of what these say of them.

    A process of another account gets few of ours, and its own settings only: where it cannot read the file, one without
    secrets.
    """
    if runtime.account.uid is None:
        return runtime.environment({**given, **variables_of(settings)})
    own = {name: value for name, value in given.items() if name.startswith(PASSED_ON)} | variables_of(settings)
    return runtime.environment(own | {"MINEX_CONFIG": str(_readable(runtime.account, file_of(given)))})


def _readable(account: Account, file: Path) -> Path:
    if account.can("-r", file):
        return file
    copy = shared_folder("settings") / f"{hashlib.sha256(os.fsencode(file)).hexdigest()[:12]}.toml"
    unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
    unfinished.write_text(public_text(file), encoding="utf-8")
    unfinished.chmod(0o644)
    unfinished.replace(copy)
    return copy

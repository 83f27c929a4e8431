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


def environment_of(runtime: Runtime, settings: Settings, given: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process: those that we were `given`, and the settings instead of what these say of them.

    A process of another account has its own settings only: where it cannot read the file, it gets one without secrets.
    """
    own = {**given, **variables_of(settings)}
    if runtime.account.uid is not None:
        own["MINEX_CONFIG"] = str(_readable(runtime.account, file_of(given)))
    return runtime.environment(own)


def _readable(account: Account, file: Path) -> Path:
    if account.can("-r", file):
        return file
    copy = shared_folder("settings") / f"{hashlib.sha256(os.fsencode(file)).hexdigest()[:12]}.toml"
    unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
    unfinished.write_text(public_text(file), encoding="utf-8")
    unfinished.chmod(0o644)
    unfinished.replace(copy)
    return copy

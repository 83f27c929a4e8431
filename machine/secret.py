"""Secrets that are made once and kept in a file that only its owner can read."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from pathlib import Path

from machine.ownership import read_own


def kept_secret(path: Path) -> str:
    """The secret in `path`; made there if there is none. 192 random bits in hexadecimal, safe inside a url.

    Raises NotOursError for one that somebody else has put there, or could.
    """
    is_there = False
    with contextlib.suppress(FileNotFoundError):
        known = read_own(path).strip()
        is_there = True
        if known:
            return known
    with contextlib.suppress(FileExistsError):
        write_private(path, f"{secrets.token_hex(24)}\n", replace=is_there)
    return read_own(path).strip()


def write_private(path: Path, text: str, *, replace: bool = True) -> None:
    """Write the file so that it is whole at any moment, and readable by its owner only from the first byte on.

    Raises FileExistsError for one that is there and is not to be replaced, also if another process has just made it.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_native_id()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            unfinished.replace(path)
        else:
            path.hardlink_to(unfinished)
            unfinished.unlink()
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise

"""Secrets that are made once and kept in a file that only its owner can read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from machine.ownership import read_own


def kept_secret(path: Path) -> str:
    """The secret in `path`; made there if there is none. 192 random bits in hexadecimal, safe inside a url.

    Raises NotOursError for one that somebody else has put there, or could.
    """
    with contextlib.suppress(FileNotFoundError):
        known = read_own(path).strip()
        if known:
            return known
    secret = secrets.token_hex(24)
    write_private(path, secret + "\n")
    return secret


def write_private(path: Path, text: str) -> None:
    """Write the file so that it is whole at any moment, and readable by its owner only from the first byte on."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise

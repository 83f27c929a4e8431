"""The log file of an embedded server: put aside when it has grown long, and its end for an error message."""

import contextlib
import os
import shutil
from pathlib import Path
from typing import BinaryIO

LIMIT_BYTES = 10_000_000
"""A longer log is put aside as `.1`, which replaces the one before."""


def opened(path: Path) -> BinaryIO:
    """The log, to be written at its end. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LIMIT_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "ab")


def turn_page(path: Path) -> None:
    """Put the log aside while the server writes to it. Raises OSError.

    The server keeps its file, so that is copied and emptied, and goes on from its beginning: it writes at the
    end of the file, wherever that is. What is written between the two is lost.
    """
    shutil.copyfile(path, path.with_name(f"{path.name}.1"))
    os.truncate(path, 0)


def last_lines(path: Path, count: int = 8) -> str:
    """The last `count` lines of the log; nothing where there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-count:])

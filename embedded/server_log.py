"""The log file of an embedded server: begun anew when it has grown long, and its end for an error message."""

import contextlib
from pathlib import Path
from typing import BinaryIO

LIMIT_BYTES = 10_000_000
"""At a start a longer log is put aside as `.1`."""


def opened(path: Path) -> BinaryIO:
    """The log, to be written at its end. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LIMIT_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


def last_lines(path: Path, count: int = 8) -> str:
    """The last `count` lines of the log; nothing where there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-count:])

"""Whose a file is: what somebody else has put where ours should be, or could change, is not used.

Everybody may make files in /tmp, and whoever starts the exchange as root reads them all.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from machine.errors import NotOursError

OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def refuse_foreign(path: Path) -> None:
    """Raises NotOursError if `path` is there and is not ours alone to change: a link, another's, or open to others."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    refuse_foreign_status(path, found)


def refuse_foreign_status(path: Path, found: os.stat_result) -> None:
    """The same, where the status is known already, as of an open file."""
    if stat.S_ISLNK(found.st_mode):
        raise NotOursError(f"{path} is a symbolic link, which is not followed: remove it, or name where it leads to")
    if found.st_uid != os.geteuid():
        raise NotOursError(f"{path} belongs to another user (uid {found.st_uid}): take another place, or chown it")
    if found.st_mode & OTHERS_MAY_WRITE:
        raise NotOursError(f"{path} may be changed by others: if nobody has done so, chmod go-w {path}")


def read_own(path: Path) -> str:
    """The text of a file of ours. Raises FileNotFoundError, and NotOursError as above."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        refuse_foreign(path)
        raise
    with os.fdopen(descriptor, encoding="utf-8") as file:
        refuse_foreign_status(path, os.fstat(descriptor))
        return file.read()

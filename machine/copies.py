"""Copies of programs for an account that cannot read where they are, as below the home of root."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from machine.ownership import refuse_foreign

SHARED = Path("/var/lib/minex")
"""For root only: the servers' data, and programs, where the data folder, the checkout or Python is closed to others."""


def shared_folder(*names: str) -> Path:
    """The folder of this name below SHARED, which everybody may enter and read; made if missing.

    Raises NotOursError where somebody else could put a link where root writes.
    """
    SHARED.mkdir(parents=True, exist_ok=True)
    refuse_foreign(SHARED)
    folder = SHARED.joinpath(*names)
    folder.mkdir(parents=True, exist_ok=True)
    for place in (SHARED, *(SHARED.joinpath(*names[: count + 1]) for count in range(len(names)))):
        place.chmod(0o755)
    return folder


def copied(name: str, fill: Callable[[Path], None]) -> Path:
    """The world-readable copy of this name; where there is none yet `fill` is given the folder to make it in."""
    target = shared_folder("programs") / name
    if target.exists():
        return target
    unfinished = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=target.parent))
    try:
        fill(unfinished)
        _open_to_all(unfinished)
        if not target.exists():
            unfinished.rename(target)
    except OSError:
        if not target.exists():  # otherwise another start was faster, and its copy is as good
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def copy_all(sources: Iterable[Path], base: Path, target: Path) -> None:
    """Copy files and folders below `base` to the same places below `target`; what is not there is left out."""
    for source in sources:
        place = target / source.relative_to(base)
        if source.is_dir():
            shutil.copytree(source, place, symlinks=True)
        elif source.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place)


def _open_to_all(folder: Path) -> None:
    for place, _, names in os.walk(folder):
        Path(place).chmod(0o755)
        for name in names:
            path = Path(place, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o755 if os.access(path, os.X_OK) else 0o444))

"""An administrator's key from its making until it has been shown: in a private file, so that no interruption loses it.

The database keeps no more than its hash. The file is written before the key is stored and removed once it was shown;
a file whose key was never stored is told by the hash.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from cli.terminal import CommandError
from machine.secret import write_private

FILE = "new-admin-key"


def keep_until_shown(folder: Path, key: str) -> None:
    """To be called before the commit that stores the key. Raises CommandError where the folder takes no file."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(folder / FILE, f"{key}\n")
    except OSError as error:
        raise CommandError(
            f"The new administrator's key cannot be kept in {folder} until it is shown ({error.strerror}).",
            "MINEX_DATA_FOLDER=PLACE minex migrate",
            "MINEX_ADMIN_KEY=… minex migrate",
        ) from error


def unshown_key(folder: Path, is_stored: Callable[[str], bool] = lambda key: True) -> str | None:
    """The key that nobody has seen yet, if there is one and `is_stored` says so of it."""
    with contextlib.suppress(OSError):
        key = (folder / FILE).read_text(encoding="ascii").strip()
        if key and is_stored(key):
            return key
    return None


def was_shown(folder: Path) -> None:
    """It is the user's to keep from now on."""
    with contextlib.suppress(OSError):
        (folder / FILE).unlink(missing_ok=True)

"""Where things are kept: the data folder, and inside or beside it the embedded servers' own folders."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import shutil
from pathlib import Path

from machine.account import Account
from machine.copies import SHARED, shared_folder
from machine.lock import OwnerLock
from machine.secret import write_private
from settings.loading import ROOT
from settings.sections import Settings

MARKER = "servers"
"""The file in the data folder that tells which folder under /var/lib/minex belongs to it."""


def data_folder(settings: Settings) -> Path:
    """The absolute path of `[exchange] data_folder`, else `.minex` in the checkout; it need not exist.

    A relative path is relative to the checkout, so that it means the same from wherever the command is called.
    """
    return (ROOT / (settings.exchange.data_folder or ".minex")).absolute()


def servers_folder(folder: Path) -> Path:
    """The folder below which the embedded servers keep their data; made if missing.

    It is `folder` itself wherever the servers' account can get there. Otherwise (root with a checkout in its home) it
    is a folder under /var/lib/minex, noted in `folder`, so that every start finds it again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    account = Account.of_exchange()
    if account.uid is None:
        return folder
    if folder.stat().st_uid == 0:
        folder.chmod(folder.stat().st_mode | 0o011)  # may be passed through, not listed
    if account.can("-x", folder):
        return folder
    return outside_of(folder) or _made_outside(folder)


def outside_of(folder: Path) -> Path | None:
    """The folder under /var/lib/minex that belongs to the data folder, if it has one."""
    with contextlib.suppress(OSError):
        outside = Path((folder / MARKER).read_text(encoding="utf-8").strip())
        if outside.is_dir():
            return outside
    return None


def _made_outside(folder: Path) -> Path:
    words = re.sub(r"[^a-zA-Z0-9]+", "-", str(folder)).strip("-")[-40:]
    stem = f"{words}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    shared_folder()
    for forgotten in SHARED.glob(f"{stem}-*"):
        # The data folder of this path was deleted and made anew: what it had outside goes the same way.
        if OwnerLock(forgotten / "postgres" / "owner").holder() is None:
            shutil.rmtree(forgotten, ignore_errors=True)
    outside = SHARED / f"{stem}-{secrets.token_hex(4)}"
    outside.mkdir(mode=0o711)
    write_private(folder / MARKER, f"{outside}\n")
    return outside

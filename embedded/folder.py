"""Where things are kept: the data folder, and inside or beside it the embedded servers' own folders."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from config import ROOT, Settings
from embedded.account import Account

SHARED = Path("/var/lib/minex")
"""For root only: the servers' data and programs where the data folder or the checkout is closed to `nobody`."""


def data_folder(settings: Settings) -> Path:
    """The absolute path of `[exchange] data_folder`, else `.minex` in the checkout; it need not exist.

    A relative path is relative to the checkout, so that it means the same from wherever the command is called.
    """
    return (ROOT / (settings.exchange.data_folder or ".minex")).absolute()


def servers_folder(folder: Path) -> Path:
    """The folder below which the embedded servers keep their data; made if missing.

    It is `folder` itself wherever the servers' account can get there. Otherwise (root with a checkout in its home) it
    is a folder under /var/lib/minex whose name follows from the path of `folder`, so every start finds it again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    account = Account.for_servers()
    if account.uid is None:
        return folder
    if folder.stat().st_uid == 0:
        folder.chmod(folder.stat().st_mode | 0o011)  # may be passed through, not listed
    if account.can("-x", folder):
        return folder
    words = re.sub(r"[^a-zA-Z0-9]+", "-", str(folder)).strip("-")[-40:]
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    outside = SHARED / f"{words}-{digest}"
    outside.mkdir(mode=0o711, parents=True, exist_ok=True)
    SHARED.chmod(0o755)
    outside.chmod(0o711)
    return outside
